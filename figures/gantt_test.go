package figures

import (
	"fmt"
	"math"
	"os"
	"strings"
	"testing"

	"gonum.org/v1/plot/vg"
)

// ganttOf makes a run of stages one after the other, with every kind of span.
func ganttOf(stages, instances int) Gantt {
	g := Gantt{Title: fmt.Sprintf("One run, %d stages × %d instances", stages, instances)}
	start := 0.0
	for s := range stages {
		name := fmt.Sprint("stage ", s)
		end := 0.0
		for i := range instances {
			at := start
			f := math.Mod(float64(31*s+i)*0.618, 1)
			for k, d := range []float64{0.1 + f, 0.3, 1 + f, 3 + 2*f, 0.5} {
				g.Spans = append(g.Spans, Span{name, i, kinds[k].name, at, at + d})
				at += d
			}
			end = max(end, at)
		}
		if s%3 != 1 {
			g.Critical = append(g.Critical, name)
			start = end
		}
	}
	return g
}

// 8 stages of 48 instances stay legible: rows of at least two pixels and lanes
// that do not touch, with names that do not either.
func TestGanttIsLegible(t *testing.T) {
	for _, c := range [][2]int{{1, 1}, {4, 8}, {8, 48}, {20, 2}} {
		lanes, err := ganttOf(c[0], c[1]).lanes()
		if err != nil {
			t.Fatal(err)
		}
		if len(lanes) != c[0] {
			t.Fatalf("%d lanes, want %d", len(lanes), c[0])
		}
		bottom := vg.Length(0)
		for _, l := range lanes {
			if l.rows != c[1] || l.row*pixelsPerPoint < 2 {
				t.Errorf("%v: lane %s has %d rows of %v points", c, l.name, l.rows, l.row)
			}
			if l.top-2*criticalReach < bottom {
				t.Errorf("%v: lane %s begins at %v, the one before ends at %v", c, l.name, l.top, bottom)
			}
			bottom = l.top + l.height
			if used := l.row * vg.Length(l.rows); used > l.height+1e-9 {
				t.Errorf("%v: the rows of lane %s take %v of %v points", c, l.name, used, l.height)
			}
		}
	}
}

// A lane is as high as its name, which is bold, and so wider, if it is critical.
func TestGanttLanesHoldTheirNames(t *testing.T) {
	for n := 1; n <= 60; n++ {
		name := strings.Repeat("name ", n)[:3*n]
		lanes, err := Gantt{Lanes: []string{name}, Critical: []string{name}}.lanes()
		if err != nil {
			t.Fatal(err)
		}
		bold := tickText
		bold.bold = true
		if h := bold.set(name, nameWidth).h; h > lanes[0].height {
			t.Errorf("name of %d letters: %v high in a lane of %v", len(name), h, lanes[0].height)
		}
	}
}

// Spans are as long as they take, in the colour of their kind.
func TestGanttSpansAreAsLongAsTheyTake(t *testing.T) {
	f, err := Gantt{Spans: []Span{
		{"s", 0, KindCold, 0, 1}, {"s", 0, KindRead, 1, 3}, {"s", 0, KindCompute, 3, 10},
	}}.frame()
	if err != nil {
		t.Fatal(err)
	}
	f.legend = nil
	img := rendered(f.sheet())
	cold, read, compute := extent(img, orange), extent(img, green), extent(img, blue)
	for _, c := range []struct {
		name      string
		got, want float64
	}{
		{"read", float64(read.Dx()) / float64(cold.Dx()), 2},
		{"compute", float64(compute.Dx()) / float64(cold.Dx()), 7},
	} {
		if math.Abs(c.got/c.want-1) > 0.02 {
			t.Errorf("%s is %.3f times as long as cold, want %v", c.name, c.got, c.want)
		}
	}
	if read.Min.X-cold.Max.X > 1 || compute.Min.X-read.Max.X > 1 || read.Min.X < cold.Max.X-1 {
		t.Errorf("spans %v, %v, %v do not follow each other", cold, read, compute)
	}
}

