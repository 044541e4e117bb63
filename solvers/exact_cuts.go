package solvers

import (
	"math"
	"slices"

	"gonum.org/v1/gonum/mat"
	"gonum.org/v1/gonum/optimize/convex/lp"
)

// maxCuts bounds how many linear objectives are mixed into one.
const maxCuts = 5

// mixCuts replaces the linear objective by a mixture that is a good lower
// bound of the mean latency wherever the choices that are left can go. The
// linear objective around a single reference is blind to stages off its
// longest paths, so that slow choices of those look free. Any mixture of such
// objectives is a lower bound too; here each is made where the relaxed
// problem, the bound priced with the multiplier, goes next, and the weights
// are those that make the smallest relaxed value over the visited points as
// large as possible (Kelley's cutting planes, J. SIAM 8(4), 1960, on the
// Lagrangian).
func (s *search) mixCuts(multiplier float64) {
	cuts := [][][]float64{s.linear}
	var points [][]int
	for len(cuts) < maxCuts {
		next, value := s.space.Separable(s.readsInput, func(i, j, in int) float64 {
			if s.dead[i][j] {
				return math.Inf(1)
			}
			k := s.table.input(i, in)*len(s.space.Choices(i)) + j
			return s.linear[i][k] + s.score[i][k]/multiplier
		})
		if math.IsInf(value, 1) || slices.ContainsFunc(points, func(p []int) bool { return slices.Equal(p, next) }) {
			return
		}
		s.offer(next)
		points = append(points, next)
		cuts = append(cuts, s.linearise(next))
		payoff := make([][]float64, len(cuts))
		for c := range cuts {
			for _, p := range points {
				payoff[c] = append(payoff[c], s.total(cuts[c], p)+s.total(s.score, p)/multiplier)
			}
		}
		s.linear = s.mixture(cuts, maximin(payoff))
	}
}

// refine searches below n with a linear objective of its own: that of the
// whole tree says little about the mean latency once the stages that decide
// which path is the longest have been assigned.
func (s *search) refine(n *node, depth int) {
	sub := *s
	sub.refinedAt, sub.lists = depth, make(map[listKey]*list)
	sub.dead = make([][]bool, len(s.dead))
	for i, dead := range s.dead {
		sub.dead[i] = slices.Clone(dead)
		for j, c := range s.space.Choices(i) {
			if n.pick[i] >= 0 && j != n.pick[i] || c.Parallelism < n.lo[i] || c.Parallelism > n.hi[i] {
				sub.dead[i][j] = true
			}
		}
	}
	sub.mixCuts(s.multipliers[0])
	below := n.clone()
	for i, j := range below.pick {
		if j >= 0 {
			below.items[i] = sub.item(i, j, sub.inputOf(below, i))
			below.items[i].parallelism = n.items[i].parallelism
		}
	}
	sub.multipliers = sub.bestMultipliers(below, s.multipliers[0])
	sub.probe(below)
	sub.visit(below, depth)
	s.best, s.incumbent, s.nodes = sub.best, sub.incumbent, sub.nodes
	s.stopped, s.open = sub.stopped, sub.open
}

// readsInput reports whether stage i reads the parallelism of its input parent.
func (s *search) readsInput(i int) bool { return s.table.inputs[i] != nil }

// total adds up a value of every stage's column under a configuration.
func (s *search) total(value [][]float64, pick []int) float64 {
	sum := 0.0
	for i, j := range pick {
		sum += value[i][s.columnOf(i, j, pick)]
	}
	return sum
}

// columnOf returns the index of the column of stage i, choice j, under a
// configuration.
func (s *search) columnOf(i, j int, pick []int) int {
	if s.table.inputs[i] == nil {
		return j
	}
	parent := s.space.Workflow.InputParent(i)
	in := s.table.input(i, s.space.Choices(parent)[pick[parent]].Parallelism)
	return in*len(s.space.Choices(i)) + j
}

// mixture returns the weighted sum of linear objectives.
func (s *search) mixture(cuts [][][]float64, weight []float64) [][]float64 {
	mix := make([][]float64, len(cuts[0]))
	for i := range mix {
		mix[i] = make([]float64, len(cuts[0][i]))
		for c, w := range weight {
			for j, v := range cuts[c][i] {
				mix[i][j] += w * v
			}
		}
	}
	return mix
}

// maximin returns the weights of the rows, summing to 1, that maximise the
// smallest weighted column of payoff: the optimal strategy of a matrix game,
// by linear programming. Any weights are valid here; where the program fails
// the first row gets all.
func maximin(payoff [][]float64) []float64 {
	rows, cols := len(payoff), len(payoff[0])
	first := make([]float64, rows)
	first[0] = 1
	low, high := math.Inf(1), math.Inf(-1)
	for _, r := range payoff {
		low, high = min(low, slices.Min(r)), max(high, slices.Max(r))
	}
	if !(high > low) {
		return first
	}
	// Variables: the weights, the value v >= 0 of the game scaled to [0, 1],
	// one slack per column. Constraints: the weights sum to 1, and for every
	// column weights*payoff - v - slack = 0.
	a := mat.NewDense(cols+1, rows+1+cols, nil)
	b := make([]float64, cols+1)
	c := make([]float64, rows+1+cols)
	c[rows] = -1
	b[cols] = 1
	for r := range rows {
		a.Set(cols, r, 1)
		for k := range cols {
			a.Set(k, r, (payoff[r][k]-low)/(high-low))
		}
	}
	for k := range cols {
		a.Set(k, rows, -1)
		a.Set(k, rows+1+k, -1)
	}
	_, x, err := lp.Simplex(c, a, b, 1e-10, nil)
	if err != nil {
		return first
	}
	weights := make([]float64, rows)
	sum := 0.0
	for r := range weights {
		weights[r] = max(0, x[r])
		sum += weights[r]
	}
	if !(sum > 0) {
		return first
	}
	for r := range weights {
		weights[r] /= sum
	}
	return weights
}
