package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"slices"
	"strings"
	"time"

	"github.com/google/renameio/v2"

	"eevee/experiments"
	"eevee/solvers"
)

func solveVerb() verb {
	var s subject
	var b boundFlags
	var frontier frontierFlags
	var deadline float64
	var samples int
	var method, output string
	f := append(s.traceFlags(), s.fitFlags()...)
	f = append(f, s.problemFlags()...)
	f = append(f, s.gridFlags()...)
	f = append(f, b.flags()...)
	f = append(f, frontier.flags()...)
	return verb{
		name:    "solve",
		summary: "choose memory and parallelism of every stage under a bound",
		shown: []string{
			"solve --workflow ml --latency 40s -o config.json",
			"solve --workflow ml --cost 0.012 --percentile 99",
			"solve --workflow app.yaml --trace app.parquet --latency 2s --memory 128..3008/64 --parallelism 1..20",
			"solve --workflow ml --frontier -o frontier",
		},
		detail: "One of --latency and --cost is the bound; the mean of the other is minimised.\n" +
			"Either may be given several times, as --latency 30s@50 --latency 40s@99; with\n" +
			"both, --minimise says what to make small, which can be a percentile: cost@95.\n" +
			"--joint limits the share of runs that exceed one or the other. 40s@cvar95 limits\n" +
			"the mean of the worst 5 %, on the sample and without a guarantee.\n" +
			"Rule certified guarantees percentiles, all at once, with the given confidence over\n" +
			"the draw of the scenarios, under the fitted model; plugin is what the published\n" +
			"systems do and guarantees nothing; verified accepts what a holdout confirms.",
		flags: append(f,
			countFlag(&samples, "samples", "", "`N` scenarios; default: what the rule needs, at least 10,000"),
			textFlag(&method, "method", "exact", "`METHOD`, with options after colons: "+strings.Join(experiments.Methods(), ", ")),
			secondsFlag(&deadline, "deadline", "", "end the search after this `TIME` with what it has"),
			outputFlag(&output, "configuration `FILE` to write (JSON); with --frontier the folder for it and its pictures"),
		),
		need: []string{"workflow"},
		run: func(c *call) error {
			if err := frontier.check(c, method); err != nil {
				return err
			}
			if frontier.wanted && (c.isSet("memory") || c.isSet("parallelism")) {
				return usagef("--frontier is of a space that the workflow has; --memory and --parallelism go without it")
			}
			if frontier.wanted {
				ctx, cancel := withDeadline(c.ctx, deadline)
				defer cancel()
				return frontier.solve(c, ctx, &s, b, samples, output)
			}
			aim, err := b.aim(c)
			if err != nil {
				return err
			}
			m, err := experiments.NewMethod(method)
			if err != nil {
				return usagef("%w", err)
			}
			if output != "" {
				if _, err := checkOutput(output, s.trace, s.modelFile); err != nil {
					return err
				}
			}
			setup, err := s.setup(c)
			if err != nil {
				return err
			}
			ctx, cancel := withDeadline(c.ctx, deadline)
			defer cancel()
			ctx = solvers.WithProgress(ctx, c.searching(aim.Objective()))
			answer, err := setup.Solve(ctx, experiments.Request{
				Bound: aim.Bound, Further: aim.Further, Percentile: aim.Percentile,
				Method: m, Samples: samples, Seed: c.seed, Posed: func(p *solvers.Problem) {
					if exact, ok := m.(solvers.Exact); ok {
						c.remark("the search takes at most %d MB", exact.Memory(p)>>20)
					}
				},
			})
			if err != nil {
				return err
			}
			if err := c.ctx.Err(); err != nil {
				return err
			}
			r := setup.Result(answer)
			var differences []string
			if r.Truth, differences, err = setup.Truth(c.ctx, answer); err != nil {
				return err
			}
			r.Warnings = slices.Concat(setup.ModelWarnings(), r.Warnings, differences)
			if r.Status == solvers.LimitHit && deadline > 0 {
				r.Warnings = append(r.Warnings, fmt.Sprintf("the search was ended by the deadline of %v s; another run may get elsewhere", deadline))
			}
			for _, w := range r.Warnings {
				c.warn("%s", w)
			}
			verdict := verdictOf(r)
			if output != "" && verdict == nil {
				file := r
				file.Runtime = nil // the same seed gives the same bytes
				text, err := marshal(file)
				if err != nil {
					return err
				}
				if err := renameio.WriteFile(output, text, 0o644); err != nil {
					return err
				}
			}
			return errors.Join(c.result(r, func(w io.Writer) error { return writeResult(w, r) }), verdict)
		},
	}
}

// withDeadline returns a context that ends after some seconds; 0: never.
func withDeadline(ctx context.Context, seconds float64) (context.Context, context.CancelFunc) {
	if seconds == 0 {
		return context.WithCancel(ctx)
	}
	return context.WithTimeout(ctx, time.Duration(seconds*float64(time.Second)))
}

// searchRemark is how often a search that takes long says how far it is.
const searchRemark = 2 * time.Second

