package models_test

import (
	"math"
	"strings"
	"testing"

	"eevee/models"
	"eevee/traces"
)

func invocation(stage string, cold, read, compute, write float64) traces.Record {
	return traces.Record{
		Workflow: "video", Execution: "run", Stage: stage, Statistic: traces.Invocation, MemoryMB: 1792,
		Cold: &cold, Read: &read, Compute: &compute, Write: &write,
	}
}

// Single invocations are aggregated as a recorded profile is: the four means
// add up to the wall time of the stage, which the slowest instance decides.
func TestInvocationsAreAggregatedAsAProfile(t *testing.T) {
	def, err := models.Load("video")
	if err != nil {
		t.Fatal(err)
	}
	rows := []traces.Record{
		invocation("stage0", 0.1, 1, 10, 1), invocation("stage0", 0.3, 2, 20, 3),
		invocation("stage1", 0, 1, 1, 1), invocation("stage2", 0, 1, 1, 1), invocation("stage3", 0, 1, 1, 1),
	}
	p, err := models.NewProfile(def, rows)
	if err != nil {
		t.Fatal(err)
	}
	o := p.Stage(0)[0]
	if o.Config.Parallelism != 2 || o.Epoch != 1 || len(o.Invocations) != 2 {
		t.Errorf("parallelism %d, epoch %d, %d invocations; want 2, 1, 2", o.Config.Parallelism, o.Epoch, len(o.Invocations))
	}
	want := models.Steps{Cold: 25.3 - 18.5, Read: 1.5, Compute: 15, Write: 2}
	if !within(o.Mean.Cold, want.Cold, 1e-12, 0) || o.Mean.Read != want.Read || o.Mean.Compute != want.Compute || o.Mean.Write != want.Write {
		t.Errorf("means %+v, want %+v", o.Mean, want)
	}
	if wall := o.P95.Cold + o.P95.Exec(); !within(wall, 25.3, 1e-12, 0) {
		t.Errorf("the p95 row adds up to %v s, the stage took 25.3 s", wall)
	}

	// A recorded aggregate of the same run counts as it is.
	mean := rows[0]
	mean.Statistic, mean.Read, mean.Parallelism = traces.Mean, new(1.25), new(int32(2))
	p, err = models.NewProfile(def, append(rows, mean))
	if err != nil {
		t.Fatal(err)
	}
	if got := p.Stage(0)[0].Mean.Read; got != 1.25 {
		t.Errorf("mean read %v, the trace has 1.25", got)
	}
}

func TestBadProfileRows(t *testing.T) {
	def, err := models.Load("video")
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		change func(*traces.Record)
		want   string
	}{
		{func(r *traces.Record) { r.Workflow = "ml" }, `the trace is of workflow "ml"`},
		{func(r *traces.Record) { r.Stage = "stage9" }, `no stage "stage9"`},
		{func(r *traces.Record) { r.Execution = "" }, "workflow_execution_id"},
		{func(r *traces.Record) { r.MemoryMB = 0 }, "memory_mb"},
		{func(r *traces.Record) { r.Parallelism = new(int32(0)) }, "parallelism"},
		{func(r *traces.Record) { r.Statistic = traces.Mean }, "no parallelism"},
		{func(r *traces.Record) { r.Statistic = "p99" }, `statistic "p99"`},
	} {
		r := invocation("stage0", 0, 1, 1, 1)
		c.change(&r)
		if _, err := models.NewProfile(def, []traces.Record{r}); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("error %v does not say %q", err, c.want)
		}
	}
	other := invocation("stage0", 0, 1, 1, 1)
	other.Workflow = "ml"
	if _, err := models.NewProfile(def, []traces.Record{invocation("stage0", 0, 1, 1, 1), other}); err == nil || !strings.Contains(err.Error(), `row 1: is of workflow "ml"`) {
		t.Errorf("rows of two workflows: error %v", err)
	}
	if _, err := models.NewProfile(def, nil); err == nil || !strings.Contains(err.Error(), "no rows") {
		t.Errorf("no rows: error %v", err)
	}
	if _, err := models.NewProfile(def, []traces.Record{invocation("stage0", 0, 1, 1, 1)}); err == nil || !strings.Contains(err.Error(), `"stage1"`) {
		t.Errorf("a missing stage: error %v", err)
	}
	// A step that was not recorded is no number, and a fit says which it is.
	rows := []traces.Record{}
	for _, stage := range []string{"stage0", "stage1", "stage2", "stage3"} {
		r := invocation(stage, 0, 1, 1, 1)
		r.Compute = nil
		rows = append(rows, r)
	}
	p, err := models.NewProfile(def, rows)
	if err != nil {
		t.Fatal(err)
	}
	if !math.IsNaN(p.Stage(0)[0].Mean.Compute) {
		t.Error("a step that was not recorded has a mean")
	}
	if _, err := models.FitJolteon(p, models.JolteonOptions{}); err == nil || !strings.Contains(err.Error(), "stage0") || !strings.Contains(err.Error(), "_s") {
		t.Errorf("fit without a step: error %v", err)
	}
}

// An invocation of which only the duration is known computes all the time, and
// rows of whole runs are no stage's.
func TestInvocationsWithADurationOnly(t *testing.T) {
	def, err := models.Load("video")
	if err != nil {
		t.Fatal(err)
	}
	rows := []traces.Record{{Workflow: "video", Execution: "run", Statistic: traces.Run, StartNS: new(int64(0)), EndNS: new(int64(1e9))}}
	for _, stage := range []string{"stage0", "stage1", "stage2", "stage3"} {
		rows = append(rows, traces.Record{
			Workflow: "video", Execution: "run", Stage: stage, Statistic: traces.Invocation, MemoryMB: 1792, Parallelism: new(int32(1)),
			DurationUS: new(int64(1_500_000)), Write: new(0.25), ScheduledNS: new(int64(1e9)), StartNS: new(int64(1.125e9)),
		})
	}
	p, err := models.NewProfile(def, rows)
	if err != nil {
		t.Fatal(err)
	}
	for i := range 4 {
		if want := (models.Steps{Cold: 0.125, Compute: 1.25, Write: 0.25}); p.Stage(i)[0].Mean != want {
			t.Errorf("stage %d: %+v, want %+v", i, p.Stage(i)[0].Mean, want)
		}
	}
}
