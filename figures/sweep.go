package figures

import (
	"cmp"
	"fmt"
	"maps"
	"math"
	"slices"
	"strconv"
	"strings"

	"gonum.org/v1/gonum/stat"

	"eevee/experiments/sweep"
)

// Exploration says which columns of a sweep's result are drawn.
type Exploration struct {
	X, Y, By, Panel sweep.Column // By and Panel may have no name: one line, one picture
}

// Explore draws y over x, a line for every value of By and a picture for every
// value of Panel. Where several rows share all of these, the point is their
// mean and the error bar reaches from the smallest to the largest.
func Explore(r *sweep.Result, e Exploration) ([]Picture, error) {
	if e.X.Text || e.Y.Text {
		return nil, fmt.Errorf("x and y are numbers; %s and %s are not both", e.X.Name, e.Y.Name)
	}
	var pictures []Picture
	for _, p := range e.panels(r) {
		pictures = append(pictures, Picture{Name: fileName(e.Y.Name, "over", e.X.Name, p.Name), Drawing: p.Figure.(Chart)})
	}
	if len(pictures) == 0 {
		return nil, fmt.Errorf("no row has both %s and %s", e.X.Name, e.Y.Name)
	}
	return pictures, nil
}

// panels returns the charts of an exploration by the value of Panel.
func (e Exploration) panels(r *sweep.Result) Stack {
	var panels Stack
	for _, panel := range group(r, e.Panel) {
		chart := Chart{Cast: Methods, Title: e.title(panel), X: axisOf(e.X), Y: axisOf(e.Y)}
		for _, by := range group(panel.Result, e.By) {
			if s := seriesOf(by.Result, e.X, e.Y); len(s.Points) > 0 {
				s.Name = by.name
				chart.Series = append(chart.Series, s)
			}
		}
		if len(chart.Series) > 0 {
			panels = append(panels, Panel{panel.name, chart})
		}
	}
	return panels
}

// title says what a picture shows, and over which inputs its ranges go.
func (e Exploration) title(panel rowGroup) string {
	text := axisOf(e.Y).Label
	if e.By.Name != "" {
		text += " by " + axisOf(e.By).Label
	}
	if panel.name != "" {
		text = panel.name + ": " + text
	}
	var over []string
	for _, c := range sweep.InputColumns() {
		if c.Name == "limit" && strings.HasPrefix(e.X.Name, "limit") {
			continue
		}
		if c.Name != e.X.Name && c.Name != e.By.Name && c.Name != e.Panel.Name && len(group(panel.Result, c)) > 1 {
			over = append(over, axisOf(c).Label)
		}
	}
	if len(over) > 0 {
		text += ", mean and range over " + strings.Join(over, ", ")
	}
	return text
}

func axisOf(c sweep.Column) Axis {
	switch c.Name {
	case "objective_mean_usd":
		return Axis{Label: "mean cost", Unit: c.Unit}
	case "objective_mean_s":
		return Axis{Label: "mean latency", Unit: c.Unit}
	}
	label := strings.ReplaceAll(strings.TrimSuffix(strings.TrimSuffix(c.Name, "_usd"), "_s"), "_", " ")
	return Axis{Label: label, Unit: c.Unit}
}

func fileName(words ...string) string {
	words = slices.DeleteFunc(words, func(w string) bool { return w == "" })
	return strings.Map(func(r rune) rune {
		if strings.ContainsRune(`/\ :`, r) {
			return '-'
		}
		return r
	}, strings.Join(words, "-"))
}

// rowGroup is the rows that share the value of a column.
type rowGroup struct {
	name string
	*sweep.Result
}

// group divides a result by a column, in the order of its values; without a
// name all rows are one group.
func group(r *sweep.Result, c sweep.Column) []rowGroup {
	if c.Name == "" {
		return []rowGroup{{"", r}}
	}
	type key struct {
		number float64
		text   string
	}
	rows := map[key][]int{}
	for i := range r.Rows {
		if number, text, ok := r.Value(c, i); ok {
			rows[key{number, text}] = append(rows[key{number, text}], i)
		}
	}
	var groups []rowGroup
	for _, k := range slices.SortedFunc(maps.Keys(rows), func(a, b key) int {
		return cmp.Or(cmp.Compare(a.number, b.number), cmp.Compare(a.text, b.text))
	}) {
		name := k.text
		if !c.Text {
			name = axisOf(c).Label + " " + strconv.FormatFloat(k.number, 'g', -1, 64)
		}
		groups = append(groups, rowGroup{name, r.Pick(rows[k])})
	}
	return groups
}

