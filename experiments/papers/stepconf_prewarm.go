package papers

import (
	"context"
	"fmt"
	"math"

	"eevee/baselines"
	"eevee/models"
	"eevee/sim"
	"eevee/traces"
)

// stepConfPrewarming starts instances ahead on simulated platforms.
type stepConfPrewarming struct {
	About      Statement         `yaml:",inline"`
	Platforms  []prewarmPlatform `yaml:"platforms"`
	Intervals  []float64         `yaml:"intervals,flow"`
	Executions int               `yaml:"executions"`
	Warmup     int               `yaml:"warmup_executions"`
	Factor     float64           `yaml:"bound_factor"`
	Equal      float64           `yaml:"equal"`
	Headline   struct {
		Interval    float64 `yaml:"interval"`
		LeastFactor float64 `yaml:"least_factor"`
		FactorBy    float64 `yaml:"factor_by"`
		Bounds      int     `yaml:"bounds"`
		Executions  int     `yaml:"executions"`
		Faster      float64 `yaml:"faster"`
		Cheaper     float64 `yaml:"cheaper"`
	} `yaml:"headline"`
	Tolerance float64 `yaml:"tolerance"`
}

// prewarmPlatform is what a platform does to instances.
type prewarmPlatform struct {
	ID         string        `yaml:"id"`
	Title      string        `yaml:"title"`
	KeepAlive  float64       `yaml:"keep_alive_s"`
	Start      sim.LogNormal `yaml:"start"`
	BilledInit bool          `yaml:"billed_init"`
}

func newStepConfPrewarming() *stepConfPrewarming {
	return mustFacts[stepConfPrewarming]("data/stepconf-prewarm.yaml")
}

func (f *stepConfPrewarming) Statement() Statement { return f.About }

func (f *stepConfPrewarming) Cells(bool) []Cell { return nil }

// stepConfUnaware is StepConf that starts instances when stepConfPrewarm does, but of
// another configuration than the stage then gets.
const stepConfUnaware = "stepconf, pre-warming another configuration"

// prewarmMethods are compared over the time between executions.
var prewarmMethods = []string{stepConfPrewarm, stepConf, stepConfUnaware, stepConfStatic}

// prewarmOutcome is what became of the executions under a policy and load.
type prewarmOutcome struct {
	mean float64 // latency, s
	cost float64 // USD per execution, with instances that were started ahead
	kept float64 // share of the executions within the bound
	cold float64 // share of the invocations that waited for a new instance
}

