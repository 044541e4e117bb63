package baselines

import (
	"context"
	"math"

	"eevee/models"
	"eevee/solvers"
)

// Parrotfish in its workflow mode (SoCC'23; algorithms.md 10): it learns from a
// few runs how the time of every function depends on its memory,
//
//	time(MB) = a0 + a1 * exp(-MB / a2),
//
// begins with the size of every function that this makes cheapest, and gives
// memory to the function of the critical path that pays the least for a
// second, until the workflow keeps its threshold.
//
// A run is the mean of a size over the scenarios. What is learnt is the billed
// time, for the cost, and the latency, for the critical path. Inferred: the
// first runs are the smallest, the middle and the largest size; the next one
// is where the predicted cost, divided by the doubt about it, is smallest; and
// the threshold is the bound, on the problem's sample. It does not decide
// parallelism.
type Parrotfish struct {
	// Step is how much memory a function is given at least, MB, up to the next
	// size that the space admits; 0 means 10.
	Step int

	// Runs bounds the sizes in which one function is run; 0 means 20.
	Runs int

	Parallelism Instances
}

// NewParrotfish returns Parrotfish with the named options: step=MB, runs=N and
// parallelism=1/8/8/1.
func NewParrotfish(options ...string) (Parrotfish, error) {
	var m Parrotfish
	if err := readOptions("parrotfish", options, m.options()); err != nil {
		return Parrotfish{}, err
	}
	return m, nil
}

func (m *Parrotfish) options() []option {
	return []option{count("step=10", &m.Step), count("runs=20", &m.Runs), instances(&m.Parallelism)}
}

// String returns "parrotfish" and its options, as "parrotfish:step=64".
func (m Parrotfish) String() string { return nameWith("parrotfish", m.options()) }

// Supports asks for a bound on latency.
func (m Parrotfish) Supports(p *solvers.Problem) error {
	if err := p.Plain(); err != nil {
		return err
	}
	if err := onLatency("the workflow mode of Parrotfish", p); err != nil {
		return err
	}
	_, err := newSizing(p, m.Parallelism)
	return err
}

// Solve implements solvers.Method. It draws nothing.
func (m Parrotfish) Solve(ctx context.Context, p *solvers.Problem, _ models.Streams) (solvers.Solution, error) {
	sizes, err := newSizing(p, m.Parallelism)
	if err != nil {
		return solvers.Solution{}, err
	}
	t, err := newContest(p)
	if err != nil {
		return solvers.Solution{}, err
	}
	step, runs := m.Step, m.Runs
	if step == 0 {
		step = 10
	}
	if runs == 0 {
		runs = 20
	}
	// From here on only what was learnt is known of the functions.
	learnt := &sizing{problem: p, in: sizes.in, choices: sizes.choices}
	for i := range sizes.choices {
		if ctx.Err() != nil {
			return t.solution(true), nil
		}
		learnt.known = append(learnt.known, learn(sizes, i, runs))
	}
	pick := learnt.best(func(m measured) float64 { return m.cost })
	for {
		if ctx.Err() != nil {
			return t.solution(true), nil
		}
		config := learnt.config(pick)
		outcome, kept := t.try(config)
		if kept {
			return t.answer(config, outcome), nil
		}
		stage, size, least := -1, 0, math.Inf(1)
		for _, i := range learnt.critical(pick) {
			from := pick[i]
			k := from + 1
			for k < len(learnt.choices[i]) && learnt.choices[i][k].Memory < learnt.choices[i][from].Memory+step {
				k++
			}
			if k == len(learnt.choices[i]) {
				continue
			}
			a, b := learnt.known[i][from], learnt.known[i][k]
			won := a.latency - b.latency
			if price := (b.cost - a.cost) / won; won > 0 && price < least {
				stage, size, least = i, k, price
			}
		}
		if stage < 0 {
			return t.solution(false), nil
		}
		pick[stage] = size
	}
}

// The rules of the sampling (algorithms.md 10).
const (
	parrotfishDoubt  = 200 // MB: standard deviation of the belief around a run
	parrotfishStable = 3   // rounds without another cheapest size end it
)

