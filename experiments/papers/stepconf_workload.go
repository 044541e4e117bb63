package papers

import (
	"fmt"
	"math"
	"math/rand/v2"

	"eevee/baselines"
	"eevee/experiments"
	"eevee/models"
	"eevee/sim"
	"eevee/traces"
)

// stepConfFacts describe the generated workflow.
type stepConfFacts struct {
	Name        string               `yaml:"name"`
	Seed        uint64               `yaml:"seed"`
	Stages      int                  `yaml:"stages"`
	Shape       experiments.DAGShape `yaml:"shape"`
	Memory      []int                `yaml:"memory_mb,flow"`
	Parallelism []int                `yaml:"parallelism,flow"`
	Processes   []int                `yaml:"processes,flow"`
	LeastWork   float64              `yaml:"least_work_s"`
	MostWork    float64              `yaml:"most_work_s"`
	Fixed       float64              `yaml:"fixed_s"`
	Mapping     sim.Mapping          `yaml:"mapping"`
	Cold        struct {
		Share  float64 `yaml:"share"`
		Median float64 `yaml:"median_s"`
		Sigma  float64 `yaml:"sigma"`
	} `yaml:"cold"`
	Decision struct {
		Latency float64 `yaml:"latency_s"`
		USD     float64 `yaml:"usd"`
	} `yaml:"decision"`
	Epochs int `yaml:"epochs"`
}

func newStepConfFacts() *stepConfFacts {
	return mustFacts[stepConfFacts]("data/stepconf-workload.yaml")
}

// stepLaw is the time of an instance of a generated step: a fixed part, and its
// share of the work, which cores share by Amdahl's law.
type stepLaw struct {
	work  float64 // s on one vCPU
	ratio float64 // multi-core ratio
	fixed float64 // s
	sigma float64 // standard deviation of the logarithm, from run to run and instance to instance
}

func (l stepLaw) seconds(c models.StageConfig) float64 {
	u := c.VCPU
	if c.Processes > 0 {
		u = min(u, float64(c.Processes))
	}
	return l.fixed + l.work/float64(c.Parallelism)*amdahl(u, l.ratio)
}

// stepWorld is the world of a generated workflow.
type stepWorld struct {
	*stepConfFacts
	workflow *models.Workflow
	laws     []stepLaw
}

// Workflow returns the generated workflow.
func (w *stepWorld) Workflow() *models.Workflow { return w.workflow }

// KnowsProcesses says that a step's time depends on its processes.
func (w *stepWorld) KnowsProcesses() bool { return true }

// Stage returns a step, which does not look at its input's parallelism.
func (w *stepWorld) Stage(i int, c models.StageConfig, _ int) (sim.Behaviour, error) {
	b := stepBehaviour{facts: w.stepConfFacts, sigma: w.laws[i].sigma}
	seconds := w.laws[i].seconds(c)
	for j := range c.Parallelism {
		b.tasks = append(b.tasks, sim.Task{Cold: nanoseconds(w.Mapping.Delay(j + 1)), Compute: nanoseconds(seconds)})
	}
	return b, nil
}

func nanoseconds(s float64) int64 { return int64(math.Round(s * 1e9)) }

type stepBehaviour struct {
	facts *stepConfFacts
	tasks []sim.Task // without variation and cold starts
	sigma float64
}

// Tasks draws the variation of every instance, and whether it starts cold.
func (b stepBehaviour) Tasks(chance *sim.Chance, tasks []sim.Task) []sim.Task {
	for _, t := range b.tasks {
		tasks = append(tasks, b.draw(chance.Stream, t))
	}
	return tasks
}

func (b stepBehaviour) draw(stream *rand.Rand, t sim.Task) sim.Task {
	t.Compute = int64(float64(t.Compute) * math.Exp(b.sigma*stream.NormFloat64()-b.sigma*b.sigma/2))
	cold := &b.facts.Cold
	if stream.Float64() < cold.Share {
		t.Cold += nanoseconds(cold.Median * math.Exp(cold.Sigma*stream.NormFloat64()))
	}
	return t
}

// Origin names the law.
func (stepBehaviour) Origin() string { return "generated" }

// Warnings returns none.
func (stepBehaviour) Warnings() []string { return nil }

// stepWorkload is a workflow with what StepConf and its rivals know of it and what
// really happens.
type stepWorkload struct {
	id        string
	title     string
	recorded  bool
	world     sim.World
	model     *baselines.StepConfModel
	space     *models.Space
	price     models.PriceBook
	processes []int // nil: as recorded
	decision  models.DecisionCost
}

