package figures

import (
	"fmt"
	"math"
	"os"
	"slices"
	"strings"
	"testing"

	"gonum.org/v1/plot/vg"
	"pgregory.net/rapid"

	"eevee/models"
)

// layered makes a workflow of layers in which stages have parents in the layer
// before, and some a further one every skip layers back.
func layered(t testing.TB, stages, width, skip int) *models.Workflow {
	t.Helper()
	var list []models.Stage
	for i := range stages {
		s := models.Stage{Name: fmt.Sprint("stage ", i)}
		for k := range width {
			if p := (i/width-1)*width + k; p >= 0 && (7*i+5*k)%3 != 0 {
				s.After = append(s.After, list[p].Name)
			}
		}
		if p := i - skip*width; p >= 0 && i%3 == 0 {
			if name := list[p].Name; !slices.Contains(s.After, name) {
				s.After = append(s.After, name)
			}
		}
		list = append(list, s)
	}
	w, err := models.NewWorkflow("layered", list)
	if err != nil {
		t.Fatal(err)
	}
	return w
}

func notesOf(stages int) []string {
	var notes []string
	for i := range stages {
		notes = append(notes, fmt.Sprintf("%d × 1792 MB", i+1))
	}
	return notes
}

// randomParents draws a directed acyclic graph.
func randomParents(t *rapid.T) [][]int {
	n := rapid.IntRange(1, 64).Draw(t, "nodes")
	parents := make([][]int, n)
	for i := 1; i < n; i++ {
		for range rapid.IntRange(0, 3).Draw(t, "parents") {
			if p := rapid.IntRange(max(0, i-8), i-1).Draw(t, "parent"); !slices.Contains(parents[i], p) {
				parents[i] = append(parents[i], p)
			}
		}
	}
	return parents
}

func TestLayering(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		parents := randomParents(t)
		l := newLayering(parents)
		edges := 0
		for i, list := range parents {
			edges += len(list)
			for _, p := range list {
				if l.layer[p] >= l.layer[i] {
					t.Fatalf("node %d in layer %d, its parent %d in layer %d", i, l.layer[i], p, l.layer[p])
				}
			}
		}
		if len(l.routes) != edges {
			t.Fatalf("%d routes for %d edges", len(l.routes), edges)
		}
		for _, r := range l.routes {
			if !slices.Contains(parents[r.to], r.from) {
				t.Fatalf("route %v is no edge", r)
			}
			at := l.layer[r.from]
			for _, n := range append(slices.Clone(r.bends), r.to) {
				if at++; l.layer[n] != at {
					t.Fatalf("route %v leaves out layer %d", r, at)
				}
			}
		}
		seen := make([]int, len(l.layer))
		for k, nodes := range l.order {
			if len(nodes) == 0 {
				t.Fatalf("layer %d is empty", k)
			}
			for _, n := range nodes {
				seen[n]++
				if l.layer[n] != k {
					t.Fatalf("node %d of layer %d is in the order of layer %d", n, l.layer[n], k)
				}
			}
		}
		if slices.Min(seen) != 1 || slices.Max(seen) != 1 {
			t.Fatal("a node is not in the order once")
		}

		// Crossings by definition, over all pairs of edges between two layers.
		place, crossings := l.places(), 0
		for a := range l.layer {
			for b := range l.layer {
				for _, c := range l.down[a] {
					for _, d := range l.down[b] {
						if l.layer[a] == l.layer[b] && place[a] < place[b] && place[c] > place[d] {
							crossings++
						}
					}
				}
			}
		}
		if got := l.crossings(); got != crossings {
			t.Fatalf("%d crossings counted, there are %d", got, crossings)
		}
		start := &layering{stages: l.stages, layer: l.layer, up: l.up, down: l.down, order: make([][]int, len(l.order))}
		for n, k := range l.layer {
			start.order[k] = append(start.order[k], n)
		}
		if before := start.crossings(); crossings > before {
			t.Fatalf("%d crossings, in the first order there were %d", crossings, before)
		}

		// Positions keep the order and the gaps.
		extent := make([]vg.Length, len(l.layer))
		for i := range extent {
			extent[i] = vg.Length(1 + i%5)
		}
		at := l.positions(extent, 2)
		for _, nodes := range l.order {
			for i := 1; i < len(nodes); i++ {
				a, b := nodes[i-1], nodes[i]
				if gap := at[b] - extent[b]/2 - at[a] - extent[a]/2; gap < 2-1e-6 {
					t.Fatalf("nodes %d and %d are %v apart, want 2", a, b, gap)
				}
			}
		}
		if low := slices.Min(at); low < 0 {
			t.Fatalf("a node lies at %v", low)
		}
	})
}

