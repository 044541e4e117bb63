package sweep

import (
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"math"
	"os"
	"slices"
	"strings"

	"github.com/goccy/go-yaml"

	"eevee/experiments"
	"eevee/internal/spelling"
	"eevee/models"
	"eevee/solvers"
)

// Grid is what a sweep varies. Every list is combined with every other one.
type Grid struct {
	Name      string   `yaml:"name"`      // of the sweep, for titles; optional
	Question  string   `yaml:"question"`  // that the sweep answers, in a sentence; optional
	Workflows []string `yaml:"workflows"` // bundled workflows or workflow files

	// Traces are trace files, each of which goes with the workflow that it is
	// of, or "default": the recordings, else the bundled trace. Empty: default.
	Traces []string `yaml:"traces"`

	Models      []string       `yaml:"models"`      // to fit; empty: the default one
	Methods     []string       `yaml:"methods"`     // with options after colons; "all" as in compare; empty: exact
	LatencyS    Limits         `yaml:"latency_s"`   // bounds on latency, s
	CostUSD     Limits         `yaml:"cost_usd"`    // bounds on cost, USD
	Percentiles []float64      `yaml:"percentiles"` // empty: 95
	Confidences []float64      `yaml:"confidences"` // percent; empty: 99.9
	Rules       []solvers.Rule `yaml:"rules"`       // empty: certified

	// Samples are numbers of scenarios; 0, and an empty list: what the rule
	// needs, at least 10,000.
	Samples []int `yaml:"samples"`

	Seeds []uint64 `yaml:"seeds"` // empty: 1

	// Replications are numbers of simulated runs in the world of the trace
	// that every answer is checked with; 0, and an empty list: none.
	Replications []int `yaml:"replications"`

	// Platforms are what the simulated runs share, one after the other:
	// presets or files as of "simulate --platform", or "replay", which adds
	// nothing to what was recorded. Empty: replay.
	Platforms []string `yaml:"platforms"`

	// DeadlineS bounds the search of every cell, in seconds; 0: none. Cells
	// that it cuts off say so, and may come out differently another time.
	DeadlineS float64 `yaml:"deadline_s"`
}

// Limits are the limits of a bound: values, or a number of points over the
// attainable range of the workflow.
type Limits struct {
	Values []float64
	Points int
}

// UnmarshalYAML reads a list of values, or a mapping with the key points.
func (l *Limits) UnmarshalYAML(unmarshal func(any) error) error {
	if unmarshal(&l.Values) == nil {
		return nil
	}
	var over struct {
		Points int `yaml:"points"`
	}
	if err := unmarshal(&over); err != nil {
		return errors.New("is neither a list of numbers nor {points: N}")
	}
	l.Values, l.Points = nil, over.Points
	if l.Points < 2 {
		return fmt.Errorf("points is %d; a range needs at least 2", l.Points)
	}
	return nil
}

func (l Limits) empty() bool { return len(l.Values) == 0 && l.Points == 0 }

//go:embed grids
var grids embed.FS

// Bundled returns the names of the bundled grids, sorted.
func Bundled() []string {
	files, err := grids.ReadDir("grids")
	if err != nil {
		panic(err) // the folder is part of the program
	}
	var names []string
	for _, f := range files {
		names = append(names, strings.TrimSuffix(f.Name(), ".yaml"))
	}
	return names
}

