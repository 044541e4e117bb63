package solvers

import (
	"context"
	"fmt"
	"math"
	"math/rand/v2"
	"testing"

	"eevee/models"
)

// At every admissible configuration the relaxation says what the scenarios
// say: objective, and which scenarios exceed the limit by how much.
func TestRelaxationAgreesWithScenarios(t *testing.T) {
	runs, problems := publishedProblems(t, models.JolteonOptions{})
	for i, p := range problems {
		run := runs[i]
		if run.Bound != 30 && run.Bound != 1800 && run.Bound != 1000 {
			continue
		}
		allowed, err := p.Allowed()
		if err != nil {
			t.Fatal(err)
		}
		r := newRelaxation(p, allowed)
		g := newGrid(p.Space)
		source := rand.New(rand.NewPCG(1, 1))
		for range 10 {
			x := randomPoint(r, source)
			pick, ok := g.roundUp(r.configure(x))
			if !ok {
				t.Fatal("nothing to round to")
			}
			config := p.Space.Config(pick)
			v := r.at(r.invert(config))
			o := p.Evaluate(config)
			if math.Abs(v.objective*r.worth-o.Objective) > 1e-9*math.Abs(o.Objective) {
				t.Errorf("%s %v: objective %v, scenarios give %v", run, config, v.objective*r.worth, o.Objective)
			}
			total := 0.0
			for s, m := range o.Bounded(p.Bound.Metric) {
				e := m/p.Bound.Limit - 1
				total += max(0, e)
				if math.Abs(r.excess[s]-e) > 1e-9*(1+math.Abs(e)) {
					t.Fatalf("%s %v: scenario %d exceeds by %v, want %v", run, config, s, r.excess[s], e)
				}
			}
			if math.Abs(v.total-total) > 1e-7*(1+total) {
				t.Errorf("%s %v: total excess %v, want %v", run, config, v.total, total)
			}
			worst := OrderStatistic(o.Bounded(p.Bound.Metric), allowed)/p.Bound.Limit - 1
			if math.Abs(v.excess()-max(0, worst)) > 1e-9*(1+math.Abs(worst)) {
				t.Errorf("%s %v: worst %v, want %v", run, config, v.worst, worst)
			}
		}
	}
}

// invert returns the variables of a configuration.
func (r *relaxation) invert(c models.Config) []float64 {
	x := make([]float64, len(r.variables))
	set := func(k int, quantity float64) {
		if k >= 0 {
			v := r.variables[k]
			x[k] = math.Log(quantity/v.from) / math.Log(v.to/v.from)
		}
	}
	for i, s := range r.stages {
		set(s.parallelism, float64(c[i].Parallelism)/s.times)
		set(s.vcpu, c[i].VCPU)
	}
	return x
}

func randomPoint(r *relaxation, source *rand.Rand) []float64 {
	x := make([]float64, len(r.variables))
	for j := range x {
		x[j] = source.Float64()
	}
	return x
}

// Gradients of the objective and of sampled constraints, through the scale of
// the variables, coupled stages and inputs, agree with central differences.
func TestRelaxationGradients(t *testing.T) {
	runs, problems := publishedProblems(t, models.JolteonOptions{})
	for i, p := range problems {
		run := runs[i]
		if run.Bound != 30 && run.Bound != 1800 && run.Bound != 1000 {
			continue
		}
		r := newRelaxation(p, 20)
		source := rand.New(rand.NewPCG(2, 3))
		for range 5 {
			x := randomPoint(r, source)
			r.at(x)
			g := make([]float64, len(x))
			r.gradient(g)
			cuts := r.cuts(nil)
			at := func(j int, h float64) (objective float64, values []float64) {
				moved := append([]float64(nil), x...)
				moved[j] += h
				objective = r.at(moved).objective
				for _, c := range cuts {
					values = append(values, r.cut(c.id).value)
				}
				return objective, values
			}
			const h = 1e-5
			for j := range x {
				up, cutsUp := at(j, h)
				down, cutsDown := at(j, -h)
				// The mean over longest paths has kinks where paths tie.
				if want := (up - down) / (2 * h); math.Abs(g[j]-want) > 1e-4*(math.Abs(want)+math.Abs(up)) {
					t.Errorf("%s: d objective / d x%d is %v, differences give %v", run, j, g[j], want)
				}
				for k, c := range cuts {
					want := (cutsUp[k] - cutsDown[k]) / (2 * h)
					if math.Abs(c.gradient[j]-want) > 1e-6*(1+math.Abs(want)) {
						t.Errorf("%s: d constraint %v / d x%d is %v, differences give %v", run, c.id, j, c.gradient[j], want)
					}
				}
			}
		}
	}
}

// posynomial is a stage whose time is a/(d v) + b/d + c, with positive random
// coefficients: on the logarithmic scale everything about it is convex.
type posynomial struct{ a, b, c []float64 }

