package traces

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"eevee/internal/recordings"

	"github.com/google/go-cmp/cmp"
)

// published returns the profile of a workflow that the artifact publishes, and
// where it lies.
func published(t testing.TB, workflow string) (path string, data []byte) {
	t.Helper()
	for _, f := range Sets()[0].Files {
		if f.Workflow == workflow {
			path = filepath.Join(recordings.Dir(t), "jolteon", f.Name)
		}
	}
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return path, data
}

// rawProfile is a profile as encoding/json reads it.
type rawProfile map[string]map[string][][][2]float64

func (raw rawProfile) step(stage, step string, epoch, config int, s Statistic) float64 {
	return raw[stage][step][epoch][config][map[Statistic]int{Mean: 0, P95: 1}[s]]
}

// Every number of the published profiles is where it belongs, and nothing
// else: compared with the file read by encoding/json and the grids measured on
// the artifact.
func TestReadPublishedProfiles(t *testing.T) {
	var reference struct {
		Params map[string]struct {
			Pairs [][2]int32 `json:"config_pairs"`
		} `json:"params"`
	}
	data, err := os.ReadFile(filepath.Join(recordings.Reference(t), "jolteon_reference.json"))
	if err != nil {
		t.Fatal(err)
	}
	// It was written by Python, which knows NaN.
	if err := json.Unmarshal(bytes.ReplaceAll(data, []byte("NaN"), []byte("null")), &reference); err != nil {
		t.Fatal(err)
	}
	unsplit := map[string]bool{"ml stage0": true, "ml stage3": true, "tpcds stage1": true, "tpcds stage7": true}
	negative := 0
	for _, c := range []struct {
		workflow string
		stages   int
		rows     int
	}{{"ml", 4, 552}, {"video", 4, 576}, {"tpcds", 8, 1488}} {
		path, data := published(t, c.workflow)
		rows, meta, err := Import("jolteon-profile", c.workflow, path)
		if err != nil {
			t.Fatal(err)
		}
		if len(rows) != c.rows {
			t.Fatalf("%s: %d rows, should be %d", c.workflow, len(rows), c.rows)
		}
		if sum, err := FileSHA256(path); err != nil || meta.InputSHA256 != sum || meta.Source != Recorded || meta.Workflow != c.workflow {
			t.Errorf("%s: meta %+v, SHA-256 %s (%v)", c.workflow, meta, sum, err)
		}
		var raw rawProfile
		if err := json.Unmarshal(data, &raw); err != nil {
			t.Fatal(err)
		}
		pairs := reference.Params[c.workflow].Pairs
		i := 0
		for stage := range c.stages {
			for epoch := range 3 {
				for k, pair := range pairs {
					for _, s := range []Statistic{Mean, P95} {
						name := fmt.Sprintf("stage%d", stage)
						d := pair[1]
						if unsplit[c.workflow+" "+name] {
							d = 1
						}
						want := Record{
							Workflow: c.workflow, Stage: name, Statistic: s, Source: Recorded,
							Execution: fmt.Sprintf("%s/epoch%d/%dMBx%d", c.workflow, epoch, pair[0], pair[1]),
							MemoryMB:  pair[0], Parallelism: &d, Epoch: ptr(int32(epoch)),
							Cold:    ptr(raw.step(name, "cold", epoch, k, s)),
							Read:    ptr(raw.step(name, "read", epoch, k, s)),
							Compute: ptr(raw.step(name, "compute", epoch, k, s)),
							Write:   ptr(raw.step(name, "write", epoch, k, s)),
						}
						if err := sameRows(rows[i:i+1], []Record{want}); err != nil {
							t.Fatalf("%s row %d: %v", c.workflow, i, err)
						}
						if s == P95 && *want.Cold < 0 {
							negative++
						}
						i++
					}
				}
			}
		}
		if defects := Validate(rows); len(defects) > 0 {
			t.Errorf("%s: %v", c.workflow, defects)
		}
	}
	if negative != 22 {
		t.Errorf("%d negative cold residuals, should be 22", negative)
	}
}

func ptr[T any](v T) *T { return &v }

// A run is joined by its execution: every stage of the workflow, once per
// statistic, under the same memory.
func TestProfileRunsCanBeJoined(t *testing.T) {
	path, _ := published(t, "tpcds")
	rows, _, err := Import("jolteon-profile", "tpcds", path)
	if err != nil {
		t.Fatal(err)
	}
	stages := make(map[string]map[string]int)
	memory := make(map[string]int32)
	for _, r := range rows {
		if stages[r.Execution] == nil {
			stages[r.Execution] = make(map[string]int)
			memory[r.Execution] = r.MemoryMB
		}
		stages[r.Execution][r.Stage]++
		if memory[r.Execution] != r.MemoryMB {
			t.Errorf("%s ran under %d and %d MB", r.Execution, memory[r.Execution], r.MemoryMB)
		}
	}
	if len(stages) != 3*31 {
		t.Errorf("%d runs, should be 93", len(stages))
	}
	for execution, seen := range stages {
		for stage, n := range seen {
			if len(seen) != 8 || n != 2 {
				t.Errorf("%s: %d stages, stage %s %d times", execution, len(seen), stage, n)
			}
		}
	}
}

