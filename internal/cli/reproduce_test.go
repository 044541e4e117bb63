package cli

import (
	"bytes"
	"crypto/sha256"
	"encoding/csv"
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/santhosh-tekuri/jsonschema/v6"

	"eevee/experiments/papers"
)

// readClaims reads the claims of a finished run.
func readClaims(t *testing.T, text []byte) []map[string]any {
	t.Helper()
	var list struct{ Claims []map[string]any }
	if err := json.Unmarshal(text, &list); err != nil {
		t.Fatal(err)
	}
	return list.Claims
}

// restOnNoTrace are the claims that need no recordings, with their verdicts.
var restOnNoTrace = map[string]string{
	"warm-choice": "reproduced", "fig8-ml": "reproduced", "fig8-video": "reproduced", "fig8-tpcds": "reproduced", "table4": "reproduced",
	"samplesize": "reproduced", "caerus.lazy": "shape", "caerus.eager": "shape", "caerus.optimal": "reproduced",
	"stepconf-fig4-processes": "shape", "janus.saves": "not-reproduced", "janus.apart": "shape", "janus.oracle": "shape", "janus.keeps": "shape",
	"janus.headline": "not-reproduced", "stepconf-scaling.grid": "reproduced",
}

// Without recordings everything runs on the bundled traces, and nothing that is
// measured is called reproduced.
func TestReproduceOnBundledTraces(t *testing.T) {
	if testing.Short() {
		t.Skip("runs every experiment")
	}
	withoutRecordings(t)
	out := filepath.Join(t.TempDir(), "new", "out")
	code, stdout, stderr := runProgram("reproduce", "-o", out, "--quick", "--json")
	if code != 0 {
		t.Fatalf("exit %d, %s", code, stderr)
	}
	for _, w := range []string{"ml", "video", "tpcds"} {
		if !strings.Contains(stderr, "no recordings of "+w) {
			t.Errorf("stderr does not say that %s has no recordings:\n%s", w, stderr)
		}
	}
	sameFromCache(t, out, stderr)
	sameDataAsBefore(t, out)
	reportTellsClaims(t, out)
	t.Run("browser", func(t *testing.T) { reportInBrowser(t, out) })
	file, err := os.ReadFile(filepath.Join(out, "claims.json"))
	if err != nil {
		t.Fatal(err)
	}
	printed, saved := readClaims(t, []byte(stdout)), readClaims(t, file)
	if len(printed) != len(saved) {
		t.Fatalf("%d claims on stdout, %d in the file", len(printed), len(saved))
	}
	ids := map[string]bool{}
	for i, c := range saved {
		id := c["id"].(string)
		ids[c["experiment"].(string)] = true
		timed := strings.HasPrefix(id, "fig13") || id == "table6" || id == "overhead" || id == "stepconf-scaling.growth" || id == "stepconf-scaling.decision" || id == "janus-overhead"
		for _, key := range []string{"paper", "title", "unit", "tolerance", "verdict", "why", "data"} {
			if c[key] == "" || c[key] == nil {
				t.Errorf("%s: no %s", id, key)
			}
		}
		reported, reproduced := c["reported"].([]any), c["reproduced"].([]any)
		if len(reported) == 0 && c["experiment"] != "missing" || len(reported) != len(reproduced) {
			t.Errorf("%s: %d values reported, %d reproduced", id, len(reported), len(reproduced))
		}
		// Nothing stands in for the profiles that some claims are about.
		none := !slices.ContainsFunc(printed[i]["reproduced"].([]any), func(v any) bool { return v.(map[string]any)["value"] != nil })
		if none && (c["verdict"] != "not-reproducible" || restOnNoTrace[id] != "") {
			t.Errorf("%s: verdict %v, and no value", id, c["verdict"])
		}
		for k, v := range reproduced {
			// Times are in the file of their own.
			onStdout := printed[i]["reproduced"].([]any)[k].(map[string]any)["value"]
			if got := v.(map[string]any)["value"]; (got == nil) != (timed || onStdout == nil) {
				t.Errorf("%s: value %d is %v, on stdout %v", id, k, got, onStdout)
			}
			if onStdout == nil && (timed || c["verdict"] == "reproduced") {
				t.Errorf("%s: value %d is missing, and the verdict is %v", id, k, c["verdict"])
			}
		}
		if want, ok := restOnNoTrace[id]; ok {
			if c["verdict"] != want {
				t.Errorf("%s: verdict %v: %v", id, c["verdict"], c["why"])
			}
		} else if !timed && c["verdict"] != "not-reproducible" {
			t.Errorf("%s: verdict %v on a generated trace", id, c["verdict"])
		}
		for _, key := range []string{"figure", "data"} {
			if name := c[key].(string); name != "" && !none {
				if _, err := os.Stat(filepath.Join(out, name)); err != nil {
					t.Errorf("%s: %s: %v", id, key, err)
				}
			}
		}
	}
	timings, err := os.ReadFile(filepath.Join(out, "timings.json"))
	if err != nil {
		t.Fatal(err)
	}
	matchesSchema(t, "claims", []byte(stdout))
	matchesSchema(t, "claims", file)
	matchesSchema(t, "timings", timings)
	for _, id := range papers.IDs() {
		if !ids[id] && id != "gantt" && id != "gantt-load" && id != "explorer" && id != "jointlambda" {
			t.Errorf("no claim of %s", id)
		}
	}
	report, err := os.ReadFile(filepath.Join(out, "report.md"))
	if err != nil {
		t.Fatal(err)
	}
	for _, part := range []string{"bundled", "They are no recordings", "fig9a.png", "gantt-ml.png"} {
		if !strings.Contains(string(report), part) {
			t.Errorf("the report does not say %q", part)
		}
	}
	for _, link := range linksOf(string(report)) {
		if _, err := os.Stat(filepath.Join(out, link)); err != nil {
			t.Errorf("the report links to %s: %v", link, err)
		}
	}
	if svg, err := os.ReadFile(filepath.Join(out, "fig9a.svg")); err != nil || !bytes.Contains(svg, []byte("generated trace")) {
		t.Errorf("a picture hides that its trace is generated (%v)", err)
	}
}

