package papers

import (
	"context"
	"fmt"
	"math"
	"slices"
	"strings"

	"eevee/models"
	"eevee/solvers"
)

// BoundsKept says of systems how often they break bounds, and how far from the
// proved optimum they are where they keep them.
type BoundsKept struct {
	Name       string // of the pictures
	Recorded   bool
	Reachable  int // bounds that some configuration keeps
	Infeasible int // bounds that are proved to be out of reach
	Systems    []BoundsKeptBy
	Answers    []MethodAnswers // of all systems, to all bounds
}

func (BoundsKept) rows() {}

// BoundsKeptBy is one system. Breaks are numbers of answers to reachable bounds.
type BoundsKeptBy struct {
	System       string
	Unaware      bool // looks at no bound
	Answered     int
	Own          int // break the bound on their own sample
	Silent       int // of those, without a word
	Unseen       int // surely break it on scenarios that no system saw
	Executed     int // break it in the replay world
	AboveOptimum []BoundDistance
}

// BoundDistance is how far the mean objective of an answer that keeps its bound
// on its own sample is above that of the optimum, in percent, on scenarios that
// neither saw.
type BoundDistance struct {
	Workflow string
	Metric   solvers.Metric // that is bounded
	Limit    float64        // s or USD
	Percent  float64
}

// Percents returns the distances alone.
func (b BoundsKeptBy) Percents() []float64 {
	var all []float64
	for _, d := range b.AboveOptimum {
		all = append(all, d.Percent)
	}
	return all
}

// violations lets all systems answer the published bounds.
type violations struct {
	About        Statement   `yaml:",inline"`
	OwnBreaks    int         `yaml:"own_breaks"`
	OwnTolerance Tolerance   `yaml:"own_tolerance"`
	Systems      []violating `yaml:"systems"`
}

// violating is a system that is asked to keep bounds.
type violating struct {
	Name   string         `yaml:"name"` // in pictures
	Method string         `yaml:"method"`
	Only   solvers.Metric `yaml:"only"` // the metric that it can bound; empty: both

	// Unaware says that it looks at no bound.
	Unaware bool `yaml:"unaware"`
}

func newViolations() *violations { return mustFacts[violations]("data/violations.yaml") }

func (v *violations) Statement() Statement { return v.About }

// systems are all systems, those of the other figures first.
func (v *violations) systems() []violating {
	var all []violating
	for _, m := range comparedMethods() {
		all = append(all, violating{Name: m, Method: m})
	}
	return append(all, v.Systems...)
}

// optimumMethod proves what can be reached.
const optimumMethod = "exact"

// quickWorkflow is the one that a quick run looks at.
const quickWorkflow = "ml"

// bounds are the cells to answer, without their method. A quick run takes those
// of one workflow in a quick run of Figures 10 and 11.
func (v *violations) bounds(quick bool) []Cell {
	var cells []Cell
	for _, run := range artifactRuns() {
		cells = append(cells, run.Bound.cell(run.Workflow, ""))
	}
	if !quick {
		return cells
	}
	var planned []Cell
	for _, file := range []string{"data/fig10.yaml", "data/fig11.yaml"} {
		for _, c := range newTightness(file).Cells(true) {
			c.Method = ""
			planned = append(planned, c)
		}
	}
	return slices.DeleteFunc(cells, func(c Cell) bool { return c.Workflow != quickWorkflow || !slices.Contains(planned, c) })
}

func (v *violations) Cells(quick bool) []Cell {
	var cells []Cell
	for _, s := range v.systems() {
		cells = append(cells, s.cells(v.bounds(quick))...)
	}
	return cells
}

// cells are the bounds that a system can be asked to keep.
func (s violating) cells(bounds []Cell) []Cell {
	var cells []Cell
	for _, c := range bounds {
		if s.Only == "" || s.Only == c.Metric {
			c.Method = s.Method
			cells = append(cells, c)
		}
	}
	return cells
}

func (v *violations) Find(_ context.Context, lab *Lab) (Finding, error) {
	bounds := v.bounds(lab.options.Quick)
	rows := BoundsKept{Name: v.About.ID, Recorded: true}
	optima := map[Cell]CellResult{}
	for _, c := range bounds {
		best := c
		best.Method = optimumMethod
		switch r := lab.Result(best); r.Status {
		case solvers.Optimal:
			optima[c] = r
			rows.Reachable++
		case solvers.Infeasible:
			rows.Infeasible++
		default:
			return Finding{}, fmt.Errorf("%v: %s; the optimum was to be proved", best, r.Status)
		}
	}
	for _, s := range v.systems() {
		by, answers := BoundsKeptBy{System: s.Name, Unaware: s.Unaware}, MethodAnswers{Method: s.Name}
		for _, c := range s.cells(bounds) {
			r := lab.Result(c)
			answers.Results = append(answers.Results, r)
			c.Method = ""
			if optimum, ok := optima[c]; ok && r.Answered() {
				by.count(r, optimum)
			}
		}
		rows.Systems, rows.Answers = append(rows.Systems, by), append(rows.Answers, answers)
	}
	own, err := v.ownBreaks(lab, &rows)
	if err != nil {
		return Finding{}, err
	}
	return Finding{Rows: rows, Claims: []Claim{own}, Notes: v.notes(rows)}, nil
}

