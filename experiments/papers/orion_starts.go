package papers

import (
	"context"
	"fmt"
	"math"

	"eevee/baselines"
	"eevee/models"
	"eevee/sim"
	"eevee/solvers"
	"eevee/traces"
)

// orionStarts starts instances ahead of their stages.
type orionStarts struct {
	About     Statement `yaml:",inline"`
	Workflows []struct {
		Workflow    string `yaml:"workflow"`
		Memory      int    `yaml:"memory_mb"`
		Parallelism []int  `yaml:"parallelism,flow"`
		Ascending   bool   `yaml:"ascending"` // the published starts are
	} `yaml:"workflows"`
	Starts     []float64 `yaml:"starts_s,flow"`
	Sigma      float64   `yaml:"sigma"`
	KeepAlive  float64   `yaml:"keep_alive_s"`
	Apart      float64   `yaml:"apart_s"`
	Executions int       `yaml:"executions"`
	Profiled   int       `yaml:"profile_executions"`
	Draws      int       `yaml:"draws"`
	Equal      float64   `yaml:"equal"`
}

func newOrionStarts() *orionStarts { return mustFacts[orionStarts]("data/orion-starts.yaml") }

func (o *orionStarts) Statement() Statement { return o.About }

func (o *orionStarts) Cells(bool) []Cell { return nil }

// The ways to start instances.
const (
	startsOrion   = "orion"
	startsAtOnce  = "all started with the run"
	startsOnReady = orionMethod // by the platform, when they are asked for
)

var waysToStart = []string{startsOrion, startsAtOnce, startsOnReady}

// startOutcome is how executions fare with a way to start.
type startOutcome struct {
	p95         float64   // s
	ready       []float64 // s after the start of the run, per stage: when it is, mean
	utilisation float64   // share of the time that instances start or work, of all that they exist before they are done
}

