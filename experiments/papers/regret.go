package papers

import (
	"context"
	"fmt"
	"math"
	"runtime"

	"golang.org/x/sync/errgroup"

	"eevee/experiments"
	"eevee/models"
	"eevee/solvers"
)

// RegretFields are how much bounds cost over percentile and confidence.
type RegretFields struct {
	Name        string // of the pictures
	Workflow    string // title
	Recorded    bool
	Bound       string    // as BoundText
	Percentiles []float64 // columns
	Confidences []float64 // rows
	Optimum     [][]float64
	Methods     []RegretField
}

func (RegretFields) rows() {}

// RegretField is the regret of one method in percent per confidence and
// percentile; NaN where it breaks the bound.
type RegretField struct {
	Method string
	Regret [][]float64
}

// Price is by how many percent the optimum costs more than under the lowest
// percentile and confidence.
func (f RegretFields) Price() [][]float64 {
	var price [][]float64
	for _, row := range f.Optimum {
		var percents []float64
		for _, v := range row {
			percents = append(percents, 100*(v/f.Optimum[0][0]-1))
		}
		price = append(price, percents)
	}
	return price
}

// regret solves one problem under bounds of different strength.
type regret struct {
	About       Statement   `yaml:",inline"`
	Samples     int         `yaml:"samples"`
	Workflow    string      `yaml:"workflow"`
	Bound       boundFact   `yaml:",inline"`
	Percentiles []float64   `yaml:"percentiles,flow"`
	Confidences []float64   `yaml:"confidences,flow"`
	Methods     []violating `yaml:"methods"`
}

func newRegret() Experiment { return mustFacts[regret]("data/regret.yaml") }

func (g *regret) Statement() Statement { return g.About }

func (g *regret) Cells(bool) []Cell { return nil }

func (g *regret) Find(ctx context.Context, lab *Lab) (Finding, error) {
	b, err := lab.bench(g.Workflow)
	if err != nil {
		return Finding{}, err
	}
	percentiles, confidences, samples := g.Percentiles, g.Confidences, g.Samples
	if lab.options.Quick {
		percentiles, confidences, samples = thin(percentiles, true), thin(confidences, true), samples/4
	}
	sample, err := b.setup.Scenarios(samples, lab.options.Seed)
	if err != nil {
		return Finding{}, err
	}
	cell := g.Bound.cell(g.Workflow, "")
	rows := RegretFields{
		Name: g.About.ID, Workflow: shortTitle(b.setup.Definition), Recorded: b.recorded(), Bound: cell.BoundText(), Percentiles: percentiles, Confidences: confidences,
	}
	objectives := make([][][]float64, 1+len(g.Methods)) // of exact first
	for i := range objectives {
		objectives[i] = field(len(confidences), len(percentiles))
	}
	group, inner := errgroup.WithContext(ctx)
	group.SetLimit(runtime.GOMAXPROCS(0))
	for r, confidence := range confidences {
		for c, percentile := range percentiles {
			bound := cell.bound()
			bound.Percentile, bound.Confidence, bound.Rule = percentile, confidence, solvers.Certified
			for m, name := range append([]string{optimumMethod}, methodsOf(g.Methods)...) {
				group.Go(func() (err error) {
					objectives[m][r][c], err = g.objective(inner, b, sample, bound, name, lab.options.Seed)
					return err
				})
			}
		}
	}
	if err := group.Wait(); err != nil {
		return Finding{}, err
	}
	rows.Optimum = objectives[0]
	for m, method := range g.Methods {
		regret := RegretField{Method: method.Name, Regret: field(len(confidences), len(percentiles))}
		for r := range regret.Regret {
			for c := range regret.Regret[r] {
				regret.Regret[r][c] = 100 * (objectives[1+m][r][c]/objectives[0][r][c] - 1)
			}
		}
		rows.Methods = append(rows.Methods, regret)
	}
	return Finding{Rows: rows, Claims: []Claim{g.claim(rows)}, Notes: g.notes(rows)}, nil
}

func methodsOf(list []violating) []string {
	var names []string
	for _, m := range list {
		names = append(names, m.Method)
	}
	return names
}

// field is a field of numbers that are not known yet.
func field(rows, columns int) [][]float64 {
	f := make([][]float64, rows)
	for r := range f {
		f[r] = make([]float64, columns)
		for c := range f[r] {
			f[r][c] = math.NaN()
		}
	}
	return f
}

// objective returns the mean objective of a method's answer on the sample, NaN
// where it breaks the bound.
func (g *regret) objective(ctx context.Context, b *bench, sample *models.Scenarios, bound solvers.Bound, name string, seed uint64) (float64, error) {
	p, err := b.setup.Pose(sample, bound)
	if err != nil {
		return 0, err
	}
	method, err := experiments.NewMethod(name)
	if err != nil {
		return 0, err
	}
	report, err := solvers.Solve(ctx, p, method, models.Streams{Seed: seed}, nil)
	if err == nil {
		err = ctx.Err()
	}
	if err != nil || !report.Feasible {
		return math.NaN(), err
	}
	return report.Outcome.Objective, nil
}

// claim counts pairs of neighbours of which the stronger bound costs less. A
// bound that nothing keeps costs more than any other.
func (g *regret) claim(rows RegretFields) Claim {
	cheaper, pairs := 0, 0
	cost := func(r, c int) float64 {
		if v := rows.Optimum[r][c]; !math.IsNaN(v) {
			return v
		}
		return math.Inf(1)
	}
	for r := range rows.Confidences {
		for c := range rows.Percentiles {
			if r > 0 {
				pairs++
				if cost(r, c) < cost(r-1, c) {
					cheaper++
				}
			}
			if c > 0 {
				pairs++
				if cost(r, c) < cost(r, c-1) {
					cheaper++
				}
			}
		}
	}
	var comp comparison
	comp.add(fmt.Sprintf("%d pairs of neighbours", pairs), "stronger_and_cheaper", 0, float64(cheaper), Tolerance{})
	return comp.claim(Claim{
		ID: g.About.ID, Title: fmt.Sprintf("%s, %s: stronger bounds whose optimum is cheaper", rows.Workflow, rows.Bound), Unit: "pairs", Tolerance: "none",
		Figure: rows.Name + ".png", Data: rows.Name + ".csv",
	}, rows.Recorded)
}

func (g *regret) notes(rows RegretFields) []string {
	var notes []string
	for _, m := range rows.Methods {
		kept, most := 0, 0.0
		for _, row := range m.Regret {
			for _, v := range row {
				if !math.IsNaN(v) {
					kept++
					most = max(most, v)
				}
			}
		}
		note := fmt.Sprintf("%s keeps %d of %d bounds", m.Method, kept, len(rows.Percentiles)*len(rows.Confidences))
		if kept > 0 {
			note += fmt.Sprintf(", with a regret of %s %% at most", digits(most))
		}
		notes = append(notes, note)
	}
	price := rows.Price()
	last := price[len(price)-1]
	return append(notes, fmt.Sprintf("at the highest percentile and confidence the optimum costs %s %% more than at the lowest", digits(last[len(last)-1])))
}
