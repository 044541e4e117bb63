package papers

import (
	"context"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"

	"eevee/baselines"
	"eevee/models"
	"eevee/solvers"
)

// LaunchGains are what NIMBLE gains over launching lazily and eagerly.
type LaunchGains struct {
	Name      string // of the pictures
	Recorded  bool
	Workflows []LaunchGain
	Graphs    []LaunchGain // random ones
}

func (LaunchGains) rows() {}

// LaunchGain is one graph: completion times in s and costs in s of all tasks
// together, under each rule.
type LaunchGain struct {
	Graph               string
	Lazy, Eager, Nimble Launched
}

// Launched is what becomes of a graph under a rule.
type Launched struct{ JCT, Cost float64 }

// SoonerThanLazy is by which factor NIMBLE completes sooner.
func (g LaunchGain) SoonerThanLazy() float64 { return g.Lazy.JCT / g.Nimble.JCT }

// CheaperThanEager is by which factor NIMBLE costs less.
func (g LaunchGain) CheaperThanEager() float64 { return g.Eager.Cost / g.Nimble.Cost }

// caerus launches stages by three rules.
type caerus struct {
	About     Statement `yaml:",inline"`
	LazyJCT   factRange `yaml:"lazy_jct"`
	EagerCost factRange `yaml:"eager_cost"`
	Graphs    int       `yaml:"graphs"`
	Workflows []string  `yaml:"workflows,flow"`
}

// factRange is a published range.
type factRange struct {
	Low  float64 `yaml:"low"`
	High float64 `yaml:"high"`
}

func newCaerus() Experiment { return mustFacts[caerus]("data/caerus.yaml") }

func (c *caerus) Statement() Statement { return c.About }

// cell is the answer of Caerus for a workflow. It looks at no bound.
func (c *caerus) cell(workflow string) Cell { return Cell{workflow, solvers.Latency, 60, "caerus:own"} }

func (c *caerus) Cells(bool) []Cell {
	var cells []Cell
	for _, w := range c.Workflows {
		cells = append(cells, c.cell(w))
	}
	return cells
}

func (c *caerus) Find(ctx context.Context, lab *Lab) (Finding, error) {
	rows := LaunchGains{Name: c.About.ID, Recorded: true}
	for _, name := range c.Workflows {
		b, err := lab.bench(name)
		if err != nil {
			return Finding{}, err
		}
		rows.Recorded = rows.Recorded && b.recorded()
		r := lab.Result(c.cell(name))
		if !r.Answered() {
			return Finding{}, fmt.Errorf("%v: no configuration was found", r.Cell)
		}
		gain, err := launchGain(shortTitle(b.setup.Definition), stageTasks(b.setup.Model.(*models.Jolteon), r.Config))
		if err != nil {
			return Finding{}, err
		}
		rows.Workflows = append(rows.Workflows, gain)
	}
	streams := models.Streams{Seed: lab.options.Seed}.Sub("caerus")
	for k := range c.Graphs {
		if err := ctx.Err(); err != nil {
			return Finding{}, err
		}
		name := fmt.Sprint("graph ", k)
		gain, err := launchGain(name, randomTasks(streams.New(name)))
		if err != nil {
			return Finding{}, err
		}
		rows.Graphs = append(rows.Graphs, gain)
	}
	return Finding{Rows: rows, Claims: c.claims(rows), Notes: []string{
		"NIMBLE never waits; where pipelines are longer than one level eager launching may end sooner, at the price of waiting",
		"the workflows are launched from objects in storage, which can be read when they are complete: only the start of containers overlaps",
	}}, nil
}

// stageTasks are the stages of a workflow with the mean times of a model: a
// stage reads when all of its parents have written everything.
func stageTasks(m *models.Jolteon, c models.Config) []baselines.NimbleTask {
	w := m.Workflow()
	var tasks []baselines.NimbleTask
	for i, s := range m.Stages() {
		at := func(f models.StepFit) float64 { return max(0, f.At(c[i], w.InputParallelism(c, i))) }
		read := baselines.NimbleStep{Work: at(s.Read)}
		for _, p := range w.Parents(i) {
			read.Inputs = append(read.Inputs, baselines.NimbleInput{From: p, Breaking: true})
		}
		tasks = append(tasks, baselines.NimbleTask{
			Setup: solvers.Mean(s.Cold), Steps: []baselines.NimbleStep{read, {Work: at(s.Compute)}, {Work: at(s.Write)}}, Output: at(s.Write),
		})
	}
	return tasks
}

