package baselines

import (
	"fmt"
	"slices"

	"eevee/models"
)

// janusSeries is a sub-workflow that is a sequence: every element starts when
// the one before it has ended.
type janusSeries struct {
	elements []janusElement
}

// janusElement is one function, or sub-workflows that run side by side.
type janusElement struct {
	stage    int            // -1: branches
	branches []*janusSeries // two or more
}

// janusParts takes a workflow apart. Only the order of stages counts: an
// edge that another path implies changes nothing. It fails where the order is
// not series-parallel, that is where it holds an N: a before c, b before c and
// d, and neither a before d nor another relation between them (Valdes, Tarjan
// and Lawler, SIAM J. Comput. 11(2), 1982).
func janusParts(w *models.Workflow) (*janusSeries, error) {
	n := w.Len()
	before := make([][]bool, n) // before[i][j]: i has to end before j starts
	for i := range n {
		before[i] = make([]bool, n)
	}
	all := make([]int, n)
	for j := range n {
		all[j] = j
		for _, p := range w.Parents(j) {
			before[p][j] = true
			for i := range n {
				before[i][j] = before[i][j] || before[i][p]
			}
		}
	}
	return janusSequence(w, before, all)
}

func janusSequence(w *models.Workflow, before [][]bool, stages []int) (*janusSeries, error) {
	if len(stages) == 1 {
		return &janusSeries{[]janusElement{{stage: stages[0]}}}, nil
	}
	related := func(a, b int) bool { return before[a][b] || before[b][a] }
	// Elements of a sequence are what remains connected when only stages
	// without an order between them are joined; branches are what remains
	// connected when only ordered ones are.
	if parts := groups(stages, func(a, b int) bool { return !related(a, b) }); len(parts) > 1 {
		slices.SortFunc(parts, func(a, b []int) int {
			if before[a[0]][b[0]] {
				return -1
			}
			return 1
		})
		s := &janusSeries{}
		for _, part := range parts {
			if len(part) == 1 {
				s.elements = append(s.elements, janusElement{stage: part[0]})
				continue
			}
			block, err := janusBlock(w, before, part)
			if err != nil {
				return nil, err
			}
			s.elements = append(s.elements, block)
		}
		return s, nil
	}
	block, err := janusBlock(w, before, stages)
	return &janusSeries{[]janusElement{block}}, err
}

func janusBlock(w *models.Workflow, before [][]bool, stages []int) (janusElement, error) {
	parts := groups(stages, func(a, b int) bool { return before[a][b] || before[b][a] })
	if len(parts) == 1 {
		var names []string
		for _, i := range stages {
			names = append(names, w.Stage(i).Name)
		}
		return janusElement{}, fmt.Errorf("janus: stages %q of workflow %s are neither in sequence nor side by side", names, w.Name())
	}
	block := janusElement{stage: -1}
	for _, part := range parts {
		s, err := janusSequence(w, before, part)
		if err != nil {
			return janusElement{}, err
		}
		block.branches = append(block.branches, s)
	}
	return block, nil
}

// groups returns the connected components of a graph on the given stages, each
// in ascending order, by their first stage.
func groups(stages []int, joined func(a, b int) bool) (parts [][]int) {
	seen := make(map[int]bool, len(stages))
	for _, first := range stages {
		if seen[first] {
			continue
		}
		seen[first] = true
		part := []int{first}
		for k := 0; k < len(part); k++ {
			for _, b := range stages {
				if !seen[b] && joined(part[k], b) {
					seen[b] = true
					part = append(part, b)
				}
			}
		}
		slices.Sort(part)
		parts = append(parts, part)
	}
	return parts
}
