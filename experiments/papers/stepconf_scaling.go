package papers

import (
	"context"
	"fmt"
	"math"
	"slices"

	"eevee/baselines"
	"eevee/experiments"
	"eevee/models"
	"eevee/traces"
)

// stepConfScaling measures how long a decision takes.
type stepConfScaling struct {
	About Statement `yaml:",inline"`
	Grid  struct {
		Memory         int `yaml:"memory"`
		Parallelism    int `yaml:"parallelism"`
		Processes      int `yaml:"processes"`
		Configurations int `yaml:"configurations"`
	} `yaml:"grid"`
	Shapes         []experiments.DAGShape `yaml:"shapes,flow"`
	Stages         []int                  `yaml:"stages,flow"`
	FittedFrom     int                    `yaml:"fitted_from"`
	Configurations []int                  `yaml:"configurations,flow"`
	Repetitions    int                    `yaml:"repetitions"`
	ExponentAtMost float64                `yaml:"exponent_at_most"`
	Reported       struct {
		Shape    experiments.DAGShape `yaml:"shape"`
		Stages   int                  `yaml:"stages"`
		Decision float64              `yaml:"decision_s"`
	} `yaml:"reported"`
	Tolerance   Tolerance `yaml:"tolerance"`
	LimitFactor float64   `yaml:"limit_factor"` // of the latency of the fastest configurations
}

func newStepConfScaling() *stepConfScaling {
	return mustFacts[stepConfScaling]("data/stepconf-scaling.yaml")
}

func (f *stepConfScaling) Statement() Statement { return f.About }

func (f *stepConfScaling) Cells(bool) []Cell { return nil }

// sequence is the family that no generator needs: one stage after the other.
const sequence experiments.DAGShape = "sequence"

// quickStages is the largest workflow of a quick run.
const quickStages = 256

func (f *stepConfScaling) Find(ctx context.Context, lab *Lab) (Finding, error) {
	kind, err := f.fitted(lab.options.Seed)
	if err != nil {
		return Finding{}, err
	}
	name := f.About.ID + "-timings"
	stages := Curves{X: Quantity{Label: "stages and edges", Log: true}, Y: Quantity{Label: "CPU time of a decision", Unit: "µs", Log: true}, Cast: []string{}}
	var growth shape
	absolute := comparison{}
	for _, family := range f.Shapes {
		var subjects []decisionSubject
		for _, n := range f.Stages {
			if lab.options.Quick && n > quickStages {
				continue
			}
			w, err := f.workflow(family, n, lab.options.Seed)
			if err != nil {
				return Finding{}, err
			}
			one, err := f.subject(ctx, kind, w, float64(n+edges(w)), f.memory(f.Grid.Memory))
			if err != nil {
				return Finding{}, err
			}
			one.fitted = n >= f.FittedFrom
			subjects = append(subjects, one)
		}
		power, err := f.measure(ctx, lab, subjects)
		if err != nil {
			return Finding{}, err
		}
		for k, one := range subjects {
			if family == f.Reported.Shape && one.workflow.Len() == f.Reported.Stages {
				absolute.add(fmt.Sprintf("%s of %d stages", family, f.Reported.Stages), "decision_s", f.Reported.Decision, subjects[k].median(), f.Tolerance)
				stages.Curves = append(stages.Curves, Curve{Name: "reported by ChunkFunc's authors", Marker: true, Points: []CurvePoint{{X: one.size, Y: 1e6 * f.Reported.Decision}}})
			}
		}
		stages.Curves = append(stages.Curves, decisionCurve(string(family), subjects))
		growth.atMost(string(family), "power_of_stages_and_edges", power, f.ExponentAtMost)
	}
	sixteen, err := f.workflow(experiments.ForkJoin, f.Stages[0], lab.options.Seed)
	if err != nil {
		return Finding{}, err
	}
	var subjects []decisionSubject
	for _, n := range f.Configurations {
		one, err := f.subject(ctx, kind, sixteen, float64(n), f.memory(n/f.Grid.Parallelism))
		if err != nil {
			return Finding{}, err
		}
		one.fitted = true
		subjects = append(subjects, one)
	}
	power, err := f.measure(ctx, lab, subjects)
	if err != nil {
		return Finding{}, err
	}
	choices := Curves{X: Quantity{Label: "configurations of a stage", Log: true}, Y: stages.Y, Cast: []string{},
		Curves: []Curve{decisionCurve(fmt.Sprintf("%s, %d stages", experiments.ForkJoin, f.Stages[0]), subjects)}}
	growth.atMost("configurations of a stage", "power_of_configurations", power, f.ExponentAtMost)

	facts := newStepConfFacts()
	grid := comparison{}
	grid.add("a step", "configurations", float64(f.Grid.Configurations), float64(len(facts.Memory)*len(facts.Parallelism)*len(facts.Processes)), Tolerance{})
	base := Claim{Unit: "1", Figure: name + ".png", Data: name + ".csv"}
	of := func(id, title, unit, tolerance string) Claim {
		c := base
		c.ID, c.Title, c.Unit, c.Tolerance = f.About.ID+"."+id, title, unit, tolerance
		return c
	}
	return Finding{
		Claims: []Claim{
			growth.timed(of("growth", "Theorem: a decision takes O(V + E + Θ)", "1", "power of at most "+digits(f.ExponentAtMost))),
			absolute.timed(of("decision", fmt.Sprintf("Time of a decision in a sequence of %d stages, as ChunkFunc's authors print it of theirs", f.Reported.Stages), "s", f.Tolerance.String()+" the reported time")),
			grid.claim(of("grid", "The grid: 8 sizes, 6 parallelisms, 4 numbers of processes", "configurations", "none"), true),
		},
		Rows: Panels{
			{Name: name, Title: "StepConf, time of a decision", Curves: &stages, Caption: "CPU time of a decision over the stages and edges of generated workflows, mean over the stages of a run and median of the repetitions; ours on the machine of timings.json"},
			{Name: f.About.ID + "-configurations-timings", Title: "StepConf, time of a decision", Curves: &choices, Caption: "the same over the configurations that a stage can have"},
		},
		Notes: []string{
			"that the problem is NP-hard is proved in the paper, and nothing that is run can confirm or refute it",
			"tabulating the configurations of all stages, once before the first run, is not counted",
		},
	}, nil
}

