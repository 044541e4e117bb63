package report

import (
	"bytes"
	"context"
	"encoding/csv"
	"encoding/json"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"eevee/experiments"
	"eevee/experiments/papers"
	"eevee/figures"
	"eevee/models"
)

// answered is a result as a method gives it.
func answered(method string, limit, p95 float64) papers.CellResult {
	r := papers.CellResult{
		Config: models.Config{{Memory: 1792, VCPU: 1, Parallelism: 4}}, Allowed: 5, Samples: 100,
	}
	r.Workflow, r.Metric, r.Limit, r.Method = "ml", "latency", limit, method
	r.Executed = papers.Executed{Runs: 500,
		Latency: papers.ExecutedFigure{Mean: p95 - 2, P50: p95 - 1, P95: p95, P95Lo: p95 - 0.5, P95Hi: p95 + 0.5},
		Cost:    papers.ExecutedFigure{Mean: 0.01, P50: 0.01, P95: 0.012, P95Lo: 0.011, P95Hi: 0.013},
	}
	r.Latency, r.Cost = experiments.Percentiles{P95: p95}, experiments.Percentiles{P95: 0.012}
	return r
}

// nothing is the result of a search that found no configuration.
func nothing(method string, limit float64) papers.CellResult {
	r := answered(method, limit, 1)
	r.Status = "not-found"
	r.Config, r.Warnings = nil, []string{"the probe found nothing"}
	return r
}

func tightnessOfTwo() papers.Tightness {
	broken, silent := answered("jolteon:compat", 20, 25), answered(papers.MethodArtifact, 20, 25)
	broken.Violations, broken.Status, silent.Violations = 9, "not-found", 9
	infeasible := answered("exact", 10, 11)
	infeasible.Violations, infeasible.Status = 9, "infeasible"
	return papers.Tightness{Metric: "latency", Panels: []papers.TightnessPanel{{
		Name: "figXa", Workflow: "ML pipeline", Recorded: true, Bounds: []float64{10, 20}, Reported: []float64{9, 19},
		Answers: []papers.MethodAnswers{
			{Method: papers.MethodArtifact, Results: []papers.CellResult{answered(papers.MethodArtifact, 10, 9.5), silent}},
			{Method: "jolteon:compat", Results: []papers.CellResult{answered("jolteon:compat", 10, 9.5), broken}},
			{Method: "jolteon", Results: []papers.CellResult{nothing("jolteon", 10), answered("jolteon", 20, 19)}},
			{Method: "exact", Results: []papers.CellResult{infeasible, answered("exact", 20, 18)}},
		},
	}}}
}

// The table of bounds tells a method that breaks its bound and says so from one
// that says nothing, and from one that found nothing at all.
func TestBoundsSayWhoBreaks(t *testing.T) {
	table := bounds(tightnessOfTwo(), "s", 1)
	want := [][]any{
		{"ML pipeline", 10.0, 9.0, 9.5, "", 9.5, "", nil, "not-found", 11.0, "infeasible"},
		{"ML pipeline", 20.0, 19.0, 25.0, "nothing", 25.0, "not-found", 19.0, "", 18.0, ""},
	}
	if !reflect.DeepEqual(table.Rows, want) {
		t.Errorf("rows %v, want %v", table.Rows, want)
	}
}

// A bound that is proved infeasible is marked in the picture, and answers that
// break their bound are a series of their own.
func TestTightnessChart(t *testing.T) {
	all := pictures(papers.Finding{Statement: papers.Statement{ID: "figX"}, Rows: tightnessOfTwo()})
	chart := all[0].Drawing.(figures.Chart)
	marked := false
	for _, r := range chart.References {
		marked = marked || r.Kind == figures.Vertical && r.Value == 10 && strings.Contains(r.Text, "infeasible")
	}
	if !marked {
		t.Errorf("the infeasible bound is not marked: %+v", chart.References)
	}
	points := map[string]int{}
	for _, s := range chart.Series {
		points[s.Name] = len(s.Points)
	}
	want := map[string]int{figures.ReportedName: 2, "exact": 2, "jolteon": 1, "jolteon:compat": 1, figures.CompatBreaks: 1, figures.ArtifactName: 2}
	if !reflect.DeepEqual(points, want) {
		t.Errorf("points %v, want %v", points, want)
	}
}

