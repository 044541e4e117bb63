package cli

import (
	"fmt"
	"io"

	"eevee/experiments"
	"eevee/models"
)

func executeWorkflowVerb() verb {
	var f experiments.MachineFiles
	var e experiments.Execution
	var price string
	return verb{
		name:    "execute",
		summary: "simulate a state machine, with its branches, loops and maps",
		shown:   []string{"workflows execute app --runs 50000"},
		detail: "DIR is what \"eevee import\" wrote, MACHINE a state machine whose --behaviour and --trace\n" +
			"are given. Every invocation takes one of the recorded times of its function, and the\n" +
			"ways of choices, widths of maps and delays of the orchestrator are drawn from the\n" +
			"behaviour. Where executions were recorded, the result is compared with them.",
		args: "DIR|MACHINE",
		flags: flags{
			textFlag(&f.Behaviour, "behaviour", "", "`FILE` that says what data and platform decide; default: that of DIR"),
			textFlag(&f.Trace, "trace", "", "trace `FILE` that times are drawn from (Parquet); default: that of DIR"),
			pathsFlag(&f.Against, "against", "recorded executions to compare with: `FILE` or folder; may be given again; default: those of DIR"),
			pathsFlag(&f.Mappings, "mapping", "what the columns of a table mean: `FILE` (YAML), or bundled; may be given again"),
			flagOf(&f.Choices, "choice", "", "odds of choices, as `STATE:TO=P,...;...`, in place of what the behaviour says", parseOdds),
			flagOf(&f.Widths, "width", "", "how many items Maps get, as `STATE=N,...`, in place of what the behaviour says", parseWidths),
			flagOf(&e.Memory, "memory", "", "sizes in MB that functions run at, as `FUNCTION=N,...`; default: as in the recorded executions, else the size with most rows", parseNumbered),
			countFlag(&e.Runs, "runs", "10000", "`N` executions"),
			priceFlag(&price, models.PriceAWS, ""),
			secondsFlag(&e.Settings.LatencyLimit, "latency", "", "count the runs that take longer than this `TIME`"),
			usdFlag(&e.Settings.CostLimit, "cost", "", "count the runs that cost more than this in `USD`"),
			percentFlag(&e.Settings.Confidence, "confidence", "95", "confidence of the intervals in `PERCENT`"),
			outputFlag(&e.Output, "trace `FILE` for the runs (Parquet)"),
		},
		run: func(c *call) error {
			f.Machine = c.args[0]
			if e.Output != "" {
				if _, err := checkOutput(e.Output, f.Trace, f.Behaviour, f.Machine); err != nil {
					return err
				}
			}
			source, err := f.Load(c.ctx)
			if err != nil {
				return err
			}
			if e.Settings.Price, err = models.LoadPrice(price); err != nil {
				return err
			}
			e.Settings.Seed = c.seed
			progress := c.track("executing", e.Runs)
			r, err := source.Execute(c.ctx, e, func(int) { progress.add(1) })
			if err != nil {
				return err
			}
			for _, w := range r.Warnings {
				c.warn("%s", w)
			}
			return c.result(r, func(w io.Writer) error { return writeExecution(w, r) })
		},
	}
}

func writeExecution(w io.Writer, r *experiments.ExecutionResult) error {
	fmt.Fprintf(w, "%s: %d executions, %.4g invocations and %.4g transitions each\n\n", r.Machine, r.Runs, r.Invocations, r.Transitions)
	rows := [][]any{distributionRow("latency (s)", r.Latency), distributionRow("cost (USD)", r.Cost)}
	percent := func(x float64) string { return fmt.Sprintf("%+.2f %%", 100*x) }
	for _, a := range []struct {
		name string
		*experiments.AgainstRecorded
	}{{"latency", r.Against}, {"cost", r.AgainstCost}} {
		if c := a.AgainstRecorded; c != nil {
			rows = append(rows,
				[]any{fmt.Sprintf("recorded %s, n %d", a.name, c.N), short(c.Mean), short(c.P50), short(c.P95), short(c.P99)},
				[]any{"  simulated against recorded", percent(c.MeanDiff), percent(c.P50Diff), percent(c.P95Diff), percent(c.P99Diff)})
		}
	}
	fmt.Fprint(w, textTable([]any{"", "mean", "p50", "p95", "p99"}, rows))
	if c := r.Against; c != nil {
		fmt.Fprintf(w, "\nKS distance of the latencies: %.4f", c.KS)
		if r.AgainstCost != nil {
			fmt.Fprintf(w, ", of the costs: %.4f", r.AgainstCost.KS)
		}
		fmt.Fprintln(w)
	}
	writeViolations(w, r.LatencyViolations, r.CostViolations, r.Runs-r.Failed)
	for _, e := range r.Errors {
		fmt.Fprintf(w, "\nfailed with %s: %d runs\n", e.Error, e.Runs)
	}
	var sampled [][]any
	for _, s := range r.Sampled {
		sampled = append(sampled, []any{s.Function, s.MemoryMB, s.Invocations})
	}
	fmt.Fprintf(w, "\n%s", textTable([]any{"function", "memory MB", "recorded invocations"}, sampled))
	if r.Output != "" {
		fmt.Fprintf(w, "\n%s: the executions as a trace\n", r.Output)
	}
	return nil // w is a buffer
}
