package cli

import (
	"fmt"
	"io"
	"slices"
	"strings"

	"eevee/experiments"
	"eevee/models"
	"eevee/sim"
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

// The worlds that --world selects.
const (
	worldReplay     = experiments.WorldReplay
	worldSequential = experiments.WorldSequential
)

func simulateVerb() verb {
	var s subject
	var config, policy, output, timeline, epochs, world string
	var runs int
	var perRequest, offSpace bool
	var settings sim.Settings
	var deciding models.DecisionCost
	var load loadFlags
	which := map[string]sim.Epochs{"warm": sim.WarmEpochs, "cold": sim.ColdEpochs, "all": sim.AllEpochs}
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
		flags: slices.Concat(s.traceFlags(), flags{
			textFlag(&config, "config", "", "configuration `FILE` that \"eevee solve -o\" wrote"),
			choiceFlag(&policy, "policy", "", "`POLICY` that decides while the workflow runs: "+strings.Join(experiments.PolicyNames(), ", "), experiments.PolicyNames()),
			secondsFlag(&deciding.Latency, "decision-latency", "", "`TIME` that a policy takes for every decision; default: none"),
			usdFlag(&deciding.USD, "decision-cost", "", "cost of every decision of a policy in `USD`; default: none"),
			textFlag(&s.choice.Space, "space", "", "`NAME` of the space that must admit the configuration; default: the one that it was found in, else the workflow's first"),
			switchFlag(&offSpace, "off-space", "simulate a configuration that the space does not admit"),
			countFlag(&runs, "runs", "10000", "`N` runs of the workflow"),
			choiceFlag(&world, "world", worldReplay, "`WORLD`: "+worldReplay+" takes recorded executions at random, "+worldSequential+" one after the other", []string{worldReplay, worldSequential}),
			choiceFlag(&epochs, "epochs", "warm", "recorded `REPETITIONS` to replay: warm, cold, all", []string{"warm", "cold", "all"}),
			textFlag(&s.choice.Price, "price", "", "price book, bundled ("+strings.Join(models.Prices(), ", ")+") or `FILE`; default: the workflow's"),
			secondsFlag(&settings.LatencyLimit, "latency", "", "count the runs that take longer than this `TIME`"),
			usdFlag(&settings.CostLimit, "cost", "", "count the runs that cost more than this in `USD`"),
			percentFlag(&settings.Confidence, "confidence", "95", "confidence of the intervals in `PERCENT`"),
			outputFlag(&output, "trace `FILE` for the runs (Parquet)"),
			switchFlag(&perRequest, "invocations", "put every invocation into the trace, not only the aggregates of a stage"),
			textFlag(&timeline, "timeline", "", "`FILE` for the timeline of the first run, or of a load (Chrome trace format, for ui.perfetto.dev)"),
		}, load.flags()),
		run: func(c *call) error {
			if err := load.check(c); err != nil {
				return err
			}
			switch {
			case load.file != "":
			case s.workflow == "":
				return usagef("--workflow is missing")
			case (config == "") == (policy == ""):
				return usagef("give one of --config and --policy")
			case policy != "" && settings.LatencyLimit == 0:
				return usagef("--policy %s needs --latency, the limit to keep", policy)
			case policy == "" && deciding != (models.DecisionCost{}):
				return usagef("--decision-latency and --decision-cost are for a --policy")
			case policy != "" && offSpace:
				return usagef("--policy and --off-space exclude each other")
			}
			for _, path := range []string{output, timeline} {
				if path == "" {
					continue
				}
				if _, err := checkOutput(path, s.trace, config); err != nil {
					return err
				}
			}
			if load.asked() {
				part := experiments.LoadPart{
					Workflow: s.workflow, Trace: s.trace, Epochs: epochs, Config: config, Policy: policy, Arrivals: load.arrivals,
					Latency: settings.LatencyLimit, Deciding: deciding, Space: s.choice.Space, OffSpace: offSpace, World: world,
				}
				return load.run(c, part, experiments.Load{Sources: s.sources(), Output: output, Timeline: timeline, PerRequest: perRequest}, settings, s.choice.Price)
			}
			def, trace, err := s.load(c)
			if err != nil {
				return err
			}
			space, err := def.Space(s.choice.Space)
			if err != nil {
				return err
			}
			var chosen models.Config
			if config != "" {
				if offSpace {
					chosen, err = experiments.ReadConfig(config, def)
				} else {
					chosen, err = experiments.ReadAdmitted(config, def, s.choice.Space)
				}
				if err != nil {
					return err
				}
				if schedule, err := experiments.ReadSchedule(config, def.Workflow); err != nil {
					return err
				} else if schedule != nil {
					c.warn("%s has a schedule, which is followed under load only (--arrivals)", config)
				}
			}
			price := s.choice.Price
			if price == "" {
				price = def.Price
			}
			if settings.Price, err = models.LoadPrice(price); err != nil {
				return err
			}
			settings.Seed = c.seed
			request := experiments.Simulation{
				Config: chosen, Runs: runs, Settings: settings, Epochs: which[epochs], Sequential: world == worldSequential,
				Output: output, Timeline: timeline, PerRequest: perRequest,
			}
			if policy != "" {
				request.Policy, err = experiments.NewPolicy(c.ctx, policy, experiments.PolicySetting{
					Definition: def, Rows: trace.Rows, Space: space, Price: settings.Price, Limit: settings.LatencyLimit, Cost: deciding, Seed: c.seed,
				})
				if err != nil {
					return err
				}
			}
			progress := c.track("simulating", runs)
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
				Price: settings.Price.Name, World: world, Epochs: epochs,
				Output: output, Summary: summary,
			}
			if summary.Config != nil {
				r.Config = experiments.ConfigStages(def.Workflow, summary.Config)
			}
			return c.result(r, func(w io.Writer) error { return writeSimulation(w, r) })
		},
	}
}

func writeSimulation(w io.Writer, r simulation) error {
	var b strings.Builder
	under := ""
	if r.Policy != "" {
		under = " under policy " + r.Policy
	}
	fmt.Fprintf(&b, "%s: %d runs%s in the world of the %s trace (%s epochs)\n\n", r.Workflow, r.Runs, under, r.Trace.Source, r.Epochs)
	row := func(name string, d sim.Distribution) []any {
		cell := func(q sim.Quantile) string {
			if q.Interval == nil {
				return fmt.Sprintf("%s (interval needs %d runs)", short(q.Value), q.Needs)
			}
			return fmt.Sprintf("%s [%s, %s]", short(q.Value), short(q.Interval.Lo), short(q.Interval.Hi))
		}
		return []any{name, short(d.Mean), cell(d.P50), cell(d.P95), cell(d.P99)}
	}
	b.WriteString(textTable([]any{"", "mean", "p50", "p95", "p99"}, [][]any{row("latency (s)", r.Latency), row("cost (USD)", r.Cost)}))
	for _, v := range []struct {
		name, unit string
		*sim.Violations
	}{{"latency", "s", r.LatencyViolations}, {"cost", "USD", r.CostViolations}} {
		if v.Violations != nil {
			fmt.Fprintf(&b, "\n%s above %v %s: %d of %d runs, a share of %.4f [%.4f, %.4f]\n", v.name, v.Limit, v.unit, v.Count, r.Runs, v.Share, v.Risk.Lo, v.Risk.Hi)
		}
	}
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