// sameFromCache runs everything once more, into a folder where there are other
// files of the same names. What the first run kept gives the same bytes, in the
// files with times, too; stderr is that of the first run.
func sameFromCache(t *testing.T, first, stderr string) {
	t.Helper()
	again := t.TempDir()
	for _, name := range []string{"fig9a.png", "fig9a.csv", "table3.csv", "claims.json", "report.html"} {
		if err := os.WriteFile(filepath.Join(again, name), []byte("stale"), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	code, _, cached := runProgram("reproduce", "-o", again, "--quick", "--json")
	if code != 0 {
		t.Fatalf("exit %d, %s", code, cached)
	}
	for _, e := range papers.All() {
		id := e.Statement().ID
		line := regexp.MustCompile(`(?m)^eevee: ` + id + ` \d+\.\d s(, found before)?$`)
		before, after := line.FindStringSubmatch(stderr), line.FindStringSubmatch(cached)
		if before == nil || after == nil {
			t.Errorf("no line says how long %s took", id)
			continue
		}
		if before[1] != "" || after[1] == "" {
			t.Errorf("first %q, then %q", before[0], after[0])
		}
		if said := strings.Contains(cached, id+" was measured at 20"); said != e.Statement().MeasuresTime {
			t.Errorf("it is said that %s was measured before: %v", id, said)
		}
	}
	sameFiles(t, allFilesIn(t, first), allFilesIn(t, again))
	code, _, anew := runProgram("reproduce", "table6", "-o", t.TempDir(), "--quick", "--measure")
	if code != 0 || strings.Contains(anew, "found before") {
		t.Errorf("times are not measured anew: exit %d, %s", code, anew)
	}
}

// sameFiles compares the files of two runs.
func sameFiles(t *testing.T, one, two map[string]string) {
	t.Helper()
	if len(one) != len(two) {
		t.Errorf("%d files, then %d", len(one), len(two))
	}
	for name, text := range one {
		if two[name] != text {
			t.Errorf("%s is another one", name)
		}
	}
}

// sameDataAsBefore compares the data behind every picture and table with those
// that were read and found right, to six digits: their digest, how many rows there
// are, and the first of them, to see in a diff what has changed.
func sameDataAsBefore(t *testing.T, out string) {
	t.Helper()
	var lines []string
	for name, text := range filesIn(t, out) {
		if filepath.Ext(name) != ".csv" {
			continue
		}
		text = inSixDigits(t, text)
		rows := strings.Split(strings.TrimSuffix(text, "\n"), "\n")
		line := fmt.Sprintf("%s %.8x %d rows", name, sha256.Sum256([]byte(text)), len(rows)-1)
		if len(rows) > 1 {
			line += fmt.Sprintf(": %.100s", rows[1])
		}
		lines = append(lines, line)
	}
	slices.Sort(lines)
	const golden = "testdata/reproduce.golden"
	got := strings.Join(lines, "\n") + "\n"
	if *update {
		if err := os.WriteFile(golden, []byte(got), 0o666); err != nil {
			t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(golden)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(strings.Split(string(want), "\n"), strings.Split(got, "\n")); diff != "" {
		t.Errorf("the data behind the pictures are others; read them, then run go test ./internal/cli -run ReproduceOnBundled -update (-want +got)\n%s", diff)
	}
}

// inSixDigits writes every number of a CSV file with six digits: further ones
// depend on the processor.
func inSixDigits(t *testing.T, text string) string {
	t.Helper()
	rows, err := csv.NewReader(strings.NewReader(text)).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	for _, row := range rows {
		for i, field := range row {
			if v, err := strconv.ParseFloat(field, 64); err == nil {
				row[i] = strconv.FormatFloat(v, 'g', 6, 64)
			}
		}
	}
	var b strings.Builder
	if err := csv.NewWriter(&b).WriteAll(rows); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

// filesIn returns the contents of the files in a folder that hold no times.
func filesIn(t *testing.T, dir string) map[string]string {
	t.Helper()
	files := allFilesIn(t, dir)
	maps.DeleteFunc(files, func(name, _ string) bool { return strings.Contains(name, "timings") })
	return files
}

// allFilesIn returns the contents of the files in a folder.
func allFilesIn(t *testing.T, dir string) map[string]string {
	t.Helper()
	files := map[string]string{}
	list, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range list {
		text, err := os.ReadFile(filepath.Join(dir, f.Name()))
		if err != nil {
			t.Fatal(err)
		}
		files[f.Name()] = string(text)
	}
	return files
}

// matchesSchema judges a JSON object by its published schema.
func matchesSchema(t *testing.T, name string, text []byte) {
	t.Helper()
	schema, err := jsonschema.NewCompiler().Compile("../../experiments/schemas/" + name + ".schema.json")
	if err != nil {
		t.Fatal(err)
	}
	object, err := jsonschema.UnmarshalJSON(bytes.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	if err := schema.Validate(object); err != nil {
		t.Errorf("%s: %v", name, err)
	}
}

// linksOf returns the targets of Markdown links.
func linksOf(text string) []string {
	var links []string
	for _, part := range strings.Split(text, "](")[1:] {
		target, _, _ := strings.Cut(part, ")")
		links = append(links, target)
	}
	return links
}

// The same seed gives the same bytes in every file whatever the number of cores,
// but for those that hold times; another seed gives others.
func TestReproduceIsDeterministic(t *testing.T) {
	if testing.Short() {
		t.Skip("runs experiments several times")
	}
	withoutRecordings(t)
	run := func(cores int, seed string, ids ...string) map[string]string {
		defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(cores))
		dir := t.TempDir()
		if code, _, stderr := runProgram(append([]string{"reproduce"}, append(ids, "-o", dir, "--quick", "--quiet", "--no-cache", "--seed", seed)...)...); code != 0 {
			t.Fatalf("exit %d, %s", code, stderr)
		}
		return filesIn(t, dir)
	}
	one, four := run(1, "1", "fig9", "table3", "gantt", "table6"), run(4, "1", "fig9", "table3", "gantt", "table6")
	if len(one) < 20 || len(one) != len(four) {
		t.Errorf("%d files with one core, %d with four", len(one), len(four))
	}
	for name, text := range one {
		if four[name] != text {
			t.Errorf("%s depends on the number of cores", name)
		}
	}
	other := run(4, "2", "gantt")
	if one["gantt-ml.csv"] == other["gantt-ml.csv"] && one["gantt-tpcds.csv"] == other["gantt-tpcds.csv"] {
		t.Error("the seed does not matter")
	}
}

func TestReproduceBadUsage(t *testing.T) {
	withoutRecordings(t)
	code, stdout, stderr := runProgram("reproduce", "fig9", "fig99", "-o", filepath.Join(t.TempDir(), "out"))
	if code != 2 || stdout != "" || strings.Count(stderr, "\n") != 1 || !strings.Contains(stderr, `"fig99"`) || !strings.Contains(stderr, "table3") {
		t.Errorf("exit %d, stdout %q, stderr %q", code, stdout, stderr)
	}
	for _, wrong := range [][]string{{"--only", "fig9,fig98"}, {"--skip", "fig98"}, {"--only", "fig9", "--skip", "fig9"}, {"--no-cache", "--cache", "x"}} {
		if code, stdout, stderr := runProgram(append([]string{"reproduce"}, wrong...)...); code != 2 || stdout != "" || strings.Count(stderr, "\n") != 1 {
			t.Errorf("%v: exit %d, stdout %q, stderr %q", wrong, code, stdout, stderr)
		}
	}
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o666); err != nil {
		t.Fatal(err)
	}
	code, _, stderr = runProgram("reproduce", "table3", "-o", file)
	if code != 1 || strings.Count(stderr, "\n") != 1 || !strings.Contains(stderr, file) {
		t.Errorf("exit %d, stderr %q", code, stderr)
	}
}

// A recording that cannot be read is an error that names it, and leaves nothing
// behind.
func TestReproduceBrokenRecording(t *testing.T) {
	withoutRecordings(t)
	recordings, out := t.TempDir(), filepath.Join(t.TempDir(), "out")
	if err := os.Mkdir(filepath.Join(recordings, "jolteon"), 0o777); err != nil {
		t.Fatal(err)
	}
	name := filepath.Join(recordings, "jolteon", "Video-Analytics_profile.json")
	if err := os.WriteFile(name, []byte(`{"stage0":`), 0o666); err != nil {
		t.Fatal(err)
	}
	code, _, stderr := runProgram("reproduce", "table3", "-o", out, "--recordings", recordings, "--quiet")
	if code != 1 || !strings.Contains(stderr, name) {
		t.Errorf("exit %d, stderr %q", code, stderr)
	}
	if _, err := os.Stat(out); !os.IsNotExist(err) {
		t.Errorf("something was written: %v", err)
	}
}