// timed is claim for features that were measured in time: words do not repeat
// them.
func (s *shape) timed(base Claim) Claim {
	base = s.claim(base, "")
	base.Timed = true
	outside := 0
	for _, f := range s.features {
		if !f.holds() {
			outside++
		}
	}
	if base.Why = fmt.Sprintf("all %d features hold", len(s.features)); outside > 0 {
		base.Why = fmt.Sprintf("%d of %d features do not hold", outside, len(s.features))
	}
	return base
}

// fitted returns the model of a generated workflow of 16 stages, whose times are what
// its law says.
func (f *stepConfScaling) fitted(seed uint64) (*baselines.StepConfModel, error) {
	dag, err := experiments.GenerateDAG(experiments.ForkJoin, f.Stages[0], 1, models.Streams{Seed: seed}.Sub("stepconf scaling"))
	if err != nil {
		return nil, err
	}
	def := &models.Definition{Workflow: dag.Workflow, MBPerVCPU: models.AWSMBPerVCPU, Price: models.PriceAWS}
	var rows []traces.Record
	for i := range dag.Workflow.Len() {
		for _, c := range dag.Space.Choices(i) {
			latency, billed := []float64{0}, []float64{0}
			dag.Scenarios.Times(i, c, 0, latency, billed)
			rows = append(rows, traces.Record{
				Workflow: dag.Workflow.Name(), Execution: fmt.Sprintf("%dx%dMB", c.Parallelism, c.Memory), Stage: dag.Workflow.Stage(i).Name,
				Epoch: new(int32(1)), MemoryMB: int32(c.Memory), Parallelism: new(int32(c.Parallelism)), Statistic: traces.Mean,
				Cold: new(latency[0] - billed[0]), Read: new(0.), Compute: new(billed[0]), Write: new(0.), Source: traces.Synthetic,
			})
		}
	}
	profile, err := models.NewProfile(def, rows)
	if err != nil {
		return nil, err
	}
	return baselines.FitStepConf(profile)
}

// workflow generates one of a family.
func (f *stepConfScaling) workflow(family experiments.DAGShape, stages int, seed uint64) (*models.Workflow, error) {
	if family != sequence {
		dag, err := experiments.GenerateDAG(family, stages, 1, models.Streams{Seed: seed}.Sub("stepconf scaling"))
		return dag.Workflow, err
	}
	list := make([]models.Stage, stages)
	for i := range list {
		list[i].Name = fmt.Sprint("stage", i)
		if i > 0 {
			list[i].After = []string{list[i-1].Name}
		}
	}
	return models.NewWorkflow(fmt.Sprintf("%s-%d", family, stages), list)
}

