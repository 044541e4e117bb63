package cli

import (
	"strings"

	"eevee/solvers"
)

// boundFlags are the flags that say what bound must be kept, and how it is
// judged.
type boundFlags struct {
	latency, cost          float64
	percentile, confidence float64
	rule                   string
}

func (b *boundFlags) flags() flags {
	rules := []string{string(solvers.Certified), string(solvers.Plugin), string(solvers.Verified)}
	return flags{
		secondsFlag(&b.latency, "latency", "", "bound on the latency, as `40s` or in seconds"),
		usdFlag(&b.cost, "cost", "", "bound on the cost of a run in `USD`"),
		percentFlag(&b.percentile, "percentile", "95", "`PERCENT` of runs that must keep the bound"),
		percentFlag(&b.confidence, "confidence", "99.9", "confidence of the guarantee in `PERCENT`"),
		choiceFlag(&b.rule, "rule", string(solvers.Certified), "how the bound is judged: "+strings.Join(rules, ", "), rules),
	}
}

// bound returns the bound that the command line asks for.
func (b *boundFlags) bound(c *call) (solvers.Bound, error) {
	bound := solvers.Bound{Percentile: b.percentile, Confidence: b.confidence, Rule: solvers.Rule(b.rule)}
	switch {
	case c.isSet("latency") == c.isSet("cost"):
		return bound, usagef("give one of --latency and --cost")
	case c.isSet("latency"):
		bound.Metric, bound.Limit = solvers.Latency, b.latency
	default:
		bound.Metric, bound.Limit = solvers.Cost, b.cost
	}
	return bound, nil
}
