package solvers

import (
	"math"
	"slices"

	"eevee/models"
)

// grid is a space seen as a ladder of parallelism per stage, with a ladder of
// sizes on every rung: what rounding rounds to and a move moves on.
type grid struct {
	space *models.Space
	rungs [][]rung
	at    [][]int // per stage and choice: its rung
}

// rung holds the choices of one parallelism, from <= choice < to, by memory.
type rung struct{ parallelism, from, to int }

func newGrid(space *models.Space) *grid {
	g := &grid{space: space}
	for i := range space.Workflow.Len() {
		var rungs []rung
		var at []int
		for j, c := range space.Choices(i) {
			if n := len(rungs); n == 0 || rungs[n-1].parallelism != c.Parallelism {
				rungs = append(rungs, rung{parallelism: c.Parallelism, from: j})
			}
			rungs[len(rungs)-1].to = j + 1
			at = append(at, len(rungs)-1)
		}
		g.rungs, g.at = append(g.rungs, rungs), append(g.at, at)
	}
	return g
}

// onGrid forgives what the continuous solver leaves of a value on the grid.
const onGrid = 1e-6

// size returns the first choice of a rung with at least the given vCPU, the
// largest where there is none.
func (g *grid) size(i, r int, vcpu float64) int {
	rung := g.rungs[i][r]
	for j := rung.from; j < rung.to; j++ {
		if g.space.Choices(i)[j].VCPU >= vcpu*(1-onGrid) {
			return j
		}
	}
	return rung.to - 1
}

// roundUp rounds every stage up, first its parallelism, then its vCPU. Where a
// coupling rule forbids that it takes the next larger parallelism that the
// rules allow, then the next smaller. It is false if no configuration is
// admissible.
func (g *grid) roundUp(points []models.Point) (pick []int, ok bool) {
	pick = make([]int, len(points))
	chosen := make([]int, len(points)) // parallelism
	var assign func(i int) bool
	assign = func(i int) bool {
		if i == len(points) {
			return true
		}
		want := points[i].Parallelism * (1 - onGrid)
		up := slices.IndexFunc(g.rungs[i], func(r rung) bool { return float64(r.parallelism) >= want })
		if up < 0 {
			up = len(g.rungs[i]) - 1
		}
		try := func(r int) bool {
			chosen[i] = g.rungs[i][r].parallelism
			pick[i] = g.size(i, r, points[i].VCPU)
			return g.admits(chosen[:i+1]) && assign(i+1)
		}
		for r := up; r < len(g.rungs[i]); r++ {
			if try(r) {
				return true
			}
		}
		for r := up - 1; r >= 0; r-- {
			if try(r) {
				return true
			}
		}
		return false
	}
	return pick, assign(0)
}

// admits reports whether the rules allow the parallelism of the first stages,
// as far as they say something about these alone and the last of them.
func (g *grid) admits(parallelism []int) bool {
	last := len(parallelism) - 1
	for _, r := range g.space.Rules() {
		if max(r.Stage, r.Of) == last && !r.Admits(parallelism[r.Stage], parallelism[r.Of]) {
			return false
		}
	}
	return true
}

// moves calls visit with every configuration one move away from pick: a stage
// takes the next larger or smaller size, or the next larger or smaller
// parallelism, and stages that a rule couples to it follow. The slice is
// reused.
func (g *grid) moves(pick []int, visit func(moved []int)) {
	moved := make([]int, len(pick))
	pinned := make([]bool, len(pick))
	for i, j := range pick {
		r := g.at[i][j]
		for _, step := range [2]int{1, -1} {
			if k := j + step; k >= g.rungs[i][r].from && k < g.rungs[i][r].to {
				copy(moved, pick)
				moved[i] = k
				visit(moved)
			}
		}
		for _, step := range [2]int{1, -1} {
			if k := r + step; k >= 0 && k < len(g.rungs[i]) {
				copy(moved, pick)
				clear(pinned)
				pinned[i] = true
				g.shift(moved, i, k)
				if g.repair(moved, pinned) {
					visit(moved)
				}
			}
		}
	}
}

// shift puts stage i on rung r at its present size, or the next larger one.
func (g *grid) shift(pick []int, i, r int) {
	pick[i] = g.size(i, r, g.space.Choices(i)[pick[i]].VCPU)
}

// repair shifts the stages that are not pinned until every rule holds, each at
// most once, and reports whether that was possible.
func (g *grid) repair(pick []int, pinned []bool) bool {
	parallelism := func(i int) int { return g.rungs[i][g.at[i][pick[i]]].parallelism }
	for {
		k := slices.IndexFunc(g.space.Rules(), func(r models.Rule) bool {
			return !r.Admits(parallelism(r.Stage), parallelism(r.Of))
		})
		if k < 0 {
			return true
		}
		rule := g.space.Rules()[k]
		i, wanted := rule.Stage, func(d int) bool { return rule.Admits(d, parallelism(rule.Of)) }
		if pinned[i] {
			i, wanted = rule.Of, func(d int) bool { return rule.Admits(parallelism(rule.Stage), d) }
		}
		r := g.nearest(i, g.at[i][pick[i]], wanted)
		if pinned[i] || r < 0 {
			return false
		}
		pinned[i] = true
		g.shift(pick, i, r)
	}
}

// nearest returns the rung of stage i that is nearest to r, among those whose
// parallelism is wanted; -1 if none is.
func (g *grid) nearest(i, r int, wanted func(parallelism int) bool) int {
	best, distance := -1, math.MaxInt
	for k, rung := range g.rungs[i] {
		if away := max(k-r, r-k); away < distance && wanted(rung.parallelism) {
			best, distance = k, away
		}
	}
	return best
}
