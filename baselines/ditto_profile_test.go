package baselines

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"
	"testing/fstest"
)

// dittoDAG are three stages; the last reads early from the second.
const dittoDAG = `Query 7

Stage 1
is_single 0
is_leaf 1
input_chunks 12
to_id 3
transfer_op gather
from_id
mem_parall 2.5
mem_fixed 0
input_size 2

Stage 2
is_single 0
is_leaf 1
input_chunks 6
to_id 3
transfer_op allgather
from_id
mem_parall 1
mem_fixed 0
input_size 1

Stage 3
is_single 1
is_leaf 0
to_id -1
transfer_op allgather
from_id 1 2
pre_id 2
mem_parall 0.5
mem_fixed 0.25
input_size 0.5`

// block returns one block of a profile, from times in ms.
func block(ms ...float64) string {
	var b strings.Builder
	for k, step := range dittoSteps {
		fmt.Fprintf(&b, "%s %v\n", step, ms[k])
	}
	return b.String()
}

func dittoFS(change map[string]string) fstest.MapFS {
	files := map[string]string{
		"dag.txt":          dittoDAG,
		"q_stage1.profile": block(100, 0, 0, 5000, 0, 1000, 200, 9) + block(100, 0, 0, 2500, 0, 600, 100, 9),
		"q_stage2.profile": block(110, 0, 0, 3000, 0, 300, 70, 9) + block(110, 0, 0, 1600, 0, 300, 40, 9),
		"q_stage3.profile": block(120, 400, 30, 800, 0, 50, 10, 9),
	}
	m := fstest.MapFS{}
	for name, text := range files {
		if other, ok := change[name]; ok {
			text = other
		}
		m[name] = &fstest.MapFile{Data: []byte(text)}
	}
	return m
}

func TestLoadDittoJob(t *testing.T) {
	j, err := LoadDittoJob(dittoFS(nil), "dag.txt", "q", []int{2, 4})
	if err != nil {
		t.Fatal(err)
	}
	if j.Name != "q7" || len(j.Stages) != 3 {
		t.Fatalf("job %s of %d stages", j.Name, len(j.Stages))
	}
	near := func(what string, got, want DittoTime) {
		t.Helper()
		if math.Abs(got.A-want.A)+math.Abs(got.B-want.B) > 1e-12 {
			t.Errorf("%s: %+v, want %+v", what, got, want)
		}
	}
	first, last := j.Stages[0], j.Stages[2]
	// Two points determine a line: 5 s at 2 and 2.5 s at 4 are 10/d.
	near("read", first.Reads[0].Time, DittoTime{A: 10})
	near("compute", first.Compute, DittoTime{A: 1.6, B: .2})
	near("write", first.Write, DittoTime{A: .4})
	near("setup", first.Setup, DittoTime{B: .1})
	if first.Chunks != 12 || first.Exchange != Gather || first.MemoryGB != 2.5 || first.InputGB != 2 || first.Single {
		t.Errorf("stage 1: %+v", first)
	}
	near("early read", last.Reads[1].Time, DittoTime{B: .4})
	near("late read", last.Reads[0].Time, DittoTime{B: .8})
	near("early compute", last.EarlyCompute, DittoTime{B: .03})
	near("early", j.early(2, sharing{}), DittoTime{B: .55})
	near("exec", j.exec(2, sharing{}), DittoTime{B: .86})
	if !last.Single || !slices.Equal(j.parents(2), []int{0, 1}) || !last.Reads[1].Early || last.Reads[0].Early || last.MemoryFixedGB != .25 {
		t.Errorf("stage 3: %+v", last)
	}
	// In one memory the reads of stage 3 take a tenth, and stage 1 writes nothing.
	g := sharing{edges: map[[2]int]bool{{0, 2}: true}, divisor: 10}
	near("shared exec", j.exec(2, g), DittoTime{B: .14})
	near("shared exec of the producer", j.exec(0, g), DittoTime{A: 11.6, B: .2})
}

