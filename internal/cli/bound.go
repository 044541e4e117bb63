package cli

import (
	"fmt"
	"strings"

	ucli "github.com/urfave/cli/v2"

	"eevee/solvers"
)

// boundFlags are the flags that say what bounds must be kept, how they are
// judged, and what is made small.
type boundFlags struct {
	latency, cost          []limit
	joint                  bool
	minimise               figure
	percentile, confidence float64
	rule                   string
}

// limit is one value of --latency or --cost: a limit on a percentile, or on a
// CVaR.
type limit struct {
	value      float64
	percentile float64 // 0: that of --percentile
	cvar       bool
}

// figure is what is made small: a mean, or a percentile.
type figure struct {
	metric     solvers.Metric // "": the one that is not bounded
	percentile float64        // 0: the mean
}

func (b *boundFlags) flags() flags {
	return append(flags{
		limitFlag(&b.latency, "latency", "`LIMIT` on the latency, as 40s or in seconds; 40s@99 names its percentile, 40s@cvar95 limits the mean of the worst 5 %; repeatable", parseSeconds),
		limitFlag(&b.cost, "cost", "`LIMIT` on the cost of a run in USD; @99 and @cvar95 as for --latency; repeatable", parseUSD),
		switchFlag(&b.joint, "joint", "one bound on both: the share of runs that exceed --latency or --cost"),
		flagOf(&b.minimise, "minimise", "", "`FIGURE` to make small where both metrics are bounded, or a percentile of it: latency, cost, latency@95, cost@95", parseFigure),
	}, b.judging()...)
}

// judging are the flags that say how bounds are judged.
func (b *boundFlags) judging() flags {
	rules := []string{string(solvers.Certified), string(solvers.Plugin), string(solvers.Verified)}
	return flags{
		percentFlag(&b.percentile, "percentile", "95", "`PERCENT` of runs that must keep a bound that names none"),
		percentFlag(&b.confidence, "confidence", "99.9", "confidence of the guarantee in `PERCENT`, of all bounds together"),
		choiceFlag(&b.rule, "rule", string(solvers.Certified), "`RULE` by which bounds are judged: "+strings.Join(rules, ", "), rules),
	}
}

// limitFlag is a flag whose values, of which there may be several, are limits.
func limitFlag(to *[]limit, name, usage string, parse func(string) (float64, error)) ucli.Flag {
	return listFlag(to, name, usage, func(s string) (limit, error) { return parseLimit(s, parse) })
}

func parseLimit(s string, parse func(string) (float64, error)) (l limit, err error) {
	value, at, named := strings.Cut(s, "@")
	if l.value, err = parse(value); err != nil || !named {
		return l, err
	}
	at, l.cvar = strings.CutPrefix(at, "cvar")
	if l.percentile, err = parsePercentile(strings.TrimPrefix(at, "p")); err != nil {
		return l, fmt.Errorf("%s: behind @ stands a percentile, as 99, or cvar95: %w", s, err)
	}
	return l, nil
}

func parseFigure(s string) (f figure, err error) {
	name, at, named := strings.Cut(s, "@")
	f.metric = solvers.Metric(name)
	if f.metric != solvers.Latency && f.metric != solvers.Cost {
		return f, fmt.Errorf("%q is none of latency, cost, latency@95, cost@95", s)
	}
	if named {
		if strings.HasPrefix(at, "cvar") {
			return f, fmt.Errorf("%q: a mean or a percentile can be minimised; bound CVaR instead", s)
		}
		f.percentile, err = parsePercentile(strings.TrimPrefix(at, "p"))
	}
	return f, err
}

// aim returns what the command line asks for.
func (b *boundFlags) aim(c *call) (solvers.Aim, error) {
	var aim solvers.Aim
	metric := b.minimise.metric
	switch {
	case len(b.latency)+len(b.cost) == 0:
		return aim, usagef("give a bound: --latency, --cost, or both")
	case metric == "" && len(b.latency) > 0 && len(b.cost) > 0:
		return aim, usagef("both metrics are bounded: say with --minimise cost or --minimise latency which one to make small")
	case metric == solvers.Cost && len(b.latency) == 0:
		return aim, usagef("--minimise cost needs a bound on the latency: nothing else keeps it from the smallest sizes")
	case metric == solvers.Latency && len(b.cost) == 0:
		return aim, usagef("--minimise latency needs a bound on the cost: nothing else keeps it from the largest sizes")
	case metric == "" && len(b.latency) > 0:
		metric = solvers.Cost
	case metric == "":
		metric = solvers.Latency
	}
	bounds := b.bounds(metric.Other())
	if b.joint {
		if len(b.latency) != 1 || len(b.cost) != 1 {
			return aim, usagef("--joint makes one bound of one --latency and one --cost; here are %d and %d", len(b.latency), len(b.cost))
		}
		first, second := bounds[0], bounds[1]
		switch {
		case first.Measure == solvers.CVaR || second.Measure == solvers.CVaR:
			return aim, usagef("--joint counts runs that exceed a limit; CVaR has none to count")
		case first.Percentile != second.Percentile:
			return aim, usagef("--joint has one percentile for both limits, not %v and %v", first.Percentile, second.Percentile)
		}
		first.Also = second.Limit
		bounds = bounds[:1:1]
		bounds[0] = first
	}
	aim = solvers.Aim{Bound: bounds[0], Further: bounds[1:], Percentile: b.minimise.percentile}
	if err := aim.Check(); err != nil {
		return aim, usagef("%w", err)
	}
	return aim, nil
}

// bounds returns all bounds, those on the metric named first.
func (b *boundFlags) bounds(first solvers.Metric) (bounds []solvers.Bound) {
	for _, m := range []solvers.Metric{first, first.Other()} {
		limits := b.latency
		if m == solvers.Cost {
			limits = b.cost
		}
		for _, l := range limits {
			bound := solvers.Bound{Metric: m, Limit: l.value, Percentile: l.percentile, Confidence: b.confidence, Rule: solvers.Rule(b.rule)}
			if l.percentile == 0 {
				bound.Percentile = b.percentile
			}
			if l.cvar {
				bound.Measure = solvers.CVaR
			}
			bounds = append(bounds, bound)
		}
	}
	return bounds
}

// aimText says what is asked, as in "latency at most 40 s at p99".
func aimText(aim solvers.Aim) string {
	var parts []string
	for _, b := range aim.Bounds() {
		parts = append(parts, boundText(b))
	}
	text := strings.Join(parts, ", ")
	if aim.Percentile != 0 {
		text += fmt.Sprintf(", least p%v of %s", aim.Percentile, aim.Objective())
	}
	return text
}

func boundText(b solvers.Bound) string {
	atMost := func(m solvers.Metric, limit float64) string {
		return fmt.Sprintf("%s at most %v %s", m, limit, unit(m))
	}
	switch {
	case b.Measure == solvers.CVaR:
		return fmt.Sprintf("CVaR %v of %s", b.Percentile, atMost(b.Metric, b.Limit))
	case b.Also > 0:
		return fmt.Sprintf("%s and %s, both in %v %% of runs", atMost(b.Metric, b.Limit), atMost(b.Metric.Other(), b.Also), b.Percentile)
	}
	return fmt.Sprintf("%s at p%v", atMost(b.Metric, b.Limit), b.Percentile)
}

// unit returns the unit of a metric as readers write it.
func unit(m solvers.Metric) string {
	if m == solvers.Cost {
		return "USD"
	}
	return "s"
}
