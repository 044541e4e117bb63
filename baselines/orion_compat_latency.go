package baselines

import (
	"fmt"
	"math"
	"slices"

	"eevee/models"
)

// compatCurves gathers the recorded latencies of every stage by size.
func compatCurves(p *models.Profile) ([]map[int]atoms, error) {
	curves := make([]map[int]atoms, p.Workflow.Len())
	for i := range curves {
		values := make(map[int][]float64)
		for _, o := range p.Warm(i) {
			s := o.P95
			latency := s.Read + s.Compute + s.Write + s.Cold
			if math.IsNaN(latency) {
				return nil, fmt.Errorf("stage %q: execution %q has no complete p95 row, which the artifact reads", p.Workflow.Stage(i).Name, o.Execution)
			}
			at := tenths(o.Config)
			values[at] = append(values[at], latency)
		}
		if len(values) == 0 {
			return nil, fmt.Errorf("stage %q: the profile has no warm run (epoch 1 or later)", p.Workflow.Stage(i).Name)
		}
		curves[i] = make(map[int]atoms)
		for at, list := range values {
			curves[i][at] = empirical(list)
		}
	}
	return curves, nil
}

// tenths returns the vCPU of all instances together in 0.1 vCPU.
func tenths(c models.StageConfig) int {
	return int(math.RoundToEven(c.VCPU * float64(c.Parallelism) * 10))
}

// compatComposer composes the latencies of stages as the artifact does, and
// remembers the ends of stages by the sizes that they depend on.
type compatComposer struct {
	workflow  *models.Workflow
	curves    []map[int]atoms
	ancestors [][]int // per stage, with itself, ascending
	ends      []map[string]atoms
	ready     []map[string]atoms
	stages    []map[int]atoms
}

func newCompatComposer(w *models.Workflow, curves []map[int]atoms) *compatComposer {
	c := &compatComposer{workflow: w, curves: curves}
	for i := range w.Len() {
		known := []int{i}
		for _, p := range w.Parents(i) {
			known = append(known, c.ancestors[p]...)
		}
		slices.Sort(known)
		c.ancestors = append(c.ancestors, slices.Compact(known))
		c.ends = append(c.ends, make(map[string]atoms))
		c.ready = append(c.ready, make(map[string]atoms))
		c.stages = append(c.stages, make(map[int]atoms))
	}
	return c
}

// latency returns the distribution of a stage alone at a size in 0.1 vCPU. The
// caller must not change it.
func (c *compatComposer) latency(i, size int) atoms {
	a, ok := c.stages[i][size]
	if !ok {
		a = paired(c.curves[i], size)
		c.stages[i][size] = a
	}
	return a
}

// paired is the artifact's interpolation.
func paired(curve map[int]atoms, size int) atoms {
	if a, ok := curve[size]; ok {
		return a
	}
	low, high, largest := 0, math.MaxInt, 0
	for at := range curve {
		largest = max(largest, at)
		if at < size {
			low = max(low, at)
		} else {
			high = min(high, at)
		}
	}
	if size >= largest {
		return curve[largest]
	}
	below := atoms{{0, 1}}
	if low > 0 {
		below = curve[low]
	}
	w := float64(size-low) / float64(high-low)
	var out atoms
	for _, x := range below {
		for _, y := range curve[high] {
			out = append(out, atom{x.value + (y.value-x.value)*w, x.prob * y.prob})
		}
	}
	out.sort()
	return out
}

// key names the sizes of the ancestors of stage i, without its own if own is
// false.
func (c *compatComposer) key(config models.Config, i int, own bool) string {
	var key []byte
	for _, k := range c.ancestors[i] {
		if k != i || own {
			size := tenths(config[k])
			key = append(key, byte(size), byte(size>>8), byte(size>>16))
		}
	}
	return string(key)
}

// before returns the distribution of the time at which the last parent of stage
// i ends.
func (c *compatComposer) before(config models.Config, i int) atoms {
	key := c.key(config, i, false)
	a, ok := c.ready[i][key]
	if !ok {
		for k, p := range c.workflow.Parents(i) {
			if end := c.end(config, p); k == 0 {
				a = end
			} else {
				a = a.later(end)
			}
		}
		c.ready[i][key] = a
	}
	return a
}

// end returns the distribution of the end of stage i.
func (c *compatComposer) end(config models.Config, i int) atoms {
	key := c.key(config, i, true)
	a, ok := c.ends[i][key]
	if !ok {
		a = c.latency(i, tenths(config[i]))
		if len(c.workflow.Parents(i)) > 0 {
			a = a.after(c.before(config, i))
		}
		c.ends[i][key] = a
	}
	return a
}

// whole returns the distribution of the workflow's latency.
func (c *compatComposer) whole(config models.Config) atoms {
	sinks := c.workflow.Sinks()
	a := c.end(config, sinks[0])
	for _, i := range sinks[1:] {
		a = a.later(c.end(config, i))
	}
	return a
}

