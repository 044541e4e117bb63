package solvers

import (
	"context"
	"math"
	"runtime"
	"slices"

	"golang.org/x/sync/errgroup"
	"gonum.org/v1/gonum/floats"

	"eevee/models"
)

// screening drops choices of a space that no configuration better than a known
// one holds. It is the relaxation of search.screen, with every stage looked at
// alone: a stage that reads the parallelism of another takes its best value over
// all of that. Columns are computed, used and forgotten, so that the memory does
// not grow with the number of choices.
type screening struct {
	z         *zoom
	of        *search
	scenarios *models.Scenarios // the leading ones
	limit     float64
	best      float64
	price     price
	bounded   bool // whether there is a price at all
	linear    [][]float64
	alive     [][]bool
	floor     float64
}

func newScreening(z *zoom) *screening {
	s := z.search
	c := &screening{z: z, of: s, limit: z.problem.Bound.Limit, best: z.value, floor: math.Inf(-1)}
	if m := s.mixture; m != nil && m.flow != nil && m.lambda > 0 && !math.IsInf(1/m.lambda, 1) {
		c.bounded = true
		c.scenarios = s.table.leading.scenarios
		c.price = price{1 / s.mixture.lambda, s.sums(s.mixture.flow)}
	}
	for i := range z.problem.Workflow().Len() {
		c.alive = append(c.alive, slices.Repeat([]bool{true}, len(z.problem.Space.Choices(i))))
	}
	return c
}

// each calls f for every stage and choice that is left, from several goroutines:
// with the values of the input parallelism that are left to it.
func (c *screening) each(f func(worker *screened, i, j int, inputs []int)) (workers []*screened, ok bool) {
	space := c.z.problem.Space
	workers = make([]*screened, runtime.GOMAXPROCS(0))
	inputs := make([][]int, len(c.alive)) // before f changes what is alive
	for i := range inputs {
		inputs[i] = c.inputs(i)
	}
	var work errgroup.Group
	for k := range workers {
		workers[k] = &screened{c: c}
		work.Go(func() error {
			for i := range c.alive {
				for j := k; j < len(space.Choices(i)); j += len(workers) {
					if c.alive[i][j] {
						if c.z.ctx.Err() != nil {
							return context.Canceled
						}
						f(workers[k], i, j, inputs[i])
					}
				}
			}
			return nil
		})
	}
	return workers, work.Wait() == nil
}

// inputs returns the values of the input parallelism that stage i can be under.
func (c *screening) inputs(i int) []int {
	p := c.z.problem
	parent := p.Workflow().InputParent(i)
	if parent < 0 || !p.Scenarios.ReadsInput(i) {
		return []int{0}
	}
	var left []models.StageConfig
	for j, of := range p.Space.Choices(parent) {
		if c.alive[parent][j] {
			left = append(left, of)
		}
	}
	return parallelisms(left)
}

// screeningFactors are what the price of the last selection is multiplied with,
// one round after the other: each rules out something else.
var screeningFactors = []float64{1, 1.6, 0.625}

// screened is what one goroutine works in.
type screened struct {
	c        *screening
	column   []float64
	over     []float64
	weighers []func(models.StageConfig, int) float64
	lows     [][]float64
}

// run returns the choices that are left to every stage, and a lower bound of the
// objective of the whole space; nil where it was cut short.
func (c *screening) run() (kept [][]models.StageConfig, floor float64) {
	space := c.z.problem.Space
	if !c.means() {
		return nil, c.floor
	}
	c.byMean()
	first := c.price.multiplier
	for round := 0; c.bounded; round++ {
		left := c.count()
		c.price.multiplier = first * screeningFactors[round%len(screeningFactors)]
		lows, ok := c.lows()
		if !ok || !c.byPrice(lows) {
			return nil, c.floor
		}
		c.byMean()
		// Also where nothing is left.
		if now := c.count(); round >= len(screeningFactors)-1 && 5*now >= 4*left {
			break
		}
	}
	kept = make([][]models.StageConfig, len(c.alive))
	for i := range kept {
		for j, of := range space.Choices(i) {
			// The choices of the configuration that is known stay, so that
			// there is one.
			if c.alive[i][j] || c.z.best[i] == of {
				kept[i] = append(kept[i], of)
			}
		}
	}
	return kept, c.floor
}

func (c *screening) count() (left int) {
	for _, alive := range c.alive {
		for _, a := range alive {
			if a {
				left++
			}
		}
	}
	return left
}

