package cli

import (
	"fmt"
	"io"
	"strings"

	"eevee/experiments"
	"eevee/models"
	"eevee/sim"
)

// simulation is the result of "eevee simulate".
type simulation struct {
	Seed   uint64                    `json:"seed"`
	Trace  experiments.ResultTrace   `json:"trace"`
	Price  string                    `json:"price"`
	World  string                    `json:"world"`
	Epochs string                    `json:"epochs"`
	Config []experiments.ResultStage `json:"config"`
	Output string                    `json:"output,omitempty"`
	*sim.Summary
}

func simulateVerb() verb {
	var s subject
	var config, output, timeline, epochs string
	var runs int
	var perRequest, offSpace bool
	var settings sim.Settings
	which := map[string]sim.Epochs{"warm": sim.WarmEpochs, "cold": sim.ColdEpochs, "all": sim.AllEpochs}
	return verb{
		name:    "simulate",
		summary: "execute a workflow under a configuration in the world of a trace",
		detail: "Runs resample the recorded executions; a configuration between recorded sizes is\n" +
			"interpolated, which a warning says. The simulator shares no code with the models\n" +
			"that solvers believe in.",
		flags: append(s.traceFlags(),
			textFlag(&config, "config", "", "configuration `FILE` that \"eevee solve -o\" wrote"),
			textFlag(&s.choice.Space, "space", "", "`NAME` of the space that must admit the configuration; default: the workflow's first"),
			switchFlag(&offSpace, "off-space", "simulate a configuration that the space does not admit"),
			countFlag(&runs, "runs", "10000", "`N` runs of the workflow"),
			choiceFlag(&epochs, "epochs", "warm", "recorded repetitions to replay: warm, cold, all", []string{"warm", "cold", "all"}),
			textFlag(&s.choice.Price, "price", "", "price book, bundled ("+strings.Join(models.Prices(), ", ")+") or `FILE`; default: the workflow's"),
			secondsFlag(&settings.LatencyLimit, "latency", "", "count the runs that take longer than this `TIME`"),
			usdFlag(&settings.CostLimit, "cost", "", "count the runs that cost more than this in `USD`"),
			percentFlag(&settings.Confidence, "confidence", "95", "confidence of the intervals in `PERCENT`"),
			outputFlag(&output, "trace `FILE` for the runs (Parquet)"),
			switchFlag(&perRequest, "invocations", "put every invocation into the trace, not only the aggregates of a stage"),
			textFlag(&timeline, "timeline", "", "`FILE` for the timeline of the first run (Chrome trace format, for ui.perfetto.dev)"),
		),
		need: []string{"workflow", "config"},
		run: func(c *call) error {
			for _, path := range []string{output, timeline} {
				if path == "" {
					continue
				}
				if _, err := checkOutput(path, s.trace, config); err != nil {
					return err
				}
			}
			def, trace, err := s.load(c)
			if err != nil {
				return err
			}
			chosen, err := experiments.ReadConfig(config, def)
			if err != nil {
				return err
			}
			space, err := def.Space(s.choice.Space)
			if err != nil {
				return err
			}
			if _, err := space.Locate(chosen); err != nil && !offSpace {
				return fmt.Errorf("%s: %w; --off-space simulates it all the same", config, err)
			}
			price := s.choice.Price
			if price == "" {
				price = def.Price
			}
			if settings.Price, err = models.LoadPrice(price); err != nil {
				return err
			}
			settings.Seed = c.seed
			progress := c.track("simulating", runs)
			summary, err := experiments.Simulate(c.ctx, def, trace, experiments.Simulation{
				Config: chosen, Runs: runs, Settings: settings, Epochs: which[epochs],
				Output: output, Timeline: timeline, PerRequest: perRequest,
			}, func(int) { progress.add(1) })
			if err != nil {
				return err
			}
			for _, w := range summary.Warnings {
				c.warn("%s", w)
			}
			r := simulation{
				Seed: c.seed, Trace: experiments.ResultTrace{Source: trace.Origin, SHA256: trace.SHA256},
				Price: settings.Price.Name, World: "replay", Epochs: epochs,
				Config: experiments.ConfigStages(def.Workflow, chosen), Output: output, Summary: summary,
			}
			return c.result(r, func(w io.Writer) error { return writeSimulation(w, r) })
		},
	}
}

func writeSimulation(w io.Writer, r simulation) error {
	var b strings.Builder
	fmt.Fprintf(&b, "%s: %d runs in the world of the %s trace (%s epochs)\n\n", r.Workflow, r.Runs, r.Trace.Source, r.Epochs)
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
	if r.Output != "" {
		fmt.Fprintf(&b, "\n%s: the runs as a trace\n", r.Output)
	}
	_, err := io.WriteString(w, b.String())
	return err
}
