package papers

import (
	"context"
	"fmt"
	"slices"

	"eevee/baselines"
	"eevee/models"
	"eevee/sim"
)

// The names of StepConf's variants and rivals are those of policies.
const (
	stepConf        = "stepconf"
	stepConfInter   = "stepconf:inter"
	stepConfIntra   = "stepconf:intra"
	stepConfStatic  = "stepconf:static"
	stepConfNoNo    = "stepconf:no-no"
	stepConfOptimal = "stepconf:optimal"
	stepConfPrewarm = "stepconf:prewarm"
)

// policy makes a variant or a rival. Those that decide while the workflow runs are
// charged for it.
func (w *stepWorkload) policy(ctx context.Context, name string, limit float64) (models.Policy, error) {
	s := baselines.StepConf{Limit: limit, Price: w.price, Processes: w.processes}
	online := s
	online.Cost = w.decision
	switch name {
	case stepConf:
		return online.Policy(w.model, w.space)
	case stepConfInter:
		online.Vary = baselines.VaryInter
		return online.Policy(w.model, w.space)
	case stepConfIntra:
		online.Vary = baselines.VaryIntra
		return online.Policy(w.model, w.space)
	case stepConfPrewarm:
		online.Prewarm = true
		return online.Policy(w.model, w.space)
	case stepConfStatic:
		return s.Static(w.model, w.space)
	case stepConfNoNo:
		s.Vary = baselines.VaryNone
		return s.Static(w.model, w.space)
	case stepConfOptimal:
		if len(w.space.Rules()) == 0 {
			return s.OptimalOverTime(w.model, w.space, optimumSteps)
		}
		return s.Optimal(ctx, w.model, w.space)
	}
	return nil, fmt.Errorf("no variant of StepConf is called %q", name)
}

// optimumSteps is into how many steps the optimum divides a bound.
const optimumSteps = 1500

// stepOutcome is what became of the runs under a policy.
type stepOutcome struct {
	latency []float64 // s, ascending
	mean    float64   // s
	cost    float64   // USD, mean
}

// kept is the share of runs within a bound.
func (o stepOutcome) kept(limit float64) float64 {
	k, _ := slices.BinarySearch(o.latency, limit)
	for k < len(o.latency) && o.latency[k] <= limit {
		k++
	}
	return float64(k) / float64(len(o.latency))
}

// five are the 5th percentile, the quartiles and the 95th percentile.
func (o stepOutcome) five() [5]float64 {
	var out [5]float64
	for i, q := range []float64{0.05, 0.25, 0.5, 0.75, 0.95} {
		out[i] = models.SortedQuantileR7(o.latency, q)
	}
	return out
}

// run executes the workflow under a policy. The same runs meet the same variation
// under every policy, stage by stage.
func (w *stepWorkload) run(ctx context.Context, name string, limit float64, runs int, seed uint64) (stepOutcome, error) {
	policy, err := w.policy(ctx, name, limit)
	if err != nil {
		return stepOutcome{}, err
	}
	o := stepOutcome{latency: make([]float64, 0, runs)}
	summary, err := sim.SimulatePolicy(ctx, w.world, policy, runs, sim.Settings{Seed: seed, Price: w.price}, func(r *sim.Run) error {
		o.latency = append(o.latency, r.Latency)
		return nil
	})
	if err != nil {
		return o, err
	}
	slices.Sort(o.latency)
	o.mean, o.cost = summary.Latency.Mean, summary.Cost.Mean
	return o, nil
}

// fastest is the latency that the model expects where every stage takes its
// fastest configuration: no bound below it can be kept.
func (w *stepWorkload) fastest() float64 {
	processes := w.processes
	if processes == nil {
		processes = []int{0}
	}
	workflow := w.space.Workflow
	times := make([]float64, workflow.Len())
	for i := range times {
		for k, c := range w.space.Choices(i) {
			for _, c.Processes = range processes {
				if t := w.model.Time(i, c); k == 0 && c.Processes == processes[0] || t < times[i] {
					times[i] = t
				}
			}
		}
	}
	return workflow.Latency(times)
}

// stepConfRuns is how often a workflow is executed under each policy and bound.
func (l *Lab) stepConfRuns() int {
	if l.options.Quick {
		return 60
	}
	return 400
}

// stepWorkloads are the generated workflow, nil without the profiles that it takes
// its work from, and the recorded one.
func (l *Lab) stepWorkloads() ([]*stepWorkload, error) {
	generated, err := l.generated()
	if err != nil {
		return nil, err
	}
	video, err := newStepConfFacts().recordedVideo(l)
	return []*stepWorkload{generated, video}, err
}

// judged finishes a claim about a workload: on a trace that is not recorded it is
// taken back.
func (w *stepWorkload) judged(s shape, base Claim, cause string) Claim {
	c := s.claim(base, cause)
	if !w.recorded {
		c = c.withoutRecordings()
	}
	return c
}

// titled is the title of a picture of the workload.
func (w *stepWorkload) titled() string {
	if w.recorded {
		return w.title
	}
	return w.title + " (generated trace, not recorded)"
}