func TestGanttMarksCriticalLanes(t *testing.T) {
	plain := ganttOf(2, 3)
	plain.Critical = nil
	marked := plain
	marked.Critical = []string{"stage 1"}
	for _, c := range []struct {
		g    Gantt
		want bool
	}{{plain, false}, {marked, true}} {
		f, err := c.g.frame()
		if err != nil {
			t.Fatal(err)
		}
		if got := len(f.legend) == len(kinds)+1; got != c.want {
			t.Errorf("the legend explains the critical path: %v, want %v", got, c.want)
		}
		f.legend = nil
		if got := !extent(rendered(f.sheet()), vermilion).Empty(); got != c.want {
			t.Errorf("a lane is marked: %v, want %v", got, c.want)
		}
		for i, n := range f.y.names {
			if n.bold != (c.want && i == 1) {
				t.Errorf("name %q is bold: %v", n.text, n.bold)
			}
		}
	}
}

func ExampleGantt_WriteCSV() {
	err := Gantt{
		Spans:    []Span{{"map", 0, KindCold, 0, 0.25}, {"map", 0, KindCompute, 0.25, 3.125}, {"reduce", 0, KindRead, 3.125, 4}},
		Critical: []string{"map"},
	}.WriteCSV(os.Stdout)
	if err != nil {
		fmt.Println(err)
	}
	// Output:
	// lane,row,kind,start_s,end_s,critical
	// map,0,cold,0,0.25,true
	// map,0,compute,0.25,3.125,true
	// reduce,0,read,3.125,4,false
}

func TestGanttDefects(t *testing.T) {
	with := func(s Span) Gantt { return Gantt{Spans: []Span{{"good", 0, KindRead, 0, 1}, s}} }
	many := Gantt{}
	for range 100 {
		many.Spans = append(many.Spans, Span{Lane: "a", Kind: "nonsense"})
	}
	for name, c := range map[string]struct {
		Gantt
		want []string
	}{
		"NaN":           {with(Span{"bad", 0, KindRead, math.NaN(), 1}), []string{`span 1 (lane "bad")`, "start", "NaN"}},
		"backwards":     {with(Span{"bad", 0, KindRead, 2, 1}), []string{"span 1", "ends at 1 s", "starts at 2 s"}},
		"kind":          {with(Span{"bad", 0, "sleep", 0, 1}), []string{"span 1", `"sleep"`, "wait, cold, read, compute and write"}},
		"row":           {with(Span{"bad", -1, KindRead, 0, 1}), []string{"span 1", "row -1"}},
		"row too high":  {with(Span{"bad", math.MaxInt, KindRead, 0, 1}), []string{"span 1", "between 0 and 9999"}},
		"too many rows": {Gantt{Spans: []Span{{"a", 7000, KindRead, 0, 1}, {"b", 7000, KindRead, 0, 1}}}, []string{"14002 rows", "at most 10000"}},
		"unknown lane":  {Gantt{Lanes: []string{"a"}, Spans: []Span{{"b", 0, KindRead, 0, 1}}}, []string{"span 0", `"b"`, `["a"]`}},
		"lane twice":    {Gantt{Lanes: []string{"a", "a"}}, []string{"lane 1", "twice"}},
		"critical lane": {Gantt{Critical: []string{"x"}}, []string{`"x"`}},
		"many":          {many, []string{"span 4", "and 95 more"}},
	} {
		_, err := Save(t.TempDir(), "fig", c, Print)
		if err == nil {
			t.Errorf("%s: no error", name)
			continue
		}
		for _, want := range append(c.want, "figures: fig: ") {
			if !strings.Contains(err.Error(), want) {
				t.Errorf("%s: error %q does not say %q", name, err, want)
			}
		}
	}
}
