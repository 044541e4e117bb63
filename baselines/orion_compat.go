package baselines

import (
	"context"
	"fmt"
	"math"
	"slices"

	"eevee/models"
	"eevee/solvers"
)

// orionCompat does what the Jolteon artifact (pkusys/Jolteon at bcce495) has for
// Orion, for its figures (algorithms.md 1.5, reference section 7, 18 and 19).
// It deviates from the paper in that
//
//   - a size is the vCPU of all instances together, to 0.1, and a latency the
//     sum of the four steps of a p95 row;
//   - between two sizes every value of one is paired with every value of the
//     other; below the smallest one the line goes through size 0 and latency 0,
//     so that less memory predicts less latency;
//   - distributions are cut down to 100 values of equal count after every step;
//   - every edge of the workflow counts, and a stage is recomputed as if
//     independent wherever it is an ancestor;
//   - sizes are looked at breadth first: fewest steps, not best first. With six
//     stages or more, all take a step at once;
//   - where no size is enough the largest is the answer;
//   - the sizes are raised to what the functions need after the search, and not
//     looked at again;
//   - a percentile is taken from the line through the last two values of the
//     distribution, see tail.
//
// It answers in its own sizes, which lie off the space of the workflow, and it
// has no bundles and no starting times. Parallelism is that of its Caerus. The
// input sizes that make it are not published; that of ml and video is inferred
// from what reproduces the figures best (claims.md A.4).
type orionCompat struct {
	orionArtifact
	own         ownSpace
	workflow    *models.Workflow
	curves      []map[int]atoms // per stage: recorded latencies by size in 0.1 vCPU
	parallelism []int
}

// orionArtifact is what the artifact fixes for one workflow.
type orionArtifact struct {
	parallelism      []int   // inferred
	start, step, cap float64 // sizes, MB
}

// orionMBPerVCPU is the artifact's.
const orionMBPerVCPU = 1792

// orionArtifacts are the workflows that the artifact knows.
var orionArtifacts = map[string]orionArtifact{
	"ml":    {parallelism: []int{1, 8, 8, 1}, start: 1024, step: 1024, cap: 4 * orionMBPerVCPU},
	"video": {parallelism: []int{8, 8, 8, 4}, start: 1792, step: 1792, cap: 5 * orionMBPerVCPU},
	"tpcds": {parallelism: []int{20, 1, 20, 4, 4, 4, 4, 1}, start: 896, step: 179.2, cap: 1.2 * orionMBPerVCPU},
}

// allStagesFrom is the number of stages from which on all take a step at once.
const allStagesFrom = 6

// compat reads what the artifact needs out of a problem.
func (o Orion) compat(p *solvers.Problem) (*orionCompat, error) {
	if err := o.accepts(p); err != nil {
		return nil, err
	}
	w := p.Workflow()
	artifact, known := orionArtifacts[w.Name()]
	published, ok := publishedFor(w)
	if !known || !ok {
		return nil, fmt.Errorf("the Jolteon artifact knows the workflows ml, video and tpcds, not this %q", w.Name())
	}
	c := &orionCompat{orionArtifact: artifact, workflow: w, own: published.Own, parallelism: o.Parallelism}
	if o.Parallelism == nil {
		c.parallelism = artifact.parallelism
	}
	if len(c.parallelism) != w.Len() {
		return nil, fmt.Errorf("%d values of parallelism for workflow %s of %d stages", len(c.parallelism), w.Name(), w.Len())
	}
	config := make(models.Config, w.Len())
	for i, d := range c.parallelism {
		config[i] = models.StageConfig{VCPU: 1, Parallelism: d}
	}
	c.parallelism = nil
	for _, s := range c.own.fit(w, config, orionMBPerVCPU) {
		c.parallelism = append(c.parallelism, s.Parallelism)
	}
	var err error
	c.curves, err = compatCurves(p.Profile)
	return c, err
}

// config returns the configuration with the given numbers of steps.
func (c *orionCompat) config(steps []int) models.Config {
	config := make(models.Config, len(steps))
	for i, k := range steps {
		config[i] = c.sized(i, c.size(k))
	}
	return config
}

// size returns the memory after k steps; the last step may not end at the cap.
func (c *orionCompat) size(k int) float64 { return c.start + float64(k)*c.step }

func (c *orionCompat) sized(i int, memory float64) models.StageConfig {
	return models.StageConfig{Memory: int(math.Round(memory)), VCPU: memory / orionMBPerVCPU, Parallelism: c.parallelism[i]}
}

// search looks at sizes in the artifact's order until one keeps the bound.
func (c *orionCompat) search(ctx context.Context, bound solvers.Bound) orionFound {
	n := c.workflow.Len()
	most := int(math.Floor((c.cap-c.start)/c.step + 1e-9))
	composer := newCompatComposer(c.workflow, c.curves)
	var f orionFound
	keeps := func(steps []int) bool {
		f.looked++
		f.met = composer.atLeast(c.config(steps), bound.Limit, bound.Percentile/100)
		return f.met
	}
	var answer []int
	start := make([]int, n)
	if keeps(start) {
		answer = start
	}
	queue := [][]int{start}
	seen := map[string]bool{stateKey(start): true}
	for answer == nil && len(queue) > 0 {
		from := queue[0]
		queue = queue[1:]
		for _, steps := range nextSteps(from) {
			key := stateKey(steps)
			if slices.Max(steps) > most || seen[key] {
				continue
			}
			if f.ended = ctx.Err() != nil; f.ended {
				return f
			}
			seen[key] = true
			queue = append(queue, steps)
			if keeps(steps) {
				answer = steps
				break
			}
		}
	}
	if answer == nil {
		f.config = make(models.Config, n)
		for i := range f.config {
			f.config[i] = c.sized(i, c.cap)
		}
	} else {
		f.config = c.config(answer)
	}
	before := f.config.Clone()
	if f.config = c.own.fit(c.workflow, f.config, orionMBPerVCPU); !slices.Equal(before, f.config) {
		f.warnings = append(f.warnings, "as in the artifact, sizes were raised to what the functions need after the search and not looked at again")
	}
	return f
}

// nextSteps returns what the artifact looks at after a state.
func nextSteps(from []int) [][]int {
	if len(from) >= allStagesFrom {
		next := slices.Clone(from)
		for i := range next {
			next[i]++
		}
		return [][]int{next}
	}
	list := make([][]int, len(from))
	for i := range list {
		list[i] = slices.Clone(from)
		list[i][i]++
	}
	return list
}
