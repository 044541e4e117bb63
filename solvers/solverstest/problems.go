package solverstest

import (
	"context"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"sync"

	"eevee/models"
	"eevee/solvers"
)

// Case is one problem of the suite.
type Case struct {
	Name string
	// New makes the problem anew. Only the profile and the fitted model are
	// shared between the problems it makes.
	New func() *solvers.Problem

	quick bool // among the problems of a short run
}

// bundledScenarios is the size of the samples of bundled workflows: enough for
// a 95th percentile, small enough for a suite that runs for every method.
const bundledScenarios = 200

// Cases returns the problems of the suite: bundled workflows and small random
// ones under bounds on either metric, with and without coupling rules, stages
// that read their input parent's parallelism, several sinks, the rules plugin
// and certified, and some that no configuration keeps the bound of.
func Cases() []Case {
	var cases []Case
	for _, workflow := range []string{"ml", "video"} {
		for _, metric := range []solvers.Metric{solvers.Latency, solvers.Cost} {
			name := workflow + " " + string(metric)
			cases = append(cases,
				Case{name, func() *solvers.Problem { return bundledProblem(workflow, metric, 1.05) }, workflow == "ml"},
				Case{name + " infeasible", func() *solvers.Problem { return bundledProblem(workflow, metric, 0.98) }, false})
		}
	}
	for seed := range uint64(8) {
		metric := []solvers.Metric{solvers.Latency, solvers.Cost}[seed%2]
		name := fmt.Sprintf("random %d %s", seed, metric)
		cases = append(cases, Case{name, func() *solvers.Problem { return randomProblem(seed, metric, 1.05) }, seed == 0 || seed == 3})
		if seed < 2 {
			cases = append(cases, Case{name + " infeasible", func() *solvers.Problem { return randomProblem(seed, metric, 0.98) }, true})
		}
	}
	return cases
}

// fitted is a bundled workflow with the model that its bundled trace gives.
type fitted struct {
	def     *models.Definition
	profile *models.Profile
	model   *models.Jolteon
}

var (
	fittedMu sync.Mutex
	fits     = map[string]fitted{}
)

// fit returns the fitted workflow. What is part of the program is not in
// order if it fails.
func fit(workflow string) fitted {
	fittedMu.Lock()
	defer fittedMu.Unlock()
	if f, ok := fits[workflow]; ok {
		return f
	}
	def, err := models.Load(workflow)
	must(err)
	rows, _, err := models.BundledTrace(workflow)
	must(err)
	profile, err := models.NewProfile(def, rows)
	must(err)
	model, err := models.FitJolteon(profile, models.JolteonOptions{})
	must(err)
	fits[workflow] = fitted{def, profile, model}
	return fits[workflow]
}

func must(err error) {
	if err != nil {
		panic("solverstest: " + err.Error())
	}
}

func bundledProblem(workflow string, metric solvers.Metric, factor float64) *solvers.Problem {
	f := fit(workflow)
	shared, err := f.def.Space("")
	must(err)
	space := copySpace(shared)
	scenarios, err := f.model.Sample(bundledScenarios, models.MustPrice(f.def.Price), models.Streams{Seed: 1})
	must(err)
	p := pose(space, scenarios, solvers.Bound{Metric: metric, Percentile: 95, Confidence: 99.9, Rule: solvers.Plugin}, factor)
	p.Profile, p.Model = f.profile, f.model
	p.InputBytes = make([]float64, f.def.Workflow.Len())
	for i := range p.InputBytes {
		p.InputBytes[i] = float64(1+i) * 1e8
	}
	return p
}

func copySpace(s *models.Space) *models.Space {
	var choices [][]models.StageConfig
	for i := range s.Workflow.Len() {
		choices = append(choices, slices.Clone(s.Choices(i)))
	}
	c, err := models.NewSpace(s.Workflow, choices, s.Rules())
	must(err)
	return c
}

// pose sets the limit to a given multiple of one that can be kept: of the
// smallest that an admissible configuration in the middle of the space keeps,
// for a factor above 1; else of the smallest that any keeps, so that the
// problem is infeasible, but not by far.
func pose(space *models.Space, scenarios *models.Scenarios, bound solvers.Bound, factor float64) *solvers.Problem {
	bound.Limit = 1
	p, err := solvers.NewProblem(space, scenarios, bound)
	must(err)
	pick, total := space.Separable(func(int) bool { return false }, func(i, j, _ int) float64 {
		return math.Abs(float64(2*j - len(space.Choices(i))))
	})
	if math.IsInf(total, 1) {
		panic("solverstest: a space without a configuration")
	}
	allowed, err := p.Allowed()
	must(err)
	latency, cost := scenarios.Outcomes(space.Config(pick))
	values := latency
	if bound.Metric == solvers.Cost {
		values = cost
	}
	p.Bound.Limit = factor * solvers.OrderStatistic(values, allowed)
	if factor < 1 {
		p.Bound.Limit = factor * reachable(space, scenarios, bound)
	}
	return p
}

