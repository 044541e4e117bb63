package cli

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"eevee/experiments"
	"eevee/traces"
)

func TestCompareMatchesItsSchema(t *testing.T) {
	if testing.Short() {
		t.Skip("compares all methods, several times")
	}
	withoutRecordings(t)
	folder := filepath.Join(t.TempDir(), "pictures")
	for _, command := range []string{
		"compare --json --workflow ml --samples 800 --runs 200 --latency 40s -o " + folder,
		"compare --json --workflow ml --samples 800 --runs 200 --cost 0.01 --rule plugin --methods exact,powertuning,slam,ditto:cost",
	} {
		code, stdout, stderr := runProgram(strings.Fields(command)...)
		if code != 0 {
			t.Fatalf("%s: exit code %d: %s", command, code, stderr)
		}
		matchesSchema(t, "compare", []byte(stdout))
	}
	for _, name := range []string{"compare.png", "compare.svg", "compare.pdf", "compare.csv"} {
		if info, err := os.Stat(filepath.Join(folder, name)); err != nil || info.Size() == 0 {
			t.Errorf("%s was not drawn (%v)", name, err)
		}
	}
}

// What a comparison prints is as wide as a terminal, and says of every method
// all that the object says: nothing is cut off.
func TestComparisonFitsATerminal(t *testing.T) {
	if testing.Short() {
		t.Skip("compares methods, twice")
	}
	withoutRecordings(t)
	command := strings.Fields("compare --workflow tpcds --latency 60s --samples 600 --runs 20 --quiet --methods uniform,stepconf,powertuning:cost")
	code, stdout, stderr := runProgram(command...)
	if code != exitDone {
		t.Fatalf("exit %d: %s", code, stderr)
	}
	for line := range strings.Lines(stdout) {
		if n := utf8.RuneCountInString(strings.TrimSuffix(line, "\n")); n > tableWidth || strings.HasSuffix(line, " \n") {
			t.Errorf("%d characters: %q", n, line)
		}
	}
	_, object, _ := runProgram(append(command, "--json")...)
	var r experiments.Comparison
	if err := json.Unmarshal([]byte(object), &r); err != nil || len(r.Cells) != 3 {
		t.Fatalf("%v, %d cells", err, len(r.Cells))
	}
	words := strings.Join(strings.Fields(stdout), " ")
	for _, cell := range r.Cells {
		want := append([]string{cell.Method}, cell.Warnings...)
		if cell.Unsupported != "" {
			want = append(want, cell.Unsupported)
		} else {
			want = append(want, configText(cell), fmt.Sprintf("%.3f-%.3f", cell.Holdout.RiskLo, cell.Holdout.RiskHi))
		}
		for _, w := range append(want, r.Notes...) {
			if !strings.Contains(words, w) {
				t.Errorf("%s: nothing says %q:\n%s", cell.Method, w, stdout)
			}
		}
	}
}

func TestNumbersText(t *testing.T) {
	for want, numbers := range map[string][]int{"": nil, "7": {7}, "2 3": {3, 2}, "1-3 5": {5, 2, 3, 1}, "1 3 5-8 10 11": {1, 3, 5, 6, 7, 8, 10, 11}} {
		if got := numbersText(numbers); got != want {
			t.Errorf("%v: %q, want %q", numbers, got, want)
		}
	}
}

// twoEnds is a workflow whose last stages are two, with a trace of it: what is a
// second of work for every stage shrinks with memory and instances.
func twoEnds(t *testing.T, dir string) (workflow, trace string) {
	t.Helper()
	workflow, trace = filepath.Join(dir, "twoends.yaml"), filepath.Join(dir, "twoends.parquet")
	stage := func(name string) string {
		return "      - {stage: " + name + ", choices: [{parallelism: [2, 4, 8], memory_mb: [1024, 2048, 4096]}]}\n"
	}
	text := "name: twoends\ntitle: one stage before two\nsource: made up for this test\n" +
		"stages:\n  - {name: first}\n  - {name: left, after: [first]}\n  - {name: right, after: [first]}\n" +
		"spaces:\n  - name: small\n    stages:\n" + stage("first") + stage("left") + stage("right")
	if err := os.WriteFile(workflow, []byte(text), 0o666); err != nil {
		t.Fatal(err)
	}
	var rows []traces.Record
	for i, name := range []string{"first", "left", "right"} {
		for k, memory := range []int32{1024, 2048, 4096} {
			for _, d := range []int32{2, 4, 8} {
				for epoch := range int32(4) {
					for _, statistic := range []traces.Statistic{traces.Mean, traces.P95} {
						work := 40 * float64(i+1) / float64(d) / float64(int(1)<<k) * (1 + 0.03*float64((int(epoch)*7+k*3+int(d))%5))
						if statistic == traces.P95 {
							work *= 1.1
						}
						rows = append(rows, traces.Record{
							Workflow: "twoends", Execution: fmt.Sprintf("%d/%d/%d", memory, d, epoch), Stage: name, Epoch: new(epoch), Statistic: statistic,
							MemoryMB: memory, Parallelism: new(d), Cold: new(0.2), Read: new(0.2 * work), Compute: new(work), Write: new(0.1), Source: "synthetic",
						})
					}
				}
			}
		}
	}
	if err := traces.Write(trace, rows, traces.Meta{}); err != nil {
		t.Fatal(err)
	}
	return workflow, trace
}