func (o *orionStarts) Find(ctx context.Context, lab *Lab) (Finding, error) {
	var found Finding
	var panels Panels
	var faster, equal, idle, order, earlier shape
	recorded := true
	for k, of := range o.Workflows {
		if lab.options.Quick && k > 0 {
			break
		}
		b, err := lab.bench(of.Workflow)
		if err != nil {
			return found, err
		}
		recorded = recorded && b.recorded()
		c := make(models.Config, len(of.Parallelism))
		for i, d := range of.Parallelism {
			c[i] = b.setup.Definition.StageConfig(of.Memory, d)
		}
		w := b.setup.Definition.Workflow
		title := shortTitle(b.setup.Definition)
		median := Quantity{Label: "time that an instance takes to start, median", Unit: "s", Log: true}
		delays := Curves{X: median, Y: Quantity{Label: "started after the start of the run", Unit: "s"}, Cast: []string{}}
		latency := Curves{X: median, Y: Quantity{Label: "p95 of the latency, relative to none started ahead"}, Marks: []CurveMark{{At: 1, Text: "none"}}}
		used := Curves{X: median, Y: Quantity{Label: "time that instances start or work", Unit: "%"}}
		for i := range w.Len() {
			if len(w.Parents(i)) > 0 {
				delays.Curves = append(delays.Curves, Curve{Name: w.Stage(i).Name, Line: true, Marker: true})
			}
		}
		for _, name := range waysToStart[:2] {
			curve := Curve{Name: name, Line: true, Marker: true}
			latency.Curves, used.Curves = append(latency.Curves, curve), append(used.Curves, curve)
		}
		var last []float64
		for s, start := range o.Starts {
			if lab.options.Quick && s%3 != 0 {
				continue
			}
			platform := o.platform(b, start)
			planned, err := o.plan(ctx, lab, b, c, platform)
			if err != nil {
				return found, err
			}
			outcomes, err := o.outcomes(ctx, lab.options.Seed, b.world, c, platform, planned)
			if err != nil {
				return found, err
			}
			at := fmt.Sprintf("%s, instances start in %v s", of.Workflow, start)
			none, all, ours := outcomes[startsOnReady], outcomes[startsAtOnce], outcomes[startsOrion]
			faster.atMost(at, "p95_relative_to_none", ours.p95/none.p95, 1)
			equal.atMost(at, "p95_relative_to_all_at_once", ours.p95/all.p95, 1+o.Equal)
			idle.atLeast(at, "utilisation_beyond_all_at_once", ours.utilisation-all.utilisation, 0)
			var starts, ahead []float64 // per stage whose instances are started ahead
			for i := range w.Len() {
				if at, ok := planned.PrewarmAt(i); ok {
					curve := &delays.Curves[len(starts)]
					curve.Points = append(curve.Points, CurvePoint{X: start, Y: at})
					starts, ahead = append(starts, at), append(ahead, ours.ready[i]-at)
				}
			}
			for i := 1; i < len(starts) && of.Ascending; i++ {
				order.atLeast(at+", "+delays.Curves[i].Name, "start_s_after_that_of_stage_before", starts[i]-starts[i-1], 0)
			}
			for i := range last {
				earlier.atLeast(at+", "+delays.Curves[i].Name, "s_ahead_beyond_those_of_shorter_start", ahead[i]-last[i], 0)
			}
			last = ahead
			for i, name := range waysToStart[:2] {
				one := outcomes[name]
				latency.Curves[i].Points = append(latency.Curves[i].Points, CurvePoint{X: start, Y: one.p95 / none.p95})
				used.Curves[i].Points = append(used.Curves[i].Points, CurvePoint{X: start, Y: 100 * one.utilisation})
			}
		}
		name := o.About.ID + "-" + of.Workflow
		caption := fmt.Sprintf("%s, %d MB, instances %v: ", title, of.Memory, of.Parallelism)
		panels = append(panels,
			Panel{Name: name, Title: title + ", Orion's delays", Curves: &delays, Generated: !b.recorded(), Caption: caption + "when Orion starts the instances of every stage but the first, over how long they take to start"},
			Panel{Name: name + "-latency", Title: title + ", started ahead", Curves: &latency, Generated: !b.recorded(), Caption: caption + "95th percentile of the latency relative to instances that the platform starts when they are needed"},
			Panel{Name: name + "-use", Title: title + ", use of instances", Curves: &used, Generated: !b.recorded(), Caption: caption + "share of the time until they are done in which instances start or work, and do not wait"},
		)
	}
	found.Rows = panels
	found.Notes = []string{
		"the artifact's own delays (Video 2.5 and 0 s, ML 3.7 and 9.8 s, ChatBot 8.5 s) are of other applications, whose runs may be read but not passed on",
	}
	for _, c := range []struct {
		shape
		id, title, tolerance, panel, cause string
	}{
		{faster, "latency", "Instances started ahead at Orion's delays shorten runs", "at most 1", "-latency", ""},
		{equal, "kept", "and as much as starting all of them with the run", "at most " + digits(100*o.Equal) + " % longer", "-latency", ""},
		{idle, "idle", "while they wait less", "at least 0", "-use", ""},
		{order, "order", "Prewarming Optimizer, ML: later stages start later", "at least 0 s", "", ""},
		{earlier, "ahead", "Prewarming Optimizer, Video: the longer instances take to start, the more they do so ahead of their stage", "at least 0 s", "", ""},
	} {
		name := o.About.ID + "-" + o.Workflows[0].Workflow + c.panel
		claim := c.shape.claim(Claim{ID: o.About.ID + "." + c.id, Title: c.title, Unit: "1", Tolerance: c.tolerance, Figure: name + ".png", Data: name + ".csv"}, c.cause)
		if c.panel == "" {
			claim.Unit = "s"
		}
		if !recorded {
			claim = claim.withoutRecordings()
		}
		found.Claims = append(found.Claims, claim)
	}
	return found, nil
}

// platform starts an instance for every invocation that no instance was started ahead
// for.
func (o *orionStarts) platform(b *bench, start float64) *sim.Platform {
	return &sim.Platform{
		Name: o.About.ID, Instances: sim.Instances{KeepAlive: o.KeepAlive, WarmChoice: sim.MostRecent},
		ColdStart: sim.ColdStart{Init: sim.Mixture{{Median: start, Sigma: o.Sigma}}, BilledInit: true}, Price: b.setup.Price,
	}
}

// execute executes the workflow under a schedule, one execution at a time.
func (o *orionStarts) execute(ctx context.Context, world sim.World, c models.Config, p *sim.Platform, schedule *models.Schedule, s sim.LoadSettings, each func(*sim.Run) error) (*sim.LoadSummary, error) {
	s.Platform = p
	one := sim.Workload{World: world, Config: c, Schedule: schedule, Arrivals: sim.Closed{Users: 1, Think: o.Apart, Fixed: true}}
	return sim.Load(ctx, []sim.Workload{one}, s, each)
}

