package baselines

import (
	"cmp"
	"fmt"
	"math"
	"slices"

	"eevee/models"
)

// orionCurve is what a profile says about one stage with some parallelism:
// samples of its warm runs by size, as Orion has samples of a function by the
// size of its VM.
//
// Where the profile has runs with that very parallelism, size is the memory of
// an instance in MB. Else all runs count and size is the vCPU of all instances
// together, as in the Jolteon artifact (algorithms.md 1.5). Parallelism of the
// parent is not looked at: to Orion a function is a black box.
type orionCurve struct {
	records []orionRecord // ascending size
	total   bool          // sizes are vCPU of all instances together
	start   atoms         // time to start an instance, s; nil where no first epoch was recorded
}

// orionRecord are the warm runs of a stage at one recorded size.
type orionRecord struct {
	size   float64
	runs   []orionRun
	billed float64 // mean over instances and runs, s
}

// orionRun is one run of a stage, in seconds.
type orionRun struct {
	// wall is the time from the stage being ready to the end of its last
	// instance. A profile of aggregates has it as the sum of the four steps,
	// because its cold times are what is left of it (algorithms.md 1.3).
	wall float64
	// cold and exec are the delay and the billed time of every invocation, in
	// the order of the trace; nil where the profile holds aggregates only.
	cold, exec []float64
	mean       float64 // billed time, over the instances
}

// newOrionCurve reads the curve of stage i out of a profile.
func newOrionCurve(p *models.Profile, i, parallelism int) (*orionCurve, error) {
	all := p.Warm(i)
	if len(all) == 0 {
		return nil, fmt.Errorf("stage %q: the profile has no warm run (epoch 1 or later)", p.Workflow.Stage(i).Name)
	}
	c := &orionCurve{}
	same := slices.DeleteFunc(slices.Clone(all), func(o models.Observation) bool { return o.Config.Parallelism != parallelism })
	if len(same) == 0 {
		c.total, same = true, all
	}
	var warm, first []float64
	for _, o := range same {
		run, err := newOrionRun(o)
		if err != nil {
			return nil, fmt.Errorf("stage %q: execution %q: %w", p.Workflow.Stage(i).Name, o.Execution, err)
		}
		r := c.record(c.size(o.Config))
		run.mean = billedMean(o)
		r.runs = append(r.runs, run)
		r.billed += run.mean
		warm = append(warm, delays(o)...)
	}
	for k := range c.records {
		c.records[k].billed /= float64(len(c.records[k].runs))
	}
	for _, o := range p.Stage(i) {
		if o.Epoch == 0 && (c.total || o.Config.Parallelism == parallelism) {
			first = append(first, delays(o)...)
		}
	}
	if len(first) > 0 {
		// Inferred: what the first epoch waits longer than a warm one,
		// percentile by percentile, is the start of an instance.
		c.start = joined(empirical(first), empirical(warm), func(x, y float64) float64 { return max(0, x-y) })
		c.start.sort()
	}
	return c, nil
}

func newOrionRun(o models.Observation) (orionRun, error) {
	if o.Invocations == nil {
		run := orionRun{wall: o.P95.Exec() + o.P95.Cold}
		if math.IsNaN(run.wall) {
			run.wall = o.Mean.Exec() + o.Mean.Cold
		}
		if math.IsNaN(run.wall) {
			return run, fmt.Errorf("neither its p95 nor its mean row has all of cold_s, read_s, compute_s, write_s")
		}
		return run, nil
	}
	var run orionRun
	for k, s := range o.Invocations {
		if math.IsNaN(s.Cold) || math.IsNaN(s.Exec()) {
			return run, fmt.Errorf("invocation %d has not all of cold_s, read_s, compute_s, write_s", k+1)
		}
		run.cold = append(run.cold, s.Cold)
		run.exec = append(run.exec, s.Exec())
		run.wall = max(run.wall, s.Cold+s.Exec())
	}
	return run, nil
}

// billedMean returns the mean billed time of the run's instances, the 95th
// percentile where the profile has no mean.
func billedMean(o models.Observation) float64 {
	if s := o.Mean.Exec(); !math.IsNaN(s) {
		return s
	}
	return o.P95.Exec()
}

// delays returns the times between the stage being ready and its functions
// running: of every invocation, or of the run.
func delays(o models.Observation) []float64 {
	if o.Invocations == nil {
		if !math.IsNaN(o.P95.Cold) {
			return []float64{o.P95.Cold}
		}
		if !math.IsNaN(o.Mean.Cold) {
			return []float64{o.Mean.Cold}
		}
		return nil
	}
	var list []float64
	for _, s := range o.Invocations {
		if !math.IsNaN(s.Cold) {
			list = append(list, s.Cold)
		}
	}
	return list
}

