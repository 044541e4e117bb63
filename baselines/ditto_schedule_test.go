package baselines

import (
	"context"
	"errors"
	"math"
	"reflect"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"eevee/solvers"
)

// checkPlan checks what every plan has to keep: each task has a slot, stages
// are launched when they can work, and groups are on one server.
func checkPlan(t interface{ Errorf(string, ...any) }, s DittoScheduler, j *DittoJob, p DittoPlan) {
	used := make([]int, len(s.Slots))
	for i, d := range p.Parallelism {
		if d < 1 || j.Stages[i].Single && d != 1 {
			t.Errorf("stage %d: parallelism %d", i, d)
		}
		placed := 0
		for k, n := range p.Placement[i] {
			used[k] += n
			placed += n
		}
		if placed != d {
			t.Errorf("stage %d: %d of %d tasks are placed", i, placed, d)
		}
	}
	for k, n := range used {
		if n > s.Slots[k] {
			t.Errorf("server %d: %d tasks on %d slots", k, n, s.Slots[k])
		}
	}
	seen := make([]bool, len(j.Stages))
	for _, g := range p.Groups {
		if len(g) < 2 {
			t.Errorf("group %v is none", g)
		}
		home := 0
		for k := range s.Slots {
			if slices.ContainsFunc(g, func(i int) bool { return p.Placement[i][k] > 0 }) {
				home++
			}
		}
		if home != 1 && !s.TaskGroups {
			t.Errorf("group %v is on %d servers", g, home)
		}
		for _, i := range g {
			if seen[i] {
				t.Errorf("stage %d is in two groups", i)
			}
			seen[i] = true
		}
	}
	for i := range j.Stages {
		if p.Launch[i] < 0 || p.End[i] < p.Launch[i] || p.End[i] > p.JCT+1e-9 {
			t.Errorf("stage %d runs from %v to %v s of %v", i, p.Launch[i], p.End[i], p.JCT)
		}
	}
}

// randomJob draws a tree of stages that ends in one.
func randomJob(t *rapid.T) *DittoJob {
	time := func(name string) DittoTime {
		return DittoTime{A: rapid.Float64Range(-5, 200).Draw(t, name), B: rapid.Float64Range(0, 5).Draw(t, name)}
	}
	n := rapid.IntRange(1, 7).Draw(t, "stages")
	j := &DittoJob{Name: "random", Stages: make([]DittoStage, n)}
	for i := range j.Stages {
		j.Stages[i] = DittoStage{
			Name: string(rune('a' + i)), Single: rapid.IntRange(0, 4).Draw(t, "single") == 0,
			Exchange: rapid.SampledFrom([]DittoExchange{Gather, AllGather}).Draw(t, "exchange"),
			Setup:    DittoTime{B: rapid.Float64Range(0, 3).Draw(t, "setup")}, Compute: time("compute"), Write: time("write"),
			MemoryGB: rapid.Float64Range(0, 50).Draw(t, "memory"),
		}
	}
	for i := range n - 1 {
		to := &j.Stages[rapid.IntRange(i+1, n-1).Draw(t, "reader")]
		to.Reads = append(to.Reads, DittoRead{From: i, Early: rapid.IntRange(0, 3).Draw(t, "early") == 0, Time: time("read")})
	}
	for i := range j.Stages {
		if len(j.Stages[i].Reads) == 0 {
			j.Stages[i].Reads = []DittoRead{{From: -1, Time: time("read")}}
		}
	}
	return j
}

func TestDittoPlansCanBePlaced(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		j := randomJob(t)
		s := DittoScheduler{
			Objective:    rapid.SampledFrom([]solvers.Metric{"", solvers.Latency, solvers.Cost}).Draw(t, "objective"),
			Slots:        rapid.SliceOfN(rapid.IntRange(1, 20), 7, 9).Draw(t, "slots"),
			SharedMemory: rapid.SampledFrom([]float64{0, 50}).Draw(t, "shared memory"),
			TaskGroups:   rapid.Bool().Draw(t, "task groups"),
			Ungrouped:    rapid.Bool().Draw(t, "ungrouped"),
		}
		p, err := s.Plan(context.Background(), j)
		if err != nil {
			t.Fatal(err)
		}
		checkPlan(t, s, j, p)
		if s.Ungrouped && p.Groups != nil {
			t.Errorf("groups %v", p.Groups)
		}
		again, _ := s.Plan(context.Background(), j)
		if !reflect.DeepEqual(p, again) {
			t.Errorf("two plans of one job: %+v and %+v", p, again)
		}
	})
}