// tinyLayout is that of the profiles below: two stages, two epochs, two
// configurations.
var tinyLayout = ProfileLayout{
	Workflow: "w", Stages: []string{"a", "b"}, Unsplit: []string{"b"}, Epochs: 2,
	Grid: []ProfileConfig{{128, 4}, {256, 8}},
}

const tinyStep = `[[[1, 2], [3, 4]], [[5, 6], [7, 8]]]`

// tinyProfile returns a profile of tinyLayout with some steps of stage a
// replaced.
func tinyProfile(replaced map[string]string) string {
	stage := func(replaced map[string]string) string {
		var steps []string
		for _, name := range []string{"cold", "read", "compute", "write"} {
			text, ok := replaced[name]
			if !ok {
				text = tinyStep
			}
			steps = append(steps, fmt.Sprintf("%q: %s", name, text))
		}
		return "{" + strings.Join(steps, ",\n  ") + "}"
	}
	return fmt.Sprintf("{%q: %s,\n%q: %s}", "a", stage(replaced), "b", stage(nil))
}

func TestReadProfileDefects(t *testing.T) {
	sound := tinyProfile(nil)
	for name, c := range map[string]struct {
		text string
		want []string // one per line of the error
	}{
		"sound": {sound, nil},
		"negative residual": {
			tinyProfile(map[string]string{"cold": `[[[1, -2], [3, 4]], [[5, 6], [7, -8]]]`}), nil,
		},
		"negative": {
			tinyProfile(map[string]string{"cold": `[[[-1, 2], [3, 4]], [[5, 6], [7, 8]]]`, "read": `[[[1, 2], [3, 4]], [[5, 6], [7, -8.5]]]`}),
			[]string{
				"stage a, step cold, epoch 0, configuration 0 (128MBx4), mean: line 1, column 19: negative: -1",
				"stage a, step read, epoch 1, configuration 1 (256MBx8), p95: line 2, column 43: negative: -8.5",
			},
		},
		"NaN": {
			tinyProfile(map[string]string{"compute": `[[[1, 2], [3, NaN]], [[5, 6], [7, 8]]]`}),
			[]string{"stage a, step compute, epoch 0, configuration 1 (256MBx8), p95: line 3, column 28: NaN is not a finite number"},
		},
		"Infinity": {
			tinyProfile(map[string]string{"write": `[[[1, 2], [Infinity, 4]], [[5, 6], [7, 8]]]`}),
			[]string{"stage a, step write, epoch 0, configuration 1 (256MBx8), mean: line 4, column 23: Infinity is not a finite number"},
		},
		"-Infinity": {
			tinyProfile(map[string]string{"cold": `[[[1, -Infinity], [3, 4]], [[5, 6], [7, 8]]]`}),
			[]string{"stage a, step cold, epoch 0, configuration 0 (128MBx4), p95: line 1, column 22: -Infinity is not a finite number"},
		},
		"overflow": {
			tinyProfile(map[string]string{"cold": `[[[1, 1e400], [3, 4]], [[5, -1e400], [7, 8]]]`}),
			[]string{"epoch 0, configuration 0 (128MBx4), p95: line 1, column 22: 1e400 is not", "epoch 1, configuration 0 (128MBx4), p95: line 1, column 44: -1e400 is not"},
		},
		"text for a number": {
			tinyProfile(map[string]string{"cold": `[[["1", null], [3, 4]], [[5, 6], [7, true]]]`}),
			[]string{"configuration 0 (128MBx4), mean: line 1, column 19: should be a number", "p95", "p95"},
		},
		"stage missing":  {`{"a": ` + sound[6:strings.Index(sound, "\n\"b\"")-1] + `}`, []string{"stage b is missing"}},
		"stage too many": {sound[:len(sound)-1] + `, "c": 1}`, []string{`workflow w has no stage "c"`}},
		"step missing":   {strings.Replace(sound, `"read": `+tinyStep+",", "", 1), []string{"stage a: step read is missing"}},
		"step too many":  {strings.Replace(sound, `"read":`, `"sleep": 1, "read":`, 1), []string{`stage a: line 2, column 12: "sleep" is none of the steps`}},
		"key twice": {
			strings.Replace(sound, `"read":`, `"cold":`, 1),
			[]string{`line 2, column 3: the key "cold" is there twice`, "stage a: step read is missing"},
		},
		"stage twice":   {`{"a": 1, ` + sound[1:], []string{`the key "a" is there twice`, "stage a: line 1, column 7: should be an object of steps, is a number"}},
		"epoch missing": {tinyProfile(map[string]string{"cold": `[[[1, 2], [3, 4]]]`}), []string{"stage a, step cold: line 1, column 16: should be 2 epochs, not 1"}},
		"configuration missing": {
			tinyProfile(map[string]string{"cold": `[[[1, 2]], [[5, 6], [7, 8], [9, 9]]]`, "write": `[[[1, 2], [3, 4]], [[5, 6]]]`}),
			[]string{"step cold, epoch 0: line 1, column 17: should be 2 configurations, not 1", "step cold, epoch 1", "step write, epoch 1"},
		},
		"number missing": {
			tinyProfile(map[string]string{"cold": `[[[1], []], [[5, 6, 7], 8]]`}),
			[]string{"should be 2 numbers, mean and p95, not 1", "not 0", "not 3", "is a number"},
		},
		"list for an object": {`[1, 2]`, []string{"line 1, column 1: a profile is an object of stages, this is a list"}},
		"number":             {`1`, []string{"this is a number"}},
		"comma missing":      {strings.Replace(sound, "[3, 4]", "[3 4]", 1), []string{"line 1, column 29: not JSON"}},
		"comma too many":     {strings.Replace(sound, "[3, 4]", "[3, 4,]", 1), []string{"line 1, column 32: not JSON"}},
		"cut off":            {sound[:len(sound)/2], []string{"the text ends in the middle"}},
		"more":               {sound + "\n{}", []string{"line 9, column 1: not JSON"}},
		"deep":               {strings.Repeat("[", 200) + strings.Repeat("]", 200), []string{"line 1, column 102: more than 100 lists"}},
		"bottomless":         {strings.Repeat("[", 1<<20), []string{"not JSON"}},
		"empty":              {" \n", []string{"is empty"}},
		"CSV":                {"stage,cold\na,1\n", []string{"line 1, column 1: not JSON"}},
	} {
		rows, err := ReadJolteonProfile(strings.NewReader(c.text), "p.json", tinyLayout)
		if len(c.want) == 0 {
			if err != nil || len(rows) != 2*2*2*2 {
				t.Errorf("%s: %d rows, %v", name, len(rows), err)
			}
			continue
		}
		if err == nil || rows != nil {
			t.Errorf("%s: %d rows and no error", name, len(rows))
			continue
		}
		lines := strings.Split(err.Error(), "\n")
		if len(lines) != len(c.want) {
			t.Errorf("%s: %d defects, should be %d:\n%v", name, len(lines), len(c.want), err)
			continue
		}
		for i, line := range lines {
			if !strings.HasPrefix(line, "traces: p.json: ") || !strings.Contains(line, c.want[i]) {
				t.Errorf("%s: defect %d is %q, should contain %q", name, i, line, c.want[i])
			}
		}
	}
}