// searching returns a function that remarks on the progress of a search for the
// lowest mean of a metric.
func (c *call) searching(objective solvers.Metric) func(solvers.Progress) {
	last := time.Now()
	return func(p solvers.Progress) {
		if now := time.Now(); now.Sub(last) >= searchRemark && !math.IsInf(p.Objective, 1) {
			last = now
			line := fmt.Sprintf("searching: mean %s %.4g %s so far", objective, p.Objective, objective.Unit())
			if !math.IsInf(p.LowerBound, -1) {
				line += fmt.Sprintf(", proved not below %.4g (gap %.2g %%)", p.LowerBound, 100*(p.Objective-p.LowerBound)/p.Objective)
			}
			c.remark("%s", line)
		}
	}
}

// verdictOf returns the error for an answer that holds no configuration to
// use, nil for one that does.
func verdictOf(r experiments.Result) error {
	asked := askedText(r)
	switch r.Status {
	case solvers.Infeasible:
		if len(r.Further) > 0 {
			reach := "what one can keep is unknown"
			if x := ratio(r.Bound.ReachableLimitS, r.Bound.LimitS) + ratio(r.Bound.ReachableLimitUSD, r.Bound.LimitUSD); x > 0 {
				reach = fmt.Sprintf("%.4g times all limits is the best that one can keep", x)
			}
			return nothingf("no configuration keeps %s on these scenarios; %s", asked, reach)
		}
		reach := "unknown"
		if r.Bound.ReachableLimitS != nil || r.Bound.ReachableLimitUSD != nil {
			reach = amount(r.Bound.ReachableLimitS, r.Bound.ReachableLimitUSD)
		}
		return nothingf("no configuration keeps %s on these scenarios; the best that one can keep is %s", asked, reach)
	case solvers.NotFound:
		return nothingf("method %s found no configuration that keeps %s; it does not prove that there is none", r.Method, asked)
	case solvers.LimitHit:
		if len(r.Config) == 0 {
			return nothingf("the search was ended before it found a configuration that keeps %s", asked)
		}
	}
	return nil
}

// ratio returns a over b, 0 where either is missing.
func ratio(a, b *float64) float64 {
	if a == nil || b == nil {
		return 0
	}
	return *a / *b
}

// askedText says what bounds were asked for, in a few words.
func askedText(r experiments.Result) string {
	var parts []string
	for _, b := range append([]experiments.ResultBound{r.Bound}, r.Further...) {
		text := fmt.Sprintf("%s %s at p%v", b.Metric, amount(b.LimitS, b.LimitUSD), b.Percentile)
		switch {
		case b.Measure == solvers.CVaR:
			text = fmt.Sprintf("CVaR %v of %s %s", b.Percentile, b.Metric, amount(b.LimitS, b.LimitUSD))
		case b.AlsoLimitS != nil || b.AlsoLimitUSD != nil:
			text = fmt.Sprintf("%s %s with %s %s at p%v", b.Metric, amount(b.LimitS, b.LimitUSD), b.Metric.Other(), amount(b.AlsoLimitS, b.AlsoLimitUSD), b.Percentile)
		}
		parts = append(parts, text)
	}
	return strings.Join(parts, ", ")
}

// amount prints a value in the unit that it is there in.
func amount(s, usd *float64) string {
	switch {
	case s != nil:
		return fmt.Sprintf("%.4g s", *s)
	case usd != nil:
		return fmt.Sprintf("%.4g USD", *usd)
	}
	return "nothing"
}