// threeEdges is a job of two producers and a reader, which the last stage reads
// from. To write and to read takes 10 s from a, 30 s from b and 20 s from c.
func threeEdges() *DittoJob {
	compute := DittoTime{A: 100}
	return &DittoJob{Name: "edges", Stages: []DittoStage{
		{Name: "a", Reads: []DittoRead{{From: -1}}, Compute: compute, Write: DittoTime{B: 5}, MemoryGB: 1},
		{Name: "b", Reads: []DittoRead{{From: -1}}, Compute: compute, Write: DittoTime{B: 15}, MemoryGB: 1},
		{Name: "c", Reads: []DittoRead{{From: 0, Time: DittoTime{B: 5}}, {From: 1, Time: DittoTime{B: 15}}}, Compute: compute, Write: DittoTime{B: 10}, MemoryGB: 1},
		{Name: "d", Reads: []DittoRead{{From: 2, Time: DittoTime{B: 10}}}, Compute: compute, MemoryGB: 1},
	}}
}

// The parallelism of the four stages under 12 slots is 2, 2, 4, 4: the chain
// of c and d, and the pair before them, each with half of the rest.
func TestDittoGroupsTheHeaviestEdgeFirst(t *testing.T) {
	for _, c := range []struct {
		name   string
		slots  []int
		groups [][]int
	}{
		{"everything fits", []int{12}, [][]int{{0, 1, 2, 3}}},
		{"no two stages fit", []int{4, 4, 4}, nil},
		// b-c first; c-d would be the next on the critical path, but b, c and d do not fit.
		{"one pair fits", []int{6, 3, 3}, [][]int{{1, 2}}},
		{"three stages fit", []int{8, 4}, [][]int{{0, 1, 2}}},
		{"b, c, d fit", []int{10, 2}, [][]int{{1, 2, 3}}},
	} {
		p, err := DittoScheduler{Slots: c.slots}.Plan(context.Background(), threeEdges())
		if err != nil {
			t.Fatal(err)
		}
		if want := []int{2, 2, 4, 4}; !slices.Equal(p.Parallelism, want) {
			t.Fatalf("parallelism %v, want %v", p.Parallelism, want)
		}
		if !reflect.DeepEqual(p.Groups, c.groups) {
			t.Errorf("%s: groups %v, want %v", c.name, p.Groups, c.groups)
		}
	}
}

func TestDittoGreedyOrder(t *testing.T) {
	j := threeEdges()
	edges := j.edges()
	for _, c := range []struct {
		objective solvers.Metric
		want      [][2]int
	}{
		// On the critical path b-c-d the edge of 30 s goes first, then c-d. Then
		// a-c-d is the longest.
		{solvers.Latency, [][2]int{{1, 2}, {2, 3}, {0, 2}}},
		{solvers.Cost, [][2]int{{1, 2}, {2, 3}, {0, 2}}},
	} {
		s := &dittoJoint{DittoScheduler: DittoScheduler{Objective: c.objective}, job: j, d: []int{1, 1, 1, 1}}
		if got := s.order(edges); !slices.Equal(got, c.want) {
			t.Errorf("%s: order %v, want %v", c.objective, got, c.want)
		}
	}
	// A heavy edge off the critical path comes after those on it, but first
	// where the path does not count.
	j.Stages[0].Write.B, j.Stages[1].Compute.A = 40, 400
	s := &dittoJoint{DittoScheduler: DittoScheduler{Objective: solvers.Latency}, job: j, d: []int{1, 1, 1, 1}}
	if got, want := s.order(edges), [][2]int{{1, 2}, {2, 3}, {0, 2}}; !slices.Equal(got, want) {
		t.Errorf("order %v, want %v", got, want)
	}
	s.Objective = solvers.Cost
	if got, want := s.order(edges), [][2]int{{0, 2}, {1, 2}, {2, 3}}; !slices.Equal(got, want) {
		t.Errorf("order %v, want %v", got, want)
	}
}

// An edge that was taken counts for nothing: then another path is the critical
// one, and its heaviest edge comes before one that both paths share.
func TestDittoGreedyOrderMovesToTheNextPath(t *testing.T) {
	j := threeEdges()
	j.Stages[0].Write.B = 20 // a-c of 25 s beside b-c of 30 s
	s := &dittoJoint{DittoScheduler: DittoScheduler{Objective: solvers.Latency}, job: j, d: []int{1, 1, 1, 1}}
	if got, want := s.order(j.edges()), [][2]int{{1, 2}, {0, 2}, {2, 3}}; !slices.Equal(got, want) {
		t.Errorf("order %v, want %v", got, want)
	}
}

