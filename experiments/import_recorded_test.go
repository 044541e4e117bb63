package experiments_test

import (
	"context"
	"math"
	"path/filepath"
	"strings"
	"testing"

	"eevee/experiments"
	"eevee/internal/recordings"
	"eevee/models"
	"eevee/models/asl"
	"eevee/sim"
)

// pacslab returns a path among the recordings of pacslab/SLAppMdlOpt.
func pacslab(t *testing.T, path string) string {
	return filepath.Join(recordings.Dir(t), "pacslab-slappmdlopt", "modeling", path)
}

// pacslabRequest imports an application with the profile of its functions,
// which was recorded apart, and delays that were recorded on another machine.
// The orchestrator's delays behind an invocation are those that the authors
// worked out; the rest follows from the tasks that they published.
func pacslabRequest(t *testing.T, app string, logs ...string) experiments.ImportRequest {
	q := experiments.ImportRequest{
		Machine:  pacslab(t, app+"/definition.json"),
		Profile:  []string{pacslab(t, "structures/Structures_lambda_logs.csv.gz")},
		Mappings: []string{"pacslab-costs", "pacslab-delays"},
	}
	for _, l := range logs {
		q.Logs = append(q.Logs, pacslab(t, app+"/"+app+"_"+l))
	}
	for _, d := range []string{"AppSFNDelay_SFN_Logs.csv", "AppSFNDelay_SFN_f1_Logs.csv", "AppSFNDelay_SFN_f2_Logs.csv", "AppSFNDelay_SFN_f3_Logs.csv", "AppSFNDelay_SFN_f4_Logs.csv", "Function_Execution_Delay.csv"} {
		q.Delays = append(q.Delays, pacslab(t, "sfn-delay/"+d))
	}
	return q
}

