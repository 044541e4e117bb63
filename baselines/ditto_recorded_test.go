package baselines

import (
	"context"
	"fmt"
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"eevee/internal/recordings"
	"eevee/models"
	"eevee/solvers"
)

func dittoFiles(t testing.TB) fs.FS {
	return os.DirFS(filepath.Join(recordings.Dir(t), "ditto-profiles"))
}

// dittoRecorded returns a recorded query as a job: store is s3-1t or
// redis-100g. Both are described by the file for 1 TB, the only one there is.
func dittoRecorded(t testing.TB, store string, query int) *DittoJob {
	t.Helper()
	job, err := LoadDittoJob(dittoFiles(t), fmt.Sprintf("configs/dsq%d.txt", query), fmt.Sprintf("profiles/%s/q%d", store, query), DittoDegreesPaper)
	if err != nil {
		t.Fatal(err)
	}
	return job
}

func dittoSetting(t testing.TB, name string) DittoSetting {
	t.Helper()
	s, err := LoadDittoSetting(dittoFiles(t), "configs/setting-"+name+".txt")
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// divisibleSlots is what the artifact divides among the stages that can be
// split: every other one has a slot of its own.
func divisibleSlots(j *DittoJob, s DittoSetting) int {
	total := 0
	for _, n := range s.Slots {
		total += n
	}
	for _, stage := range j.Stages {
		if stage.Single {
			total--
		}
	}
	return total
}

// Figure 11 of the paper fits the whole time of one stage bound by
// input/output and of one bound by computation (claims.md, D9). Its fits are
// iterative ones, which may differ from exact least squares by 2e-5; printed
// digits allow half a unit.
func TestDittoFitsOfFigure11(t *testing.T) {
	for _, c := range []struct {
		query, stage int
		a, b, unit   float64
	}{
		{1, 2, 1466.45, .238, .001}, {16, 1, 10569.37, 3.202, .001}, {94, 4, 6441.62, -3.138, .001}, {95, 1, 5339.51, 3.266, .001},
		{1, 4, 138.395, .602, .001}, {16, 6, 2568.571, 215.522, .001}, {94, 6, 1236.72, 103.57, .01}, {95, 6, 1361.86, 101.06, .01},
	} {
		job := dittoRecorded(t, "s3-1t", c.query)
		got := job.Stages[c.stage-1].Whole()
		if parts := job.early(c.stage-1, sharing{}).plus(job.exec(c.stage-1, sharing{})); math.Abs(parts.A-got.A) > 1e-9*got.A || math.Abs(parts.B-got.B) > 1e-9*max(1, math.Abs(got.B)) {
			t.Errorf("query %d, stage %d: the parts add up to %v, the whole is %v", c.query, c.stage, parts, got)
		}
		if math.Abs(got.A/c.a-1) > 2e-5 || math.Abs(got.B-c.b) > c.unit/2+2e-5*math.Abs(c.b) {
			t.Errorf("query %d, stage %d: %.4f/d + %.4f, the paper has %v/d + %v", c.query, c.stage, got.A, got.B, c.a, c.b)
		}
	}
}

// The golden of Query 95 on slots after Zipf 0.9: parallelism and the launch
// times of Figure 15 (claims.md, D13). The artifact cuts every predicted time
// to whole milliseconds; the longest way to a stage adds up 8 of them, so that
// it may be up to 8 ms early.
func TestDittoArtifactOfFigure15(t *testing.T) {
	job, setting := dittoRecorded(t, "s3-1t", 95), dittoSetting(t, "zipf-0.9")
	p, err := DittoScheduler{Slots: setting.Slots, Artifact: true}.Plan(context.Background(), job)
	if err != nil {
		t.Fatal(err)
	}
	if want := []int{60, 15, 1, 48, 4, 24, 1, 12, 1}; !slices.Equal(p.Parallelism, want) {
		t.Errorf("parallelism %v, want %v", p.Parallelism, want)
	}
	launched := func(p DittoPlan, stage int, want float64) {
		t.Helper()
		if got := p.Launch[stage-1]; got < want-1e-9 || got > want+.008 {
			t.Errorf("stage %d is launched at %.4f s, the artifact launches it at %v s", stage, got, want)
		}
	}
	for stage, want := range map[int]float64{1: 0, 2: 89.087, 3: 105.329, 5: 0, 6: 119.881, 7: 0} {
		launched(p, stage, want)
	}
	// The remaining stages were launched whole seconds later or earlier than
	// the published profiles say: 4, which a step that this plan leaves out
	// delays, 8 and 9.

	nimble, err := job.FixedPlan(slices.Repeat([]int{setting.Parallelism}, len(job.Stages)))
	if err != nil {
		t.Fatal(err)
	}
	for stage, want := range map[int]float64{1: 0, 2: 225.511, 3: 252.369, 4: 0, 5: 0, 6: 270.264, 7: 0, 8: 423.248} {
		launched(nimble, stage, want)
	}
}

// dittoReplays are the completion times and costs that an independent port of
// the artifact's scheduler came to (claims.md, D), printed without decimals:
// half a unit is allowed, and 8 ms of the completion times, which are sums of
// whole milliseconds there. Fixed is one parallelism for all stages.
var dittoReplays = []struct {
	query                                int
	slots                                string
	jct, fixedJCT, cost, sizeCost        float64
	paperJCT, paperFixed, paperC, paperN float64
}{
	{1, "zipf-0.9", 217, 287, 1585, 2653, 222.26, 340.22, 2708.5, 3624.17},
	{16, "zipf-0.9", 548, 922, 136803, 165334, 567.3, 824.9, 130691, 181062},
	{94, "zipf-0.9", 231, 435, 32081, 39304, 272.38, 459.83, 31785.7, 48885.8},
	{95, "zipf-0.9", 230, 434, 34901, 42755, 267.7, 403.4, 36265.9, 55201.9},
	{95, "uni-100", 173, 269, 25260, 25518, 184.13, 289.14, 26300.7, 33329.2},
	{95, "uni-75", 203, 318, 26756, 29890, 199.29, 299.92, 26813.9, 44694.2},
	{95, "uni-50", 313, 400, 31683, 38724, 280.18, 456.76, 32842.5, 40056.8},
	{95, "uni-25", 679, 735, 63919, 79101, 354.42, 884.36, 70611.8, 88193.1},
	{95, "norm-1.0", 210, 358, 30786, 34440, 208.61, 350.17, 35110.6, 40806.1},
	{95, "norm-0.8", 202, 358, 30776, 33774, 205.27, 328.66, 33785.3, 43461.7},
	{95, "zipf-0.99", 231, 447, 34945, 43590, 248.55, 453.96, 34819.3, 51612.8},
}

func TestDittoArtifactReplays(t *testing.T) {
	for _, c := range dittoReplays {
		t.Run(fmt.Sprintf("q%d %s", c.query, c.slots), func(t *testing.T) {
			job, setting := dittoRecorded(t, "s3-1t", c.query), dittoSetting(t, c.slots)
			total := divisibleSlots(job, setting)
			plan := func(objective solvers.Metric) DittoPlan {
				p, err := DittoScheduler{Objective: objective, Slots: setting.Slots, Artifact: true}.Plan(context.Background(), job)
				if err != nil {
					t.Fatal(err)
				}
				return p
			}
			fixed := func(d []int) DittoPlan {
				p, err := job.FixedPlan(d)
				if err != nil {
					t.Fatal(err)
				}
				return p
			}
			jct, cost := plan(solvers.Latency), plan(solvers.Cost)
			even, bySize := fixed(job.ParallelismEvenly(total)), fixed(job.ParallelismBySize(total))
			for _, v := range []struct {
				what               string
				got, replay, paper float64
			}{
				{"completion time", jct.JCT, c.jct, c.paperJCT},
				{"completion time with one parallelism", even.JCT, c.fixedJCT, c.paperFixed},
				{"cost", cost.CostGBs, c.cost, c.paperC},
				{"cost by size", bySize.CostGBs, c.sizeCost, c.paperN},
			} {
				if math.Abs(v.got-v.replay) > .508 {
					t.Errorf("%s %.3f, the replay has %v", v.what, v.got, v.replay)
				}
				t.Logf("%s %.2f, measured in the paper %v", v.what, v.got, v.paper)
			}
			// What the paper claims holds in the replay too.
			if jct.JCT >= even.JCT || cost.CostGBs >= bySize.CostGBs {
				t.Error("Ditto is not better than the baseline")
			}
		})
	}
}

// On Redis the port came to these completion times, printed to a tenth.
func TestDittoArtifactReplaysOnRedis(t *testing.T) {
	for k, query := range []int{1, 16, 94, 95} {
		job, setting := dittoRecorded(t, "redis-100g", query), dittoSetting(t, "zipf-0.9")
		total := divisibleSlots(job, setting)
		p, err := DittoScheduler{Slots: setting.Slots, Artifact: true}.Plan(context.Background(), job)
		if err != nil {
			t.Fatal(err)
		}
		for _, v := range []struct {
			what string
			got  float64
			want []float64
		}{
			{"Ditto", p.JCT, []float64{28.3, 70.6, 33.5, 36.6}},
			{"one parallelism", fixedJCT(t, job, job.ParallelismEvenly(total)), []float64{34.5, 92.8, 45.9, 46.9}},
			{"by size", fixedJCT(t, job, job.ParallelismBySize(total)), []float64{61.0, 132.3, 78.6, 77.8}},
		} {
			if math.Abs(v.got-v.want[k]) > .058 {
				t.Errorf("query %d, %s: %.3f s, the replay has %v s", query, v.what, v.got, v.want[k])
			}
		}
	}
}

func fixedJCT(t *testing.T, job *DittoJob, d []int) float64 {
	t.Helper()
	p, err := job.FixedPlan(d)
	if err != nil {
		t.Fatal(err)
	}
	return p.JCT
}

// With the delay of siblings stage 4 of Query 95 ends just before stage 6 is
// ready to read from it. Figure 15 has it 12 s earlier: as if its margin had
// been 18 s instead of the 6 s of the published code.
func TestDittoDelaysSiblings(t *testing.T) {
	job, setting := dittoRecorded(t, "s3-1t", 95), dittoSetting(t, "zipf-0.9")
	s := DittoScheduler{Slots: setting.Slots, Artifact: true}
	plain, err := s.Plan(context.Background(), job)
	if err != nil {
		t.Fatal(err)
	}
	s.DelaySiblings = true
	delayed, err := s.Plan(context.Background(), job)
	if err != nil {
		t.Fatal(err)
	}
	if got := delayed.Launch[3] - 12; math.Abs(got-86.419) > .008 {
		t.Errorf("stage 4 is launched at %.4f s, the figure has 12 s less at 86.419 s", delayed.Launch[3])
	}
	for i := range plain.Launch {
		if i != 3 && plain.Launch[i] != delayed.Launch[i] {
			t.Errorf("stage %d is launched at %v s, without delays at %v s", i+1, delayed.Launch[i], plain.Launch[i])
		}
	}
	if delayed.JCT != plain.JCT {
		t.Errorf("the delay makes the job end at %v s instead of %v s", delayed.JCT, plain.JCT)
	}
}

// The paper's own algorithm has no figures to compare with but its claim: it
// beats the baselines it is published against, and its plan can be placed.
func TestDittoPaperOnRecordings(t *testing.T) {
	for _, c := range dittoReplays {
		job, setting := dittoRecorded(t, "s3-1t", c.query), dittoSetting(t, c.slots)
		total := divisibleSlots(job, setting)
		for _, taskGroups := range []bool{false, true} {
			for _, objective := range []solvers.Metric{solvers.Latency, solvers.Cost} {
				s := DittoScheduler{Objective: objective, Slots: setting.Slots, TaskGroups: taskGroups}
				p, err := s.Plan(context.Background(), job)
				if err != nil {
					t.Fatal(err)
				}
				checkPlan(t, s, job, p)
				if objective == solvers.Latency && p.JCT >= fixedJCT(t, job, job.ParallelismEvenly(total)) {
					t.Errorf("query %d on %s: the paper's plan takes %v s, even parallelism less", c.query, c.slots, p.JCT)
				}
				t.Logf("query %d on %s: %s %.1f s, %.0f GB s, %v, groups %v", c.query, c.slots, objective, p.JCT, p.CostGBs, p.Parallelism, p.Groups)
			}
		}
	}
}

func TestDittoRecordingsAreComplete(t *testing.T) {
	for _, c := range []struct {
		query, stages, singles int
	}{{1, 10, 2}, {16, 9, 2}, {94, 9, 2}, {95, 9, 2}} {
		for store, degrees := range map[string][]int{"s3-1t": DittoDegreesPaper, "redis-100g": DittoDegreesPaper, "s3": DittoDegrees10GB, "redis": DittoDegrees10GB} {
			job, err := LoadDittoJob(dittoFiles(t), fmt.Sprintf("configs/dsq%d.txt", c.query), fmt.Sprintf("profiles/%s/q%d", store, c.query), degrees)
			if c.query == 1 && len(degrees) == len(DittoDegrees10GB) {
				// Its last stage holds ones in place of times.
				if err == nil || !strings.Contains(err.Error(), "q1_stage10.profile: holds the time of a read for which the stage has no input") {
					t.Errorf("%s: a profile of ones: %v", store, err)
				}
				continue
			}
			if err != nil {
				t.Errorf("%s: %v", store, err)
				continue
			}
			singles := 0
			for _, s := range job.Stages {
				if s.Single {
					singles++
				}
			}
			if len(job.Stages) != c.stages || singles != c.singles || job.Name != fmt.Sprintf("q%d", c.query) {
				t.Errorf("%s: job %s has %d stages, %d of them single", store, job.Name, len(job.Stages), singles)
			}
		}
	}
}

// Predictions of the six configurations of Jolteon's Table 4, for its Table 5
// (claims.md A.3, printed to 0.01 s).
func TestDittoPredictsTable5(t *testing.T) {
	_, profile := recordedProfile(t, "video")
	for _, c := range []struct {
		name            string
		parallelism     []int
		vcpu            []float64
		released, fixed float64 // as released, and with the profile's own configurations
	}{
		{"C0", []int{32, 16, 8, 8}, []float64{2.5, 4, 2.5, 2.5}, 23.11, 23.98},
		{"C1", []int{32, 16, 16, 16}, []float64{2, 1.5, 1.5, 2}, 22.75, 22.43},
		{"C2", []int{16, 32, 8, 16}, []float64{2, 1.5, 1.5, 1.5}, 24.62, 27.18},
		{"C3", []int{16, 16, 16, 8}, []float64{1, 1.5, 1.5, 1.5}, 25.28, 29.79},
		{"C4", []int{8, 16, 4, 4}, []float64{1.5, 1, 1, 1}, 30.46, 45.82},
		{"C5", []int{4, 8, 4, 4}, []float64{1.5, 1.5, 1.5, 1.5}, 40.13, 74.74},
	} {
		config := make(models.Config, 4)
		for i, v := range c.vcpu {
			config[i] = models.StageConfig{Memory: int(v * 1792), VCPU: v, Parallelism: c.parallelism[i]}
		}
		for compat, want := range map[bool]float64{true: c.released, false: c.fixed} {
			got, err := Ditto{Compat: compat}.Predict(profile, config)
			if err != nil {
				t.Fatal(err)
			}
			if math.Abs(got-want) > 0.0051 {
				t.Errorf("%s, compat %v: %.4f s, the replay has %v", c.name, compat, got, want)
			}
		}
	}
	if _, err := (Ditto{}).Predict(profile, models.Config{{}}); err == nil {
		t.Error("one stage for four is predicted")
	}
}