// Three groups of 4, 3 and 3 tasks fit onto 6 and 4 slots only if the largest
// is placed first, and where it leaves the least.
func TestDittoBestFit(t *testing.T) {
	j := &DittoJob{Name: "pairs"}
	for k := range 6 {
		from := -1
		if k%2 == 1 {
			from = k - 1
		}
		j.Stages = append(j.Stages, DittoStage{Name: string(rune('a' + k)), Reads: []DittoRead{{From: from}}})
	}
	s := &dittoJoint{DittoScheduler: DittoScheduler{Slots: []int{6, 4}}, job: j}
	s.grouped = grouped([][]int{{0, 1}, {2, 3}, {4, 5}}, 0)
	got, ok := s.place([]int{1, 2, 2, 2, 2, 1})
	if want := [][]int{{1, 0}, {2, 0}, {0, 2}, {0, 2}, {2, 0}, {1, 0}}; !ok || !reflect.DeepEqual(got, want) {
		t.Errorf("placement %v (%t), want %v", got, ok, want)
	}
	if _, ok := s.place([]int{1, 3, 2, 2, 2, 1}); ok {
		t.Error("groups of 4, 4 and 3 tasks on 6 and 4 slots")
	}
}

// Task groups need one server each, not all of the group.
func TestDittoTaskGroups(t *testing.T) {
	j := &DittoJob{Name: "gather", Stages: []DittoStage{
		{Name: "a", Exchange: Gather, Reads: []DittoRead{{From: -1}}},
		{Name: "b", Exchange: AllGather, Reads: []DittoRead{{From: 0}}},
	}}
	s := &dittoJoint{DittoScheduler: DittoScheduler{Slots: []int{4, 4, 3}, TaskGroups: true}, job: j}
	s.grouped = grouped([][]int{{0, 1}}, 0)
	// Eight tasks feed three: parts of 3+1, 3+1 and 2+1 tasks.
	got, ok := s.place([]int{8, 3})
	if want := [][]int{{3, 3, 2}, {1, 1, 1}}; !ok || !reflect.DeepEqual(got, want) {
		t.Errorf("placement %v (%t), want %v", got, ok, want)
	}
	j.Stages[0].Exchange = Shuffle
	if _, ok := s.place([]int{8, 3}); ok {
		t.Error("a group that shuffles was divided")
	}
}

// What the artifact does when slots are missing or left over.
func TestDittoDivides(t *testing.T) {
	j := &DittoJob{Name: "divide", Stages: []DittoStage{
		{Name: "a", Exchange: Gather, Chunks: 24, Reads: []DittoRead{{From: -1}}},
		{Name: "b", Exchange: AllGather, Reads: []DittoRead{{From: 0}}},
		{Name: "c", Exchange: AllGather, Chunks: 12, Reads: []DittoRead{{From: -1}}},
		{Name: "d", Reads: []DittoRead{{From: 1}, {From: 2}}},
	}}
	for _, c := range []struct {
		name    string
		d, want []int
		total   int
	}{
		{"divisors", []int{11, 5, 5, 1}, []int{12, 6, 6, 1}, 25},
		{"the next divisor upward is too far", []int{14, 5, 5, 1}, []int{12, 6, 6, 1}, 25},
		{"no more than the tasks gathered from", []int{4, 9, 12, 1}, []int{4, 4, 12, 1}, 21},
		{"a reader of 2 grows by 4 of what is left over", []int{24, 2, 12, 1}, []int{24, 8, 12, 1}, 48},
		{"it doubles, exactly what is left over", []int{24, 2, 12, 1}, []int{24, 4, 12, 1}, 41},
		{"a small leaf and then a reader give way", []int{12, 6, 6, 1}, []int{12, 3, 2, 1}, 20},
		{"a small leaf gives way", []int{12, 6, 6, 1}, []int{12, 6, 2, 1}, 21},
	} {
		d := slices.Clone(c.d)
		j.divide(d, c.total)
		if !slices.Equal(d, c.want) {
			t.Errorf("%s: %v of %d slots became %v, want %v", c.name, c.d, c.total, d, c.want)
		}
	}
}