// means computes what every choice adds at least to the objective.
func (c *screening) means() bool {
	p := c.z.problem
	c.linear = make([][]float64, len(c.alive))
	for i := range c.linear {
		c.linear[i] = make([]float64, len(c.alive[i]))
	}
	weights := c.weights()
	_, ok := c.each(func(w *screened, i, j int, inputs []int) {
		if w.weighers == nil {
			for k := range c.alive {
				if c.of.metric == Latency {
					w.weighers = append(w.weighers, p.Scenarios.WeighCost(k, nil))
				} else {
					w.weighers = append(w.weighers, p.Scenarios.WeighLatency(k, weights[k]))
				}
			}
		}
		least := math.Inf(1)
		for _, in := range inputs {
			if v := w.weighers[i](p.Space.Choices(i)[j], in); v < least {
				least = v
			}
		}
		c.linear[i][j] = least
	})
	return ok
}

// weights returns the weights of the stages' latencies in every scenario, of a
// linear lower bound of mean latency.
func (c *screening) weights() [][]float64 {
	if m := c.of.mixture; m != nil && m.view == c.of.table.all {
		return m.weight
	}
	return c.of.onLongest(c.of.incumbent)
}

// byMean drops choices whose objective is too much with the best of all other
// stages.
func (c *screening) byMean() {
	least, sum := c.least()
	c.floor = max(c.floor, min(c.best, sum-precision*math.Abs(sum)))
	for i, alive := range c.alive {
		for j := range alive {
			if alive[j] && !(sum-least[i]+c.linear[i][j] < c.best) {
				alive[j] = false
			}
		}
	}
}

func (c *screening) least() (least []float64, sum float64) {
	for i, alive := range c.alive {
		l := math.Inf(1)
		for j, a := range alive {
			if a {
				l = min(l, c.linear[i][j])
			}
		}
		least = append(least, l)
		sum += l
	}
	return least, sum
}

// own writes what a choice adds to the priced relaxation: share times the best
// bounded value over the inputs, plus the multiplier times the objective.
func (w *screened) own(out []float64, i, j int, inputs []int) {
	c := w.c
	share := c.price.flow[i]
	choice := c.z.problem.Space.Choices(i)[j]
	extra := c.price.multiplier * c.linear[i][j]
	if share == 0 {
		for k := range out {
			out[k] = extra
		}
		return
	}
	for x, in := range inputs {
		to := out
		if x > 0 {
			if w.column == nil {
				w.column = make([]float64, len(out))
			}
			to = w.column
		}
		if c.of.metric == Latency {
			c.scenarios.Columns(i, choice, in, to, nil)
		} else {
			c.scenarios.Columns(i, choice, in, nil, to)
		}
		if x > 0 {
			for k, v := range to {
				if v < out[k] {
					out[k] = v
				}
			}
		}
	}
	for k, v := range out {
		out[k] = share*v + extra
	}
}

// lows returns, per stage and leading scenario, the least that a choice adds.
func (c *screening) lows() ([][]float64, bool) {
	n := c.scenarios.Len()
	workers, ok := c.each(func(w *screened, i, j int, inputs []int) {
		if w.lows == nil {
			w.lows = make([][]float64, len(c.alive))
			for k := range w.lows {
				w.lows[k] = slices.Repeat([]float64{math.Inf(1)}, n)
			}
		}
		w.own(w.room(n), i, j, inputs)
		low := w.lows[i]
		for k, v := range w.over {
			if v < low[k] {
				low[k] = v
			}
		}
	})
	if !ok {
		return nil, false
	}
	lows := make([][]float64, len(c.alive))
	for i := range lows {
		lows[i] = slices.Repeat([]float64{math.Inf(1)}, n)
		for _, w := range workers {
			if w.lows == nil {
				continue
			}
			for k, v := range w.lows[i] {
				if v < lows[i][k] {
					lows[i][k] = v
				}
			}
		}
	}
	return lows, true
}

// byPrice drops the choices with which more than the allowed number of scenarios
// exceed the priced limit, whatever the other stages do, given the least that
// every stage adds. It reports false where it was cut short.
func (c *screening) byPrice(lows [][]float64) bool {
	n := c.scenarios.Len()
	sum := make([]float64, n)
	for _, low := range lows {
		floats.Add(sum, low)
	}
	q := OrderStatistic(sum, min(c.z.allowed, n-1))
	bound := (q - c.limit) / c.price.multiplier
	c.floor = max(c.floor, min(c.best, bound-precision*math.Abs(bound)))
	limit := c.limit + c.price.multiplier*c.best
	limit += precision * math.Abs(limit)
	_, ok := c.each(func(w *screened, i, j int, inputs []int) {
		w.own(w.room(n), i, j, inputs)
		over := 0
		for k, v := range w.over {
			if !(sum[k]-lows[i][k]+v <= limit) {
				over++
			}
		}
		// Every choice is one worker's alone.
		c.alive[i][j] = over <= c.z.allowed
	})
	return ok
}

// room returns where a worker writes what a choice adds.
func (w *screened) room(n int) []float64 {
	if w.over == nil {
		w.over = make([]float64, n)
	}
	return w.over
}