// The list of cells has a row for every result, one without a configuration too.
func TestCells(t *testing.T) {
	var answers []papers.MethodAnswers
	for _, p := range tightnessOfTwo().Panels {
		answers = append(answers, p.Answers...)
	}
	var b bytes.Buffer
	if err := cells(answers).WriteCSV(&b); err != nil {
		t.Fatal(err)
	}
	rows, err := csv.NewReader(&b).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	if len(rows) != 1+8 {
		t.Fatalf("%d rows, want a heading and 8", len(rows))
	}
	at := map[string]int{}
	for i, name := range rows[0] {
		at[name] = i
	}
	for _, row := range rows[1:] {
		found := row[at["config"]] != ""
		if found != (row[at["executed_p95_latency_s"]] != "") || found == strings.Contains(row[at["warnings"]], "found nothing") {
			t.Errorf("row %v", row)
		}
	}
}

// Times that are proportional to the samples grow with the power 1 of their
// number; what few samples take does not count.
func TestGrowth(t *testing.T) {
	m := papers.MethodTimes{Method: "exact"}
	for _, n := range []int{10, 1000, 10_000, 100_000} {
		seconds := max(0.5, 1e-3*float64(n))
		m.Times = append(m.Times, papers.SolveTime{Samples: n, TimeTaken: papers.TimeTaken{CPU: &seconds}})
	}
	panel := papers.SolveTimePanel{Workflow: "ML", Bound: "latency 30 s", Methods: []papers.MethodTimes{m, {Method: "jolteon", Times: m.Times[:3]}}}
	got := growth([]papers.SolveTimePanel{panel}).Rows
	if len(got) != 1 || got[0][2] != "exact" || math.Abs(got[0][3].(float64)-1) > 1e-12 {
		t.Error(got)
	}
}

// Reports and claims are the same whatever was measured in time, of as many
// samples as a whole run has.
func TestReportsHoldNoTimes(t *testing.T) {
	var reports [2]map[string]string
	for k := range reports {
		seconds := 0.1 * float64(1+k)
		panel := papers.SolveTimePanel{Name: "fig13a-ml-timings", Workflow: "ML", Bound: "latency 30 s", Methods: []papers.MethodTimes{{Method: "exact"}}}
		for i, n := range []int{10, 1000, 10_000, 100_000} {
			taken := papers.TimeTaken{Wall: seconds * math.Pow(float64(i+1), float64(k+1)), Repetitions: 1}
			panel.Methods[0].Times = append(panel.Methods[0].Times, papers.SolveTime{Samples: n, TimeTaken: taken})
		}
		f := papers.Findings{Findings: []papers.Finding{
			{
				Statement: papers.Statement{ID: "fig13", MeasuresTime: true}, Rows: papers.SolveTimes{Panels: []papers.SolveTimePanel{panel}},
				Elapsed: time.Duration(k), Machine: papers.Machine{At: fmt.Sprint(k)},
				Claims: []papers.Claim{{ID: "fig13a", Timed: true, Reported: []papers.Value{{Value: new(float64)}}, Reproduced: []papers.Value{{Value: &seconds}}}},
			},
			{Statement: papers.Statement{ID: "table6", MeasuresTime: true}, Rows: papers.FitTimes{Name: "table6-timings", What: "time", Rows: []papers.FitTime{{Workflow: "ML", Reported: 1, TimeTaken: papers.TimeTaken{Wall: seconds, Repetitions: 1}}}}},
		}}
		dir := t.TempDir()
		if _, err := Save(context.Background(), dir, f, nil); err != nil {
			t.Fatal(err)
		}
		list, err := os.ReadDir(dir)
		if err != nil {
			t.Fatal(err)
		}
		reports[k] = map[string]string{}
		for _, file := range list {
			text, err := os.ReadFile(filepath.Join(dir, file.Name()))
			if err != nil {
				t.Fatal(err)
			}
			reports[k][file.Name()] = string(text)
		}
	}
	for name, text := range reports[0] {
		if timed := strings.Contains(name, "timings"); timed == (reports[1][name] == text) {
			t.Errorf("%s: holds times by its name: %v, by its contents: %v", name, timed, !timed)
		}
	}
	if len(reports[0]) < 10 || reports[0]["fig13-growth-timings.csv"] == "" {
		t.Errorf("%d files", len(reports[0]))
	}
}

