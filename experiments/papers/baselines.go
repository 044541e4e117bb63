package papers

import (
	"context"
	"fmt"
	"math"
	"slices"

	"eevee/models"
)

// BaselinePanels are the answers of the systems that Jolteon is compared with.
type BaselinePanels struct{ Panels []BaselinePanel }

func (BaselinePanels) rows() {}

// BaselinePanel is one workflow of BaselinePanels.
type BaselinePanel struct {
	Name     string // of the picture
	Workflow string // title
	Recorded bool
	Points   []BaselinePoint
}

// BaselinePoint is the answer of one system to one bound.
type BaselinePoint struct {
	System   string
	Reported FrontierPoint // as published
	Listed   models.Config // the artifact's
	Answer   CellResult    // ours
	Replayed Median95      // latency of Answer by the artifact's scenarios, s
}

// baselinesOfFig9 lets the other systems of Figure 9 answer.
type baselinesOfFig9 struct {
	About           Statement `yaml:",inline"`
	VCPUTolerance   Tolerance `yaml:"vcpu_tolerance"`
	ReplayTolerance struct {
		Latency Tolerance `yaml:"latency"`
		Cost    Tolerance `yaml:"cost"`
	} `yaml:"replay_tolerance"`
	Panels []struct {
		Workflow  string `yaml:"workflow"`
		Tolerance struct {
			Latency Tolerance `yaml:"latency"`
			Cost    Tolerance `yaml:"cost"`
		} `yaml:"tolerance"` // of executions
		Systems []baselineSystem `yaml:"systems"`
	} `yaml:"panels"`
}

type baselineSystem struct {
	Name   string          `yaml:"name"`
	ID     string          `yaml:"id"`
	Method string          `yaml:"method"`
	Points []baselineFacts `yaml:"points"`
}

// baselineFacts is what is known about one answer.
type baselineFacts struct {
	Bound         boundFact `yaml:",inline"`
	Parallelism   []int     `yaml:"parallelism,flow"`
	OrParallelism []int     `yaml:"or_parallelism,flow"` // another one that explains the figure as well
	VCPU          []float64 `yaml:"vcpu,flow"`
	Replayed      struct {
		P50     float64 `yaml:"p50_s"`
		P95     float64 `yaml:"p95_s"`
		CostUSD float64 `yaml:"cost_usd"`
	} `yaml:"replayed"`
	Reported struct {
		LatencyS float64 `yaml:"latency_s"`
		CostUSD  float64 `yaml:"cost_usd"`
	} `yaml:"reported"`
}

func newBaselines() *baselinesOfFig9 { return mustFacts[baselinesOfFig9]("data/baselines.yaml") }

func (f *baselinesOfFig9) Statement() Statement { return f.About }

func (f *baselinesOfFig9) Cells(bool) []Cell {
	var cells []Cell
	for _, p := range f.Panels {
		for _, s := range p.Systems {
			for _, point := range s.Points {
				cells = append(cells, point.Bound.cell(p.Workflow, s.Method))
			}
		}
	}
	return cells
}

// reported returns the published points of a workflow.
func (f *baselinesOfFig9) reported(workflow string) []FrontierPoint {
	var points []FrontierPoint
	for _, p := range f.Panels {
		if p.Workflow != workflow {
			continue
		}
		for _, s := range p.Systems {
			for _, point := range s.Points {
				points = append(points, s.reported(point))
			}
		}
	}
	return points
}

func (s baselineSystem) reported(p baselineFacts) FrontierPoint {
	return FrontierPoint{System: s.Name, LatencyS: p.Reported.LatencyS, CostUSD: p.Reported.CostUSD}
}