func edges(w *models.Workflow) int {
	n := 0
	for i := range w.Len() {
		n += len(w.Parents(i))
	}
	return n
}

// memory returns so many sizes between the least and the largest of the grid, MB.
func (f *stepConfScaling) memory(n int) []int {
	grid := newStepConfFacts().Memory
	least, most := grid[0], grid[len(grid)-1]
	sizes := make([]int, n)
	for k := range sizes {
		sizes[k] = least + k*(most-least)/(n-1)
	}
	return sizes
}

// decisionsTimed is how many decisions are timed at once, at least.
const decisionsTimed = 512

// decisionSubject is a workflow whose decisions are timed.
type decisionSubject struct {
	workflow *models.Workflow
	model    *baselines.StepConfModel
	policy   models.Policy
	size     float64   // that the time is compared with
	fitted   bool      // counts for the growth
	times    []float64 // s per decision, by repetition
}

func (d decisionSubject) median() float64 { return models.QuantileR7(d.times, 0.5) }

func decisionCurve(name string, subjects []decisionSubject) Curve {
	c := Curve{Name: name, Line: true, Marker: true}
	for _, d := range subjects {
		c.Points = append(c.Points, CurvePoint{X: d.size, Y: 1e6 * d.median()})
	}
	return c
}

// subject makes a workflow ready, every stage of which has the given sizes to choose
// from.
func (f *stepConfScaling) subject(ctx context.Context, kind *baselines.StepConfModel, w *models.Workflow, size float64, memory []int) (decisionSubject, error) {
	d := decisionSubject{workflow: w, size: size}
	like := make([]int, w.Len())
	for i := range like {
		like[i] = i % f.Stages[0]
	}
	var err error
	if d.model, err = kind.As(w, like); err != nil {
		return d, err
	}
	facts := newStepConfFacts()
	def := &models.Definition{Workflow: w, MBPerVCPU: models.AWSMBPerVCPU, Price: models.PriceAWS}
	var choices []models.StageConfig
	for _, p := range facts.Parallelism {
		for _, m := range memory {
			choices = append(choices, def.StageConfig(m, p))
		}
	}
	workload := &stepWorkload{model: d.model, price: models.MustPrice(def.Price), processes: facts.Processes}
	if workload.space, err = models.NewSpace(w, slices.Repeat([][]models.StageConfig{choices}, w.Len()), nil); err != nil {
		return d, err
	}
	d.policy, err = workload.policy(ctx, stepConf, f.LimitFactor*workload.fastest())
	return d, err
}

// measure times the decisions of every subject, and returns the power of the size that
// they grow with: the median over repetitions, each of which times all subjects one
// after the other, so that what slows the machine down slows all of them.
func (f *stepConfScaling) measure(ctx context.Context, lab *Lab, subjects []decisionSubject) (float64, error) {
	var powers []float64
	for range f.Repetitions {
		var x, y []float64
		for k := range subjects {
			if err := ctx.Err(); err != nil {
				return 0, err
			}
			d := &subjects[k]
			runs := max(1, decisionsTimed/d.workflow.Len())
			taken, err := lab.options.Clock.measure(1, 0, func() error {
				for range runs {
					decideAll(d.policy, d.model.Time, d.workflow)
				}
				return nil
			})
			if err != nil {
				return 0, err
			}
			d.times = append(d.times, taken.Seconds()/float64(runs*d.workflow.Len()))
			if d.fitted {
				x, y = append(x, d.size), append(y, d.times[len(d.times)-1])
			}
		}
		powers = append(powers, slope(x, y))
	}
	return models.QuantileR7(powers, 0.5), nil
}

// decideAll lets a policy decide one run in which every stage takes the given time, in s.
func decideAll(policy models.Policy, time func(i int, c models.StageConfig) float64, w *models.Workflow) {
	decider := policy.Begin()
	progress := models.Progress{End: slices.Repeat([]float64{math.NaN()}, w.Len()), Config: make(models.Config, w.Len())}
	for i := range w.Len() { // in topological order
		progress.Now = 0
		for _, p := range w.Parents(i) {
			progress.Now = max(progress.Now, progress.End[p])
		}
		decision := decider.Decide(i, progress)
		progress.Config[i] = decision.StageConfig
		progress.End[i] = progress.Now + time(i, decision.StageConfig)
	}
}