// What was measured in time is in timings.json and in no other JSON file.
func TestTimesAreApart(t *testing.T) {
	seconds := 0.125
	claim := papers.Claim{
		ID: "fig13a", Verdict: papers.Reproduced, Why: "all 1 times are within the tolerance", Timed: true,
		Reported: []papers.Value{{At: "ml", Of: "solve_s", Value: &seconds}}, Reproduced: []papers.Value{{At: "ml", Of: "solve_s", Value: &seconds}},
	}
	f := papers.Findings{Seed: 1, Findings: []papers.Finding{{
		Statement: papers.Statement{ID: "fig13", Title: "times"}, Claims: []papers.Claim{claim},
		Rows: papers.SolveTimes{Panels: []papers.SolveTimePanel{{
			Name: "fig13a-ml-timings", Workflow: "ML pipeline", Bound: "latency 30 s", Reported: []float64{0.5},
			Methods: []papers.MethodTimes{{Method: "exact", Times: []papers.SolveTime{
				{Samples: 10, TimeTaken: papers.TimeTaken{CPU: &seconds, Wall: 0.25, Repetitions: 3}},
				{Samples: 100, TimeTaken: papers.TimeTaken{CPU: &seconds, Wall: 0.25, Repetitions: 3}}, // nothing was reported of it
			}}},
		}}},
	}}}
	dir := t.TempDir()
	var done []int
	if _, err := Save(context.Background(), dir, f, func(n, total int) { done = append(done, n, total) }); err != nil {
		t.Fatal(err)
	}
	if !reflect.DeepEqual(done, []int{1, 1}) {
		t.Errorf("progress %v", done)
	}
	var claims papers.ClaimList
	readJSON(t, filepath.Join(dir, "claims.json"), &claims)
	if v := claims.Claims[0].Reproduced[0]; v.Value != nil || !strings.Contains(claims.Claims[0].Why, "timings.json") {
		t.Errorf("claims.json holds a time: %+v", claims.Claims[0])
	}
	if v := f.Claims().Claims[0].Reproduced[0].Value; v == nil || *v != seconds {
		t.Error("saving changed the findings")
	}
	var times timings
	readJSON(t, filepath.Join(dir, "timings.json"), &times)
	if len(times.Times) != 2 || times.Times[1].Reported != 0 {
		t.Fatalf("timings.json: %+v", times)
	}
	if times.Times[0].Reported != 0.5 || *times.Times[0].CPU != seconds || *times.Claims[0].Reproduced[0].Value != seconds {
		t.Errorf("timings.json: %+v", times)
	}
}

func readJSON(t *testing.T, path string, to any) {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(text, to); err != nil {
		t.Fatal(err)
	}
}

// Nothing is saved once a run is interrupted.
func TestSaveIsInterrupted(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	dir := t.TempDir()
	f := papers.Findings{Findings: []papers.Finding{{Statement: papers.Statement{ID: "figX"}, Rows: tightnessOfTwo()}}}
	if _, err := Save(ctx, dir, f, nil); err == nil {
		t.Error("no error")
	}
	if left, err := os.ReadDir(dir); err != nil || len(left) > 0 {
		t.Errorf("left %v, %v", left, err)
	}
}