func (f *stepConfPrewarming) Find(ctx context.Context, lab *Lab) (Finding, error) {
	generated, err := lab.generated()
	if err != nil {
		return Finding{}, err
	}
	found := Finding{Rows: Panels{}, Notes: []string{
		"only the abstract of the extension is known: when stages are predicted, and how early their instances are started, is inferred (stepconf:prewarm)",
		"how long instances take to start, and how often executions come, is not published; the gain follows from both",
	}}
	var rows Panels
	cause := "" // of the headline
	var cold, latency, kept, aware, headline shape
	for p, platform := range f.Platforms {
		var w *stepWorkload
		if generated != nil {
			if w, err = generated.onPlatform(platform, lab.options.Seed); err != nil {
				return found, err
			}
		}
		outcomes := map[string][]prewarmOutcome{}
		for k, interval := range f.Intervals {
			at := fmt.Sprintf("%s, executions %s s apart", platform.ID, digits(interval*platform.KeepAlive))
			one := map[string]prewarmOutcome{}
			for _, m := range prewarmMethods {
				one[m] = prewarmOutcome{math.NaN(), math.NaN(), math.NaN(), math.NaN()}
				if w == nil {
					continue
				}
				if one[m], err = f.load(ctx, lab, w, platform, m, f.Factor*w.fastest(), interval*platform.KeepAlive, f.Executions); err != nil {
					return found, err
				}
				outcomes[m] = append(outcomes[m], one[m])
			}
			with, without := one[stepConfPrewarm], one[stepConf]
			cold.atMost(at, "cold_starts_relative_to_none", with.cold/without.cold, 1)
			latency.atMost(at, "mean_latency_relative_to_none", with.mean/without.mean, 1+f.Equal)
			kept.atLeast(at, "share_within_bound_beyond_none", with.kept-without.kept, 0)
			aware.atMost(at, "mean_latency_relative_to_another_configuration", with.mean/one[stepConfUnaware].mean, 1+f.Equal)
			if w != nil && k == len(f.Intervals)-1 {
				rows = append(rows, f.panels(platform, outcomes)...)
			}
		}
		if p > 0 {
			continue
		}
		gain := variantGain{math.NaN(), math.NaN()}
		if w != nil {
			panels, g, plain, err := f.gains(ctx, lab, w, platform)
			if err != nil {
				return found, err
			}
			rows, gain = append(rows, panels...), g
			cause = fmt.Sprintf("what is saved at equal performance does not come from pre-warming: without it StepConf saves %s %%, and is %s times faster at an equal budget. "+
				"In this workflow No-No's sizes are nearly the most cost-effective ones, since the recorded functions gain from cores at most in proportion to what these cost",
				digits(100*plain.cheaper), digits(plain.faster))
		}
		headline.near("equal budget", "times_faster", gain.faster, f.Headline.Faster, f.Tolerance*f.Headline.Faster)
		headline.near("equal performance", "cost_saved", gain.cheaper, f.Headline.Cheaper, f.Tolerance*f.Headline.Cheaper)
	}
	found.Rows = rows
	for _, c := range []struct {
		shape
		id, title, tolerance, cause string
	}{
		{cold, "cold", "Abstract: pre-warming lets fewer instances start cold", "at most as many", ""},
		{latency, "latency", "Abstract: and shortens runs", "at most " + digits(100*f.Equal) + " % longer", warmAnyway},
		{kept, "kept", "Abstract: so that bounds are kept more often", "at least as often", ""},
		{aware, "aware", "Abstract: because it knows the configurations", "at most " + digits(100*f.Equal) + " % longer", warmAnyway},
		{headline, "headline", "Abstract: 5.6 times faster at an equal budget, 40 % cheaper at equal performance", "±" + digits(100*f.Tolerance) + " %", cause},
	} {
		name := f.About.ID + "-aws"
		if c.id == "headline" {
			name = f.About.ID
		}
		claim := Claim{ID: f.About.ID + "." + c.id, Title: c.title, Unit: "1", Tolerance: c.tolerance, Data: name + ".csv"}
		if generated == nil {
			found.Claims = append(found.Claims, c.missing(claim, chunkFuncMissing))
			continue
		}
		claim.Figure = name + ".png"
		found.Claims = append(found.Claims, c.shape.claim(claim, c.cause))
	}
	return found, nil
}

// warmAnyway is the cause where pre-warming wins nothing under a heavy load.
const warmAnyway = "where executions follow each other within seconds, instances are warm with and without pre-warming, and what is left is the variation of so few executions"

// onPlatform returns the workload without cold starts of its own, with the model that
// StepConf learns of it where instances start as on the platform: from warm runs, and
// from a first epoch whose instances are all started.
func (w *stepWorkload) onPlatform(p prewarmPlatform, seed uint64) (*stepWorkload, error) {
	world := *w.world.(*stepWorld)
	facts := *world.stepConfFacts
	facts.Cold.Share = 0
	world.stepConfFacts = &facts
	def := &models.Definition{Workflow: world.workflow, MBPerVCPU: models.AWSMBPerVCPU, Price: models.PriceAWS}
	streams := models.Streams{Seed: seed}.Sub("stepconf prewarm " + p.ID)
	choices := w.space.Choices(0)
	rows := append(world.started(choices, p, streams), world.profile(choices, streams.New("profile"))...)
	profile, err := models.NewProfile(def, rows)
	if err != nil {
		return nil, err
	}
	on := *w
	on.world = &world
	on.model, err = baselines.FitStepConf(profile)
	return &on, err
}

