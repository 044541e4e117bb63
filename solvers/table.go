package solvers

import (
	"context"
	"runtime"
	"slices"

	"golang.org/x/sync/errgroup"

	"eevee/models"
)

// column is what one stage does under one choice, scenario by scenario.
type column struct {
	latency []float64 // s
	cost    []float64 // USD
}

// table holds the columns of every stage and choice. A stage that reads its
// input parent's parallelism has a set of columns for each value it can take.
type table struct {
	problem *Problem
	n       int
	inputs  [][]int    // per stage: values of the input parallelism that matter; nil: it does not
	columns [][]column // per stage: [input*choices + choice]
}

// newTable computes every column once.
func newTable(ctx context.Context, p *Problem) (*table, error) {
	w := p.Workflow()
	t := &table{
		problem: p, n: p.Scenarios.Len(),
		inputs: make([][]int, w.Len()), columns: make([][]column, w.Len()),
	}
	var work errgroup.Group
	work.SetLimit(runtime.GOMAXPROCS(0))
	for i := range w.Len() {
		choices := p.Space.Choices(i)
		inputs := []int{0}
		if parent := w.InputParent(i); parent >= 0 && p.Scenarios.ReadsInput(i) {
			inputs = parallelisms(p.Space.Choices(parent))
			t.inputs[i] = inputs
		}
		t.columns[i] = make([]column, len(inputs)*len(choices))
		work.Go(func() error {
			for k, in := range inputs {
				if err := ctx.Err(); err != nil {
					return err
				}
				for j, c := range choices {
					t.columns[i][k*len(choices)+j] = t.column(i, c, in)
				}
			}
			return nil
		})
	}
	return t, work.Wait()
}

func (t *table) column(i int, c models.StageConfig, in int) column {
	col := column{make([]float64, t.n), make([]float64, t.n)}
	t.problem.Scenarios.Columns(i, c, in, col.latency, col.cost)
	return col
}

// parallelisms returns the distinct parallelism values of choices, ascending.
func parallelisms(choices []models.StageConfig) []int {
	var list []int
	for _, c := range choices {
		list = append(list, c.Parallelism)
	}
	slices.Sort(list)
	return slices.Compact(list)
}

// input returns the index of the given input parallelism among those of stage
// i, 0 where it does not matter.
func (t *table) input(i, parallelism int) int {
	if t.inputs[i] == nil {
		return 0
	}
	k, ok := slices.BinarySearch(t.inputs[i], parallelism)
	if !ok {
		panic("solvers: input parallelism outside the space")
	}
	return k
}

// at returns the column of stage i under its choice j, with the given input
// parallelism.
func (t *table) at(i, j, inputParallelism int) *column {
	choices := len(t.columns[i]) / max(1, len(t.inputs[i]))
	return &t.columns[i][t.input(i, inputParallelism)*choices+j]
}
