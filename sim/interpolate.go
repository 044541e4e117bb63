package sim

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"strings"

	"eevee/models"
)

// recordedStage is what was recorded of one stage, by size: a ragged grid of
// memory and parallelism (or parallelism of the input, see byInput).
type recordedStage struct {
	byInput     bool // recorded at one parallelism only: levels are parallelisms of the input
	parallelism int  // with byInput
	levels      []level
}

// level holds the recordings at one parallelism, by memory.
type level struct {
	x      int
	points []point
}

// point holds the recordings of one size, in the order of the trace.
type point struct {
	memory     int
	recordings []recording
	byWall     []recording // from the fastest to the slowest
}

func newRecordedStage(recordings []recording) recordedStage {
	s := recordedStage{byInput: true, parallelism: recordings[0].parallelism}
	for _, r := range recordings {
		s.byInput = s.byInput && r.parallelism == s.parallelism
	}
	for _, r := range recordings {
		x := r.parallelism
		if s.byInput {
			x = r.inputParallelism
		}
		l := entry(&s.levels, x, func(l *level) *int { return &l.x })
		p := entry(&l.points, r.memory, func(p *point) *int { return &p.memory })
		p.recordings = append(p.recordings, r)
	}
	for _, l := range s.levels {
		for i := range l.points {
			p := &l.points[i]
			p.byWall = slices.SortedStableFunc(slices.Values(p.recordings), func(a, b recording) int { return cmp.Compare(a.wall(), b.wall()) })
		}
	}
	return s
}

// entry returns the element with the given key in a list sorted by key, and
// inserts one where there is none.
func entry[T any](list *[]T, key int, of func(*T) *int) *T {
	i, ok := slices.BinarySearchFunc(*list, key, func(e T, key int) int { return cmp.Compare(*of(&e), key) })
	if !ok {
		var e T
		*of(&e) = key
		*list = slices.Insert(*list, i, e)
	}
	return &(*list)[i]
}

// find returns the point of a recorded size, nil for any other size.
func (s *recordedStage) find(x, memory int) *point {
	i, ok := slices.BinarySearchFunc(s.levels, x, func(l level, x int) int { return cmp.Compare(l.x, x) })
	if !ok {
		return nil
	}
	points := s.levels[i].points
	i, ok = slices.BinarySearchFunc(points, memory, func(p point, memory int) int { return cmp.Compare(p.memory, memory) })
	if !ok {
		return nil
	}
	return &points[i]
}

// size describes a size of the stage.
func (s *recordedStage) size(x, memory int) string {
	switch {
	case !s.byInput:
		return fmt.Sprintf("%dx%dMB", x, memory)
	case x == 0:
		return fmt.Sprintf("%dx%dMB", s.parallelism, memory)
	default:
		return fmt.Sprintf("%dx%dMB reading from %d", s.parallelism, memory, x)
	}
}

// behaviour resolves the stage under c.
func (s *recordedStage) behaviour(c models.StageConfig, inputParallelism int) *replayed {
	x := c.Parallelism
	if s.byInput {
		x = inputParallelism
	}
	if p := s.find(x, c.Memory); p != nil && (!s.byInput || s.parallelism == c.Parallelism) {
		b := &replayed{recorded: true, origin: "recorded " + s.size(x, c.Memory)}
		for _, r := range p.recordings {
			b.takes = append(b.takes, take{r.execution, r.instances()})
		}
		if slices.ContainsFunc(p.recordings, func(r recording) bool { return r.noDelay }) {
			b.warnings = []string{noDelay}
		}
		return b
	}

	// As many takes as the neighbour with the most executions has: take k of n
	// is the percentile (k+1/2)/n of every neighbour.
	survey := estimator{stage: s, percentile: 0.5}
	survey.at(x, c.Memory)
	if s.byInput && s.parallelism != c.Parallelism {
		survey.note("recorded with parallelism %d only: all %d instances take those times", s.parallelism, c.Parallelism)
	}
	b := &replayed{origin: "estimated from " + strings.Join(survey.used, ", "), warnings: survey.notes}
	for k := range survey.most {
		e := estimator{stage: s, percentile: (float64(k) + 0.5) / float64(survey.most)}
		mean, p95 := e.at(x, c.Memory).steps()
		b.takes = append(b.takes, take{tasks: impute(c.Parallelism, mean, p95, nanoseconds(mean.Cold+mean.Exec()))})
	}
	return b
}

const noDelay = "the start delay was not recorded everywhere, and counts as 0 where it was not"

// estimate is what a stage is thought to do at a size: the means of the steps,
// and p95 over mean. Its fields are those of models.Steps.
type estimate struct{ mean, ratio [4]float64 }

func newEstimate(r *recording) estimate {
	e := estimate{mean: fields(r.mean), ratio: fields(r.p95)}
	for k, mean := range e.mean {
		if e.ratio[k] /= mean; mean == 0 {
			e.ratio[k] = 1
		}
	}
	return e
}

func fields(s models.Steps) [4]float64 { return [4]float64{s.Cold, s.Read, s.Compute, s.Write} }

const coldField = 0

func (e estimate) steps() (mean, p95 models.Steps) {
	m, r := e.mean, e.ratio
	return models.Steps{Cold: m[0], Read: m[1], Compute: m[2], Write: m[3]},
		models.Steps{Cold: m[0] * r[0], Read: m[1] * r[1], Compute: m[2] * r[2], Write: m[3] * r[3]}
}

