package experiments

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"

	"eevee/models"
)

// DAGShape is a family of generated workflows.
type DAGShape string

// The families.
const (
	RandomDAG      DAGShape = "random"          // every stage waits for one to three earlier ones, drawn uniformly
	ForkJoin       DAGShape = "fork-join"       // rounds of a stage, four parallel ones and a stage that joins them
	Layered        DAGShape = "layered"         // layers of four; every stage waits for one to three of the layer before
	SeriesParallel DAGShape = "series-parallel" // halves put in series or in parallel, recursively
)

// DAGShapes are all families.
var DAGShapes = []DAGShape{RandomDAG, ForkJoin, Layered, SeriesParallel}

// GeneratedDAG is a workflow that no recordings exist of, with a space and
// scenarios to solve on. Every stage has 28 choices: 1, 2, 4 or 8 instances of
// seven sizes from 512 to 3584 MB. It first waits for a delay that no choice
// changes, then works: a fixed part, and one that vCPUs (with the power 0.8)
// and instances share.
type GeneratedDAG struct {
	Workflow  *models.Workflow
	Space     *models.Space
	Scenarios *models.Scenarios
}

// GenerateDAG makes a workflow of a family with the given number of stages and
// scenarios. The same streams give the same.
func GenerateDAG(shape DAGShape, stages, scenarios int, streams models.Streams) (GeneratedDAG, error) {
	source := streams.New("dag")
	parents, err := shape.edges(stages, source)
	if err != nil {
		return GeneratedDAG{}, err
	}
	var list []models.Stage
	for i, after := range parents {
		s := models.Stage{Name: fmt.Sprint("stage", i)}
		for _, p := range after {
			s.After = append(s.After, fmt.Sprint("stage", p))
		}
		list = append(list, s)
	}
	g := GeneratedDAG{}
	if g.Workflow, err = models.NewWorkflow(fmt.Sprintf("%s-%d", shape, stages), list); err != nil {
		return g, err
	}
	var choices []models.StageConfig
	for _, d := range []int{1, 2, 4, 8} {
		for m := 512; m <= 3584; m += 512 {
			choices = append(choices, models.StageConfig{Memory: m, VCPU: float64(m) / models.AWSMBPerVCPU, Parallelism: d})
		}
	}
	if g.Space, err = models.NewSpace(g.Workflow, slices.Repeat([][]models.StageConfig{choices}, stages), nil); err != nil {
		return g, err
	}
	// The input of a run makes all stages larger or smaller together.
	input := make([]float64, scenarios)
	for k := range input {
		input[k] = math.Exp(0.1 * source.NormFloat64())
	}
	samples := make([]models.StageSample, stages)
	for i := range samples {
		samples[i] = drawWork(source, 2+18*source.Float64(), input)
	}
	g.Scenarios, err = models.NewScenarios(g.Workflow, models.MustPrice(models.PriceJolteon), scenarios, samples)
	return g, err
}

// edges draws the parents of every stage, which come before it.
func (s DAGShape) edges(n int, source *rand.Rand) ([][]int, error) {
	parents := make([][]int, n)
	some := func(from []int) []int {
		picked := source.Perm(len(from))[:min(len(from), 1+source.IntN(3))]
		var list []int
		for _, k := range picked {
			list = append(list, from[k])
		}
		slices.Sort(list)
		return list
	}
	upTo := func(lo, hi int) (list []int) {
		for i := lo; i < hi; i++ {
			list = append(list, i)
		}
		return list
	}
	const width = 4
	switch s {
	case RandomDAG:
		for i := 1; i < n; i++ {
			parents[i] = some(upTo(0, i))
		}
	case ForkJoin:
		for i := 1; i < n; i++ {
			switch at := i % (width + 2); {
			case at == 0:
				parents[i] = []int{i - 1}
			case at <= width:
				parents[i] = []int{i - at}
			default:
				parents[i] = upTo(i-width, i)
			}
		}
	case Layered:
		for i := width; i < n; i++ {
			layer := i / width * width
			parents[i] = some(upTo(layer-width, layer))
		}
	case SeriesParallel:
		var build func(lo, hi int, after []int) []int
		build = func(lo, hi int, after []int) []int {
			if hi-lo == 1 {
				parents[lo] = after
				return []int{lo}
			}
			mid := (lo + hi) / 2
			if source.IntN(2) == 0 {
				return build(mid, hi, build(lo, mid, after))
			}
			return append(build(lo, mid, after), build(mid, hi, after)...)
		}
		build(0, n, nil)
	default:
		return nil, fmt.Errorf("workflows of shape %q are not generated; choose one of %v", s, DAGShapes)
	}
	return parents, nil
}

// work is the sample of a generated stage, in seconds and vCPU-seconds.
type work struct{ delay, fixed, shared []float64 }

// drawWork draws a stage whose shared work is about size vCPU-seconds.
func drawWork(source *rand.Rand, size float64, input []float64) *work {
	w := &work{make([]float64, len(input)), make([]float64, len(input)), make([]float64, len(input))}
	spread := 0.05 + 0.15*source.Float64()
	for k, factor := range input {
		w.delay[k] = 0.1 + 0.2*source.ExpFloat64()
		w.fixed[k] = 0.3 * math.Exp(0.1*source.NormFloat64())
		w.shared[k] = size * factor * math.Exp(spread*source.NormFloat64())
	}
	return w
}

// ReadsInput implements models.StageSample.
func (w *work) ReadsInput() bool { return false }

// Times implements models.StageSample.
func (w *work) Times(c models.StageConfig, _ int, latency, billed []float64) {
	out := billed
	if out == nil {
		out = latency
	}
	by := 1 / (math.Pow(c.VCPU, 0.8) * float64(c.Parallelism))
	for k, v := range w.shared {
		out[k] = w.fixed[k] + v*by
	}
	if latency != nil {
		for k, d := range w.delay {
			latency[k] = out[k] + d
		}
	}
}

// Select implements models.SelectableStage.
func (w *work) Select(rows []int32) models.StageSample {
	of := &work{make([]float64, len(rows)), make([]float64, len(rows)), make([]float64, len(rows))}
	for k, r := range rows {
		of.delay[k], of.fixed[k], of.shared[k] = w.delay[r], w.fixed[r], w.shared[r]
	}
	return of
}

// Weigh implements models.LinearStage.
func (w *work) Weigh(weights []float64) models.StageSample {
	one := func(x []float64) []float64 { return []float64{models.Weigh(weights, x)} }
	return &work{one(w.delay), one(w.fixed), one(w.shared)}
}