func TestReadProfileValues(t *testing.T) {
	rows, err := ReadJolteonProfile(strings.NewReader(tinyProfile(map[string]string{"cold": `[[[0, -0.5], [3, 4]], [[5, 6], [7, 8e-3]]]`})), "p.json", tinyLayout)
	if err != nil {
		t.Fatal(err)
	}
	one, four := int32(1), int32(4)
	if diff := cmp.Diff(Record{
		Workflow: "w", Execution: "w/epoch0/128MBx4", Stage: "a", Epoch: ptr(int32(0)), Statistic: P95, MemoryMB: 128, Parallelism: &four,
		Cold: ptr(-0.5), Read: ptr(2.), Compute: ptr(2.), Write: ptr(2.), Source: Recorded,
	}, rows[1]); diff != "" {
		t.Error(diff)
	}
	if *rows[7].Cold != 8e-3 || rows[7].Execution != "w/epoch1/256MBx8" {
		t.Errorf("row 7: %+v", rows[7])
	}
	if diff := cmp.Diff(&one, rows[8].Parallelism); diff != "" || rows[8].Execution != "w/epoch0/128MBx4" {
		t.Errorf("a stage that is not split: %+v", rows[8])
	}
}

// A profile of another workflow is one defect, not one per number.
func TestReadProfileOfAnotherWorkflow(t *testing.T) {
	path, _ := published(t, "video")
	_, _, err := Import("jolteon-profile", "ml", path)
	if err == nil || strings.Contains(err.Error(), "\n") || !strings.Contains(err.Error(), "is a profile of workflow video") {
		t.Error(err)
	}
}

func TestImportErrors(t *testing.T) {
	dir := t.TempDir()
	bad := filepath.Join(dir, "bad.json")
	if err := os.WriteFile(bad, []byte("{"), 0o666); err != nil {
		t.Fatal(err)
	}
	none := filepath.Join(dir, "none.json")
	for name, c := range map[string]struct {
		format, workflow string
		paths            []string
		want             []string
	}{
		"format":   {"csv", "ml", []string{bad}, []string{`"csv"`, "jolteon-profile"}},
		"workflow": {"jolteon-profile", "mll", []string{bad}, []string{`"mll"`, "ml, video, tpcds", bad}},
		"nothing":  {"jolteon-profile", "ml", nil, []string{"no file"}},
		"both":     {"jolteon-profile", "ml", []string{none, bad}, []string{none, bad + ": line 1, column 2"}},
	} {
		_, _, err := Import(c.format, c.workflow, c.paths...)
		for _, want := range c.want {
			if err == nil || !strings.Contains(err.Error(), want) {
				t.Errorf("%s: %q is not in: %v", name, want, err)
			}
		}
	}
}