// size returns where on the curve a configuration lies. Each of the bundled
// workers of an instance has its part of it.
func (c *orionCurve) size(s models.StageConfig) float64 {
	bundle := float64(max(1, s.Bundle))
	if !c.total {
		return float64(s.Memory) / bundle
	}
	// In steps of 0.1 vCPU, so that runs with nearly the same count as one size.
	return math.RoundToEven(s.VCPU*float64(s.Parallelism)*10) / 10
}

// record returns the record of a size, which it makes if there is none.
func (c *orionCurve) record(size float64) *orionRecord {
	k, ok := c.search(size)
	if !ok {
		c.records = slices.Insert(c.records, k, orionRecord{size: size})
	}
	return &c.records[k]
}

func (c *orionCurve) search(size float64) (int, bool) {
	return slices.BinarySearchFunc(c.records, size, func(r orionRecord, size float64) int { return cmp.Compare(r.size, size) })
}

// longest returns the longest recorded run in s.
func (c *orionCurve) longest() float64 {
	longest := 0.0
	for _, r := range c.records {
		for _, run := range r.runs {
			longest = max(longest, run.wall)
		}
	}
	return longest
}

// invocations reports whether the single invocations of every run are known.
func (c *orionCurve) invocations() bool {
	return !slices.ContainsFunc(c.records, func(r orionRecord) bool { return !r.invocations() })
}

func (r *orionRecord) invocations() bool {
	return !slices.ContainsFunc(r.runs, func(run orionRun) bool { return run.exec == nil })
}

// at interpolates what of says about the records of the curve, percentile by
// percentile between two of them.
//
// Inferred, as Orion samples the ends of its range: above the largest recorded
// size that one's distribution holds; below the smallest, times grow as the
// size shrinks.
func (c *orionCurve) at(size float64, of func(r *orionRecord) atoms) atoms {
	k, ok := c.search(size)
	switch {
	case ok:
		return of(&c.records[k])
	case k == 0:
		return of(&c.records[0]).times(c.records[0].size / size)
	case k == len(c.records):
		return of(&c.records[k-1])
	}
	low, high := &c.records[k-1], &c.records[k]
	return of(low).between(of(high), (size-low.size)/(high.size-low.size))
}

// exec returns the distribution of the billed time of one invocation.
func (c *orionCurve) exec(size float64) atoms {
	return c.at(size, func(r *orionRecord) atoms {
		var all []float64
		for _, run := range r.runs {
			all = append(all, run.exec...)
		}
		return empirical(all)
	})
}

// orionStage is the latency and cost model of one stage.
type orionStage struct {
	curve      *orionCurve
	workers    int // parallel shares of the stage's input, fixed; instances times bundle
	correlated bool
	price      models.PriceBook

	known map[orionKey]orionSample
}

type orionKey struct {
	record *orionRecord
	bundle int
}

// orionSample is what the runs at a recorded size say about the stage.
type orionSample struct {
	latency atoms   // from the stage being ready to its last instance's end, s
	billed  float64 // mean over instances, s
}

// sample returns what the runs of a record say about the stage under c.
//
// Recorded walls of a stage are the largest of its instances' times already.
// Single invocations are composed: into instances by bundling, and instances
// into a stage by largestOf.
func (s *orionStage) sample(r *orionRecord, c models.StageConfig) orionSample {
	key := orionKey{r, max(1, c.Bundle)}
	sample, ok := s.known[key]
	if ok {
		return sample
	}
	sample.billed = r.billed
	if r.invocations() {
		ends, execs := s.instances(r, key.bundle)
		sample.latency = largestOf(ends, c.Parallelism, s.correlated)
		if key.bundle > 1 {
			sample.billed = empirical(slices.Concat(execs...)).mean()
		}
	} else {
		walls := make([]float64, len(r.runs))
		for k, run := range r.runs {
			walls[k] = run.wall
		}
		sample.latency = empirical(walls)
	}
	if s.known == nil {
		s.known = make(map[orionKey]orionSample)
	}
	s.known[key] = sample
	return sample
}

// latency returns the distribution of the stage's latency under c.
func (s *orionStage) latency(c models.StageConfig) atoms {
	return s.curve.at(s.curve.size(c), func(r *orionRecord) atoms { return s.sample(r, c).latency })
}

// cost returns the mean cost of the stage in USD: billed times are interpolated
// as latencies are.
func (s *orionStage) cost(c models.StageConfig) float64 {
	billed := s.curve.at(s.curve.size(c), func(r *orionRecord) atoms { return atoms{{s.sample(r, c).billed, 1}} })
	return s.price.Stage(c, billed[0].value)
}
