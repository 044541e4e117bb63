package experiments

import (
	"cmp"
	"math"
	"slices"

	"eevee/solvers"
)

// relate fills in what a cell says about the others: its gap to the proved
// optimum, and the methods whose mean objective on the holdout cannot be told
// apart from its own. Since all share the holdout the differences are paired.
func relate(cells []Compared, objectives [][]float64, confidence float64) {
	optimum := math.NaN()
	for _, c := range cells {
		if c.Status == solvers.Optimal {
			optimum = c.objective()
		}
	}
	for i := range cells {
		if gap := (cells[i].objective() - optimum) / optimum; cells[i].Keeps() && !math.IsNaN(gap) {
			cells[i].GapToExact = &gap
		}
		for j := range cells {
			if i != j && objectives[i] != nil && objectives[j] != nil && tie(objectives[i], objectives[j], confidence) {
				cells[i].Ties = append(cells[i].Ties, cells[j].Method)
			}
		}
	}
}

// tie reports whether the interval of the mean difference holds 0: by the
// normal approximation, which is good for a holdout of 100,000.
func tie(a, b []float64, confidence float64) bool {
	n := float64(len(a))
	mean := 0.0
	for k := range a {
		mean += (a[k] - b[k]) / n
	}
	variance := 0.0
	for k := range a {
		d := a[k] - b[k] - mean
		variance += d * d / (n - 1)
	}
	z := math.Sqrt2 * math.Erfinv(confidence/100)
	return math.Abs(mean) <= z*math.Sqrt(variance/n)
}

// Ranked returns the order in which a table shows the cells: those that keep
// the bound first, by objective; then the others; then the unsupported.
func (c Comparison) Ranked() []int {
	order := make([]int, len(c.Cells))
	for i := range order {
		order[i] = i
	}
	class := func(i int) int {
		switch cell := c.Cells[i]; {
		case cell.Unsupported != "":
			return 3
		case !cell.Answered():
			return 2
		case !cell.Keeps():
			return 1
		}
		return 0
	}
	slices.SortStableFunc(order, func(a, b int) int {
		if d := class(a) - class(b); d != 0 {
			return d
		}
		return cmp.Compare(c.Cells[a].objective(), c.Cells[b].objective())
	})
	return order
}
