package figures

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"eevee/experiments/sweep"
)

// sweepRow is an answer of a method to a bound on latency.
func sweepRow(method string, limit, percentile, confidence, cost float64, keeps bool) sweep.Row {
	return sweep.Row{
		Workflow: "w", Metric: "latency", LimitS: &limit, Percentile: percentile, Confidence: confidence, Method: method,
		Status: map[bool]string{true: "optimal", false: "done"}[method == "exact"], Keeps: &keeps, ObjectiveMeanUSD: &cost,
	}
}

func column(t *testing.T, name string) sweep.Column {
	t.Helper()
	c, err := sweep.FindColumn(name)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// saved returns the data of a picture.
func saved(t *testing.T, p Picture) string {
	t.Helper()
	dir := t.TempDir()
	if _, err := p.Save(dir, Print); err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(filepath.Join(dir, p.Name+".csv"))
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func TestExploreShowsMeanAndRange(t *testing.T) {
	r := sweep.NewResult([]sweep.Row{
		sweepRow("exact", 10, 95, 50, 1, true), sweepRow("exact", 10, 95, 99, 3, true),
		sweepRow("exact", 20, 95, 50, 1, true), sweepRow("orion", 20, 95, 50, 7, true),
	})
	pictures, err := Explore(r, Exploration{X: column(t, "limit_s"), Y: column(t, "objective_mean_usd"), By: column(t, "method")})
	if err != nil || len(pictures) != 1 {
		t.Fatalf("%d pictures, %v", len(pictures), err)
	}
	got := saved(t, pictures[0])
	for _, line := range []string{"exact,10,2,,,1,3,", "exact,20,1,,,,,", "orion,20,7,,,,,"} {
		if !strings.Contains(got, line+"\n") {
			t.Errorf("no line %q in\n%s", line, got)
		}
	}
	if strings.Count(got, "\n") != 4 {
		t.Errorf("more points than three:\n%s", got)
	}
}

func TestSweepPictures(t *testing.T) {
	var rows []sweep.Row
	for _, p := range []float64{50, 95} {
		for _, c := range []float64{50, 99} {
			best := p/100 + c/1000
			rows = append(rows, sweepRow("exact", 10, p, c, best, true), sweepRow("orion", 10, p, c, best*1.25, true))
		}
	}
	pictures, err := SweepPictures(sweep.NewResult(rows))
	if err != nil {
		t.Fatal(err)
	}
	data := map[string]string{}
	for _, p := range pictures {
		data[p.Name] = saved(t, p)
	}
	regret := data["latency-orion-regret"]
	if strings.Count(regret, ",25\n") != 4 {
		t.Errorf("orion is 25 %% above the optimum everywhere, drawn is\n%s", regret)
	}
	premium := data["latency-exact-premium"]
	if !strings.Contains(premium, "w,50,50,0\n") || !strings.Contains(premium, "w,99,95,") {
		t.Errorf("premium of exact\n%s", premium)
	}
	if !strings.Contains(data["latency-objective"], "w,exact,10,") {
		t.Errorf("the lines over the limits are not there: %q", data["latency-objective"])
	}
}

// The panels of a stack are the pictures themselves, one below the other.
func TestStackIsAsHighAsItsPanels(t *testing.T) {
	a, b := testHeat(), testHeat()
	b.Names[1], b.Values = b.Names[1][:1], b.Values[:1]
	s, err := Stack{{"a", a}, {"b", b}}.sheet()
	if err != nil {
		t.Fatal(err)
	}
	heights := s.h
	for _, h := range []Heat{a, b} {
		f, err := h.frame()
		if err != nil {
			t.Fatal(err)
		}
		heights -= f.sheet().h
	}
	if heights != panelGap {
		t.Errorf("the stack is %v higher than its panels, want %v", heights, panelGap)
	}
	// The darkest field of the lower panel is in the lower part.
	img := rendered(s)
	dark := extent(img, darkest)
	if dark.Min.Y > img.Bounds().Dy()/2 || dark.Max.Y < img.Bounds().Dy()/2 {
		t.Errorf("dark fields reach from %d to %d of %d: not in both panels", dark.Min.Y, dark.Max.Y, img.Bounds().Dy())
	}
	var data strings.Builder
	if err := (Stack{{"a", a}, {"b", b}}).WriteCSV(&data); err != nil {
		t.Fatal(err)
	}
	if !strings.HasPrefix(data.String(), "panel,confidence,percentile,") || strings.Count(data.String(), "\nb,") != 3 {
		t.Errorf("data\n%s", data.String())
	}
}