func TestLoadDittoJobErrors(t *testing.T) {
	edit := func(old, with string) map[string]string {
		if !strings.Contains(dittoDAG, old) {
			t.Fatalf("the description holds no %q", old)
		}
		return map[string]string{"dag.txt": strings.Replace(dittoDAG, old, with, 1)}
	}
	for _, c := range []struct {
		name   string
		change map[string]string
		want   string
	}{
		{"unknown key", edit("is_leaf 1", "leafy 1"), `dag.txt: line 5: unknown key "leafy"`},
		{"twice", edit("mem_fixed 0\n", "mem_fixed 0\nmem_fixed 0\n"), `dag.txt: line 12: stage 1 has "mem_fixed" twice`},
		{"number", edit("input_size 2", "input_size two"), `dag.txt: line 12: "two" is not a number`},
		{"values", edit("input_size 2", "input_size 2 3"), "dag.txt: line 12: 2 values where one is expected"},
		{"negative", edit("mem_parall 2.5", "mem_parall -1"), "dag.txt: line 10: mem_parall is -1"},
		{"flag", edit("is_single 0", "is_single 2"), "dag.txt: line 4: is_single is 2, neither 0 nor 1"},
		{"exchange", edit("allgather", "gossip"), `dag.txt: line 19: transfer_op "gossip" is unknown`},
		{"chunks", edit("input_chunks 12", "input_chunks 0"), "dag.txt: line 6: input_chunks is 0"},
		{"order", edit("Stage 2", "Stage 4"), "dag.txt: line 14: stage 4 follows stage 1"},
		{"before", map[string]string{"dag.txt": "is_leaf 1\n" + dittoDAG}, `dag.txt: line 1: "is_leaf" comes before the first stage`},
		{"missing", edit("mem_fixed 0\n", ""), "dag.txt: stage 1: has no mem_fixed"},
		{"leaf", edit("is_leaf 1", "is_leaf 0"), "dag.txt: stage 1: is_leaf is false, but it reads from 0 stages"},
		{"to", edit("to_id 3", "to_id 2"), "dag.txt: stage 1: to_id is 2, but that stage does not read from it"},
		{"end", edit("to_id 3", "to_id 9"), "dag.txt: stage 1: to_id is 9, but that stage does not read from it"},
		{"from", edit("from_id 1 2", "from_id 1 2 3"), "dag.txt: stage 3: reads from stage 3, which does not come before it and lead to it"},
		{"pre", edit("pre_id 2", "pre_id 5"), "dag.txt: stage 3: pre_id is 5, which it does not read from"},
		{"empty", map[string]string{"dag.txt": "\n"}, "dag.txt: describes no stage"},
		{"short profile", map[string]string{"q_stage1.profile": block(1, 1, 1, 1, 1, 1, 1, 1)}, "q_stage1.profile: 8 lines, not 8 for each parallelism of [2 4]"},
		{"cut profile", map[string]string{"q_stage3.profile": "PreTime.tpre 120\n"}, "q_stage3.profile: 1 lines, not 8 for each parallelism of [2 4]"},
		{"step", map[string]string{"q_stage3.profile": "PreTime.tread 120\n"}, `q_stage3.profile: line 1: "PreTime.tread" where PreTime.tpre is expected`},
		{"negative time", map[string]string{"q_stage3.profile": "PreTime.tpre -120\n"}, "q_stage3.profile: line 1: a time of -120 ms"},
		{"not a time", map[string]string{"q_stage3.profile": "PreTime.tpre NaN\n"}, "q_stage3.profile: line 1: a time of NaN ms"},
		{"third read", map[string]string{"q_stage3.profile": block(120, 400, 30, 800, 9, 50, 10, 9)}, "q_stage3.profile: holds the time of a read for which the stage has no input"},
		{"large", map[string]string{"dag.txt": strings.Repeat("\n", maxDittoBytes+1)}, "dag.txt: is larger than 1048576 bytes"},
	} {
		_, err := LoadDittoJob(dittoFS(c.change), "dag.txt", "q", []int{2, 4})
		if err == nil {
			t.Errorf("%s: no error", c.name)
			continue
		}
		if first, _, _ := strings.Cut(err.Error(), "\n"); first != c.want {
			t.Errorf("%s: %q, want %q", c.name, first, c.want)
		}
	}
	if _, err := LoadDittoJob(dittoFS(nil), "dag.txt", "r", []int{2, 4}); err == nil || !strings.Contains(err.Error(), "r_stage1.profile") {
		t.Errorf("profiles that are not there: %v", err)
	}
	if _, err := LoadDittoJob(dittoFS(nil), "dag.txt", "q", []int{3, 3}); err == nil || !strings.Contains(err.Error(), "one parallelism only") {
		t.Errorf("profiles at one parallelism: %v", err)
	}
}

func TestLoadDittoSetting(t *testing.T) {
	files := fstest.MapFS{
		"a": {Data: []byte("num_cpus 2\n\ndistribution 47 34 0\nbase_deg 24\n\nexternal S3")},
		"b": {Data: []byte("base_deg 24")}, "c": {Data: []byte("distribution 4 -3")}, "d": {Data: []byte("distribution 4 x")},
	}
	s, err := LoadDittoSetting(files, "a")
	if err != nil || !slices.Equal(s.Slots, []int{47, 34, 0}) || s.Parallelism != 24 {
		t.Errorf("%+v, %v", s, err)
	}
	for name, want := range map[string]string{
		"b": `b: has no line "distribution"`, "c": "c: line 1: a server of -3 slots", "d": `d: line 1: "x" is not a number`,
	} {
		if _, err := LoadDittoSetting(files, name); err == nil || err.Error() != want {
			t.Errorf("%s: %v, want %q", name, err, want)
		}
	}
	if _, err := LoadDittoSetting(files, "nothing"); err == nil {
		t.Error("a settings file that is not there")
	}
}

// Whatever the files hold, a job that is read can be checked and scheduled or
// is refused, and nothing panics.
func FuzzLoadDittoJob(f *testing.F) {
	f.Add(dittoDAG, block(120, 400, 30, 800, 0, 50, 10, 9))
	f.Add(strings.Replace(dittoDAG, "from_id 1 2", "from_id 2 1", 1), block(0, 0, 0, 0, 0, 0, 0, 0))
	f.Add("Stage 1", "PreTime.tpre 1e308")
	f.Fuzz(func(t *testing.T, dag, profile string) {
		files := dittoFS(map[string]string{"dag.txt": dag, "q_stage3.profile": profile})
		j, err := LoadDittoJob(files, "dag.txt", "q", []int{2, 4})
		if err != nil {
			return
		}
		if err := j.Check(); err != nil {
			t.Errorf("a job was read that is none: %v", err)
		}
		for i := range j.Stages {
			for _, p := range j.parents(i) {
				if p >= i {
					t.Errorf("stage %d reads from stage %d", i, p)
				}
			}
		}
	})
}