// blend interpolates between two estimates, t = 0 being a and t = 1 being b.
// Times are interpolated by their logarithm unless one is 0.
func blend(a, b estimate, t float64) estimate {
	for k := range a.mean {
		if a.mean[k] > 0 && b.mean[k] > 0 {
			a.mean[k] = math.Exp((1-t)*math.Log(a.mean[k]) + t*math.Log(b.mean[k]))
		} else {
			a.mean[k] = (1-t)*a.mean[k] + t*b.mean[k]
		}
		a.ratio[k] = (1-t)*a.ratio[k] + t*b.ratio[k]
	}
	return a
}

// outward continues the slope from the estimate at next through that at edge
// to a size beyond: reach and span are the logarithms of beyond/edge and of
// edge/next. The exponent of every step but cold is kept between low and high.
func outward(edge, next estimate, reach, span, low, high float64) estimate {
	for k := range edge.mean {
		if k == coldField || edge.mean[k] <= 0 || next.mean[k] <= 0 {
			continue
		}
		exponent := math.Log(edge.mean[k]/next.mean[k]) / span
		edge.mean[k] *= math.Exp(reach * min(high, max(low, exponent)))
	}
	return edge
}

// estimator evaluates a stage between and beyond its recorded sizes.
type estimator struct {
	stage      *recordedStage
	percentile float64  // of the recordings of every point, by wall time
	most       int      // recordings at the point that has most, of those used
	used       []string // sizes
	notes      []string
}

func (e *estimator) note(format string, args ...any) {
	if text := fmt.Sprintf(format, args...); !slices.Contains(e.notes, text) {
		e.notes = append(e.notes, text)
	}
}

// at estimates the stage at any size.
func (e *estimator) at(x, memory int) estimate {
	levels := e.stage.levels
	last := len(levels) - 1
	what, low, high := "parallelism", -1.0, 0.0
	if e.stage.byInput {
		what, low, high = "input parallelism", 0.0, 1.0
	}
	i, exact := slices.BinarySearchFunc(levels, x, func(l level, x int) int { return cmp.Compare(l.x, x) })
	switch {
	case exact:
		return e.along(i, memory)
	case last == 0:
		e.note("%s %d: only %d was recorded, the times are taken from there", what, x, levels[0].x)
		return e.along(0, memory)
	case i > 0 && i <= last:
		return blend(e.along(i-1, memory), e.along(i, memory), ratio(x, levels[i-1].x)/ratio(levels[i].x, levels[i-1].x))
	}
	e.note("%s %d lies outside the recorded %d to %d: step times are extrapolated", what, x, levels[0].x, levels[last].x)
	edge, next := 0, 1
	if i > last {
		edge, next = last, last-1
	}
	return outward(e.along(edge, memory), e.along(next, memory), ratio(x, levels[edge].x), ratio(levels[edge].x, levels[next].x), low, high)
}

// ratio returns ln(a/b), an unknown size (0) counting as 1.
func ratio(a, b int) float64 { return math.Log(float64(max(1, a)) / float64(max(1, b))) }

// along estimates the stage at a recorded level and any memory.
func (e *estimator) along(k, memory int) estimate {
	l := &e.stage.levels[k]
	last := len(l.points) - 1
	i, exact := slices.BinarySearchFunc(l.points, memory, func(p point, memory int) int { return cmp.Compare(p.memory, memory) })
	switch {
	case exact:
		return e.point(l, i)
	case i > 0 && i <= last:
		low, high := l.points[i-1].memory, l.points[i].memory
		return blend(e.point(l, i-1), e.point(l, i), ratio(memory, low)/ratio(high, low))
	}
	edge, next := 0, 1
	if i > last {
		edge, next = last, last-1
	}
	from := l.points[edge].memory
	if other := e.covering(k, memory, from); other >= 0 {
		// The steps change with memory as they do at the other level.
		e.note("%s was not recorded: the effect of memory is taken from %s", e.stage.size(l.x, memory), e.stage.size(e.stage.levels[other].x, memory))
		here, there, ref := e.point(l, edge), e.along(other, memory), e.along(other, from)
		for f := range here.mean {
			if f != coldField && there.mean[f] > 0 && ref.mean[f] > 0 {
				here.mean[f] *= there.mean[f] / ref.mean[f]
			}
		}
		return here
	}
	if last == 0 {
		e.note("%d MB: only %d MB was recorded, the times are taken from there", memory, from)
		return e.point(l, 0)
	}
	e.note("%d MB lies outside the recorded %d to %d MB: step times are extrapolated", memory, l.points[0].memory, l.points[last].memory)
	return outward(e.point(l, edge), e.point(l, next), ratio(memory, from), ratio(from, l.points[next].memory), -1, 0)
}

// covering returns the nearest other level whose recorded memory reaches from
// a to b, -1 where there is none.
func (e *estimator) covering(k, a, b int) int {
	nearest, distance := -1, math.Inf(1)
	for i, l := range e.stage.levels {
		if i == k || l.points[0].memory > min(a, b) || l.points[len(l.points)-1].memory < max(a, b) {
			continue
		}
		if d := math.Abs(ratio(l.x, e.stage.levels[k].x)); d < distance {
			nearest, distance = i, d
		}
	}
	return nearest
}

// point returns the recording of a point at the estimator's percentile.
func (e *estimator) point(l *level, i int) estimate {
	p := &l.points[i]
	n := len(p.byWall)
	e.most = max(e.most, n)
	if size := e.stage.size(l.x, p.memory); !slices.Contains(e.used, size) {
		e.used = append(e.used, size)
	}
	r := &p.byWall[int(e.percentile*float64(n))]
	if r.noDelay {
		e.note(noDelay)
	}
	return newEstimate(r)
}
