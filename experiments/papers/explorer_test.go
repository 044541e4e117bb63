package papers

import (
	"context"
	"math"
	"slices"
	"sync"
	"testing"

	"eevee/experiments"
	"eevee/models"
	"eevee/solvers"
)

var exploring = sync.OnceValues(func() (Findings, error) {
	all, err := Select([]string{"explorer"}, nil)
	if err != nil {
		return Findings{}, err
	}
	return Reproduce(context.Background(), all, quickOptions(experiments.Sources{}))
})

func exploredRows(t *testing.T) (Explorer, *Lab) {
	t.Helper()
	if testing.Short() {
		t.Skip("lets every method answer")
	}
	o := quickOptions(experiments.Sources{})
	found, err := exploring()
	if err != nil {
		t.Fatal(err)
	}
	return found.Findings[0].Rows.(Explorer), newLab(o)
}

// The frontier is what methods run into: under every bound that exact answers,
// its answer is the frontier's within the tolerance, and nobody who keeps the
// bound on the sample has a lower mean there. Where exact proves that nothing
// keeps a bound, no point of the frontier does.
func TestExplorerFrontierIsTheLimit(t *testing.T) {
	rows, lab := exploredRows(t)
	if len(rows.Trades) != 6 {
		t.Fatalf("%d trade-offs", len(rows.Trades))
	}
	kept, infeasible := 0, 0
	for _, trade := range rows.Trades {
		b, err := lab.bench(trade.Workflow)
		if err != nil {
			t.Fatal(err)
		}
		if !trade.Complete || len(trade.Points) < 5 {
			t.Fatalf("%s, %s: %d points, complete %v", trade.Workflow, trade.Metric, len(trade.Points), trade.Complete)
		}
		for _, bound := range trade.Bounds {
			p, err := b.setup.Problem(Cell{trade.Workflow, trade.Metric, bound.Limit, ""}.bound(), trade.Samples, 1)
			if err != nil {
				t.Fatal(err)
			}
			// What is proved to be the least: of the first point that is as high.
			last := trade.Points[len(trade.Points)-1]
			if i := slices.IndexFunc(trade.Points, func(q ExplorerPoint) bool { return q.Percentile >= bound.Limit }); i >= 0 {
				last = trade.Points[i]
			}
			best := last.LowerBound
			for _, a := range bound.Answers {
				if a.Infeasible() {
					infeasible++
					// The percentile may be off by the tolerance.
					if least := trade.Points[0].Percentile; least <= bound.Limit {
						t.Errorf("%s: %v is proved infeasible, and the frontier has %v", trade.Workflow, bound.Limit, least)
					}
				}
				if a.Config == nil || a.OnSample() != Keeps {
					continue
				}
				kept++
				if o := p.Evaluate(a.Config); o.Objective < best*(1-1e-9) {
					t.Errorf("%s, %v of %s: %s has a mean of %v, proved is %v", trade.Workflow, bound.Limit, trade.Metric, a.Method, o.Objective, best)
				} else if a.Optimal() && !stands(trade, bound.Limit, o.Objective) {
					t.Errorf("%s, %v of %s: no point of the frontier stands for the optimum of %v", trade.Workflow, bound.Limit, trade.Metric, o.Objective)
				}
			}
		}
	}
	if kept < 30 || infeasible == 0 {
		t.Errorf("%d answers keep their bound, %d bounds are infeasible: too few to tell", kept, infeasible)
	}
}

// stands reports whether a point is within the tolerance of an optimum in both
// metrics.
func stands(t ExplorerTrade, limit, mean float64) bool {
	return slices.ContainsFunc(t.Points, func(p ExplorerPoint) bool {
		return p.Percentile <= limit*(1+t.Tolerance) && p.Mean <= mean*(1+t.Tolerance)
	})
}

// Points rise in what is bounded and fall in what is not, and what is said of
// them is what the model predicts for their configuration.
func TestExplorerPoints(t *testing.T) {
	rows, lab := exploredRows(t)
	for _, trade := range rows.Trades {
		b, err := lab.bench(trade.Workflow)
		if err != nil {
			t.Fatal(err)
		}
		for i, p := range trade.Points {
			if i > 0 && !(p.Percentile > trade.Points[i-1].Percentile && p.Mean < trade.Points[i-1].Mean) {
				t.Errorf("%s, %s: point %d is no better in anything than the one before", trade.Workflow, trade.Metric, i)
			}
			if !slices.IsSorted(p.Quantiles) || len(p.Quantiles) != len(rows.Levels) || p.LowerBound > p.Mean*(1+1e-9) || !(p.RiskLo <= p.Risk && p.Risk <= p.RiskHi) {
				t.Errorf("%s, %s: point %d: %+v", trade.Workflow, trade.Metric, i, p)
			}
			if !slices.Contains([]int{0, len(trade.Points) / 2}, i) {
				continue
			}
			latency, _ := b.holdout.Outcomes(p.Config)
			latency = latency[:trade.Unseen]
			for k, level := range rows.Levels {
				if want := models.QuantileR7(latency, level); p.Quantiles[k] != want {
					t.Errorf("%s, %s: point %d: quantile %v is %v, want %v", trade.Workflow, trade.Metric, i, level, p.Quantiles[k], want)
				}
			}
		}
	}
}

// Whoever cannot take a bound says why; whoever can is judged three times, and
// the optimum is no percent beyond itself.
func TestExplorerAnswers(t *testing.T) {
	rows, _ := exploredRows(t)
	during := 0
	for _, trade := range rows.Trades {
		for _, bound := range trade.Bounds {
			for _, a := range bound.Answers {
				if a.Unsupported != "" {
					if a.Answered {
						t.Errorf("%s answers, and does not: %s", a.Method, a.Unsupported)
					}
					continue
				}
				if a.Decides == experiments.During {
					during++
				}
				if !a.Answered {
					continue
				}
				if !(a.Unseen > 0 && a.RiskLo <= a.Risk && a.Risk <= a.RiskHi && a.Executed.P95Lo <= a.Executed.P95 && a.Executed.P95 <= a.Executed.P95Hi) {
					t.Errorf("%s: %+v", a.Method, a)
				}
				if a.Optimal() && a.Excess != 0 {
					t.Errorf("%s: the optimum is %v beyond itself", a.Method, a.Excess)
				}
				if a.Says == solvers.Done && a.Config != nil && a.Decides == experiments.Before && a.Unseen > policiesUnseen && a.OnSample() == Breaks {
					t.Errorf("%s says that it is done, and breaks its bound on its sample", a.Method)
				}
			}
		}
	}
	if during == 0 {
		t.Error("nobody decides during the run")
	}
}

func TestJudged(t *testing.T) {
	for _, c := range []struct {
		lo, hi, limit float64
		want          Judged
	}{{1, 2, 3, Keeps}, {1, 3, 3, Keeps}, {4, 5, 3, Breaks}, {3, 5, 3, Unclear}, {2, 4, 3, Unclear}, {math.NaN(), math.NaN(), 3, Unclear}} {
		if got := judged(c.lo, c.hi, c.limit); got != c.want {
			t.Errorf("from %v to %v under %v: %s, want %s", c.lo, c.hi, c.limit, got, c.want)
		}
	}
}
