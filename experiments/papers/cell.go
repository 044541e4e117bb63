package papers

import (
	"fmt"
	"strconv"

	"eevee/experiments"
	"eevee/models"
	"eevee/solvers"
)

// Cell is one point of a design: a bound on a workflow, and a method that has
// to keep it. The bound is on the 95th percentile, under the rule plugin, with
// as many scenarios as the published formula asks for: what the published runs
// use.
type Cell struct {
	Workflow string
	Metric   solvers.Metric
	Limit    float64 // s or USD
	Method   string  // as NewMethod knows it, or MethodArtifact
}

// MethodArtifact names the answers of the published artifact itself.
const MethodArtifact = "artifact"

// ourMethods are the methods that are compared with what was published: first
// what the artifact does, then what its paper describes, then the optimum.
var ourMethods = []string{"jolteon:compat", "jolteon", "exact"}

// String returns the bound and the method, as "ml latency 40 s, exact".
func (c Cell) String() string { return fmt.Sprintf("%s %s, %s", c.Workflow, c.BoundText(), c.Method) }

// BoundText returns the bound for readers, as "latency 40 s" or "cost 1.2 ¢".
func (c Cell) BoundText() string { return string(c.Metric) + " " + amount(c.Metric, c.Limit) }

// amount writes a value of a metric for readers, a cost in US cents although it
// comes in USD.
func amount(m solvers.Metric, v float64) string {
	if m == solvers.Latency {
		return digits(v) + " s"
	}
	return digits(100*v) + " ¢"
}

func (c Cell) bound() solvers.Bound {
	return solvers.Bound{
		Metric: c.Metric, Limit: c.Limit, Percentile: publishedPercentile, Confidence: publishedConfidence, Rule: solvers.Plugin,
	}
}

// What the published runs ask for: the 95th percentile, with a confidence error
// of 0.001 in the formula of the sample size.
const (
	publishedPercentile = 95
	publishedConfidence = 99.9
	publishedRisk       = 0.05
	publishedConfErr    = 0.001
)

// CellResult is the answer to a Cell, what the model predicts of it and how it
// fares when it is executed.
type CellResult struct {
	Cell
	Status      solvers.Status // of the method; empty for the artifact, which has none
	Unsupported string         // why the method cannot answer; the rest is then empty
	Config      models.Config  // nil where there is none; with an infeasible bound the closest miss
	Violations  int            // scenarios of the sample that exceed the limit
	Allowed     int            // scenarios that may
	Samples     int
	Warnings    []string // of the method

	Latency, Cost experiments.Percentiles // predicted on scenarios that no method saw, s and USD
	Risk          float64                 // share of those scenarios that exceed the limit
	RiskLo        float64                 // of its exact interval
	RiskHi        float64
	Executed      Executed
}

// Executed is what happened in the replay world of the same trace.
type Executed struct {
	Runs          int
	Latency, Cost ExecutedFigure // s and USD
	Warnings      []string
}

// ExecutedFigure describes one metric over the executed runs. The interval is
// that of the 95th percentile, at 95 % confidence.
type ExecutedFigure struct {
	Mean, P50, P95 float64
	P95Lo, P95Hi   float64
}

// Answered reports whether there is a configuration.
func (r CellResult) Answered() bool { return r.Config != nil }

// Breaks reports whether more scenarios of the method's own sample exceed the
// limit than may.
func (r CellResult) Breaks() bool { return r.Answered() && r.Violations > r.Allowed }

// Admits reports whether the method says that its answer breaks the bound, or
// that there is none.
func (r CellResult) Admits() bool {
	return r.Status == solvers.Infeasible || r.Status == solvers.NotFound
}

// Unreachable reports whether it is proved that no configuration keeps the
// bound on the sample.
func (r CellResult) Unreachable() bool { return r.Status == solvers.Infeasible }

// Bounded returns what the model predicts of the bounded metric.
func (r CellResult) Bounded() experiments.Percentiles {
	if r.Metric == solvers.Latency {
		return r.Latency
	}
	return r.Cost
}

// ExecutedBounded returns how the bounded metric came out.
func (r CellResult) ExecutedBounded() ExecutedFigure {
	if r.Metric == solvers.Latency {
		return r.Executed.Latency
	}
	return r.Executed.Cost
}

// Keeps reports whether the 95th percentile of the executions keeps the bound.
func (r CellResult) Keeps() bool { return r.Answered() && r.ExecutedBounded().P95 <= r.Limit }

// digits writes v with at most four significant digits.
func digits(v float64) string {
	short, err := strconv.ParseFloat(strconv.FormatFloat(v, 'g', 4, 64), 64)
	if err != nil {
		panic(err) // v was a number
	}
	return strconv.FormatFloat(short, 'f', -1, 64)
}