// synthetic makes the generated workflow of recorded functions.
func (f *stepConfFacts) synthetic(functions []recordedFunction) (*stepWorkload, error) {
	streams := models.Streams{Seed: f.Seed}.Sub(f.Name)
	dag, err := experiments.GenerateDAG(f.Shape, f.Stages, 1, streams)
	if err != nil {
		return nil, err
	}
	world := &stepWorld{stepConfFacts: f, workflow: dag.Workflow}
	if world.laws, err = f.laws(functions, streams.New("laws")); err != nil {
		return nil, err
	}
	def := &models.Definition{Workflow: dag.Workflow, MBPerVCPU: models.AWSMBPerVCPU, Price: models.PriceAWS}
	var choices []models.StageConfig
	for _, p := range f.Parallelism {
		for _, m := range f.Memory {
			choices = append(choices, def.StageConfig(m, p))
		}
	}
	w := &stepWorkload{
		id: "synthetic", title: "Generated workflow", recorded: true, world: world, price: models.MustPrice(def.Price),
		processes: f.Processes, decision: models.DecisionCost{Latency: f.Decision.Latency, USD: f.Decision.USD},
	}
	all := make([][]models.StageConfig, f.Stages)
	for i := range all {
		all[i] = choices
	}
	if w.space, err = models.NewSpace(dag.Workflow, all, nil); err != nil {
		return nil, err
	}
	profile, err := models.NewProfile(def, world.profile(choices, streams.New("profile")))
	if err != nil {
		return nil, err
	}
	w.model, err = baselines.FitStepConf(profile)
	return w, err
}

// laws draws the steps: the work of a recorded function and input, its ratio and how
// much it varies.
func (f *stepConfFacts) laws(functions []recordedFunction, stream *rand.Rand) ([]stepLaw, error) {
	var recorded []stepLaw
	for _, r := range functions {
		scatter := r.scatter()
		for k, work := range r.work() {
			if work >= f.LeastWork && work <= f.MostWork {
				recorded = append(recorded, stepLaw{work: work, ratio: r.ratio(), fixed: f.Fixed, sigma: scatter[k]})
			}
		}
	}
	if len(recorded) == 0 {
		return nil, fmt.Errorf("no recorded function takes %v to %v s on one vCPU", f.LeastWork, f.MostWork)
	}
	laws := make([]stepLaw, f.Stages)
	for i := range laws {
		laws[i] = recorded[stream.IntN(len(recorded))]
	}
	return laws, nil
}

// profile records the steps under all configurations, as a profile counts: the
// mean time of the instances, and what the stage takes beyond it.
func (w *stepWorld) profile(choices []models.StageConfig, stream *rand.Rand) []traces.Record {
	var rows []traces.Record
	for epoch := range int32(w.Epochs) {
		for _, c := range choices {
			for i := range w.workflow.Len() {
				b, err := w.Stage(i, c, 0)
				if err != nil {
					panic(err) // there are none
				}
				mean, end := 0.0, 0.0
				for _, t := range b.(stepBehaviour).tasks {
					t = b.(stepBehaviour).draw(stream, t)
					mean += float64(t.Compute) / 1e9 / float64(c.Parallelism)
					end = max(end, float64(t.Cold+t.Compute)/1e9)
				}
				rows = append(rows, w.record(i, c, epoch+1, mean, end))
			}
		}
	}
	return rows
}

// record is the row of a stage whose instances take the given mean time, and whose last
// one ends after so many seconds.
func (w *stepWorld) record(stage int, c models.StageConfig, epoch int32, mean, end float64) traces.Record {
	return traces.Record{
		Workflow: w.workflow.Name(), Execution: fmt.Sprintf("%dx%dMB, epoch %d", c.Parallelism, c.Memory, epoch), Stage: w.workflow.Stage(stage).Name,
		Epoch: new(epoch), MemoryMB: int32(c.Memory), Parallelism: new(int32(c.Parallelism)), Statistic: traces.Mean,
		Cold: new(end - mean), Read: new(0.), Compute: new(mean), Write: new(0.), Source: traces.Synthetic,
	}
}

// recordedVideo is the workflow that was recorded, with its cold starts: a third of
// the recorded runs started their instances.
func (f *stepConfFacts) recordedVideo(lab *Lab) (*stepWorkload, error) {
	b, err := lab.bench("video")
	if err != nil {
		return nil, err
	}
	w := &stepWorkload{
		id: "video", title: shortTitle(b.setup.Definition), recorded: b.recorded(), space: b.setup.Space, price: b.setup.Price,
		decision: models.DecisionCost{Latency: f.Decision.Latency, USD: f.Decision.USD},
	}
	if w.world, err = sim.NewReplay(b.setup.Definition.Workflow, b.setup.Trace.Rows, sim.ReplaySettings{Epochs: sim.AllEpochs}); err != nil {
		return nil, err
	}
	w.model, err = baselines.FitStepConf(b.setup.Profile)
	return w, err
}
