package papers

import (
	"context"
	"fmt"
	"math"
	"slices"
	"strings"

	"eevee/solvers"
)

// Tightness is how close the 95th percentile of a metric comes to its bound.
type Tightness struct {
	Metric solvers.Metric
	Panels []TightnessPanel
}

func (Tightness) rows() {}

// TightnessPanel is one workflow of a Tightness. Bounds and percentiles are in
// s or USD.
type TightnessPanel struct {
	Name     string // of the picture
	Workflow string // title
	Recorded bool
	Bounds   []float64
	Reported []float64 // actual 95th percentile, one per bound
	Answers  []MethodAnswers
}

// Unreachable returns the bounds that are proved to be out of reach.
func (p TightnessPanel) Unreachable() []float64 {
	var bounds []float64
	for _, answers := range p.Answers {
		for i, r := range answers.Results {
			if r.Unreachable() && !slices.Contains(bounds, p.Bounds[i]) {
				bounds = append(bounds, p.Bounds[i])
			}
		}
	}
	return bounds
}

// tightness executes the answers to bounds on one metric: Figures 10 and 11.
type tightness struct {
	About     Statement        `yaml:",inline"`
	Metric    solvers.Metric   `yaml:"metric"`
	Tolerance Tolerance        `yaml:"tolerance"` // of panels without their own
	Panels    []tightnessPanel `yaml:"panels"`
}

type tightnessPanel struct {
	Name      string           `yaml:"name"`
	Workflow  string           `yaml:"workflow"`
	Tolerance *Tolerance       `yaml:"tolerance"`
	Points    []tightnessPoint `yaml:"points"`
}

type tightnessPoint struct {
	Bound float64 `yaml:"bound"`
	P95   float64 `yaml:"p95"`
}

func newTightness(file string) Experiment { return mustFacts[tightness](file) }

func (t *tightness) Statement() Statement { return t.About }

func (t *tightness) Cells(quick bool) []Cell {
	var cells []Cell
	for _, p := range t.Panels {
		for _, point := range thin(p.Points, quick) {
			for _, m := range comparedMethods() {
				cells = append(cells, Cell{p.Workflow, t.Metric, point.Bound, m})
			}
		}
	}
	return cells
}

func (t *tightness) Find(_ context.Context, lab *Lab) (Finding, error) {
	var found Finding
	rows := Tightness{Metric: t.Metric}
	var all []CellResult
	recorded := true
	for _, p := range t.Panels {
		b, err := lab.bench(p.Workflow)
		if err != nil {
			return found, err
		}
		panel := TightnessPanel{Name: p.Name, Workflow: shortTitle(b.setup.Definition), Recorded: b.recorded()}
		recorded = recorded && b.recorded()
		points := thin(p.Points, lab.options.Quick)
		for _, point := range points {
			panel.Bounds = append(panel.Bounds, point.Bound)
			panel.Reported = append(panel.Reported, point.P95)
		}
		for _, m := range comparedMethods() {
			answers := MethodAnswers{Method: m}
			for _, point := range points {
				answers.Results = append(answers.Results, lab.Result(Cell{p.Workflow, t.Metric, point.Bound, m}))
			}
			panel.Answers = append(panel.Answers, answers)
			all = append(all, answers.Results...)
		}
		rows.Panels = append(rows.Panels, panel)
		found.Claims = append(found.Claims, t.claims(p, panel)...)
	}
	found.Claims = append(found.Claims, t.kept(rows.Panels, recorded))
	found.Rows = rows
	found.Notes = append(notesOn(all), t.artifactNote(all))
	return found, nil
}

// artifactNote says at how many of the bounds the artifact breaks its own bound
// by its own figures.
func (t *tightness) artifactNote(results []CellResult) string {
	n, breaks := 0, 0
	for _, r := range results {
		if r.Method != MethodArtifact {
			continue
		}
		n++
		if run, ok := artifactRunOf(r.Cell); ok && run.Breaks {
			breaks++
		}
	}
	return fmt.Sprintf("%s: by its own figures, or on a path that it does not look at, %d of these %d published runs break their bound in silence", MethodArtifact, breaks, n)
}