// Trees have drawings without crossings, however their nodes are numbered.
func TestTreesDoNotCross(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.IntRange(2, 40).Draw(t, "nodes")
		parents := make([][]int, n)
		for i := 1; i < n; i++ {
			parents[i] = []int{rapid.IntRange(0, i-1).Draw(t, "parent")}
		}
		if c := newLayering(parents).crossings(); c != 0 {
			t.Fatalf("%d crossings in the tree %v", c, parents)
		}
	})
}

func TestChainIsStraight(t *testing.T) {
	var stages []models.Stage
	for i := range 6 {
		s := models.Stage{Name: fmt.Sprint("s", i)}
		if i > 0 {
			s.After = []string{stages[i-1].Name}
		}
		stages = append(stages, s)
	}
	w, err := models.NewWorkflow("chain", stages)
	if err != nil {
		t.Fatal(err)
	}
	p := Graph{Workflow: w}.plan()
	for i := range stages {
		if d := math.Abs(float64(p.across[i] - p.across[0])); d > 1e-6 {
			t.Errorf("stage %d is %v aside", i, d)
		}
	}
}

// samples returns points along the curves of a path.
func samples(path vg.Path) []vg.Point {
	var points []vg.Point
	var at vg.Point
	for _, c := range path {
		for i := range 21 {
			t := vg.Length(i) / 20
			switch c.Type {
			case vg.LineComp:
				points = append(points, between(at, c.Pos, t))
			case vg.CurveComp:
				a, b, d := between(at, c.Control[0], t), between(c.Control[0], c.Control[1], t), between(c.Control[1], c.Pos, t)
				points = append(points, between(between(a, b, t), between(b, d, t), t))
			}
		}
		at = c.Pos
	}
	return points
}

// No box lies on another or leaves the page, and no arrow runs through a box.
func TestGraphBoxesAndArrowsKeepApart(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		parents := randomParents(t)
		var stages []models.Stage
		for i, list := range parents {
			s := models.Stage{Name: fmt.Sprintf("s%d%s", i, strings.Repeat(" name", i%7))}
			for _, p := range list {
				s.After = append(s.After, stages[p].Name)
			}
			stages = append(stages, s)
		}
		w, err := models.NewWorkflow("random", stages)
		if err != nil {
			t.Fatal(err)
		}
		p := Graph{Title: "random", Workflow: w, Notes: notesOf(w.Len())}.plan()
		page := rectangle(0, 0, p.w, p.h)
		for i := range w.Len() {
			if !inside(p.box(i), page) {
				t.Fatalf("box %d at %v leaves the page %v", i, p.box(i), page.Max)
			}
			if b := p.box(i).Size(); p.names[i].w > b.X || p.names[i].h+p.notes[i].h > b.Y {
				t.Fatalf("the texts of stage %d do not fit into its box", i)
			}
			for k := range i {
				if overlap(p.box(i), p.box(k)) {
					t.Fatalf("boxes %d and %d lie on each other", i, k)
				}
			}
		}
		for _, r := range p.routes {
			path, end := p.curve(r)
			points := append(samples(path), end)
			for _, q := range points {
				if !inside(rectangle(q.X, q.Y, q.X, q.Y), page) {
					t.Fatalf("the arrow from %d to %d leaves the page", r.from, r.to)
				}
				for i := range w.Len() {
					if d := nearest(q, grown(p.box(i), -0.5)); d == 0 {
						t.Fatalf("the arrow from %d to %d runs through box %d", r.from, r.to, i)
					}
				}
			}
			if d := nearest(points[0], p.box(r.from)); d > 1e-6 {
				t.Fatalf("the arrow from %d to %d begins %v from its box", r.from, r.to, d)
			}
			if d := nearest(end, p.box(r.to)); d > 1e-6 {
				t.Fatalf("the arrow from %d to %d ends %v from its box", r.from, r.to, d)
			}
		}
	})
}

func ExampleGraph_WriteCSV() {
	w, err := models.NewWorkflow("w", []models.Stage{{Name: "split"}, {Name: "count", After: []string{"split"}}, {Name: "join", After: []string{"split", "count"}}})
	if err != nil {
		fmt.Println(err)
		return
	}
	if err := (Graph{Workflow: w, Notes: []string{"1 × 512 MB", "8 × 1792 MB", "1 × 512 MB"}}).WriteCSV(os.Stdout); err != nil {
		fmt.Println(err)
	}
	// Output:
	// stage,after,note
	// split,,1 × 512 MB
	// count,split,8 × 1792 MB
	// join,split;count,1 × 512 MB
}

func TestGraphDefects(t *testing.T) {
	if _, err := Save(t.TempDir(), "g", Graph{}, Print); err == nil || !strings.Contains(err.Error(), "no workflow") {
		t.Errorf("error %v", err)
	}
	_, err := Save(t.TempDir(), "g", Graph{Workflow: layered(t, 3, 1, 1), Notes: []string{"a"}}, Print)
	if err == nil || !strings.Contains(err.Error(), "1 notes for 3 stages") {
		t.Errorf("error %v", err)
	}
}
