package baselines

import (
	"cmp"
	"context"
	"fmt"
	"math"
	"slices"

	"eevee/models"
	"eevee/solvers"
)

// PRCP are the two algorithms on the probability refined critical path (Lin and
// Khazaei, TPDS'21; algorithms.md 10). Under a bound on cost it is BPBC, the
// best performance under a budget: from the cheapest size of every function it
// goes to larger ones on the critical path, by the ratio of benefit to cost,
// until the budget is spent. Under a bound on latency it is BCPC, its mirror
// image: from the fastest sizes it goes to cheaper ones while the bound holds.
//
// Our workflows have none of the branches by chance, loops and cycles that the
// paper reduces to expected times first, so that the critical path is the
// longest one by mean latency. Inferred: a move is to any size that helps, not
// the next one only; a move that breaks the bound gives way to the one with the
// next best ratio, and when none is left the search ends; BCPC looks at all
// functions, as those off the critical path become cheaper for nothing; and the
// bound is judged on the problem's sample. It does not decide parallelism.
type PRCP struct {
	Ratio       PRCPRatio // "" means PRCPTimePerCost
	Parallelism Instances
}

// PRCPRatio is the ratio of benefit to cost that chooses a move. The sources
// have four; which they are is unverified.
type PRCPRatio string

// The ratios, as of BPBC; BCPC divides what is won in cost (in memory, for
// PRCPTimePerMemory) by what is lost in time.
const (
	PRCPTimePerCost     PRCPRatio = "rt/c"  // time of the function won, per USD
	PRCPWorkflowPerCost PRCPRatio = "ert/c" // time of the workflow won, per USD
	PRCPTimePerMemory   PRCPRatio = "rt/m"  // time of the function won, per MB
	PRCPLargest         PRCPRatio = "max"   // time of the function won, whatever it costs
)

var prcpRatios = []PRCPRatio{PRCPTimePerCost, PRCPWorkflowPerCost, PRCPTimePerMemory, PRCPLargest}

// NewPRCP returns PRCP with the named options: one of the ratios rt/c, ert/c,
// rt/m and max, and parallelism=1/8/8/1.
func NewPRCP(options ...string) (PRCP, error) {
	var m PRCP
	if err := readOptions("prcp", options, m.options()); err != nil {
		return PRCP{}, err
	}
	return m, nil
}

func (m *PRCP) options() []option {
	return append(oneOf(&m.Ratio, prcpRatios...), instances(&m.Parallelism))
}

// String returns "prcp" and its options, as "prcp:ert/c".
func (m PRCP) String() string { return nameWith("prcp", m.options()) }

// Supports accepts every problem with a configuration.
func (m PRCP) Supports(p *solvers.Problem) error {
	if err := p.Plain(); err != nil {
		return err
	}
	if m.Ratio != "" && !slices.Contains(prcpRatios, m.Ratio) {
		return fmt.Errorf("ratio %q is none of %q", m.Ratio, prcpRatios)
	}
	_, err := newSizing(p, m.Parallelism)
	return err
}

// Solve implements solvers.Method. It draws nothing.
func (m PRCP) Solve(ctx context.Context, p *solvers.Problem, _ models.Streams) (solvers.Solution, error) {
	sizes, err := newSizing(p, m.Parallelism)
	if err != nil {
		return solvers.Solution{}, err
	}
	t, err := newContest(p)
	if err != nil {
		return solvers.Solution{}, err
	}
	if ctx.Err() != nil {
		return t.solution(true), nil
	}
	start := func(m measured) float64 { return m.cost }
	if p.Bound.Metric == solvers.Latency {
		start = func(m measured) float64 { return m.latency }
	}
	pick := sizes.best(start)
	config := sizes.config(pick)
	outcome, kept := t.try(config)
	for kept {
		moved := false
		for _, move := range m.moves(sizes, pick) {
			if ctx.Err() != nil {
				return t.solution(true), nil
			}
			was := pick[move.stage]
			pick[move.stage] = move.size
			c := sizes.config(pick)
			if o, ok := t.try(c); ok {
				config, outcome, moved = c, o, true
				break
			}
			pick[move.stage] = was
		}
		if !moved {
			break
		}
	}
	return t.answer(config, outcome), nil
}

// prcpMove gives one stage another size.
type prcpMove struct {
	stage, size   int
	benefit, loss float64
}

// ratio is infinite where nothing is lost.
func (m prcpMove) ratio() float64 {
	if m.loss <= 0 {
		return math.Inf(1)
	}
	return m.benefit / m.loss
}

// moves returns the moves that win what the objective counts, the best ratio
// first, of equal ones the larger benefit.
func (m PRCP) moves(s *sizing, pick []int) []prcpMove {
	stages := s.critical(pick)
	mirrored := s.problem.Bound.Metric == solvers.Latency
	if mirrored {
		stages = stages[:0]
		for i := range pick {
			stages = append(stages, i)
		}
	}
	w := s.problem.Workflow()
	latencies := s.latencies(pick)
	before := w.Latency(latencies)
	var list []prcpMove
	for _, i := range stages {
		from := s.at(i, pick[i])
		for k, c := range s.choices[i] {
			to := s.at(i, k)
			time, price := from.latency-to.latency, to.cost-from.cost
			if !mirrored && !(time > 0) || mirrored && !(price < 0) {
				continue
			}
			switch m.Ratio {
			case PRCPWorkflowPerCost:
				latencies[i] = to.latency
				time = before - w.Latency(latencies)
				latencies[i] = from.latency
			case PRCPTimePerMemory:
				price = float64(c.Memory - s.choices[i][pick[i]].Memory)
			}
			benefit, loss := time, price
			if mirrored {
				benefit, loss = -price, -time
			}
			if m.Ratio == PRCPLargest {
				loss = 1
			}
			list = append(list, prcpMove{i, k, benefit, loss})
		}
	}
	slices.SortStableFunc(list, func(a, b prcpMove) int {
		if c := cmp.Compare(b.ratio(), a.ratio()); c != 0 {
			return c
		}
		return cmp.Compare(b.benefit, a.benefit)
	})
	return list
}