func executeImported(t *testing.T, im *experiments.Imported) *experiments.ExecutionResult {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "app")
	if err := im.Write(dir); err != nil {
		t.Fatal(err)
	}
	source, err := experiments.MachineFiles{Machine: dir}.Load(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	runs := 20_000
	if testing.Short() {
		runs = 4_000
	}
	r, err := source.Execute(t.Context(), experiments.Execution{Runs: runs, Settings: sim.Settings{Seed: 1, Price: models.MustPrice(models.PriceAWS)}}, func(int) {})
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// The whole way, from files to executions: the profile of the functions and the
// delays of the orchestrator, both recorded apart, foresee 5,000 recorded
// executions of each application, latency and cost. All logs join, and what
// invocations were billed is what executions cost.
//
// The published costs of Parallel and Choice are those of the rounded-up
// durations: in 98 and 59 executions AWS billed one millisecond more than that.
func TestPacslabEndToEnd(t *testing.T) {
	if testing.Short() {
		t.Skip("reads the recordings of three applications")
	}
	for _, c := range []struct {
		app                string
		invocations        int
		billed, byDuration int // executions whose cost is that of the bills, of the rounded-up durations
	}{
		{"Sequence", 20_000, 5000, 4887},
		{"Parallel", 20_000, 4902, 5000},
		{"Choice", 10_000, 4941, 5000},
	} {
		im, err := experiments.Import(context.Background(), pacslabRequest(t, c.app, "lambda_logs.csv.gz", "SFN_Logs.csv", "cost_aws.csv"))
		if err != nil {
			t.Fatal(err)
		}
		j := im.Report.Join
		if j.Executions != 5000 || j.Invocations != c.invocations || j.ByTime != c.invocations || j.Share != 1 || j.Empty != 0 {
			t.Errorf("%s: joined %+v", c.app, j)
		}
		if k := im.Report.Costs; k == nil || k.Executions != 5000 || k.Equal != c.billed || k.EqualCeil != c.byDuration || max(k.Equal, k.EqualCeil) != 5000 || k.MostUSD > 2.51e-8 {
			t.Errorf("%s: costs %+v", c.app, k)
		}
		if c.app == "Choice" {
			// 60 of 100 values of the input lead to f1; 4 standard errors.
			if p := im.Behaviour.Choices["Choice"].P[0][0]; math.Abs(p-0.6) > 4*math.Sqrt(0.24/5000) {
				t.Errorf("f1 is taken in %v of the executions", p)
			}
		}
		r := executeImported(t, im)
		a, k := r.Against, r.AgainstCost
		t.Logf("%s: latency p50 %+.2f %%, p95 %+.2f %%, KS %.4f; mean cost %+.2f %%", c.app, 100*a.P50Diff, 100*a.P95Diff, a.KS, 100*k.MeanDiff)
		if a.N != 5000 || math.Abs(a.P50Diff) > 0.05 || math.Abs(a.P95Diff) > 0.06 {
			t.Errorf("%s: latency against %d recorded executions: p50 %+.2f %%, p95 %+.2f %%; at most 5 and 6 %%", c.app, a.N, 100*a.P50Diff, 100*a.P95Diff)
		}
		if k.N != 5000 || math.Abs(k.MeanDiff) > 0.04 {
			t.Errorf("%s: mean cost %+.2f %%; at most 4 %%", c.app, 100*k.MeanDiff)
		}
	}
}

// Of the application Map no logs are published. Its executions cost ten times
// a chain of the four functions, so that the Map has ten items; with that, the
// profile foresees its latency as well.
func TestPacslabMap(t *testing.T) {
	if testing.Short() {
		t.Skip("reads the recordings of an application")
	}
	q := pacslabRequest(t, "Map", "SFN_Logs.csv", "cost_aws.csv")
	im, err := experiments.Import(t.Context(), q)
	if err != nil {
		t.Fatal(err)
	}
	if want := `how many items Map "Map" gets (widths)`; len(im.Report.Learned.Unknown) != 1 || im.Report.Learned.Unknown[0] != want {
		t.Errorf("unknown: %q", im.Report.Learned.Unknown)
	}
	if im.Defined != nil || !strings.Contains(strings.Join(im.Report.Warnings, "\n"), "data decide how many items the Map gets") {
		t.Errorf("a workflow of stages without the width of its Map; warnings %q", im.Report.Warnings)
	}
	q.Widths = map[string]asl.Widths{"Map": {Items: []int{10}, P: []float64{1}}}
	if im, err = experiments.Import(t.Context(), q); err != nil {
		t.Fatal(err)
	}
	r := executeImported(t, im)
	a, k := r.Against, r.AgainstCost
	t.Logf("Map: latency p50 %+.2f %%, p95 %+.2f %%, KS %.4f; mean cost %+.2f %%", 100*a.P50Diff, 100*a.P95Diff, a.KS, 100*k.MeanDiff)
	if math.Abs(a.P50Diff) > 0.05 || math.Abs(a.P95Diff) > 0.06 || math.Abs(k.MeanDiff) > 0.04 {
		t.Errorf("latency p50 %+.2f %%, p95 %+.2f %%, mean cost %+.2f %%", 100*a.P50Diff, 100*a.P95Diff, 100*k.MeanDiff)
	}
}

// AppMdl has branches, a Map and two loops; neither its logs nor its profile
// are published. What its definition needs is named, and with it the machine
// becomes a workflow.
func TestPacslabAppMdl(t *testing.T) {
	w, err := experiments.OpenWorkflow(pacslab(t, "AppMdl/definition.json"))
	if err != nil {
		t.Fatal(err)
	}
	if n := len(w.Machine.States()); n != 25 || w.Name != "AppMdl" {
		t.Errorf("%d states of %s", n, w.Name)
	}
	if unknown := new(asl.Behaviour).Unknown(w.Machine); len(unknown) != 5 {
		t.Errorf("unknown: %q; expected four choices and a width", unknown)
	}
	_, err = w.Define(experiments.DefineOptions{})
	if err == nil || strings.Count(err.Error(), "give recorded executions") != 3 {
		t.Errorf("error %v; expected two loops and a Map", err)
	}
	b := &asl.Behaviour{
		Choices: map[string]asl.Odds{
			"Choice State 2": {To: []string{"f3", "pass2"}, P: [][]float64{{0.1, 0.9}}},
			"Choice State 4": {To: []string{"f9", "f10"}, P: [][]float64{{0.8, 0.2}}},
			"Choice State 6": {To: []string{"f16", "f15"}, P: [][]float64{{0.95, 0.05}}},
		},
		Widths: map[string]asl.Widths{"Map": {Items: []int{5}, P: []float64{1}}},
	}
	d, err := w.Define(experiments.DefineOptions{Behaviour: b})
	if err != nil {
		t.Fatal(err)
	}
	// 16 functions, and the loop over f3, f9, f10, f15, f16 and f6 twice.
	if n := d.Definition.Workflow.Len(); n != 22 {
		t.Errorf("%d stages, want 22", n)
	}
	// What is recorded are the executions.
	q := experiments.ImportRequest{Machine: pacslab(t, "AppMdl/definition.json"), Logs: []string{pacslab(t, "AppMdl/AppMdl_SFN_Logs.csv")}}
	if _, err := experiments.Import(t.Context(), q); err == nil || !strings.Contains(err.Error(), "no invocation in the logs is of one of its functions") {
		t.Errorf("error %v", err)
	}
}
