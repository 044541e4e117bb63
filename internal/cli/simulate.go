package cli

import (
	"cmp"
	"fmt"
	"io"
	"slices"
	"strings"

	"eevee/experiments"
	"eevee/models"
	"eevee/sim"
	"eevee/solvers"
)

// simulateSchema names the JSON form of a simulation; see
// experiments/schemas/simulate.schema.json.
const simulateSchema = "eevee.simulate/1"

// simulation is the result of "eevee simulate" without a load.
type simulation struct {
	Schema string                    `json:"schema"`
	Seed   uint64                    `json:"seed"`
	Trace  experiments.ResultTrace   `json:"trace"`
	Price  string                    `json:"price"`
	World  string                    `json:"world"`
	Epochs string                    `json:"epochs"`
	Config []experiments.ResultStage `json:"config,omitempty"` // not where a policy decided while the workflow ran
	Output string                    `json:"output,omitempty"`
	*sim.Summary
}

// simulateFlags are the flags of simulate.
type simulateFlags struct {
	subject          subject
	config, policy   string
	deciding         models.DecisionCost
	offSpace         bool
	epochs, world    string
	runs             int
	settings         sim.Settings
	output, timeline string
	perRequest       bool
	load             loadFlags
}

func simulateVerb() verb {
	var f simulateFlags
	worlds := []string{experiments.WorldReplay, experiments.WorldSequential}
	return verb{
		name:    "simulate",
		summary: "execute a workflow in the world of a trace, alone or under load on a platform",
		shown: []string{
			"simulate --workflow ml --config config.json --latency 40s",
			"simulate --workflow ml --policy stepconf --latency 40s",
			"simulate --workflow ml --config config.json --arrivals poisson:3/m --duration 2h",
		},
		detail: "Give one of --config and --policy. A policy decides every stage when it is ready, so\n" +
			"as to keep --latency; it learns from the warm rows of the same trace.\n\n" +
			"Runs resample the recorded executions; a configuration between recorded sizes is\n" +
			"interpolated, which a warning says. The simulator shares no code with the models\n" +
			"that solvers believe in.\n\n" + loadDetail,
		flags: slices.Concat(f.subject.traceFlags(), flags{
			textFlag(&f.config, "config", "", "configuration `FILE` that \"eevee solve -o\" wrote"),
			choiceFlag(&f.policy, "policy", "", "`POLICY` that decides while the workflow runs: "+strings.Join(experiments.PolicyNames(), ", "), experiments.PolicyNames()),
			secondsFlag(&f.deciding.Latency, "decision-latency", "", "`TIME` that a policy takes for every decision; default: none"),
			usdFlag(&f.deciding.USD, "decision-cost", "", "cost of every decision of a policy in `USD`; default: none"),
			textFlag(&f.subject.choice.Space, "space", "", "`NAME` of the space that must admit the configuration; default: the one that it was found in, else the workflow's first"),
			switchFlag(&f.offSpace, "off-space", "simulate a configuration that the space does not admit"),
			countFlag(&f.runs, "runs", "10000", "`N` runs of the workflow"),
			choiceFlag(&f.world, "world", worlds[0], "`WORLD`: "+worlds[0]+" takes recorded executions at random, "+worlds[1]+" one after the other", worlds),
			choiceFlag(&f.epochs, "epochs", "warm", "recorded `REPETITIONS` to replay: "+strings.Join(experiments.EpochsNames(), ", "), experiments.EpochsNames()),
			priceFlag(&f.subject.choice.Price, "", "; default: the workflow's"),
			secondsFlag(&f.settings.LatencyLimit, "latency", "", "count the runs that take longer than this `TIME`"),
			usdFlag(&f.settings.CostLimit, "cost", "", "count the runs that cost more than this in `USD`"),
			percentFlag(&f.settings.Confidence, "confidence", "95", "confidence of the intervals in `PERCENT`"),
			outputFlag(&f.output, "trace `FILE` for the runs (Parquet)"),
			switchFlag(&f.perRequest, "invocations", "put every invocation into the trace, not only the aggregates of a stage"),
			textFlag(&f.timeline, "timeline", "", "`FILE` for the timeline of the first run, or of a load (Chrome trace format, for ui.perfetto.dev)"),
		}, f.load.flags()),
		run: f.run,
	}
}

// check says what is wrong with the flags before any work is done.
func (f *simulateFlags) check(c *call) error {
	if err := f.load.check(c); err != nil {
		return err
	}
	switch {
	case f.load.file != "":
	case f.subject.workflow == "":
		return usagef("--workflow is missing")
	case (f.config == "") == (f.policy == ""):
		return usagef("give one of --config and --policy")
	case f.policy != "" && f.settings.LatencyLimit == 0:
		return usagef("--policy %s needs --latency, the limit to keep", f.policy)
	case f.policy == "" && f.deciding != (models.DecisionCost{}):
		return usagef("--decision-latency and --decision-cost are for a --policy")
	case f.policy != "" && f.offSpace:
		return usagef("--policy and --off-space exclude each other")
	case f.perRequest && f.output == "":
		return usagef("--invocations is for the trace that --output (-o) names")
	}
	for _, path := range []string{f.output, f.timeline} {
		if path == "" {
			continue
		}
		if _, err := checkOutput(path, f.subject.trace, f.config); err != nil {
			return err
		}
	}
	return nil
}

