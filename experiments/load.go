package experiments

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/goccy/go-yaml"

	"eevee/internal/spelling"
	"eevee/models"
	"eevee/sim"
)

// LoadSchema names the JSON form of a LoadResult; see
// schemas/simulate_load.schema.json.
const LoadSchema = "eevee.simulate.load/1"

// LoadPart describes one workload of a load: a workflow, what decides about its
// stages, and when it is executed. A load file is a YAML list of them under
// "workloads"; files that they name are looked for beside it.
type LoadPart struct {
	Name     string  `yaml:"name"`      // in results; empty: that of the workflow
	Workflow string  `yaml:"workflow"`  // bundled, or a file
	Trace    string  `yaml:"trace"`     // file; empty: as Sources.Trace
	Epochs   string  `yaml:"epochs"`    // warm, cold or all; empty: warm
	World    string  `yaml:"world"`     // WorldReplay or WorldSequential; empty: WorldReplay
	Config   string  `yaml:"config"`    // file that "eevee solve -o" wrote
	Policy   string  `yaml:"policy"`    // in place of Config
	Latency  float64 `yaml:"latency_s"` // s; the limit that the policy is to keep
	Arrivals string  `yaml:"arrivals"`  // as sim.ParseArrivals

	Deciding models.DecisionCost `yaml:"-"` // of the policy
	Space    string              `yaml:"-"` // that must admit the configuration; empty: the first
	OffSpace bool                `yaml:"-"` // the space need not admit it
}

// ReadLoad reads a load file. Unknown keys are errors with their line.
func ReadLoad(path string) ([]LoadPart, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	var file struct {
		Workloads []LoadPart `yaml:"workloads"`
	}
	if err := yaml.UnmarshalWithOptions(text, &file, yaml.Strict()); err != nil {
		line, _, _ := strings.Cut(err.Error(), "\n")
		return nil, fmt.Errorf("%s: %s", path, line)
	}
	if len(file.Workloads) == 0 {
		return nil, fmt.Errorf("%s: lists no workloads", path)
	}
	dir := filepath.Dir(path)
	var errs []error
	for k := range file.Workloads {
		p := &file.Workloads[k]
		p.beside(dir)
		if err := p.check(); err != nil {
			errs = append(errs, fmt.Errorf("%s: workloads[%d]: %w", path, k, err))
		}
	}
	return file.Workloads, errors.Join(errs...)
}

// beside makes the files that the part names those in a folder.
func (p *LoadPart) beside(dir string) {
	for _, name := range []*string{&p.Trace, &p.Config} {
		if *name != "" && !filepath.IsAbs(*name) {
			*name = filepath.Join(dir, *name)
		}
	}
	if path := filepath.Join(dir, p.Workflow); p.Workflow != "" && !slices.Contains(models.Bundled(), p.Workflow) && !filepath.IsAbs(p.Workflow) {
		if _, err := os.Stat(path); err == nil {
			p.Workflow = path
		}
	}
	if kind, file, _ := strings.Cut(p.Arrivals, ":"); sim.ArrivalsInFile(p.Arrivals) && !filepath.IsAbs(file) {
		p.Arrivals = kind + ":" + filepath.Join(dir, file)
	}
}

// The worlds that a trace makes, by name.
const (
	WorldReplay     = "replay"            // recorded executions are taken at random
	WorldSequential = "replay:sequential" // execution i replays recorded execution i
)

// EpochsNames are the names of the repetitions of a trace that a world can
// replay, the default first.
func EpochsNames() []string { return []string{"warm", "cold", "all"} }

// EpochsNamed returns the repetitions of a name; the empty name means the
// default.
func EpochsNamed(name string) (sim.Epochs, error) {
	switch name {
	case "", "warm":
		return sim.WarmEpochs, nil
	case "cold":
		return sim.ColdEpochs, nil
	case "all":
		return sim.AllEpochs, nil
	}
	return 0, spelling.Unknown("epochs", name, EpochsNames())
}

func (p *LoadPart) check() error {
	switch {
	case p.Workflow == "":
		return errors.New("workflow is missing")
	case p.Arrivals == "":
		return errors.New("arrivals is missing")
	case (p.Config == "") == (p.Policy == ""):
		return errors.New("give one of config and policy")
	case p.Policy != "" && !(p.Latency > 0):
		return fmt.Errorf("policy %s needs latency_s, the limit to keep", p.Policy)
	case p.World != "" && p.World != WorldReplay && p.World != WorldSequential:
		return fmt.Errorf("world %q is none of %s, %s", p.World, WorldReplay, WorldSequential)
	}
	_, err := EpochsNamed(p.Epochs)
	return err
}

// Load is a request to the simulator: workloads that share a platform.
type Load struct {
	Parts      []LoadPart
	Sources    Sources
	Settings   sim.LoadSettings
	Output     string // trace file for the executions; empty: none
	Timeline   string // file for the timeline of the first executions in the Chrome trace format; empty: none
	PerRequest bool   // Output holds a row for every invocation, not only the stages' aggregates
}

// LoadResult is the answer to a Load.
type LoadResult struct {
	Schema      string          `json:"schema"`
	Seed        uint64          `json:"seed"`
	Price       string          `json:"price"`
	Interrupted bool            `json:"interrupted"` // what follows is what was simulated until then
	Traces      []LoadTrace     `json:"traces"`      // of the workloads, in their order
	Config      [][]ResultStage `json:"configs"`     // of the workloads; empty where a policy decides
	Output      string          `json:"output,omitempty"`
	*sim.LoadSummary
}

