package cli

import (
	"fmt"
	"io"
	"strings"

	"eevee/experiments"
	"eevee/solvers"
)

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
	switch g := r.Certificate.Gap; {
	case g == nil && r.Status == solvers.LimitHit && len(r.Config) > 0:
		b.WriteString("proved: nothing yet of how much better another configuration could be\n")
	case g != nil:
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
