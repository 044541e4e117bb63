package cli

import (
	"encoding/json"
	"os"
	"path/filepath"
	"testing"
)

// What fit prints is what its published schema says, and a validation has every
// level, the workflow and no file that was not asked for.
func TestFitMatchesItsSchema(t *testing.T) {
	if testing.Short() {
		t.Skip("fits again and again; experiments has the tests of what runs at the same time")
	}
	withoutRecordings(t)
	dir := t.TempDir()
	report, model := filepath.Join(dir, "report"), filepath.Join(dir, "model.json")
	config, trace := filepath.Join(dir, "config.json"), filepath.Join(dir, "trace.parquet")
	for _, command := range [][]string{
		{"solve", "--workflow", "ml", "--latency", "40", "--samples", "1000", "-o", config},
		{"traces", "record", "--workflow", "ml", "--seed", "2", "-o", trace},
	} {
		if code, _, stderr := runProgram(command...); code != 0 {
			t.Fatalf("%q: exit code %d: %s", command, code, stderr)
		}
	}
	for _, args := range [][]string{
		{"fit", "--workflow", "ml", "-o", model, "--json"},
		{"fit", "--workflow", "ml", "--model", "jolteon", "-o", model, "--need", "--config", config, "--drift", trace, "--decide", "--json"},
		{"fit", "--workflow", "ml", "-o", model, "--learning", "--against", "jolteon", "--report", report, "--json"},
		{"fit", "--workflow", "ml", "--validate", "--against", "jolteon,empirical", "--report", report, "--json"},
	} {
		code, stdout, stderr := runProgram(args...)
		if code != 0 {
			t.Fatalf("%q: exit code %d: %s", args, code, stderr)
		}
		matchesSchema(t, "fit", []byte(stdout))
		var r fittedModel
		if err := json.Unmarshal([]byte(stdout), &r); err != nil {
			t.Fatal(err)
		}
		// 2 models, 4 levels, 4 stages, all stages, end to end.
		if want := 2 * 4 * 6; r.Output == nil && len(r.Validation) != want {
			t.Errorf("%d rows of the validation, want %d", len(r.Validation), want)
		}
		if (r.Output == nil) == (len(r.Validation) == 0) {
			t.Errorf("output %v with %d rows of a validation", r.Output, len(r.Validation))
		}
	}
	for _, name := range []string{"validation-reliability.png", "validation-reliability.svg", "validation.csv", "validation-residuals-empirical.png", "learning-coverage-configurations.png", "learning.csv"} {
		if info, err := os.Stat(filepath.Join(report, name)); err != nil || info.Size() == 0 {
			t.Errorf("%s is missing: %v", name, err)
		}
	}
}

func TestBadFitInput(t *testing.T) {
	withoutRecordings(t)
	s := newSession(t, "bad_fit")
	s.write("file", nil)
	for _, command := range []string{
		"fit", "fit --workflow ml", "fit --workflow ml --against jolteon -o $DIR/m.json", "fit --workflow ml --report $DIR/r -o $DIR/m.json",
		"fit --workflow ml --validate --against neural", "fit --workflow ml --validate --report $DIR/file",
		"fit --workflow ml --validate --trace $DIR/missing.parquet", "fit --workflow ml --need", "fit --workflow ml --config $DIR/c.json -o $DIR/m.json",
		"fit --workflow ml --need --config $DIR/missing.json", "fit --workflow ml --drift $DIR/missing.parquet",
	} {
		s.run(command)
	}
	if files, err := os.ReadDir(s.dir); err != nil || len(files) != 1 {
		t.Errorf("the folder holds %d files after bad input: %v", len(files), err)
	}
	s.compare()
}
