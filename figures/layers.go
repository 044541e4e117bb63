package figures

import (
	"slices"

	"gonum.org/v1/plot/vg"
)

// layering is a directed acyclic graph whose nodes have been put into layers
// so that every edge leads from one layer to the next; an edge that would skip
// a layer passes it through a node of its own. It is the method of Sugiyama,
// Tagawa and Toda, "Methods for visual understanding of hierarchical system
// structures", IEEE Trans. SMC 11 (1981) 109.
type layering struct {
	stages int // nodes below are stages, the others are bends of long edges
	layer  []int
	order  [][]int // the nodes of every layer, in their order
	up     [][]int // neighbours in the layer before
	down   [][]int // neighbours in the layer after
	routes []route
}

// route is an edge with the bends it passes.
type route struct {
	from, to int
	bends    []int
}

// newLayering lays out a graph given by the parents of every node, which come
// before it.
func newLayering(parents [][]int) *layering {
	l := &layering{stages: len(parents), layer: layers(parents)}
	l.up, l.down = make([][]int, len(parents)), make([][]int, len(parents))
	link := func(from, to int) {
		l.down[from] = append(l.down[from], to)
		l.up[to] = append(l.up[to], from)
	}
	for i, list := range parents {
		for _, p := range list {
			r := route{from: p, to: i}
			last := p
			for k := l.layer[p] + 1; k < l.layer[i]; k++ {
				bend := len(l.layer)
				l.layer = append(l.layer, k)
				l.up, l.down = append(l.up, nil), append(l.down, nil)
				r.bends = append(r.bends, bend)
				link(last, bend)
				last = bend
			}
			link(last, i)
			l.routes = append(l.routes, r)
		}
	}
	l.order = make([][]int, slices.Max(l.layer)+1)
	for i, k := range l.layer {
		l.order[k] = append(l.order[k], i)
	}
	l.uncross()
	return l
}

// layers puts every node one layer behind its last parent, and then nodes with
// more children than parents as close to their children as they can be.
func layers(parents [][]int) []int {
	layer := make([]int, len(parents))
	children := make([][]int, len(parents))
	for i, list := range parents {
		for _, p := range list {
			layer[i] = max(layer[i], layer[p]+1)
			children[p] = append(children[p], i)
		}
	}
	for i := len(parents) - 1; i >= 0; i-- {
		if len(children[i]) <= len(parents[i]) {
			continue
		}
		first := len(parents)
		for _, c := range children[i] {
			first = min(first, layer[c])
		}
		layer[i] = first - 1
	}
	return layer
}

// uncross orders the nodes of every layer by the mean place of their
// neighbours, forwards and backwards in turn, swaps neighbours where that
// helps, and keeps the order with the fewest crossings.
func (l *layering) uncross() {
	best, fewest := l.cloneOrder(), l.crossings()
	const sweeps = 24
	for sweep := 0; sweep < sweeps && fewest > 0; sweep++ {
		for i := range l.order {
			k, neighbours := i, l.up
			if sweep%2 == 1 {
				k, neighbours = len(l.order)-1-i, l.down
			}
			l.sortByMean(k, neighbours)
		}
		l.swap()
		if n := l.crossings(); n < fewest {
			best, fewest = l.cloneOrder(), n
		}
	}
	l.order = best
}

func (l *layering) cloneOrder() [][]int {
	order := make([][]int, len(l.order))
	for k, nodes := range l.order {
		order[k] = slices.Clone(nodes)
	}
	return order
}

// places returns the place of every node in its layer.
func (l *layering) places() []int {
	place := make([]int, len(l.layer))
	for _, nodes := range l.order {
		for i, n := range nodes {
			place[n] = i
		}
	}
	return place
}

func (l *layering) sortByMean(k int, neighbours [][]int) {
	place := l.places()
	mean := make(map[int]float64)
	for i, n := range l.order[k] {
		mean[n] = float64(i) // without neighbours it stays
		if list := neighbours[n]; len(list) > 0 {
			sum := 0
			for _, m := range list {
				sum += place[m]
			}
			mean[n] = float64(sum) / float64(len(list))
		}
	}
	slices.SortStableFunc(l.order[k], func(a, b int) int {
		switch {
		case mean[a] < mean[b]:
			return -1
		case mean[a] > mean[b]:
			return 1
		}
		return 0
	})
}