// atLeast reports whether the artifact's P(latency <= limit) is at least p. A
// single sink is not composed where that cannot matter: cutting down to 100
// values moves what lies between the sums next to the limit only.
func (c *compatComposer) atLeast(config models.Config, limit, p float64) bool {
	sinks := c.workflow.Sinks()
	if i := sinks[0]; len(sinks) == 1 && len(c.workflow.Parents(i)) > 0 {
		own, before := c.latency(i, tenths(config[i])), c.before(config, i)
		exact, slack := own.sumBelow(before, limit)
		if math.Abs(exact-p) > slack {
			return exact > p
		}
	}
	return c.whole(config).below(limit) >= p
}

// atomsKept is how many values the artifact keeps.
const atomsKept = 100

// after is the artifact's series composition: all pairs of sums.
func (a atoms) after(b atoms) atoms {
	out := make(atoms, 0, len(a)*len(b))
	for _, x := range a {
		for _, y := range b {
			out = append(out, atom{x.value + y.value, x.prob * y.prob})
		}
	}
	out.sort()
	return out.kept()
}

// later is its parallel composition: the product of both at every value.
func (a atoms) later(b atoms) atoms {
	var values []float64
	for _, x := range append(slices.Clone(a), b...) {
		values = append(values, x.value)
	}
	slices.Sort(values)
	var out atoms
	fa, fb, i, j, before, sum := 0.0, 0.0, 0, 0, 0.0, 0.0
	for _, v := range values {
		for ; i < len(a) && a[i].value <= v; i++ {
			fa += a[i].prob
		}
		for ; j < len(b) && b[j].value <= v; j++ {
			fb += b[j].prob
		}
		if p := fa*fb - before; p > 0 {
			out = append(out, atom{v, p})
			sum += p
		}
		before = fa * fb
	}
	for k := range out {
		out[k].prob /= sum
	}
	return out.kept()
}

// kept cuts the distribution down to 100 values: as many runs of neighbours,
// the first ones longer by one where they cannot be equally long, each with its
// mean.
func (a atoms) kept() atoms {
	if len(a) <= atomsKept {
		return a
	}
	out := make(atoms, 0, atomsKept)
	each, longer := len(a)/atomsKept, len(a)%atomsKept
	for k := range atomsKept {
		n := each
		if k < longer {
			n++
		}
		prob, moment := 0.0, 0.0
		for _, x := range a[:n] {
			prob += x.prob
		}
		for _, x := range a[:n] {
			moment += x.value * (x.prob / prob)
		}
		out = append(out, atom{moment, prob})
		a = a[n:]
	}
	return out
}

// below is the artifact's P(X <= value): linear between values, 0 before the
// first.
func (a atoms) below(value float64) float64 {
	n, sum := 0, 0.0
	for ; n < len(a) && a[n].value <= value; n++ {
		sum += a[n].prob
	}
	switch n {
	case 0:
		return 0
	case len(a):
		return 1
	}
	low, high := a[n-1], a[n]
	return sum + (value-low.value)/(high.value-low.value)*high.prob
}

// sumBelow returns P(X + Y <= value) as it is, and what below can say more or
// less about the sum after it was cut down: the probability of two runs of
// neighbours.
func (a atoms) sumBelow(b atoms, value float64) (p, slack float64) {
	sums := make([]float64, len(b)+1)
	largestA, largestB := 0.0, 0.0
	for k, y := range b {
		sums[k+1] = sums[k] + y.prob
		largestB = max(largestB, y.prob)
	}
	for _, x := range a {
		// The first value of b that is too large.
		k, _ := slices.BinarySearchFunc(b, value-x.value, func(y atom, v float64) int {
			if y.value <= v {
				return -1
			}
			return 1
		})
		p += x.prob * sums[k]
		largestA = max(largestA, x.prob)
	}
	neighbours := 1
	if n := len(a) * len(b); n > atomsKept {
		neighbours = (n + atomsKept - 1) / atomsKept
	}
	return p, 2*float64(neighbours)*largestA*largestB + 1e-9
}

// tail is the artifact's percentile. It means to take the first value at which
// the distribution reaches p and takes the last, so that it extrapolates from
// the last two values. With first it does what it means to.
func (a atoms) tail(p float64, first bool) float64 {
	at, sum, low := -1, 0.0, atom{}
	for k, x := range a {
		sum += x.prob
		if sum >= p && (at < 0 || !first) {
			at = k
			low.prob = sum - x.prob
		}
	}
	if at < 0 {
		return a[len(a)-1].value
	}
	if at > 0 {
		low.value = a[at-1].value
	}
	return low.value + (p-low.prob)/a[at].prob*(a[at].value-low.value)
}

// predictOrionCompat returns percentiles as the artifact predicts them.
func predictOrionCompat(p *models.Profile, c models.Config, percentiles []float64, first bool) ([]float64, error) {
	if len(c) != p.Workflow.Len() {
		return nil, fmt.Errorf("orion: a configuration of %d stages for workflow %s of %d", len(c), p.Workflow.Name(), p.Workflow.Len())
	}
	curves, err := compatCurves(p)
	if err != nil {
		return nil, err
	}
	whole := newCompatComposer(p.Workflow, curves).whole(c)
	var list []float64
	for _, q := range percentiles {
		list = append(list, whole.tail(q/100, first))
	}
	return list, nil
}