// figure is the number of the figure, from the id.
func (t *tightness) figure() string { return "Figure " + strings.TrimPrefix(t.About.ID, "fig") }

// quantity names the values of claims.
func (t *tightness) quantity() (name, unit string) {
	if t.Metric == solvers.Latency {
		return "p95_latency_s", "s"
	}
	return "p95_cost_usd", "USD"
}

// claims compares the reported percentiles with those of our version of the
// artifact, and with those of the artifact's own configurations.
func (t *tightness) claims(p tightnessPanel, panel TightnessPanel) []Claim {
	tolerance := t.Tolerance
	if p.Tolerance != nil {
		tolerance = *p.Tolerance
	}
	name, unit := t.quantity()
	var claims []Claim
	for _, m := range subjects {
		results := panel.Answers[slices.Index(comparedMethods(), m)].Results
		c := comparison{resolution: digitised}
		for i, reported := range panel.Reported {
			ours := math.NaN()
			if r := results[i]; r.Answered() {
				ours = r.ExecutedBounded().P95
			}
			c.add(results[i].BoundText(), name, reported, ours, tolerance)
		}
		claims = append(claims, c.claim(Claim{
			ID: p.Name + subjectID(m), Title: fmt.Sprintf("%s, %s: actual 95th percentile, %s", t.figure(), panel.Workflow, subjectTitle(m)),
			Unit: unit, Tolerance: tolerance.String(), Figure: p.Name + ".png", Data: p.Name + ".csv",
		}, panel.Recorded).because(subjectCause(m, panel.Answers, c)))
	}
	return claims
}

// kept counts the bounds that executions keep. The claim is that all are kept.
func (t *tightness) kept(panels []TightnessPanel, recorded bool) Claim {
	c := comparison{}
	kept := map[string]int{}
	total := 0
	var broken []string
	admitted := 0 // of those, how many it breaks on its own sample
	for _, p := range panels {
		total += len(p.Bounds)
		ours := 0
		for _, answers := range p.Answers {
			for _, r := range answers.Results {
				if r.Keeps() {
					kept[answers.Method]++
				}
				if answers.Method != ourMethods[0] {
					continue
				}
				if r.Keeps() {
					ours++
				} else {
					broken = append(broken, fmt.Sprintf("%s %s (p95 %s, by the model %s)", r.Workflow, r.BoundText(), amount(t.Metric, r.ExecutedBounded().P95), amount(t.Metric, r.Bounded().P95)))
					if r.Breaks() {
						admitted++
					}
				}
			}
		}
		c.add(p.Workflow, "bounds_kept", float64(len(p.Bounds)), float64(ours), Tolerance{})
	}
	claim := Claim{
		ID:    t.About.ID + ".kept",
		Title: fmt.Sprintf("%s: the actual 95th percentile is always below the bound, %s", t.figure(), subjectTitle(ourMethods[0])),
		Unit:  "bounds", Tolerance: "every bound",
		Figure: panels[0].Name + ".png", Data: t.About.ID + "-cells.csv",
	}
	claim.Reported, claim.Reproduced = c.values()
	var counts []string
	for _, m := range comparedMethods() {
		counts = append(counts, fmt.Sprintf("%s %d", m, kept[m]))
	}
	claim.Verdict = Reproduced
	claim.Why = fmt.Sprintf("executed, the answers keep of %d bounds: %s", total, strings.Join(counts, ", "))
	if len(broken) > 0 {
		claim.Verdict = NotReproduced
		claim.Why += fmt.Sprintf(". Broken by %s: %s. Cause: %d of these %d answers break their bound on the method's own sample, and say so", ourMethods[0], strings.Join(broken, ", "), admitted, len(broken))
		if admitted < len(broken) {
			claim.Why += "; the others keep it there, and are executed with times that vary more than the fitted parameters are uncertain (coverage.jolteon)"
		}
	}
	if !recorded {
		claim = claim.withoutRecordings()
	}
	return claim
}