var (
	reachableMu sync.Mutex
	reached     = map[string]float64{}
)

// reachable returns the smallest limit that some configuration keeps.
func reachable(space *models.Space, scenarios *models.Scenarios, bound solvers.Bound) float64 {
	reachableMu.Lock()
	defer reachableMu.Unlock()
	name := space.Workflow.Name() + " " + string(bound.Metric)
	if limit, ok := reached[name]; ok {
		return limit
	}
	bound.Limit = math.SmallestNonzeroFloat64
	p, err := solvers.NewProblem(space, scenarios, bound)
	must(err)
	s, err := solvers.Exact{}.Solve(context.Background(), p, models.Streams{})
	must(err)
	reached[name] = s.Reachable
	return s.Reachable
}

// workStage is a stage whose work is shared between instances; some read from
// every instance of their input parent.
type workStage struct {
	delay, work []float64 // s; vCPU-seconds
	perInput    float64   // s per instance of the input parent
}

func (s workStage) ReadsInput() bool { return s.perInput > 0 }

func (s workStage) Times(c models.StageConfig, in int, latency, billed []float64) {
	share := math.Pow(c.VCPU, 0.8) * float64(c.Parallelism)
	for k := range s.work {
		b := 0.1 + s.work[k]/share + s.perInput*float64(in)
		if latency != nil {
			latency[k] = b + s.delay[k]*(1+0.05*float64(c.Parallelism))
		}
		if billed != nil {
			billed[k] = b
		}
	}
}

// randomProblem makes a workflow of four stages with random edges, space,
// rules and work. Every second pair of seeds has the certified rule.
func randomProblem(seed uint64, metric solvers.Metric, factor float64) *solvers.Problem {
	const stages, n = 4, 600
	r := rand.New(rand.NewPCG(seed, 0x5eed))
	var list []models.Stage
	var choices [][]models.StageConfig
	for i := range stages {
		s := models.Stage{Name: fmt.Sprint("s", i)}
		for p := range i {
			if r.IntN(2) == 0 {
				s.After = append(s.After, fmt.Sprint("s", p))
			}
		}
		levels := []int{1, 2, 4}
		if i == 0 {
			s.MaxParallelism, levels = 1, levels[:1]
		}
		list = append(list, s)
		var own []models.StageConfig
		for _, d := range levels {
			for m := 1; m <= 3; m++ {
				own = append(own, models.StageConfig{Memory: 1024 * m, VCPU: float64(m) * 1024 / models.AWSMBPerVCPU, Parallelism: d})
			}
		}
		choices = append(choices, own)
	}
	w, err := models.NewWorkflow(fmt.Sprint("random", seed), list)
	must(err)
	var rules []models.Rule
	switch seed % 4 {
	case 1, 2:
		rules = []models.Rule{{Stage: 2, Of: 1, Times: 1}}
	case 3:
		rules = []models.Rule{{Stage: 3, Of: 2, Times: 2, Equal: true}, {Stage: 2, Of: 1, Times: 1}}
	}
	space, err := models.NewSpace(w, choices, rules)
	must(err)
	var samples []models.StageSample
	for i := range stages {
		s := workStage{delay: make([]float64, n), work: make([]float64, n)}
		size := 2 + 10*r.Float64()
		for k := range n {
			s.delay[k], s.work[k] = 0.2*r.ExpFloat64(), size*math.Exp(0.3*r.NormFloat64())
		}
		if len(w.Parents(i)) > 0 && r.IntN(2) == 0 {
			s.perInput = 0.2
		}
		samples = append(samples, s)
	}
	scenarios, err := models.NewScenarios(w, models.MustPrice(models.PriceAWS), n, samples)
	must(err)
	bound := solvers.Bound{Metric: metric, Percentile: 90, Confidence: 99, Rule: solvers.Plugin}
	if seed/2%2 == 1 {
		bound.Rule = solvers.Certified
	}
	return pose(space, scenarios, bound, factor)
}