// swap exchanges neighbours in a layer as long as that removes crossings.
func (l *layering) swap() {
	for improved := true; improved; {
		improved = false
		place := l.places()
		for _, nodes := range l.order {
			for i := 1; i < len(nodes); i++ {
				a, b := nodes[i-1], nodes[i]
				now := inversions(l.up[a], l.up[b], place) + inversions(l.down[a], l.down[b], place)
				then := inversions(l.up[b], l.up[a], place) + inversions(l.down[b], l.down[a], place)
				if then < now {
					nodes[i-1], nodes[i] = b, a
					place[a], place[b] = i, i-1
					improved = true
				}
			}
		}
	}
}

// inversions counts the crossings of the edges of a with those of b, its
// neighbour behind it.
func inversions(a, b, place []int) int {
	n := 0
	for _, p := range a {
		for _, q := range b {
			if place[p] > place[q] {
				n++
			}
		}
	}
	return n
}

// crossings counts the pairs of edges between two layers that cross.
func (l *layering) crossings() int {
	place := l.places()
	n := 0
	for _, nodes := range l.order {
		for i, a := range nodes {
			for _, b := range nodes[i+1:] {
				n += inversions(l.down[a], l.down[b], place)
			}
		}
	}
	return n
}

// positions places every node across the layers so that edges go to the side
// as little as possible, in the order of its layer and with a gap between nodes
// of the given extents. The lowest border lies at 0.
func (l *layering) positions(extent []vg.Length, gap vg.Length) []vg.Length {
	at := make([]vg.Length, len(l.layer))
	for _, nodes := range l.order {
		edge := vg.Length(0)
		for _, n := range nodes {
			at[n] = edge + extent[n]/2
			edge += extent[n] + gap
		}
		for _, n := range nodes {
			at[n] -= (edge - gap) / 2
		}
	}
	// Forwards and backwards in turn until nothing moves any more, or nearly so
	// in the largest graphs.
	const sweeps, still = 400, 0.01
	for sweep := range sweeps {
		moved := vg.Length(0)
		for i := range l.order {
			k := i
			if sweep%2 == 1 {
				k = len(l.order) - 1 - i
			}
			moved = max(moved, l.settle(k, at, extent, gap))
		}
		if moved < still {
			break
		}
	}
	low := vg.Length(0)
	for i, n := range at {
		low = min(low, n-extent[i]/2)
	}
	for i := range at {
		at[i] -= low
	}
	return at
}

// stiffness is the weight of an edge between two layers: parts of a long edge
// weigh more, so that it is straight.
func (l *layering) stiffness(a, b int) vg.Length {
	w := vg.Length(1)
	for _, n := range []int{a, b} {
		if n >= l.stages {
			w *= 2
		}
	}
	return w
}

// settle moves the nodes of layer k to where the squares of what their edges
// go to the side have the smallest sum that the order and the gaps allow: with
// the distances that must be kept subtracted it is an isotonic regression,
// solved by pooling adjacent violators (Ayer et al. 1955). It returns the
// longest way a node went.
func (l *layering) settle(k int, at, extent []vg.Length, gap vg.Length) (moved vg.Length) {
	type pool struct {
		sum, weight vg.Length
		nodes       int
	}
	var pools []pool
	nodes := l.order[k]
	offset := make([]vg.Length, len(nodes))
	for i, n := range nodes {
		if i > 0 {
			offset[i] = offset[i-1] + extent[nodes[i-1]]/2 + gap + extent[n]/2
		}
		var sum, weight vg.Length
		for _, m := range slices.Concat(l.up[n], l.down[n]) {
			w := l.stiffness(n, m)
			sum, weight = sum+w*at[m], weight+w
		}
		if weight == 0 {
			sum, weight = at[n], 1
		}
		pools = append(pools, pool{sum - offset[i]*weight, weight, 1})
		for len(pools) > 1 {
			a, b := pools[len(pools)-2], pools[len(pools)-1]
			if a.sum/a.weight < b.sum/b.weight {
				break
			}
			pools = append(pools[:len(pools)-2], pool{a.sum + b.sum, a.weight + b.weight, a.nodes + b.nodes})
		}
	}
	i := 0
	for _, p := range pools {
		for range p.nodes {
			to := p.sum/p.weight + offset[i]
			moved = max(moved, to-at[nodes[i]], at[nodes[i]]-to)
			at[nodes[i]] = to
			i++
		}
	}
	return moved
}
