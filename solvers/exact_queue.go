package solvers

import (
	"container/heap"
	"math"
)

// queue holds the open nodes of a best-first search, the one with the smallest
// lower bound first.
type queue []queued

type queued struct {
	node  *node
	depth int
	bound float64
}

func (q queue) Len() int           { return len(q) }
func (q queue) Less(i, j int) bool { return q[i].bound < q[j].bound }
func (q queue) Swap(i, j int)      { q[i], q[j] = q[j], q[i] }
func (q *queue) Push(x any)        { *q = append(*q, x.(queued)) }
func (q *queue) Pop() any {
	last := len(*q) - 1
	x := (*q)[last]
	*q = (*q)[:last]
	return x
}

// maxQueue is how many nodes are open at a time. What is left then is searched
// depth first.
const maxQueue = 20_000

// raise searches the node with the smallest lower bound first, which raises what
// is proved of the whole with every node; the bound of a node is that of the
// first price. It returns what is left open.
func (s *search) raise(root *node) queue {
	q := queue{{root, 0, s.floor}}
	for len(q) > 0 && len(q) < maxQueue && !s.done() {
		at := q[0]
		if at.bound >= s.settled() {
			return nil
		}
		s.floor = max(s.floor, at.bound)
		heap.Pop(&q)
		s.count()
		lists, bound, left, ok := s.relax(at.node)
		if !ok || s.complete(at.node, lists, bound) || at.depth == len(s.branch) {
			continue
		}
		i := s.branch[at.depth]
		for j := range left[i] {
			it := lists[i].items[j]
			if bound+it.mean-lists[i].items[0].mean >= s.goal() {
				break
			}
			child := at.node.clone()
			if !s.assign(child, i, it) {
				continue
			}
			if below := max(at.bound, s.pricedBelow(child)); below < s.settled() {
				heap.Push(&q, queued{child, at.depth + 1, below})
			}
		}
	}
	return q
}

// pricedBelow returns the lower bound of the objective below n that the first
// price proves; see pricedBound.
func (s *search) pricedBelow(n *node) float64 {
	for i := range n.pick {
		if _, l := s.partOf(n, i); l != nil && len(l.items) == 0 {
			return math.Inf(1)
		}
	}
	p := s.prices[0]
	cols, bound := s.pricedColumns(n, 0)
	values := s.eval.values(s.priced(p), cols, s.table.hard)
	bound += (OrderStatistic(values, min(s.allowed, len(values)-1)) - s.limit) / p.multiplier
	return bound - precision*math.Abs(bound)
}