func (f *baselinesOfFig9) Find(_ context.Context, lab *Lab) (Finding, error) {
	found := Finding{Notes: []string{
		"Caerus and Ditto look at no bound; how many instances they divide, and of which size, is what the artifact was run with",
		"the artifact fits Ditto for video and tpcds against the configurations of the profile of ml, by mistake; so does ditto:compat. Fitted to their own, Ditto-L gives the third stage of video 16 instances, and the fifth and seventh of tpcds 32 and 16",
	}}
	var rows BaselinePanels
	for _, p := range f.Panels {
		b, err := lab.bench(p.Workflow)
		if err != nil {
			return found, err
		}
		drawn, err := b.artifactScenarios(b.samples, lab.options.Seed)
		if err != nil {
			return found, err
		}
		panel := BaselinePanel{Name: f.About.ID + "-" + p.Workflow, Workflow: shortTitle(b.setup.Definition), Recorded: b.recorded()}
		for _, s := range p.Systems {
			var replayed, executed comparison
			executed.resolution = digitised
			for _, point := range s.Points {
				answer := lab.Result(point.Bound.cell(p.Workflow, s.Method))
				row := BaselinePoint{System: s.Name, Reported: s.reported(point), Answer: answer, Listed: point.config(b.setup.Definition, answer.Config)}
				found.Claims = append(found.Claims, f.configClaim(s, point, panel, row, b.setup.Definition))
				p50, p95, mean := math.NaN(), math.NaN(), math.NaN()
				latency, cost := math.NaN(), math.NaN()
				if answer.Answered() {
					row.Replayed = latencyOn(drawn, answer.Config)
					p50, p95, mean = row.Replayed.P50, row.Replayed.P95, answer.Cost.Mean
					latency, cost = answer.Executed.Latency.P50, answer.Executed.Cost.Mean
				}
				at := s.at(answer)
				replayed.add(at, "p50_latency_s", point.Replayed.P50, p50, f.ReplayTolerance.Latency)
				replayed.add(at, "p95_latency_s", point.Replayed.P95, p95, f.ReplayTolerance.Latency)
				replayed.add(at, "mean_cost_usd", point.Replayed.CostUSD, mean, f.ReplayTolerance.Cost)
				executed.add(at, "p50_latency_s", point.Reported.LatencyS, latency, p.Tolerance.Latency)
				executed.add(at, "mean_cost_usd", point.Reported.CostUSD, cost, p.Tolerance.Cost)
				panel.Points = append(panel.Points, row)
			}
			id := fmt.Sprintf("%s.%s.%s", f.About.ID, p.Workflow, s.ID)
			found.Claims = append(found.Claims,
				replayed.claim(Claim{
					ID: id + ".replay", Title: fmt.Sprintf("Figure 9, %s: what the artifact's model predicts for %s", panel.Workflow, s.Name), Unit: "s, USD",
					Tolerance: fmt.Sprintf("latency %v, cost %v", f.ReplayTolerance.Latency, f.ReplayTolerance.Cost), Data: panel.Name + "-cells.csv",
				}, panel.Recorded).because(s.replayCause(b.samples)),
				executed.claim(Claim{
					ID: id + ".measured", Title: fmt.Sprintf("Figure 9, %s: latency and cost of %s", panel.Workflow, s.Name), Unit: "s, USD",
					Tolerance: fmt.Sprintf("latency %v, cost %v", p.Tolerance.Latency, p.Tolerance.Cost), Figure: panel.Name + ".png", Data: panel.Name + "-cells.csv",
				}, panel.Recorded).because(measuredCause(panel.Points[len(panel.Points)-len(s.Points):])),
			)
		}
		rows.Panels = append(rows.Panels, panel)
	}
	found.Rows = rows
	return found, nil
}

// replayCause says why what the artifact's model predicts may differ from the
// listed figures.
func (s baselineSystem) replayCause(samples int) string {
	cause := fmt.Sprintf("both are percentiles of %d scenarios, drawn with other random numbers", samples)
	for _, p := range s.Points {
		if p.OrParallelism != nil {
			cause += fmt.Sprintf(", and the listed figures are those of parallelism %v", p.Parallelism)
		}
	}
	return cause
}

// measuredCause says why executions may differ from published measurements,
// and how far the model alone is from them.
func measuredCause(points []BaselinePoint) string {
	lo, hi := math.Inf(1), math.Inf(-1)
	for _, p := range points {
		off := 100 * (p.Answer.Cost.Mean/p.Reported.CostUSD - 1)
		lo, hi = min(lo, off), max(hi, off)
	}
	span := fmt.Sprintf("%+.0f %%", lo)
	if len(points) > 1 {
		span = fmt.Sprintf("%+.0f...%+.0f %%", lo, hi)
	}
	return "the sizes of the inputs, and with them the published configurations, are inferred, and the replay world interpolates between recorded sizes; " +
		"by the model mean costs are " + span + " off the reported ones"
}

// at names a point of a system in a claim.
func (s baselineSystem) at(r CellResult) string {
	if len(s.Points) == 1 {
		return s.Name
	}
	return r.BoundText()
}

// config returns the listed configuration. Where two are listed, it is the one
// with the parallelism of the answer, or else the first.
func (p baselineFacts) config(def *models.Definition, answer models.Config) models.Config {
	if p.OrParallelism != nil {
		other := configOf(def, p.OrParallelism, p.VCPU)
		if slices.EqualFunc(answer, other, func(a, b models.StageConfig) bool { return a.Parallelism == b.Parallelism }) {
			return other
		}
	}
	return configOf(def, p.Parallelism, p.VCPU)
}

// configClaim compares one answer with the listed configuration, stage by
// stage.
func (f *baselinesOfFig9) configClaim(s baselineSystem, facts baselineFacts, panel BaselinePanel, row BaselinePoint, def *models.Definition) Claim {
	var c comparison
	for i, listed := range row.Listed {
		stage := def.Workflow.Stage(i).Name
		d, vcpu := math.NaN(), math.NaN()
		if row.Answer.Answered() {
			d, vcpu = float64(row.Answer.Config[i].Parallelism), row.Answer.Config[i].VCPU
		}
		c.add(stage, "parallelism", float64(listed.Parallelism), d, Tolerance{})
		c.add(stage, "vcpu", listed.VCPU, vcpu, f.VCPUTolerance)
	}
	id := fmt.Sprintf("%s.%s.%s", f.About.ID, row.Answer.Workflow, s.ID)
	title := fmt.Sprintf("Figure 9, %s: the configuration of %s", panel.Workflow, s.Name)
	if len(s.Points) > 1 {
		id += "." + digits(row.Answer.Limit)
		title += " at " + row.Answer.BoundText()
	}
	claim := c.claim(Claim{
		ID: id, Title: title, Unit: "instances, vCPU", Tolerance: "the same parallelism, vCPU " + f.VCPUTolerance.String(), Data: panel.Name + "-cells.csv",
	}, panel.Recorded)
	if facts.OrParallelism != nil {
		claim.Why += fmt.Sprintf(". The sizes of the inputs are not published; parallelism %v and %v explain the figure about as well, and the inferred sizes give this one",
			facts.Parallelism, facts.OrParallelism)
	}
	return claim
}
