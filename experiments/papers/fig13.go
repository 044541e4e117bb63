package papers

import (
	"context"
	"fmt"
	"slices"
	"time"

	"eevee/experiments"
	"eevee/models"
	"eevee/solvers"
)

// SolveTimes are times to solve over the number of samples.
type SolveTimes struct{ Panels []SolveTimePanel }

func (SolveTimes) rows() {}

// SolveTimePanel is one workflow under one bound.
type SolveTimePanel struct {
	Name     string    // of the picture
	Workflow string    // title
	Bound    string    // as BoundText
	Reported []float64 // s, of the first numbers of samples of every method
	Methods  []MethodTimes
}

// MethodTimes are the times of one method.
type MethodTimes struct {
	Method string
	Times  []SolveTime
}

// SolveTime is the time it takes to solve with a number of samples.
type SolveTime struct {
	Samples int
	TimeTaken
}

// fig13 measures how long methods take.
type fig13 struct {
	About     Statement `yaml:",inline"`
	Tolerance Tolerance `yaml:"tolerance"`
	Samples   []int     `yaml:"samples,flow"`

	// Further numbers of samples, of which nothing was reported: they show how
	// the time of our own methods grows.
	Further []int `yaml:"further_samples,flow"`

	Panels []struct {
		Name   string `yaml:"name"`
		Title  string `yaml:"title"`
		Curves []struct {
			Workflow string    `yaml:"workflow"`
			Bound    boundFact `yaml:",inline"`
			Seconds  []float64 `yaml:"seconds,flow"` // one per number of samples
		} `yaml:"curves"`
	} `yaml:"panels"`
}

func newFig13() Experiment { return mustFacts[fig13]("data/fig13.yaml") }

func (f *fig13) Statement() Statement { return f.About }

func (f *fig13) Cells(bool) []Cell { return nil }

// timedMethods are the methods that are timed, the one that the claim is about
// first.
var timedMethods = []string{"jolteon", "jolteon:compat", "exact"}

// reportedOnly are those that are timed with the numbers of the paper only: the
// search of the artifact keeps every configuration it meets.
var reportedOnly = []string{"jolteon:compat"}

// How often a solver is timed, unless that takes long.
const (
	solveRepetitions = 3
	solveEnough      = 100 * time.Millisecond
)

// quickSamples is the largest number of samples of a quick run.
const quickSamples = 1000

func (f *fig13) Find(ctx context.Context, lab *Lab) (Finding, error) {
	var rows SolveTimes
	var found Finding
	for _, p := range f.Panels {
		c := comparison{resolution: digitised}
		for _, curve := range p.Curves {
			b, err := lab.bench(curve.Workflow)
			if err != nil {
				return found, err
			}
			cell := curve.Bound.cell(curve.Workflow, "")
			panel := SolveTimePanel{
				Name: p.Name + "-" + curve.Workflow + "-timings", Workflow: shortTitle(b.setup.Definition), Bound: cell.BoundText(),
			}
			for _, name := range timedMethods {
				times := MethodTimes{Method: name}
				numbers := f.Samples
				if !slices.Contains(reportedOnly, name) {
					numbers = slices.Concat(f.Samples, f.Further)
				}
				for i, n := range numbers {
					if lab.options.Quick && n > quickSamples {
						break
					}
					taken, err := lab.timeSolving(ctx, b, cell.bound(), name, n)
					if err != nil {
						return found, err
					}
					times.Times = append(times.Times, SolveTime{n, taken})
					if name == timedMethods[0] && i < len(f.Samples) {
						panel.Reported = append(panel.Reported, curve.Seconds[i])
						c.add(fmt.Sprintf("%s, %d samples", curve.Workflow, n), "solve_s", curve.Seconds[i], taken.Seconds(), f.Tolerance)
					}
				}
				panel.Methods = append(panel.Methods, times)
			}
			rows.Panels = append(rows.Panels, panel)
		}
		first := rows.Panels[len(rows.Panels)-len(p.Curves)].Name
		found.Claims = append(found.Claims, c.timed(Claim{
			ID: p.Name, Title: "Figure 13, " + p.Title + ": time to solve over the number of samples, " + timedMethods[0],
			Unit: "s", Tolerance: f.Tolerance.String() + " the reported time", Figure: first + ".png", Data: first + ".csv",
		}))
	}
	found.Rows = rows
	return found, nil
}

// timeSolving measures how long a method takes to solve a problem that is
// already posed, without the holdout.
func (l *Lab) timeSolving(ctx context.Context, b *bench, bound solvers.Bound, name string, samples int) (TimeTaken, error) {
	method, err := experiments.NewMethod(name)
	if err != nil {
		return TimeTaken{}, err
	}
	p, err := b.setup.Problem(bound, samples, l.options.Seed)
	if err != nil {
		return TimeTaken{}, err
	}
	repetitions := solveRepetitions
	if l.options.Quick {
		repetitions = 1
	}
	return l.options.Clock.measure(repetitions, solveEnough, func() error {
		_, err := solvers.Solve(ctx, p, method, models.Streams{Seed: l.options.Seed}, nil)
		if err == nil {
			err = ctx.Err()
		}
		return err
	})
}

// timed is claim for values that were measured in time. They depend on no
// recording, and say little in words: files hold them apart.
func (c *comparison) timed(base Claim) Claim {
	base = c.claim(base, true)
	base.Timed = true
	outside := 0
	for _, p := range c.pairs {
		if !p.within() {
			outside++
		}
	}
	switch base.Verdict {
	case Reproduced:
		base.Why = fmt.Sprintf("all %d times are within the tolerance", len(c.pairs))
	case Shape:
		base.Why = fmt.Sprintf("%d of %d times are outside the tolerance; their order holds", outside, len(c.pairs))
	default:
		base.Why = fmt.Sprintf("%d of %d times are outside the tolerance, and their order is another one", outside, len(c.pairs))
	}
	return base
}
