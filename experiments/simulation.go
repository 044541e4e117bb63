package experiments

import (
	"context"
	"io"

	"github.com/google/renameio/v2"

	"eevee/models"
	"eevee/sim"
)

// Simulation is a request to the simulator: runs under one configuration or
// policy in the world of a trace.
type Simulation struct {
	Config     models.Config
	Policy     models.Policy // nil: Config
	Runs       int
	Settings   sim.Settings
	Epochs     sim.Epochs
	Sequential bool   // run i replays recorded execution i, instead of a random one
	Output     string // trace file for the runs; empty: none
	Timeline   string // file for the timeline of the first run in the Chrome trace format; empty: none
	PerRequest bool   // Output holds a row for every invocation, not only the stages' aggregates
}

// Simulate replays a trace. Files are written only if every run was simulated.
func Simulate(ctx context.Context, def *models.Definition, t Trace, s Simulation, progress func(done int)) (*sim.Summary, error) {
	world, err := sim.NewReplay(def.Workflow, t.Rows, sim.ReplaySettings{Epochs: s.Epochs, Sequential: s.Sequential})
	if err != nil {
		return nil, err
	}
	if s.Output != "" {
		s.Settings.Keep = max(s.Settings.Keep, sim.KeepStages)
		if s.PerRequest {
			s.Settings.Keep = sim.KeepTasks
		}
	}
	timeline, err := firstRun(ctx, world, s)
	if err != nil {
		return nil, err
	}
	var recorder *sim.Recorder
	if s.Output != "" {
		if s.Policy == nil {
			recorder, err = sim.NewRecorder(s.Output, def.Workflow, s.Config, s.Settings)
		} else {
			recorder, err = sim.NewPolicyRecorder(s.Output, def.Workflow, s.Policy, s.Settings)
		}
		if err != nil {
			return nil, err
		}
		defer recorder.Abort()
	}
	summary, err := s.execute(ctx, world, s.Runs, s.Settings, func(r *sim.Run) error {
		if progress != nil {
			progress(r.Replication + 1)
		}
		if recorder == nil {
			return nil
		}
		return recorder.Add(r)
	})
	if err != nil {
		return nil, err
	}
	if p, ok := s.Policy.(interface{ Warnings() []string }); ok {
		summary.Warnings = append(summary.Warnings, p.Warnings()...)
	}
	if recorder != nil {
		if err := recorder.Close(); err != nil {
			return nil, err
		}
	}
	return summary, timeline.write(s.Timeline)
}

// execute simulates runs under the configuration or the policy.
func (s Simulation) execute(ctx context.Context, world sim.World, runs int, settings sim.Settings, each func(*sim.Run) error) (*sim.Summary, error) {
	if s.Policy != nil {
		return sim.SimulatePolicy(ctx, world, s.Policy, runs, settings, each)
	}
	return sim.Simulate(ctx, world, s.Config, runs, settings, each)
}

// timelineOf is the timeline of one run.
type timelineOf []sim.Span

// firstRun simulates run 0 alone, with all of its tasks, if its timeline is
// wanted: the others need not keep theirs.
func firstRun(ctx context.Context, world sim.World, s Simulation) (timelineOf, error) {
	if s.Timeline == "" {
		return nil, nil
	}
	return s.timeline(ctx, world)
}

// Timeline returns the spans of the first run of a simulation.
func Timeline(ctx context.Context, world sim.World, config models.Config, settings sim.Settings) ([]sim.Span, error) {
	return Simulation{Config: config, Settings: settings}.timeline(ctx, world)
}

func (s Simulation) timeline(ctx context.Context, world sim.World) ([]sim.Span, error) {
	settings := s.Settings
	settings.Keep = sim.KeepTasks
	var spans []sim.Span
	_, err := s.execute(ctx, world, 1, settings, func(r *sim.Run) error {
		spans = r.Spans()
		return nil
	})
	return spans, err
}

func (t timelineOf) write(path string) error {
	if path == "" {
		return nil
	}
	f, err := renameio.NewPendingFile(path, renameio.WithPermissions(0o644))
	if err != nil {
		return err
	}
	defer f.Cleanup()
	if err := sim.WriteChromeTrace(io.Writer(f), t); err != nil {
		return err
	}
	return f.CloseAtomicallyReplace()
}