// started records one run under every configuration whose instances are all started
// for it.
func (w *stepWorld) started(choices []models.StageConfig, p prewarmPlatform, streams models.Streams) []traces.Record {
	stream := streams.New("started")
	var rows []traces.Record
	for _, c := range choices {
		for i := range w.workflow.Len() {
			b, err := w.Stage(i, c, 0)
			if err != nil {
				panic(err) // there are none
			}
			mean, end := 0.0, 0.0
			for _, t := range b.(stepBehaviour).tasks {
				start := sim.Mixture{p.Start}.Draw(stream)
				mean += float64(t.Compute) / 1e9 / float64(c.Parallelism)
				end = max(end, start+float64(t.Cold+t.Compute)/1e9)
			}
			rows = append(rows, w.record(i, c, 0, mean, end))
		}
	}
	return rows
}

// policyOrUnaware is policy with one more.
func (w *stepWorkload) policyOrUnaware(ctx context.Context, name string, limit float64) (models.Policy, error) {
	if name != stepConfUnaware {
		return w.policy(ctx, name, limit)
	}
	static, err := w.policy(ctx, stepConfStatic, limit)
	if err != nil {
		return nil, err
	}
	inner, err := w.policy(ctx, stepConfPrewarm, limit)
	return unaware{inner, static.(models.StaticPolicy).Config}, err
}

// unaware starts instances ahead of the configuration that a stage would have under
// the static heuristic.
type unaware struct {
	models.Policy
	static models.Config
}

// String returns the name of the policy.
func (u unaware) String() string { return stepConfUnaware }

// Begin returns the decider of a new run.
func (u unaware) Begin() models.Decider { return unawareDecider{u.Policy.Begin(), u.static} }

type unawareDecider struct {
	models.Decider
	static models.Config
}

// Decide decides as StepConf does, but for what is started ahead.
func (d unawareDecider) Decide(stage int, p models.Progress) models.Decision {
	decision := d.Decider.Decide(stage, p)
	for k := range decision.Prewarm {
		w := &decision.Prewarm[k]
		w.StageConfig = d.static[w.Stage]
	}
	return decision
}

// load executes the workflow under a policy while executions arrive.
func (f *stepConfPrewarming) load(ctx context.Context, lab *Lab, w *stepWorkload, p prewarmPlatform, method string, limit, apart float64, executions int) (prewarmOutcome, error) {
	policy, err := w.policyOrUnaware(ctx, method, limit)
	if err != nil {
		return prewarmOutcome{}, err
	}
	if lab.options.Quick {
		executions /= 2
	}
	s, err := sim.Load(ctx, []sim.Workload{{World: w.world, Policy: policy, Arrivals: sim.Poisson{Rate: 1 / apart}}}, sim.LoadSettings{
		Platform: &sim.Platform{
			Name: p.ID, Instances: sim.Instances{KeepAlive: p.KeepAlive, WarmChoice: sim.MostRecent},
			ColdStart: sim.ColdStart{Init: sim.Mixture{p.Start}, BilledInit: p.BilledInit}, Price: w.price,
		},
		Seed: lab.options.Seed, Executions: executions + f.Warmup, Warmup: float64(f.Warmup) * apart, LatencyLimit: limit,
	}, nil)
	if err != nil {
		return prewarmOutcome{}, err
	}
	of := s.Workloads[0]
	if of.Executions == 0 {
		return prewarmOutcome{}, fmt.Errorf("%s on %s: no execution ended after the warm-up", method, p.ID)
	}
	n := float64(of.Executions)
	o := prewarmOutcome{mean: of.Latency.Mean, cost: s.Cost.Total / n, kept: 1 - float64(of.LatencyViolations.Count)/n}
	invocations := 0.0
	for _, function := range s.Functions {
		invocations += float64(function.Invocations)
		o.cold += float64(function.ColdStarts)
	}
	o.cold /= invocations
	return o, nil
}

