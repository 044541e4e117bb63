package papers

import (
	"embed"
	"fmt"
	"math"
	"slices"
	"strings"
	"sync"

	"github.com/goccy/go-yaml"

	"eevee/models"
	"eevee/solvers"
)

// facts are what was published, with its provenance.
//
//go:embed data/*.yaml
var facts embed.FS

// mustFacts reads a file of facts, which is part of the program.
func mustFacts[T any](name string) *T {
	f := new(T)
	text, err := facts.ReadFile(name)
	if err == nil {
		err = yaml.UnmarshalWithOptions(text, f, yaml.Strict())
	}
	if err != nil {
		panic(fmt.Sprintf("papers: %s: %v", name, err))
	}
	return f
}

// boundFact is a bound as files of facts write it: one of the two is given.
type boundFact struct {
	LatencyS float64 `yaml:"latency_bound_s"`
	CostUSD  float64 `yaml:"cost_bound_usd"`
}

func (b boundFact) cell(workflow, method string) Cell {
	if b.LatencyS > 0 {
		return Cell{workflow, solvers.Latency, b.LatencyS, method}
	}
	return Cell{workflow, solvers.Cost, b.CostUSD, method}
}

// artifactRun is one published run and the configuration it returns.
type artifactRun struct {
	Workflow    string    `yaml:"workflow"`
	Bound       boundFact `yaml:",inline"`
	Parallelism []int     `yaml:"parallelism,flow"`
	VCPU        []float64 `yaml:"vcpu,flow"`
	Breaks      bool      `yaml:"breaks_own_bound"`
	Varies      bool      `yaml:"varies"`
}

var artifactRuns = sync.OnceValue(func() []artifactRun {
	return mustFacts[struct {
		Runs []artifactRun `yaml:"runs"`
	}]("data/artifact.yaml").Runs
})

// artifactRunOf returns the published run with the bound of a cell.
func artifactRunOf(c Cell) (artifactRun, bool) {
	runs := artifactRuns()
	i := slices.IndexFunc(runs, func(r artifactRun) bool { return r.Bound.cell(r.Workflow, c.Method) == c })
	if i < 0 {
		return artifactRun{}, false
	}
	return runs[i], true
}

// artifactAnswer returns the configuration that the published artifact returns
// for the bound of a cell.
func artifactAnswer(def *models.Definition, c Cell) (models.Config, error) {
	run, ok := artifactRunOf(c)
	if !ok {
		return nil, fmt.Errorf("no such run of the artifact is known")
	}
	return configOf(def, run.Parallelism, run.VCPU), nil
}

// shortTitle returns the title of a workflow without what stands in parentheses.
func shortTitle(def *models.Definition) string {
	title, _, _ := strings.Cut(def.Title, " (")
	return title
}

// configOf returns a configuration given as parallelism and vCPU of every
// stage.
func configOf(def *models.Definition, parallelism []int, vcpu []float64) models.Config {
	config := make(models.Config, len(vcpu))
	for i := range config {
		memory := int(math.Round(vcpu[i] * def.MBPerVCPU))
		config[i] = models.StageConfig{Memory: memory, VCPU: vcpu[i], Parallelism: parallelism[i]}
	}
	return config
}

// artifactDraws returns the two scenarios of the artifact's accuracy runs.
func artifactDraws(m *models.Jolteon, price models.PriceBook) (*models.Scenarios, error) {
	file := mustFacts[struct {
		Workflow string         `yaml:"workflow"`
		Stages   [][][6]float64 `yaml:"stages"`
	}]("data/two_draws.yaml")
	if m.Workflow().Name() != file.Workflow {
		return nil, fmt.Errorf("the artifact's draws are of workflow %s, the model is of %s", file.Workflow, m.Workflow().Name())
	}
	draws := make([][]models.JolteonDraw, len(file.Stages))
	for i, stage := range file.Stages {
		for _, d := range stage {
			draws[i] = append(draws[i], models.JolteonDraw{Cold: d[0], X: d[1], KD: d[2], LogX: d[3], X2: d[4], Const: d[5]})
		}
	}
	return m.FromDraws(draws, price)
}
