package papers

import (
	"context"
	"fmt"
	"math"
	"runtime"

	"golang.org/x/sync/errgroup"

	"eevee/models"
	"eevee/sim"
)

// ColdStarts are how often a function starts cold over its rate, by the rule by
// which a warm instance is chosen.
type ColdStarts struct {
	Name  string // of the picture
	Title string
	Rules []ColdStartRule
}

func (ColdStarts) rows() {}

// ColdStartRule is one rule.
type ColdStartRule struct {
	Rule   string
	Points []ColdStartPoint
}

// ColdStartPoint is the share of invocations that start cold at a rate, over so
// many seeds: their mean, and the least and the most.
type ColdStartPoint struct {
	Rate          float64 // 1/s
	Share, Lo, Hi float64
}

// warmChoice compares the rules.
type warmChoice struct {
	About       Statement `yaml:",inline"`
	Invocations int       `yaml:"invocations"`
	Seeds       int       `yaml:"seeds"`
	ColdStart   float64   `yaml:"cold_start_s"`
	KeepAlive   float64   `yaml:"keep_alive_s"`
	Functions   []struct {
		Name     string  `yaml:"name"`
		Rate     float64 `yaml:"rate_per_s"`
		Mean     float64 `yaml:"mean_s"`
		Reported []struct {
			Rule sim.WarmChoice `yaml:"rule"`
			Low  float64        `yaml:"low"`
			High float64        `yaml:"high"`
		} `yaml:"reported"`
	} `yaml:"functions"`
	Rates []float64 `yaml:"rates,flow"` // 1/s, of the first function in the picture
}

func newWarmChoice() Experiment { return mustFacts[warmChoice]("data/warmchoice.yaml") }

func (w *warmChoice) Statement() Statement { return w.About }

func (w *warmChoice) Cells(bool) []Cell { return nil }

// The picture shows fewer invocations, of fewer seeds, than the claims rest on. A
// quick run looks at one function.
const (
	pictureInvocations = 100_000
	pictureSeeds       = 3
	quickInvocations   = 10_000
)

func (w *warmChoice) Find(ctx context.Context, lab *Lab) (Finding, error) {
	inPicture, functions := pictureInvocations, w.Functions
	if lab.options.Quick {
		inPicture, functions = quickInvocations, functions[:1]
	}
	rows := ColdStarts{Name: "warm-choice", Title: fmt.Sprintf("keep-alive %v s, %v s of service", w.KeepAlive, w.Functions[0].Mean)}
	var c comparison
	for _, f := range functions {
		for _, r := range f.Reported {
			counts, err := w.coldStarts(ctx, f.Rate, f.Mean, r.Rule, w.Invocations, w.Seeds, lab.options.Seed)
			if err != nil {
				return Finding{}, err
			}
			mean, _, _ := meanRange(counts)
			// The reported range is one of whole numbers.
			half := (r.High-r.Low)/2 + 0.5
			c.add(f.Name+", "+string(r.Rule), "cold_starts", (r.Low+r.High)/2, mean, Tolerance{Absolute: half})
		}
	}
	for _, rule := range sim.WarmChoices {
		curve := ColdStartRule{Rule: string(rule)}
		for _, rate := range thin(w.Rates, lab.options.Quick) {
			counts, err := w.coldStarts(ctx, rate, w.Functions[0].Mean, rule, inPicture, pictureSeeds, lab.options.Seed)
			if err != nil {
				return Finding{}, err
			}
			mean, lo, hi := meanRange(counts)
			n := float64(inPicture)
			curve.Points = append(curve.Points, ColdStartPoint{rate, mean / n, lo / n, hi / n})
		}
		rows.Rules = append(rows.Rules, curve)
	}
	claim := c.claim(Claim{
		ID: "warm-choice", Title: "Cold starts of 300,000 invocations, by the rule by which a warm instance is chosen",
		Unit: "cold starts", Tolerance: "the reported range", Figure: rows.Name + ".png", Data: rows.Name + ".csv",
	}, true)
	return Finding{Rows: rows, Claims: []Claim{claim}, Notes: []string{
		fmt.Sprintf("AWS does not say which rule Lambda follows; the claim is a mean over %d seeds", w.Seeds),
		fmt.Sprintf("the picture shows %d invocations from the first on, when there is no instance yet: at high rates that is all that starts cold", inPicture),
	}}, nil
}

// coldStarts returns the cold starts of a function for every seed.
func (w *warmChoice) coldStarts(ctx context.Context, rate, mean float64, rule sim.WarmChoice, invocations, seeds int, seed uint64) ([]float64, error) {
	platform := &sim.Platform{
		Name:      "one function",
		Instances: sim.Instances{KeepAlive: w.KeepAlive, WarmChoice: rule},
		ColdStart: sim.ColdStart{Init: sim.Mixture{{Median: w.ColdStart}}},
	}
	function, err := newExponentialFunction(mean)
	if err != nil {
		return nil, err
	}
	counts := make([]float64, seeds)
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(runtime.GOMAXPROCS(0))
	for k := range seeds {
		group.Go(func() error {
			s, err := sim.Load(ctx, []sim.Workload{{World: function, Config: oneInstance, Arrivals: sim.Poisson{Rate: rate}}},
				sim.LoadSettings{Platform: platform, Seed: seed + uint64(k), Executions: invocations}, nil)
			if err == nil {
				counts[k] = float64(s.Functions[0].ColdStarts)
			}
			return err
		})
	}
	return counts, group.Wait()
}

func meanRange(x []float64) (mean, lo, hi float64) {
	lo, hi = math.Inf(1), math.Inf(-1)
	for _, v := range x {
		mean += v / float64(len(x))
		lo, hi = min(lo, v), max(hi, v)
	}
	return mean, lo, hi
}

// oneInstance is the configuration of a workflow of one function.
var oneInstance = models.Config{{Memory: models.AWSMBPerVCPU, VCPU: 1, Parallelism: 1}}

// exponentialFunction is the world of a workflow of one function that takes an
// exponential time.
type exponentialFunction struct {
	workflow *models.Workflow
	mean     float64 // s
}

func newExponentialFunction(mean float64) (exponentialFunction, error) {
	w, err := models.NewWorkflow("function", []models.Stage{{Name: "function", MaxParallelism: 1}})
	return exponentialFunction{w, mean}, err
}

// Workflow returns the workflow of one function.
func (f exponentialFunction) Workflow() *models.Workflow { return f.workflow }

// Stage returns the function, whatever its configuration.
func (f exponentialFunction) Stage(int, models.StageConfig, int) (sim.Behaviour, error) {
	return f, nil
}

// Tasks draws one time.
func (f exponentialFunction) Tasks(chance *sim.Chance, tasks []sim.Task) []sim.Task {
	return append(tasks, sim.Task{Compute: int64(chance.Stream.ExpFloat64() * f.mean * 1e9)})
}

// Origin names the law.
func (f exponentialFunction) Origin() string { return "exponential" }

// Warnings returns none.
func (f exponentialFunction) Warnings() []string { return nil }