// randomTasks draws a graph whose stages wait for one or two earlier ones.
func randomTasks(source *rand.Rand) []baselines.NimbleTask {
	between := func(lo, hi float64) float64 { return lo + (hi-lo)*source.Float64() }
	tasks := make([]baselines.NimbleTask, 4+source.IntN(13))
	for i := range tasks {
		write := between(1, 10)
		read := baselines.NimbleStep{Work: between(1, 10)}
		for from := range min(i, 1+source.IntN(2)) {
			// The latest stage, and any other one.
			p := i - 1
			if from > 0 {
				p = source.IntN(i - 1)
			}
			read.Inputs = append(read.Inputs, baselines.NimbleInput{From: p, Breaking: source.IntN(2) == 0})
		}
		tasks[i] = baselines.NimbleTask{
			Setup: between(0.2, 2), Steps: []baselines.NimbleStep{read, {Work: between(1, 30)}, {Work: write}}, Output: write,
		}
	}
	return tasks
}

// launchGain launches tasks by all rules.
func launchGain(name string, tasks []baselines.NimbleTask) (LaunchGain, error) {
	g := LaunchGain{Graph: name}
	for _, rule := range []struct {
		launch func([]baselines.NimbleTask) ([]baselines.NimbleSpan, error)
		to     *Launched
	}{{baselines.LazyLaunch, &g.Lazy}, {baselines.EagerLaunch, &g.Eager}, {baselines.NimbleLaunch, &g.Nimble}} {
		spans, err := rule.launch(tasks)
		if err != nil {
			return g, err
		}
		for _, s := range spans {
			rule.to.JCT, rule.to.Cost = max(rule.to.JCT, s.End), rule.to.Cost+s.End-s.Launch
		}
	}
	return g, nil
}

func (c *caerus) claims(rows LaunchGains) []Claim {
	gains := func(id, title, of string, published factRange, gain func(LaunchGain) float64) Claim {
		claim := Claim{
			ID: c.About.ID + "." + id, Title: title, Unit: "times", Tolerance: "the published range", Figure: rows.Name + ".png", Data: rows.Name + ".csv",
			Reported: []Value{valueOf("least", of, published.Low), valueOf("most", of, published.High)},
		}
		var all []float64
		inside := 0
		for _, g := range rows.Graphs {
			v := gain(g)
			all = append(all, v)
			if published.Low <= v && v <= published.High {
				inside++
			}
		}
		lo, hi := slices.Min(all), slices.Max(all)
		claim.Reproduced = []Value{valueOf("least", of, lo), valueOf("most", of, hi)}
		claim.Why = fmt.Sprintf("on %d random graphs the gain is %s to %s, at the median %s; %d of them are inside the published range. The workloads and the step model of the paper are not known",
			len(all), digits(lo), digits(hi), digits(models.QuantileR7(all, 0.5)), inside)
		switch {
		case lo >= published.Low && hi <= published.High:
			claim.Verdict = Reproduced
		case lo >= 1-1e-9:
			claim.Verdict = Shape
		default:
			claim.Verdict = NotReproduced
		}
		return claim
	}
	return []Claim{
		gains("lazy", "Completion time against lazy launching", "lazy_jct_over_nimble", c.LazyJCT, LaunchGain.SoonerThanLazy),
		gains("eager", "Cost against eager launching", "eager_cost_over_nimble", c.EagerCost, LaunchGain.CheaperThanEager),
		c.optimal(rows),
	}
}

// optimal counts the graphs on which NIMBLE costs more than the least, which is
// what lazy launching costs, or ends later than that.
func (c *caerus) optimal(rows LaunchGains) Claim {
	dearer, later := 0, 0
	for _, g := range rows.Graphs {
		if g.Nimble.Cost > g.Lazy.Cost*(1+1e-9) {
			dearer++
		}
		if g.Nimble.JCT > g.Lazy.JCT*(1+1e-9) {
			later++
		}
	}
	var comp comparison
	at := fmt.Sprintf("%d random graphs", len(rows.Graphs))
	comp.add(at, "dearer_than_least", 0, float64(dearer), Tolerance{})
	comp.add(at, "later_than_lazy", 0, float64(later), Tolerance{})
	claim := comp.claim(Claim{
		ID: c.About.ID + ".optimal", Title: "NIMBLE costs the least, and ends no later than lazy launching", Unit: "graphs", Tolerance: "none",
		Figure: rows.Name + ".png", Data: rows.Name + ".csv",
	}, true)
	if math.Max(float64(dearer), float64(later)) > 0 {
		claim.Verdict = NotReproduced
	}
	return claim
}