// count adds an answer to a bound with a known optimum.
func (b *BoundsKeptBy) count(r, optimum CellResult) {
	b.Answered++
	if r.Breaks() {
		b.Own++
		if !r.Admits() {
			b.Silent++
		}
	} else {
		ours, best := r.Cost.Mean, optimum.Cost.Mean
		if r.Metric == solvers.Cost {
			ours, best = r.Latency.Mean, optimum.Latency.Mean
		}
		b.AboveOptimum = append(b.AboveOptimum, BoundDistance{r.Workflow, r.Metric, r.Limit, 100 * (ours/best - 1)})
	}
	if r.RiskLo > publishedRisk {
		b.Unseen++
	}
	if !r.Keeps() {
		b.Executed++
	}
}

// ownBreaks counts the artifact's answers that break their bound by its own
// model, on any path; and notes whether all traces are recorded.
func (v *violations) ownBreaks(lab *Lab, rows *BoundsKept) (Claim, error) {
	scenarios := map[string]*models.Scenarios{}
	bounds := v.bounds(lab.options.Quick)
	reported, ours, far := 0, 0, false
	var other []string
	for _, c := range bounds {
		b, err := lab.bench(c.Workflow)
		if err != nil {
			return Claim{}, err
		}
		rows.Recorded = rows.Recorded && b.recorded()
		if scenarios[c.Workflow] == nil {
			if scenarios[c.Workflow], err = b.artifactScenarios(b.samples, lab.options.Seed); err != nil {
				return Claim{}, err
			}
		}
		c.Method = MethodArtifact
		run, _ := artifactRunOf(c)
		config, err := artifactAnswer(b.setup.Definition, c)
		if err != nil {
			return Claim{}, err
		}
		latency, cost := scenarios[c.Workflow].Outcomes(config)
		p95 := models.QuantileR7(solvers.Outcome{Latency: latency, Cost: cost}.Bounded(c.Metric), 1-publishedRisk)
		if run.Breaks {
			reported++
		}
		if p95 > c.Limit {
			ours++
		}
		if run.Breaks != (p95 > c.Limit) {
			other = append(other, fmt.Sprintf("%s %s (%+.1f %%)", c.Workflow, c.BoundText(), 100*(p95/c.Limit-1)))
			far = far || !v.OwnTolerance.Holds(c.Limit, p95)
		}
	}
	at := fmt.Sprintf("%d runs", len(bounds))
	claim := Claim{
		ID: v.About.ID + ".artifact", Title: "Published runs of the artifact that break their bound by its own model", Unit: "runs",
		Tolerance: fmt.Sprintf("runs within %v of their bound may be judged either way", v.OwnTolerance),
		Reported:  []Value{valueOf(at, "bounds_broken", float64(reported))}, Reproduced: []Value{valueOf(at, "bounds_broken", float64(ours))},
		Verdict: Reproduced, Why: "every run is judged as by the artifact",
		Figure: v.About.ID + ".png", Data: v.About.ID + ".csv", Paper: "Jolteon (NSDI'24)",
	}
	if len(other) > 0 {
		claim.Why = fmt.Sprintf("%d of %d runs are judged otherwise than by the artifact, whose random numbers are others; their 95th percentiles and how far these are from the bound: %s",
			len(other), len(bounds), strings.Join(other, ", "))
	}
	if far {
		claim.Verdict = NotReproduced
	}
	if !rows.Recorded {
		claim = claim.withoutRecordings()
	}
	return claim, nil
}

func (v *violations) notes(rows BoundsKept) []string {
	notes := []string{
		fmt.Sprintf("%d of the bounds are proved infeasible and left out; of the %d others every one has a proved optimum", rows.Infeasible, rows.Reachable),
		"Caerus and Ditto look at no bound, and say so where they break one; with rule plugin no answer has a guarantee, that of exact neither: its risk is as close to 5 % as the sample allows, so that unseen scenarios and executions find some of its bounds broken",
	}
	for _, s := range rows.Systems {
		if s.Answered == 0 {
			continue
		}
		distance := "none kept"
		if p := s.Percents(); len(p) > 0 {
			distance = fmt.Sprintf("above the optimum by %s %% at the median and %s %% at most", digits(models.QuantileR7(p, 0.5)), digits(slices.Max(p)))
		}
		notes = append(notes, fmt.Sprintf("%s: of %d answers %d break their bound on their own sample (%d in silence), %d on unseen scenarios, %d executed; %s",
			s.System, s.Answered, s.Own, s.Silent, s.Unseen, s.Executed, distance))
	}
	return notes
}

// share is n of all in percent, NaN of none.
func share(n, all int) float64 {
	if all == 0 {
		return math.NaN()
	}
	return 100 * float64(n) / float64(all)
}

// Shares returns the breaks in percent of the answers: on the own sample, on
// unseen scenarios, executed.
func (b BoundsKeptBy) Shares() [3]float64 {
	return [3]float64{share(b.Own, b.Answered), share(b.Unseen, b.Answered), share(b.Executed, b.Answered)}
}