// panels are latencies and cold starts over the time between executions.
func (f *stepConfPrewarming) panels(p prewarmPlatform, outcomes map[string][]prewarmOutcome) Panels {
	apart := Quantity{Label: "mean time between executions", Unit: "s", Log: true}
	latency := Curves{X: apart, Y: Quantity{Label: "latency, mean", Unit: "s"}}
	cold := Curves{X: apart, Y: Quantity{Label: "invocations that start cold", Unit: "%"}}
	mark := []CurveMark{{Vertical: true, At: p.KeepAlive, Text: "idle instances end"}}
	latency.Marks, cold.Marks = mark, mark
	for _, m := range prewarmMethods {
		of := [2]Curve{{Name: m, Line: true, Marker: true}, {Name: m, Line: true, Marker: true}}
		for k, o := range outcomes[m] {
			x := f.Intervals[k] * p.KeepAlive
			of[0].Points = append(of[0].Points, CurvePoint{X: x, Y: o.mean})
			of[1].Points = append(of[1].Points, CurvePoint{X: x, Y: 100 * o.cold})
		}
		latency.Curves, cold.Curves = append(latency.Curves, of[0]), append(cold.Curves, of[1])
	}
	name := f.About.ID + "-" + p.ID
	return Panels{
		{Name: name, Title: p.Title, Curves: &latency, Caption: p.Title + ": mean latency over the mean time between executions, by what is started ahead"},
		{Name: name + "-cold", Title: p.Title, Curves: &cold, Caption: p.Title + ": share of the invocations that wait for a new instance"},
	}
}

// gains compares StepConf with pre-warming and No-No within equal budgets and equal
// latencies; plain is the gain without it.
func (f *stepConfPrewarming) gains(ctx context.Context, lab *Lab, w *stepWorkload, p prewarmPlatform) (drawn Panels, gain, plain variantGain, err error) {
	h := f.Headline
	methods := []string{stepConfNoNo, stepConf, stepConfPrewarm}
	of := map[string][]stepOutcome{}
	curves := Curves{X: Quantity{Label: "latency, mean", Unit: "s", Log: true}, Y: Quantity{Label: "cost per execution, mean", Unit: "¢", Log: true}}
	for _, m := range methods {
		curve := Curve{Name: m, Marker: true}
		for k := range h.Bounds {
			if lab.options.Quick && k%2 == 1 {
				continue
			}
			limit := h.LeastFactor * math.Pow(h.FactorBy, float64(k)) * w.fastest()
			o, err := f.load(ctx, lab, w, p, m, limit, h.Interval*p.KeepAlive, h.Executions)
			if err != nil {
				return nil, gain, plain, err
			}
			of[m] = append(of[m], stepOutcome{mean: o.mean, cost: o.cost})
			curve.Points = append(curve.Points, CurvePoint{X: o.mean, Y: 100 * o.cost})
		}
		curves.Curves = append(curves.Curves, curve)
	}
	bars := Levels{Groups: []string{"faster at an equal budget", "cheaper at equal performance"}, Y: Quantity{Label: "gain over No-No", Unit: "times"}}
	bars.Series = append(bars.Series, LevelSeries{Name: stepConfPrewarm + ", reported", Like: stepConfPrewarm, Values: []float64{h.Faster, 1 / (1 - h.Cheaper)}})
	for _, m := range methods[1:] {
		plain, gain = gain, gainOver(of[m], of[stepConfNoNo])
		bars.Series = append(bars.Series, LevelSeries{Name: m, Values: []float64{gain.faster, 1 / (1 - gain.cheaper)}})
	}
	name := f.About.ID
	return Panels{
		{Name: name, Title: "Gain over No-No", Levels: &bars, Caption: w.title + ", executions as far apart as idle instances live: how much faster within No-No's cost, and how much cheaper within its latency, at most"},
		{Name: name + "-frontier", Title: p.Title, Curves: &curves, Caption: w.title + ": mean latency and cost under bounds that grow by equal factors, with cold starts"},
	}, gain, plain, nil
}
