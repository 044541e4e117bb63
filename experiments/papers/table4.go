package papers

import (
	"context"
	"fmt"
	"math"

	"eevee/models"
	"eevee/solvers"
)

// ListedAnswers are configurations that were published, beside the answers to
// the bounds that they belong to.
type ListedAnswers struct {
	Name     string // of the table
	Workflow string // title
	Rows     []ListedAnswer
}

func (ListedAnswers) rows() {}

// ListedAnswer is one configuration.
type ListedAnswer struct {
	Config   string // its published name
	Listed   models.Config
	Artifact models.Config // of the artifact, under the bound of Answer
	Answer   CellResult    // of our version of it
}

// table4 looks for the configurations of Table 4 among answers.
type table4 struct {
	About    Statement `yaml:",inline"`
	Workflow string    `yaml:"workflow"`
	Rows     []struct {
		Config    string    `yaml:"config"`
		TotalVCPU float64   `yaml:"total_vcpu"`
		Bound     boundFact `yaml:",inline"`
	} `yaml:"rows"`
}

func newTable4() Experiment { return mustFacts[table4]("data/table4.yaml") }

func (t *table4) Statement() Statement { return t.About }

func (t *table4) Cells(bool) []Cell {
	var cells []Cell
	for _, r := range t.Rows {
		cells = append(cells, r.Bound.cell(t.Workflow, ourMethods[0]))
	}
	return cells
}

func (t *table4) Find(_ context.Context, lab *Lab) (Finding, error) {
	b, err := lab.bench(t.Workflow)
	if err != nil {
		return Finding{}, err
	}
	def := b.setup.Definition
	listed := mustFacts[table5]("data/table5.yaml").Rows
	rows := ListedAnswers{Name: t.About.ID, Workflow: shortTitle(def)}
	var artifact, ours comparison
	for i, r := range t.Rows {
		row := ListedAnswer{Config: r.Config, Listed: configOf(def, listed[i].Parallelism, listed[i].VCPU), Answer: lab.Result(r.Bound.cell(t.Workflow, ourMethods[0]))}
		if row.Artifact, err = artifactAnswer(def, row.Answer.Cell); err != nil {
			return Finding{}, fmt.Errorf("%v: %w", row.Answer.Cell, err)
		}
		rows.Rows = append(rows.Rows, row)
		at := r.Config + " at " + row.Answer.BoundText()
		artifact.addConfigs(at, def.Workflow, row.Listed, row.Artifact)
		ours.addConfigs(at, def.Workflow, row.Listed, row.Answer.Config)
		artifact.add(at, "total_vcpu", r.TotalVCPU, totalVCPU(row.Artifact), Tolerance{Absolute: 1e-9})
	}
	claim := func(suffix, title string, c comparison, recorded bool) Claim {
		return c.claim(Claim{
			ID: t.About.ID + suffix, Title: "Table 4: the configurations, " + title, Unit: "instances, vCPU", Tolerance: "the same", Data: t.About.ID + ".csv",
		}, recorded)
	}
	same, better := 0, 0
	for _, r := range rows.Rows {
		if r.Listed.Same(r.Answer.Config) {
			same++
		} else if t.better(b, r) {
			better++
		}
	}
	found := Finding{Rows: rows, Claims: []Claim{
		claim("", subjectTitle(MethodArtifact), artifact, true),
		claim(".compat", subjectTitle(ourMethods[0]), ours, b.recorded()).because(fmt.Sprintf(
			"the solver of the artifact's relaxation takes another path, and the probe ends elsewhere: at %d of %d bounds it returns the same configuration, at %d of the others one whose objective is at least as good by the model",
			same, len(rows.Rows), better)),
	}}
	found.Notes = []string{"C4 is what the artifact returns under a bound on the cost of 1 ¢ on one machine; on another it returned another configuration, so that it was taken for none of its answers"}
	return found, nil
}

// better reports whether our answer is at least as good by the model as the
// listed configuration.
func (t *table4) better(b *bench, r ListedAnswer) bool {
	if !r.Answer.Answered() {
		return false
	}
	latency, cost := b.holdout.Outcomes(r.Listed)
	if r.Answer.Metric == solvers.Latency {
		return r.Answer.Cost.Mean <= solvers.Mean(cost)
	}
	return r.Answer.Latency.Mean <= solvers.Mean(latency)
}

// addConfigs adds parallelism and vCPU of every stage.
func (c *comparison) addConfigs(at string, w *models.Workflow, reported, ours models.Config) {
	for i, r := range reported {
		d, vcpu := math.NaN(), math.NaN()
		if ours != nil {
			d, vcpu = float64(ours[i].Parallelism), ours[i].VCPU
		}
		at := at + ", " + w.Stage(i).Name
		c.add(at, "parallelism", float64(r.Parallelism), d, Tolerance{})
		c.add(at, "vcpu", r.VCPU, vcpu, Tolerance{})
	}
}

// totalVCPU is the sum over all instances.
func totalVCPU(c models.Config) float64 {
	sum := 0.0
	for _, s := range c {
		sum += s.VCPU * float64(s.Parallelism)
	}
	return sum
}