// LoadGrid returns a bundled grid by its name, or the grid in a YAML file.
func LoadGrid(nameOrPath string) (Grid, error) {
	if text, err := grids.ReadFile("grids/" + nameOrPath + ".yaml"); err == nil {
		return ParseGrid(nameOrPath, text)
	}
	text, err := os.ReadFile(nameOrPath)
	if errors.Is(err, fs.ErrNotExist) && !strings.ContainsAny(nameOrPath, `./\`) {
		return Grid{}, spelling.NeitherFile("grid", nameOrPath, Bundled())
	}
	if err != nil {
		return Grid{}, err
	}
	return ParseGrid(nameOrPath, text)
}

// ParseGrid reads the text of a grid file. Unknown keys are errors, and every
// defect of a value is reported at once. The name from is used in errors.
func ParseGrid(from string, text []byte) (Grid, error) {
	var g Grid
	if err := yaml.UnmarshalWithOptions(text, &g, yaml.Strict()); err != nil {
		line, _, _ := strings.Cut(err.Error(), "\n")
		return Grid{}, fmt.Errorf("%s: %s", from, line)
	}
	g.fill()
	if err := g.check(); err != nil {
		var lines []error
		for _, e := range err.(interface{ Unwrap() []error }).Unwrap() {
			lines = append(lines, fmt.Errorf("%s: %w", from, e))
		}
		return Grid{}, errors.Join(lines...)
	}
	return g, nil
}

// fill puts the defaults into empty lists.
func (g *Grid) fill() {
	fill(&g.Traces, defaultTrace)
	fill(&g.Models, experiments.ModelNames()[0])
	fill(&g.Methods, "exact")
	fill(&g.Percentiles, 95)
	fill(&g.Confidences, 99.9)
	fill(&g.Rules, solvers.Certified)
	fill(&g.Samples, 0)
	fill(&g.Seeds, 1)
	fill(&g.Replications, 0)
	fill(&g.Platforms, replayOnly)
}

// defaultTrace stands for the recordings of a workflow, else its bundled trace.
const defaultTrace = "default"

// replayOnly stands for runs without a platform.
const replayOnly = "replay"

func fill[T any](list *[]T, value T) {
	if len(*list) == 0 {
		*list = []T{value}
	}
}

// check returns every defect of the grid, joined.
func (g *Grid) check() error {
	var errs []error
	defect := func(format string, args ...any) { errs = append(errs, fmt.Errorf(format, args...)) }
	if len(g.Workflows) == 0 {
		defect("workflows is empty; name at least one, such as %s", strings.Join(models.Bundled(), ", "))
	}
	if g.LatencyS.empty() && g.CostUSD.empty() {
		defect("there is no bound; give latency_s or cost_usd, as [20, 40] or {points: 30}")
	}
	if methods, err := experiments.MethodNames(strings.Join(g.Methods, ",")); err != nil {
		defect("methods: %w", err)
	} else {
		g.Methods = methods
	}
	for _, m := range g.Models {
		if !slices.Contains(experiments.ModelNames(), m) {
			defect("models: %w", spelling.Unknown("model", m, experiments.ModelNames()))
		}
	}
	for _, l := range []struct {
		key    string
		metric solvers.Metric
		limits []float64
	}{{"latency_s", solvers.Latency, g.LatencyS.Values}, {"cost_usd", solvers.Cost, g.CostUSD.Values}} {
		for _, v := range l.limits {
			if !(v > 0) || math.IsInf(v, 0) {
				defect("%s: %v is not above 0 and finite", l.key, v)
			}
		}
	}
	for _, p := range g.Percentiles {
		if !(p > 0 && p < 100) {
			defect("percentiles: %v is not above 0 and below 100", p)
		}
	}
	for _, c := range g.Confidences {
		if !(c > 0 && c < 100) {
			defect("confidences: %v is not above 0 and below 100", c)
		}
	}
	for _, r := range g.Rules {
		if r != solvers.Certified && r != solvers.Plugin && r != solvers.Verified {
			defect("rules: %q is none of certified, plugin, verified", r)
		}
	}
	for _, n := range g.Samples {
		if n < 0 {
			defect("samples: %d is negative", n)
		}
	}
	for _, n := range g.Replications {
		if n < 0 {
			defect("replications: %d is negative", n)
		}
	}
	if !slices.Equal(g.Platforms, []string{replayOnly}) && slices.Equal(g.Replications, []int{0}) {
		defect("platforms: there are no simulated runs; give replications")
	}
	if !(g.DeadlineS >= 0) || math.IsInf(g.DeadlineS, 0) {
		defect("deadline_s: %v is not a number of at least 0", g.DeadlineS)
	}
	for key, twice := range map[string]string{
		"workflows": repeated(g.Workflows), "traces": repeated(g.Traces), "models": repeated(g.Models),
		"latency_s": repeated(g.LatencyS.Values), "cost_usd": repeated(g.CostUSD.Values),
		"percentiles": repeated(g.Percentiles), "confidences": repeated(g.Confidences), "rules": repeated(g.Rules),
		"samples": repeated(g.Samples), "seeds": repeated(g.Seeds), "replications": repeated(g.Replications),
		"platforms": repeated(g.Platforms),
	} {
		if twice != "" {
			defect("%s: %s is listed twice", key, twice)
		}
	}
	slices.SortFunc(errs, func(a, b error) int { return strings.Compare(a.Error(), b.Error()) })
	return errors.Join(errs...)
}

// repeated returns the first value that is in the list twice, "" if none is.
func repeated[T comparable](list []T) string {
	for i, v := range list {
		if slices.Contains(list[:i], v) {
			return fmt.Sprint(v)
		}
	}
	return ""
}