func seriesOf(r *sweep.Result, x, y sweep.Column) Series {
	values := map[float64][]float64{}
	for i := range r.Rows {
		at, _, okX := r.Value(x, i)
		v, _, okY := r.Value(y, i)
		if okX && okY {
			values[at] = append(values[at], v)
		}
	}
	s := Series{Line: true, Marker: true}
	for _, at := range slices.Sorted(maps.Keys(values)) {
		list := values[at]
		p := Point{X: at, Y: stat.Mean(list, nil)}
		if len(list) > 1 {
			p.YLo, p.YHi = slices.Min(list), slices.Max(list)
		}
		s.Points = append(s.Points, p)
	}
	return s
}

// SweepPictures draws what one looks at first in the result of a sweep, each
// with a panel for every workflow: the objective over the limits by method, and
// where the sweep varies them, over confidence and percentile the regret and the
// share of answers that break the bound (per method) and what percentile and
// confidence cost (of exact).
func SweepPictures(r *sweep.Result) ([]Picture, error) {
	columns := map[string]sweep.Column{}
	for _, name := range []string{"workflow", "bounded", "method", "percentile", "confidence", "limit_s", "limit_usd", "objective_mean_s", "objective_mean_usd", "regret", "violation", "premium"} {
		c, err := sweep.FindColumn(name)
		if err != nil {
			return nil, err
		}
		columns[name] = c
	}
	var pictures []Picture
	add := func(s Stack, words ...string) {
		if len(s) > 0 {
			pictures = append(pictures, Picture{Name: fileName(words...), Drawing: s})
		}
	}
	for _, b := range group(r, columns["bounded"]) {
		over := Exploration{X: columns["limit_s"], Y: columns["objective_mean_usd"], By: columns["method"], Panel: columns["workflow"]}
		if b.name == "cost" {
			over.X, over.Y = columns["limit_usd"], columns["objective_mean_s"]
		}
		add(over.panels(b.Result), b.name, "objective")
		for _, m := range group(b.Result, columns["method"]) {
			for _, y := range []struct{ column, label string }{
				{"regret", "regret against the proved optimum (%)"},
				{"violation", "answers whose risk is above the bound's (%)"},
				{"premium", "premium over the smallest percentile and confidence (%)"},
			} {
				if (y.column == "premium") != (m.name == "exact") {
					continue
				}
				var s Stack
				for _, w := range group(m.Result, columns["workflow"]) {
					if h, ok := heatOf(w.Result, columns["percentile"], columns["confidence"], columns[y.column]); ok {
						h.Title = fmt.Sprintf("%s, %s bounded, %s: %s", w.name, b.name, m.name, y.label)
						s = append(s, Panel{w.name, h})
					}
				}
				add(s, b.name, m.name, y.column)
			}
		}
	}
	return pictures, nil
}

// heatOf returns the means of a column over two others, and whether there are
// at least two fields with a number.
func heatOf(r *sweep.Result, x, y, value sweep.Column) (Heat, bool) {
	fields := map[[2]float64][]float64{}
	seen := [2]map[float64]bool{{}, {}}
	for i := range r.Rows {
		at, _, okX := r.Value(x, i)
		up, _, okY := r.Value(y, i)
		if !okX || !okY {
			continue
		}
		seen[0][at], seen[1][up] = true, true
		if v, _, ok := r.Value(value, i); ok {
			fields[[2]float64{at, up}] = append(fields[[2]float64{at, up}], v)
		}
	}
	h := Heat{X: axisOf(x).title(), Y: axisOf(y).title(), Value: axisOf(value)}
	xs, ys := slices.Sorted(maps.Keys(seen[0])), slices.Sorted(maps.Keys(seen[1]))
	for _, at := range xs {
		h.Names[0] = append(h.Names[0], strconv.FormatFloat(at, 'g', -1, 64))
	}
	for _, up := range ys {
		h.Names[1] = append(h.Names[1], strconv.FormatFloat(up, 'g', -1, 64))
		var row []float64
		for _, at := range xs {
			v := math.NaN()
			if list := fields[[2]float64{at, up}]; len(list) > 0 {
				v = stat.Mean(list, nil)
			}
			row = append(row, v)
		}
		h.Values = append(h.Values, row)
	}
	return h, len(fields) > 1 && len(xs)*len(ys) > 1
}