func (f *simulateFlags) run(c *call) error {
	if err := f.check(c); err != nil {
		return err
	}
	if f.load.asked() {
		return f.load.run(c, f)
	}
	def, trace, err := f.subject.load(c)
	if err != nil {
		return err
	}
	request, err := f.request(c, def, trace)
	if err != nil {
		return err
	}
	progress := c.track("simulating", f.runs)
	summary, err := experiments.Simulate(c.ctx, def, trace, request, func(int) { progress.add(1) })
	if err != nil {
		return err
	}
	for _, w := range summary.Warnings {
		c.warn("%s", w)
	}
	r := simulation{
		Schema: simulateSchema,
		Seed:   c.seed, Trace: experiments.ResultTrace{Source: trace.Origin, SHA256: trace.SHA256},
		Price: request.Settings.Price.Name, World: f.world, Epochs: f.epochs,
		Output: f.output, Summary: summary,
	}
	if summary.Config != nil {
		r.Config = experiments.ConfigStages(def.Workflow, summary.Config)
	}
	return c.result(r, func(w io.Writer) error { return writeSimulation(w, r) })
}

// request returns what is to be simulated, without a load.
func (f *simulateFlags) request(c *call, def *models.Definition, trace experiments.Trace) (r experiments.Simulation, err error) {
	r = experiments.Simulation{
		Runs: f.runs, Settings: f.settings, Sequential: f.world == experiments.WorldSequential,
		Output: f.output, Timeline: f.timeline, PerRequest: f.perRequest,
	}
	r.Settings.Seed = c.seed
	if r.Epochs, err = experiments.EpochsNamed(f.epochs); err != nil {
		return r, err
	}
	space, err := def.Space(f.subject.choice.Space)
	if err != nil {
		return r, err
	}
	if r.Settings.Price, err = models.LoadPrice(cmp.Or(f.subject.choice.Price, def.Price)); err != nil {
		return r, err
	}
	if f.policy != "" {
		r.Policy, err = experiments.NewPolicy(c.ctx, f.policy, experiments.PolicySetting{
			Definition: def, Rows: trace.Rows, Space: space, Price: r.Settings.Price, Limit: f.settings.LatencyLimit, Cost: f.deciding, Seed: c.seed,
		})
		return r, err
	}
	if f.offSpace {
		r.Config, err = experiments.ReadConfig(f.config, def)
	} else {
		r.Config, err = experiments.ReadAdmitted(f.config, def, f.subject.choice.Space)
	}
	if err != nil {
		return r, err
	}
	schedule, err := experiments.ReadSchedule(f.config, def.Workflow)
	if schedule != nil {
		c.warn("%s has a schedule, which is followed under load only (--arrivals)", f.config)
	}
	return r, err
}

func writeSimulation(w io.Writer, r simulation) error {
	var b strings.Builder
	under := ""
	if r.Policy != "" {
		under = " under policy " + r.Policy
	}
	fmt.Fprintf(&b, "%s: %d runs%s in the world of the %s trace (%s epochs)\n\n", r.Workflow, r.Runs, under, r.Trace.Source, r.Epochs)
	b.WriteString(textTable([]any{"", "mean", "p50", "p95", "p99"}, [][]any{distributionRow("latency (s)", r.Latency), distributionRow("cost (USD)", r.Cost)}))
	writeViolations(&b, r.LatencyViolations, r.CostViolations, r.Runs)
	switch {
	case r.Deciding != nil:
		writeChoices(&b, r.Summary)
	case r.Policy != "":
		fmt.Fprintf(&b, "\ndecided before the run: %v\n", r.Summary.Config)
	}
	if r.Output != "" {
		fmt.Fprintf(&b, "\n%s: the runs as a trace\n", r.Output)
	}
	_, err := io.WriteString(w, b.String())
	return err
}

// distributionRow is a row of mean, p50, p95 and p99, with the intervals of the
// percentiles.
func distributionRow(name string, d sim.Distribution) []any {
	cell := func(q sim.Quantile) string {
		if q.Interval == nil {
			return fmt.Sprintf("%s (interval needs %d runs)", short(q.Value), q.Needs)
		}
		return fmt.Sprintf("%s [%s, %s]", short(q.Value), short(q.Interval.Lo), short(q.Interval.Hi))
	}
	return []any{name, short(d.Mean), cell(d.P50), cell(d.P95), cell(d.P99)}
}

// writeViolations says how many of the runs, which are independent, exceed the
// limits that were given.
func writeViolations(w io.Writer, latency, cost *sim.Violations, runs int) {
	for _, v := range []struct {
		metric solvers.Metric
		*sim.Violations
	}{{solvers.Latency, latency}, {solvers.Cost, cost}} {
		if v.Violations != nil {
			fmt.Fprintf(w, "\n%s above %v %s: %d of %d runs, a share of %.4f [%.4f, %.4f]\n", v.metric, v.Limit, unit(v.metric), v.Count, runs, v.Share, v.Risk.Lo, v.Risk.Hi)
		}
	}
}

// mostChoices bounds how many decisions about a stage the text lists; --json
// has all of them.
const mostChoices = 3

// writeChoices says what a policy decided most.
func writeChoices(b *strings.Builder, s *sim.Summary) {
	var rows [][]any
	for _, stage := range s.Stages {
		list := slices.Clone(stage.Choices)
		slices.SortStableFunc(list, func(a, b sim.StageChoice) int { return b.Runs - a.Runs })
		var parts []string
		for _, x := range list[:min(len(list), mostChoices)] {
			parts = append(parts, fmt.Sprintf("%dx%dMB in %d", x.Parallelism, x.MemoryMB, x.Runs))
		}
		if more := len(list) - mostChoices; more > 0 {
			parts = append(parts, fmt.Sprintf("and %d more", more))
		}
		rows = append(rows, []any{stage.Stage, strings.Join(parts, ", ")})
	}
	b.WriteString("\n" + textTable([]any{"stage", "decided (instances x memory, in runs)"}, rows))
}