// Where all of a job is in one memory, what is left to divide is computation.
func TestDittoJointParallelism(t *testing.T) {
	j := &DittoJob{Name: "chain", Stages: []DittoStage{
		{Name: "a", Reads: []DittoRead{{From: -1}}, Compute: DittoTime{A: 900}, Write: DittoTime{A: 5000}},
		{Name: "b", Reads: []DittoRead{{From: 0, Time: DittoTime{A: 5000}}}, Compute: DittoTime{A: 400}},
	}}
	p, err := DittoScheduler{Slots: []int{50}}.Plan(context.Background(), j)
	if err != nil {
		t.Fatal(err)
	}
	if want := []int{30, 20}; !slices.Equal(p.Parallelism, want) || math.Abs(p.JCT-50) > 1e-9 {
		t.Errorf("parallelism %v and %v s, want %v and 50 s", p.Parallelism, p.JCT, want)
	}
	apart, err := DittoScheduler{Slots: []int{50}, Ungrouped: true}.Plan(context.Background(), j)
	if err != nil {
		t.Fatal(err)
	}
	// sqrt(5900) : sqrt(5400) of 50 are 25.55 and 24.45.
	if want := []int{26, 24}; !slices.Equal(apart.Parallelism, want) || math.Abs(apart.JCT-(5900./26+5400./24)) > 1e-9 {
		t.Errorf("parallelism %v and %v s, want %v", apart.Parallelism, apart.JCT, want)
	}
}

func TestDittoPlanErrors(t *testing.T) {
	ok := threeEdges
	for _, c := range []struct {
		name string
		s    DittoScheduler
		j    func() *DittoJob
		want string
	}{
		{"too few slots", DittoScheduler{Slots: []int{2, 1}}, ok, "ditto: 3 slots for 4 stages; every stage needs one"},
		{"negative slots", DittoScheduler{Slots: []int{9, -1}}, ok, "ditto: a server of -1 slots"},
		{"objective", DittoScheduler{Slots: []int{9}, Objective: "speed"}, ok, `ditto: objective "speed" is neither "latency" nor "cost"`},
		{"shared memory", DittoScheduler{Slots: []int{9}, SharedMemory: math.NaN()}, ok, "ditto: a shared memory NaN times as fast as storage"},
		{"delay", DittoScheduler{Slots: []int{9}, DelaySiblings: true}, ok, "ditto: only the artifact delays siblings"},
		{"no stages", DittoScheduler{Slots: []int{9}}, func() *DittoJob { return &DittoJob{Name: "empty"} }, "job empty: has no stages"},
		{"two ends", DittoScheduler{Slots: []int{9}}, func() *DittoJob {
			j := ok()
			j.Stages[3].Reads = []DittoRead{{From: 1}}
			return j
		}, "job edges: ends in 2 stages; Ditto's merging of stages ends in one"},
		{"order", DittoScheduler{Slots: []int{9}}, func() *DittoJob {
			j := ok()
			j.Stages[0].Reads[0].From = 2
			return j
		}, "job edges: stage a reads from stage number 3, which does not come before it"},
		{"time", DittoScheduler{Slots: []int{9}}, func() *DittoJob {
			j := ok()
			j.Stages[1].Write.A = math.NaN()
			return j
		}, "job edges: stage b: time NaN/d + 15 is not a number"},
		{"size", DittoScheduler{Slots: []int{9}}, func() *DittoJob {
			j := ok()
			j.Stages[1].MemoryGB = -2
			return j
		}, "job edges: stage b: a size of -2 GB"},
	} {
		if _, err := c.s.Plan(context.Background(), c.j()); err == nil || err.Error() != c.want {
			t.Errorf("%s: %v, want %q", c.name, err, c.want)
		}
	}
	for _, artifact := range []bool{false, true} {
		ctx, cancel := context.WithCancel(context.Background())
		cancel()
		if _, err := (DittoScheduler{Slots: []int{12}, Artifact: artifact}).Plan(ctx, ok()); !errors.Is(err, context.Canceled) {
			t.Errorf("artifact %t: a cancelled plan ends with %v", artifact, err)
		}
	}
	if _, err := ok().FixedPlan([]int{1, 2}); err == nil {
		t.Error("a plan of two parallelism values for four stages")
	}
	if _, err := ok().FixedPlan([]int{1, 2, 0, 1}); err == nil {
		t.Error("a plan with a parallelism of 0")
	}
}

func BenchmarkDittoPlan(b *testing.B) {
	job, setting := dittoRecorded(b, "s3-1t", 95), dittoSetting(b, "zipf-0.9")
	for _, s := range []DittoScheduler{{Slots: setting.Slots}, {Slots: setting.Slots, Artifact: true}} {
		name := "paper"
		if s.Artifact {
			name = "artifact"
		}
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				if _, err := s.Plan(context.Background(), job); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