// A method that cannot handle a problem stands in the table and in the JSON
// with its reason, and the others are compared all the same.
func TestCompareSaysWhatIsNotSupported(t *testing.T) {
	withoutRecordings(t)
	workflow, trace := twoEnds(t, t.TempDir())
	refused := map[string]string{
		"ditto:latency":      "workflow twoends ends in 2 stages; Ditto's merging of stages ends in one",
		"ditto:cost":         "workflow twoends ends in 2 stages; Ditto's merging of stages ends in one",
		"powertuning:cost":   "it tunes one function at a time and takes no bound; the option ignore-bound runs it all the same",
		"caerus":             "the sizes of the inputs of workflow twoends are not known",
		"jolteon:compat":     "twoends",
		"orion:compat":       `the Jolteon artifact knows the workflows ml, video and tpcds, not this "twoends"`,
		"powertuning:speed":  "it tunes one function at a time",
		"orion:own-steps":    "",
		"stepconf":           "",
		"janus":              "",
		"exact":              "",
		"parrotfish:step=64": "",
	}
	var methods []string
	for name := range refused {
		methods = append(methods, name)
	}
	slices.Sort(methods)
	args := []string{"compare", "--workflow", workflow, "--trace", trace, "--latency", "30s", "--rule", "plugin", "--samples", "300", "--runs", "100", "--methods", strings.Join(methods, ",")}
	code, table, stderr := runProgram(args...)
	if code != 0 {
		t.Fatalf("exit code %d: %s", code, stderr)
	}
	code, stdout, stderr := runProgram(append(args, "--json")...)
	if code != 0 {
		t.Fatalf("exit code %d: %s", code, stderr)
	}
	matchesSchema(t, "compare", []byte(stdout))
	var r struct {
		Cells []struct{ Method, Status, Unsupported string }
	}
	if err := json.Unmarshal([]byte(stdout), &r); err != nil {
		t.Fatal(err)
	}
	if len(r.Cells) != len(methods) {
		t.Fatalf("%d cells for %d methods", len(r.Cells), len(methods))
	}
	_, reasons, found := strings.Cut(table, "not supported")
	if !found {
		t.Errorf("the table does not say that anything is not supported:\n%s", table)
	}
	for i, c := range r.Cells {
		want := refused[methods[i]]
		if c.Method != methods[i] || (c.Unsupported != "") != (want != "") || !strings.Contains(c.Unsupported, want) || (c.Unsupported == "") == (c.Status == "") {
			t.Errorf("cell %d is %+v, want method %s and reason %q", i, c, methods[i], want)
		}
		if !strings.Contains(table, c.Method) || !strings.Contains(reasons, c.Unsupported) {
			t.Errorf("%s, %q: not in the table\n%s", c.Method, c.Unsupported, table)
		}
	}
}

func TestBadCompareInput(t *testing.T) {
	withoutRecordings(t)
	s := newSession(t, "bad_compare")
	s.write("file", nil)
	for _, command := range []string{
		"compare", "compare --workflow ml", "compare --workflow ml --latency 40s --cost 1",
		"compare --workflow ml --latency 40s --methods magic", "compare --workflow ml --latency 40s --methods janus:best", "compare --workflow ml --latency 40s --methods exact,ditto:fast",
		"compare --workflow ml --latency 40s --runs 0", "compare --workflow ml --latency 40s -o $DIR/file",
	} {
		s.run(command)
	}
	s.run("solve --workflow ml --latency 40s --method janus")
	s.compare()
}