func drawPosynomial(n int, source *rand.Rand) posynomial {
	var p posynomial
	for range n {
		p.a = append(p.a, 20*math.Exp(0.3*source.NormFloat64()))
		p.b = append(p.b, 5*math.Exp(0.3*source.NormFloat64()))
		p.c = append(p.c, 0.5*source.ExpFloat64())
	}
	return p
}

func (p posynomial) ReadsInput() bool { return false }

func (p posynomial) Times(c models.StageConfig, _ int, latency, billed []float64) {
	for _, out := range [][]float64{latency, billed} {
		for k := range out {
			out[k] = p.time(float64(c.Parallelism), c.VCPU, k)
		}
	}
}

func (p posynomial) time(d, v float64, k int) float64 { return p.a[k]/(d*v) + p.b[k]/d + p.c[k] }

func (p posynomial) Terms(at models.Point) (latency, billed []models.Term) {
	d, v := at.Parallelism, at.VCPU
	terms := []models.Term{
		{Column: p.a, Factor: 1 / (d * v), ByParallelism: -1 / (d * d * v), ByVCPU: -1 / (d * v * v)},
		{Column: p.b, Factor: 1 / d, ByParallelism: -1 / (d * d)},
		{Column: p.c, Factor: 1},
	}
	return terms, terms
}

// posynomialProblem is a problem of the given stages, 2 to 20 instances of 0.5
// to 4 vCPU each.
func posynomialProblem(t testing.TB, stages []models.Stage, n int, b Bound) (*Problem, []posynomial) {
	t.Helper()
	w, err := models.NewWorkflow("w", stages)
	if err != nil {
		t.Fatal(err)
	}
	source := rand.New(rand.NewPCG(5, 6))
	var samples []models.StageSample
	var drawn []posynomial
	choices := make([][]models.StageConfig, len(stages))
	for i := range stages {
		drawn = append(drawn, drawPosynomial(n, source))
		samples = append(samples, drawn[i])
		for _, d := range []int{2, 3, 5, 8, 12, 16, 20} {
			for _, v := range []float64{0.5, 1, 2, 4} {
				choices[i] = append(choices[i], models.StageConfig{Memory: int(1769 * v), VCPU: v, Parallelism: d})
			}
		}
	}
	space, err := models.NewSpace(w, choices, nil)
	if err != nil {
		t.Fatal(err)
	}
	price := models.PriceBook{USDPerGBSecond: 1e-5, USDPerRequest: 1e-6, NominalMemory: true, MBPerVCPU: 1769}
	s, err := models.NewScenarios(w, price, n, samples)
	if err != nil {
		t.Fatal(err)
	}
	p, err := NewProblem(space, s, b)
	if err != nil {
		t.Fatal(err)
	}
	return p, drawn
}

// On convex problems no point of a fine grid that keeps the bound may be
// better than the solver's, and the best of them must not be much worse: a step
// of the grid is about a seventh in each variable, and so much may have to be
// bought to keep the bound on the grid.
func TestRelaxationAgainstFineGrid(t *testing.T) {
	chain := []models.Stage{{Name: "a"}, {Name: "b", After: []string{"a"}}}
	for name, c := range map[string]struct {
		stages []models.Stage
		bound  Bound
	}{
		"one stage, latency": {chain[:1], Bound{Metric: Latency, Limit: 6}},
		"one stage, cost":    {chain[:1], Bound{Metric: Cost, Limit: 16e-4}},
		"chain, latency":     {chain, Bound{Metric: Latency, Limit: 12}},
		"chain, cost":        {chain, Bound{Metric: Cost, Limit: 26e-4}},
		"parallel, latency":  {[]models.Stage{{Name: "a"}, {Name: "b"}}, Bound{Metric: Latency, Limit: 7}},
		"parallel, cost":     {[]models.Stage{{Name: "a"}, {Name: "b"}}, Bound{Metric: Cost, Limit: 26e-4}},
	} {
		c.bound.Percentile, c.bound.Confidence, c.bound.Rule = 95, 99, Plugin
		const n = 30
		p, drawn := posynomialProblem(t, c.stages, n, c.bound)
		r := newRelaxation(p, 0)
		x := make([]float64, len(r.variables))
		for j := range x {
			x[j] = 0.5
		}
		r.worth = r.at(x).objective
		got := sqp{tolerance: 1e-8}.minimise(context.Background(), r, x)
		if got.status != sqpConverged {
			t.Errorf("%s: status %d after %d steps, %+v", name, got.status, got.steps, got.value)
			continue
		}
		best, feasible := math.Inf(1), 0
		const steps = 16
		at := make([]int, 2*len(drawn))
		for {
			latency, cost := make([]float64, n), make([]float64, n)
			for i, stage := range drawn {
				d := 2 * math.Pow(10, float64(at[2*i])/steps)
				v := 0.5 * math.Pow(8, float64(at[2*i+1])/steps)
				for k := range n {
					l := stage.time(d, v, k)
					cost[k] += d * (l*v*1769/1024*1e-5 + 1e-6)
					if len(c.stages) > 1 && len(c.stages[1].After) == 0 {
						latency[k] = max(latency[k], l)
					} else {
						latency[k] += l
					}
				}
			}
			bounded, objective := latency, cost
			if c.bound.Metric == Cost {
				bounded, objective = cost, latency
			}
			if OrderStatistic(bounded, 0) <= c.bound.Limit {
				feasible++
				best = min(best, Mean(objective))
			}
			j := 0
			for ; j < len(at); j++ {
				if at[j]++; at[j] <= steps {
					break
				}
				at[j] = 0
			}
			if j == len(at) {
				break
			}
		}
		objective := got.value.objective * r.worth
		if feasible == 0 || objective > best*(1+1e-6) || objective < best*0.86 {
			t.Errorf("%s: objective %v, the best of %d feasible grid points has %v", name, objective, feasible, best)
		}
	}
}