// learn runs stage i in some of its sizes and returns what it predicts for all
// of them.
func learn(s *sizing, i, runs int) []measured {
	choices := s.choices[i]
	price := s.problem.Scenarios.Price()
	n := len(choices)
	sampled := make([]bool, n)
	var memory, latency, billed []float64
	run := func(k int) {
		if sampled[k] || len(memory) == runs {
			return
		}
		sampled[k] = true
		m := s.at(i, k)
		memory = append(memory, float64(choices[k].Memory))
		latency = append(latency, m.latency)
		billed = append(billed, (m.cost/float64(choices[k].Parallelism)-price.USDPerRequest)/price.Rate(choices[k]))
	}
	run(0)
	run(n - 1)
	run((n - 1) / 2)
	predicted := make([]measured, n)
	cheapest := -1
	for stable := 0; ; {
		time, bill := fitDecay(memory, latency), fitDecay(memory, billed)
		least := 0
		for k, c := range choices {
			x := float64(c.Memory)
			d := float64(c.Parallelism)
			predicted[k] = measured{
				latency: max(time.at(x), math.SmallestNonzeroFloat64),
				cost:    d * (price.Rate(c)*max(0, bill.at(x)) + price.USDPerRequest),
			}
			if predicted[k].cost < predicted[least].cost {
				least = k
			}
		}
		if least != cheapest {
			stable = 0
		}
		cheapest, stable = least, stable+1
		next := mostPromising(choices, predicted, sampled)
		if stable > parrotfishStable || next < 0 || len(memory) >= runs {
			return predicted
		}
		run(next)
	}
}

// mostPromising returns the size not run yet with the smallest predicted cost
// per doubt, -1 where there is none. Doubt is 1 far from all runs, and falls
// around each by the density of a normal distribution.
func mostPromising(choices []models.StageConfig, predicted []measured, sampled []bool) int {
	next, least := -1, math.Inf(1)
	for k, c := range choices {
		if sampled[k] {
			continue
		}
		doubt := 1.0
		for j := range choices {
			if z := float64(c.Memory-choices[j].Memory) / parrotfishDoubt; sampled[j] {
				doubt *= 1 - math.Exp(-z*z/2)
			}
		}
		if v := predicted[k].cost / doubt; next < 0 || v < least {
			next, least = k, v
		}
	}
	return next
}

// decay is a0 + a1 * exp(-x/a2).
type decay struct{ a0, a1, a2 float64 }

func (d decay) at(x float64) float64 { return d.a0 + d.a1*math.Exp(-x/d.a2) }

// fitDecay fits a decay by least squares: for every a2 the best a0 and a1 are
// those of a line, and a2 is looked for on a logarithmic grid from a twentieth
// of the smallest x to twenty times the largest, then between its neighbours
// there. All values the same, or a single one, are a constant.
func fitDecay(x, y []float64) decay {
	lo, hi := math.Inf(1), 0.0
	for _, v := range x {
		lo, hi = min(lo, v), max(hi, v)
	}
	lo, hi = math.Log(lo/20), math.Log(hi*20)
	best, least, at := decay{}, math.Inf(1), 0.0
	look := func(logarithm float64) {
		if d, ssr := decayLine(x, y, math.Exp(logarithm)); ssr < least {
			best, least, at = d, ssr, logarithm
		}
	}
	const grid = 100
	step := (hi - lo) / grid
	for k := range grid + 1 {
		look(lo + float64(k)*step)
	}
	for range 30 {
		step *= 0.6
		middle := at
		look(middle - step)
		look(middle + step)
	}
	return best
}

// decayLine fits a0 and a1 for a given a2, and returns the sum of squared
// residuals.
func decayLine(x, y []float64, a2 float64) (decay, float64) {
	n := float64(len(x))
	var mx, my float64
	e := make([]float64, len(x))
	for k, v := range x {
		e[k] = math.Exp(-v / a2)
		mx += e[k] / n
		my += y[k] / n
	}
	var sxy, sxx float64
	for k := range x {
		sxy += (e[k] - mx) * (y[k] - my)
		sxx += (e[k] - mx) * (e[k] - mx)
	}
	d := decay{a0: my, a2: a2}
	if sxx > 0 {
		d.a1 = sxy / sxx
		d.a0 = my - d.a1*mx
	}
	ssr := 0.0
	for k := range x {
		r := y[k] - d.a0 - d.a1*e[k]
		ssr += r * r
	}
	return d, ssr
}