// LoadTrace says what a workload replays.
type LoadTrace struct {
	Workload string `json:"workload"`
	ResultTrace
	World  string `json:"world"`
	Epochs string `json:"epochs"`
}

// maxSpans bounds the timeline of a load: what a browser can show.
const maxSpans = 200_000

// Run simulates the load. Where the context is cancelled it returns the error
// of the context together with what was simulated until then; files are written
// only if the simulation has come to its end.
func (l Load) Run(ctx context.Context) (*LoadResult, error) {
	r := &LoadResult{Schema: LoadSchema, Seed: l.Settings.Seed, Price: l.Settings.Platform.Price.Name, Output: l.Output}
	var workloads []sim.Workload
	for _, p := range l.Parts {
		w, trace, err := l.workload(ctx, p, r)
		if err != nil {
			return nil, err
		}
		workloads = append(workloads, w)
		r.Traces = append(r.Traces, LoadTrace{w.Name, ResultTrace{Source: trace.Origin, SHA256: trace.SHA256}, cmp.Or(p.World, WorldReplay), cmp.Or(p.Epochs, "warm")})
	}
	settings := l.Settings
	if l.Output != "" {
		settings.Keep = sim.KeepStages
	}
	if l.Output != "" && l.PerRequest || l.Timeline != "" {
		settings.Keep = sim.KeepRequests
	}
	var each []func(*sim.Run) error
	var recorder *sim.Recorder
	if l.Output != "" {
		var err error
		if recorder, err = sim.NewLoadRecorder(l.Output, workloads, settings); err != nil {
			return nil, err
		}
		defer recorder.Abort()
		each = append(each, recorder.Add)
	}
	var spans timelineOf
	if l.Timeline != "" {
		each = append(each, func(run *sim.Run) error {
			if len(spans) < maxSpans {
				spans = append(spans, run.Spans()...)
			}
			return nil
		})
	}
	summary, err := sim.Load(ctx, workloads, settings, together(each))
	r.LoadSummary = summary
	if err != nil {
		r.Interrupted, r.Output = true, ""
		if summary == nil {
			return nil, err
		}
		return r, err
	}
	for _, w := range workloads {
		if p, ok := w.Policy.(interface{ Warnings() []string }); ok {
			for _, text := range p.Warnings() {
				summary.Warnings = append(summary.Warnings, "workload "+w.Name+": "+text)
			}
		}
	}
	if len(spans) >= maxSpans {
		summary.Warnings = append(summary.Warnings, fmt.Sprintf("the timeline ends after %d steps", len(spans)))
	}
	if recorder != nil {
		if err := recorder.Close(); err != nil {
			return nil, err
		}
	}
	slices.SortStableFunc(spans, func(a, b sim.Span) int {
		return cmp.Or(cmp.Compare(a.Stage, b.Stage), cmp.Compare(a.Instance, b.Instance), cmp.Compare(a.Start, b.Start))
	})
	return r, spans.write(l.Timeline)
}

// together hands a run to several functions, nil for none.
func together(each []func(*sim.Run) error) func(*sim.Run) error {
	if len(each) == 0 {
		return nil
	}
	return func(run *sim.Run) error {
		for _, f := range each {
			if err := f(run); err != nil {
				return err
			}
		}
		return nil
	}
}

// workload loads what a part names.
func (l Load) workload(ctx context.Context, p LoadPart, r *LoadResult) (sim.Workload, Trace, error) {
	none := func(err error) (sim.Workload, Trace, error) { return sim.Workload{}, Trace{}, err }
	arrivals, err := sim.ParseArrivals(p.Arrivals)
	if err != nil {
		return none(err)
	}
	def, err := models.Load(p.Workflow)
	if err != nil {
		return none(err)
	}
	space, err := def.Space(p.Space)
	if err != nil {
		return none(err)
	}
	w := sim.Workload{Name: cmp.Or(p.Name, def.Workflow.Name()), Arrivals: arrivals}
	stages := []ResultStage{}
	if p.Config != "" {
		if p.OffSpace {
			w.Config, err = ReadConfig(p.Config, def)
		} else {
			w.Config, err = ReadAdmitted(p.Config, def, p.Space)
		}
		if err != nil {
			return none(err)
		}
		stages = ConfigStages(def.Workflow, w.Config)
		if w.Schedule, err = ReadSchedule(p.Config, def.Workflow); err != nil {
			return none(err)
		}
	}
	trace, err := l.Sources.Trace(def.Workflow.Name(), p.Trace)
	if err != nil {
		return none(err)
	}
	if p.Policy != "" {
		w.Policy, err = NewPolicy(ctx, p.Policy, PolicySetting{
			Definition: def, Rows: trace.Rows, Space: space, Price: l.Settings.Platform.Price, Limit: p.Latency, Cost: p.Deciding, Seed: l.Settings.Seed,
		})
		if err != nil {
			return none(err)
		}
	}
	epochs, err := EpochsNamed(p.Epochs)
	if err != nil {
		return none(err)
	}
	w.World, err = sim.NewReplay(def.Workflow, trace.Rows, sim.ReplaySettings{Epochs: epochs, Sequential: p.World == WorldSequential})
	r.Config = append(r.Config, stages)
	return w, trace, err
}