// Leaving out k scenarios is worth something, and the answer uses no more than
// k of them.
func TestRelaxationLeavesOutScenarios(t *testing.T) {
	chain := []models.Stage{{Name: "a"}, {Name: "b", After: []string{"a"}}}
	p, _ := posynomialProblem(t, chain, 400, Bound{Metric: Latency, Limit: 12, Percentile: 95, Confidence: 99, Rule: Plugin})
	before := math.Inf(1)
	for _, allowed := range []int{0, 1, 5, 20, 80} {
		r := newRelaxation(p, allowed)
		x := make([]float64, len(r.variables))
		for j := range x {
			x[j] = 0.5
		}
		r.worth = r.at(x).objective
		got := sqp{}.minimise(context.Background(), r, x)
		r.at(got.x)
		exceed := 0
		for _, e := range r.excess {
			if e > 1e-6 {
				exceed++
			}
		}
		objective := got.value.objective * r.worth
		if got.status != sqpConverged || exceed > allowed || objective > before {
			t.Errorf("%d allowed: status %d, %d exceed, objective %v (with fewer %v)", allowed, got.status, exceed, objective, before)
		}
		before = objective
	}
}

// Stages tied by a rule share a variable, and the other rules hold at the
// solution.
func TestRelaxationKeepsTheRules(t *testing.T) {
	def, err := models.Load("tpcds")
	if err != nil {
		t.Fatal(err)
	}
	for _, space := range def.Spaces {
		source := rand.New(rand.NewPCG(7, 8))
		var samples []models.StageSample
		for range def.Workflow.Len() {
			samples = append(samples, drawPosynomial(100, source))
		}
		s, err := models.NewScenarios(def.Workflow, models.MustPrice(models.PriceJolteon), 100, samples)
		if err != nil {
			t.Fatal(err)
		}
		for _, limit := range []float64{8, 12, 20} {
			p, err := NewProblem(space.Space, s, Bound{Metric: Latency, Limit: limit, Percentile: 95, Confidence: 99, Rule: Plugin})
			if err != nil {
				t.Fatal(err)
			}
			points := Jolteon{}.relax(context.Background(), p, 5)
			for _, rule := range space.Rules() {
				d, of := points[rule.Stage].Parallelism, float64(rule.Times)*points[rule.Of].Parallelism
				if rule.Equal && math.Abs(d-of) > 1e-9*of || d > of*(1+1e-4) {
					t.Errorf("space %s, limit %v: parallelism %v and %v against rule %+v", space.Name, limit, d, of, rule)
				}
			}
		}
	}
}

func TestLargestFirst(t *testing.T) {
	source := rand.New(rand.NewPCG(9, 9))
	for range 200 {
		values := make([]float64, 1+source.IntN(50))
		for i := range values {
			values[i] = float64(source.IntN(20)) // with ties
		}
		k := 1 + source.IntN(len(values))
		order := indices(len(values))
		source.Shuffle(len(order), func(a, b int) { order[a], order[b] = order[b], order[a] })
		largestFirst(order, values, k)
		if got, want := values[order[k-1]], OrderStatistic(values, k-1); got != want {
			t.Fatalf("element %d of %v is %v, want %v", k, values, got, want)
		}
		seen := make(map[int]bool)
		for j, i := range order {
			seen[i] = true
			if j < k && values[i] < values[order[k-1]] || j >= k && values[i] > values[order[k-1]] {
				t.Fatalf("%v is not split at %d by %v", order, k, values)
			}
		}
		if len(seen) != len(values) {
			t.Fatal(fmt.Sprint("not a permutation: ", order))
		}
	}
}