func writeResult(w io.Writer, r experiments.Result) error {
	var b strings.Builder
	b.WriteString(headline(r) + "\n\n")
	if len(r.Config) > 0 {
		b.WriteString(configTable(r.Config) + "\n")
	}
	if p := r.Predicted; p != nil {
		rows := [][]any{
			{"latency (s)", short(p.Latency.Mean), short(p.Latency.P50), short(p.Latency.P95), short(p.Latency.P99)},
			{"cost (USD)", short(p.Cost.Mean), short(p.Cost.P50), short(p.Cost.P95), short(p.Cost.P99)},
		}
		b.WriteString(textTable([]any{"predicted", "mean", "p50", "p95", "p99"}, rows) + "\n")
	}
	if h := r.Holdout; h != nil {
		if len(h.Bounds) > 0 {
			b.WriteString(boundTable(r) + "\n")
		} else {
			fmt.Fprintf(&b, "holdout: %d of %d fresh scenarios exceed the limit: risk %.4f to %.4f at %v %% confidence, the bound allows %.4g\n",
				h.Violations, h.N, h.RiskLo, h.RiskHi, h.Confidence, (100-r.Bound.Percentile)/100)
		}
		fmt.Fprintf(&b, "holdout: mean %s %s\n", r.Objective.Metric, amount(h.ObjectiveMeanS, h.ObjectiveMeanUSD))
		if r.Objective.Percentile != 0 {
			fmt.Fprintf(&b, "holdout: p%v of %s %s\n", r.Objective.Percentile, r.Objective.Metric, amount(h.ObjectivePercentileS, h.ObjectivePercentileUSD))
		}
	}
	if t := r.Truth; t != nil && t.Replay != nil {
		fmt.Fprintf(&b, "trace: %d of %d replayed runs exceed the limit: risk %.4f to %.4f\n", t.Replay.Violations, t.Replay.Runs, t.Replay.RiskLo, t.Replay.RiskHi)
	}
	if t := r.Truth; t != nil && t.Stages != nil {
		// The level of either risk is that of the published step terms, which is
		// not the model's; what assuming independence does is their difference.
		fmt.Fprintf(&b, "trace: taking the stages for independent changes the risk by %+.4f (%d recorded runs, published step terms)\n", t.Stages.Independent-t.Stages.Joint, t.Stages.Runs)
	}
	if r.Bound.Violations != nil && r.OneBound() == nil {
		fmt.Fprintf(&b, "sample: %d of %d scenarios exceed the limit, rule %s allows %d\n", *r.Bound.Violations, r.Samples, r.Bound.Rule, r.Bound.AllowedViolations)
	}
	if g := r.Certificate.Gap; g != nil {
		space := fmt.Sprintf("space %q", r.Space)
		if grid := r.Grid.String(); grid != "" {
			space += " with " + grid
		}
		fmt.Fprintf(&b, "proved: no configuration of the %v in %s is below a %s %s of %s (gap %.2g %%)\n",
			r.SpaceSize, space, figureText(r.Objective), r.Objective.Metric, amount(r.Certificate.LowerBoundS, r.Certificate.LowerBoundUSD), 100**g)
	}
	_, err := io.WriteString(w, b.String())
	return err
}

// configTable shows a configuration and, where the model tells, how much the
// recordings say about it.
func configTable(config []experiments.ResultStage) string {
	header := []any{"stage", "memory (MB)", "vCPU", "parallelism"}
	tells := false
	var rows [][]any
	for _, s := range config {
		tells = tells || s.Standing != ""
	}
	for _, s := range config {
		row := []any{s.Stage, s.MemoryMB, fmt.Sprintf("%.3g", s.VCPU), s.Parallelism}
		if tells {
			row = append(row, s.Standing)
		}
		rows = append(rows, row)
	}
	if !tells {
		return textTable(header, rows)
	}
	return textTable(append(header, "this size is"), rows) +
		"percentiles hold on average over configurations between the recorded ones; a method chose this one, so they may not\n"
}

// figureText names what is minimised.
func figureText(o experiments.ResultMean) string {
	if o.Percentile != 0 {
		return fmt.Sprintf("p%v", o.Percentile)
	}
	return "mean"
}

// boundTable shows every bound on the sample and on the holdout.
func boundTable(r experiments.Result) string {
	var rows [][]any
	for i, b := range append([]experiments.ResultBound{r.Bound}, r.Further...) {
		check := r.Holdout.Bounds[i]
		one := experiments.Result{Bound: b}
		if b.Measure == solvers.CVaR {
			rows = append(rows, []any{askedText(one), "is " + amount(b.CVaRS, b.CVaRUSD), "",
				fmt.Sprintf("about %s to %s", amount(check.CVaRLoS, check.CVaRLoUSD), amount(check.CVaRHiS, check.CVaRHiUSD)), "none"})
			continue
		}
		rows = append(rows, []any{askedText(one), fmt.Sprintf("%d of %d", *b.Violations, r.Samples), b.AllowedViolations,
			fmt.Sprintf("risk %.4f to %.4f", check.RiskLo, check.RiskHi), string(b.Guarantee)})
	}
	return textTable([]any{"bound", "broken", "allowed", fmt.Sprintf("holdout (%v %%)", r.Holdout.Confidence), "guarantee"}, rows)
}

// headline says in one line what was asked and what came of it.
func headline(r experiments.Result) string {
	b := r.Bound
	asked := fmt.Sprintf("%s at most %s at p%v", b.Metric, amount(b.LimitS, b.LimitUSD), b.Percentile)
	if r.OneBound() != nil {
		asked = askedText(r)
	}
	line := fmt.Sprintf("%s, %s: %s", r.Workflow, asked, r.Status)
	closest := r.Status == solvers.Infeasible || r.Status == solvers.NotFound
	if len(r.Config) > 0 && !closest {
		if r.Objective.Percentile != 0 {
			line += fmt.Sprintf(", p%v of %s %s", r.Objective.Percentile, r.Objective.Metric, amount(r.Objective.PercentileS, r.Objective.PercentileUSD))
		}
		line += fmt.Sprintf(", mean %s %s", r.Objective.Metric, amount(r.Objective.MeanS, r.Objective.MeanUSD))
	}
	line += fmt.Sprintf("\nmethod %s, model %s, price %s, %s trace", r.Method, r.Model, r.Price, r.Trace.Source)
	if len(r.Config) > 0 && closest {
		line += "\n\nthe closest configuration, which does not keep the bound:"
	}
	return line
}

func short(x float64) string { return fmt.Sprintf("%.4g", x) }