// plan lets Orion find its delays, from executions whose instances are all started and
// from others whose instances are all warm.
func (o *orionStarts) plan(ctx context.Context, lab *Lab, b *bench, c models.Config, p *sim.Platform) (*models.Schedule, error) {
	var rows []traces.Record
	first := int32(0)
	keep := func(label string, epoch *int32) func(r *sim.Run) error {
		return func(r *sim.Run) error {
			from := len(rows)
			rows = r.Records(rows)
			for k := range rows[from:] {
				rows[from+k].Execution = label + " " + rows[from+k].Execution
				if epoch != nil {
					rows[from+k].Epoch = epoch
				}
			}
			return nil
		}
	}
	seed := lab.options.Seed + 1 // of others than are judged
	if _, err := o.execute(ctx, b.world, c, p, nil, sim.LoadSettings{Seed: seed, Executions: o.Profiled, Keep: sim.KeepTasks}, keep("cold", &first)); err != nil {
		return nil, err
	}
	if _, err := sim.Simulate(ctx, b.world, c, o.Profiled, sim.Settings{Seed: seed, Price: p.Price, Keep: sim.KeepTasks}, keep("warm", nil)); err != nil {
		return nil, err
	}
	profile, err := models.NewProfile(b.setup.Definition, rows)
	if err != nil {
		return nil, err
	}
	choices := make([][]models.StageConfig, len(c))
	parallelism := make([]int, len(c))
	for i := range c {
		choices[i], parallelism[i] = []models.StageConfig{c[i]}, c[i].Parallelism
	}
	space, err := models.NewSpace(b.setup.Definition.Workflow, choices, nil)
	if err != nil {
		return nil, err
	}
	bound := solvers.Bound{Metric: solvers.Latency, Limit: o.KeepAlive, Percentile: publishedPercentile, Confidence: publishedConfidence, Rule: solvers.Plugin}
	problem, err := solvers.NewProblem(space, b.sample, bound)
	if err != nil {
		return nil, err
	}
	problem.Profile = profile
	s, err := baselines.Orion{NoSizing: true, NoBundling: true, Parallelism: parallelism, Draws: o.Draws}.Solve(ctx, problem, models.Streams{Seed: seed})
	switch {
	case err != nil:
		return nil, err
	case ctx.Err() != nil:
		return nil, ctx.Err()
	case s.Schedule == nil:
		return nil, fmt.Errorf("orion started no instances ahead of workflow %s: %v", space.Workflow.Name(), s.Warnings)
	}
	return s.Schedule, nil
}

// outcomes executes the workflow in every way to start, under the same variation.
func (o *orionStarts) outcomes(ctx context.Context, seed uint64, world sim.World, c models.Config, p *sim.Platform, planned *models.Schedule) (map[string]startOutcome, error) {
	atOnce := &models.Schedule{Prewarm: make([]float64, len(c))}
	for i := range c {
		if _, ok := planned.PrewarmAt(i); !ok {
			atOnce.Prewarm[i] = math.NaN()
		}
	}
	schedules := map[string]*models.Schedule{startsOrion: planned, startsAtOnce: atOnce, startsOnReady: nil}
	outcomes := map[string]startOutcome{}
	busy, waiting := map[string]float64{}, map[string]float64{}
	for _, name := range waysToStart {
		one := startOutcome{ready: make([]float64, len(c))}
		s, err := o.execute(ctx, world, c, p, schedules[name], sim.LoadSettings{Seed: seed, Executions: o.Executions}, func(r *sim.Run) error {
			for i, stage := range r.Stages {
				one.ready[i] += stage.Ready / float64(o.Executions)
			}
			return nil
		})
		if err != nil {
			return nil, err
		}
		one.p95 = s.Workloads[0].Latency.P95
		for _, f := range s.Functions {
			busy[name] += f.BusySeconds + f.InitSeconds
			waiting[name] += f.InstanceSeconds - f.BusySeconds - f.InitSeconds
		}
		outcomes[name] = one
	}
	for name, one := range outcomes {
		// What is started when it is needed waits for nothing but its end, and so do
		// the others after their work. What nobody asks for waits all of its life.
		one.utilisation = busy[name] / (busy[name] + waiting[name] - waiting[startsOnReady])
		outcomes[name] = one
	}
	return outcomes, nil
}
