package cli

import (
	"bytes"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"eevee/models"
)

func TestRecordGolden(t *testing.T) {
	s := newSession(t, "record")
	s.run("traces record --workflow ml -o $DIR/t.parquet")
	s.run("traces record --workflow ml --seed 2 -o $DIR/t.parquet")
	s.run("traces record --workflow video --card video -o $DIR/t.parquet --quiet --json")
	s.run("traces inspect $DIR/t.parquet")
	s.run("traces validate $DIR/t.parquet")
	before := files(t, s.dir)
	card, err := os.ReadFile(filepath.Join("..", "..", "models", "data", "cards", "ml.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	for name, change := range map[string][2]string{
		"key": {"run_sd: 0.1412", "run_sigma: 0.1412"}, "stage": {"stage: stage2", "stage: stage7"},
		"negative": {"run_sd: 0.1412", "run_sd: -0.1412"}, "grid": {"- memory_mb: 1024", "- memory_mb: -1024"},
	} {
		text := strings.Replace(string(card), change[0], change[1], 1)
		if text == string(card) {
			t.Fatalf("the card has no %s", change[0])
		}
		s.write(name+".yaml", []byte(text))
		before = append(before, name+".yaml")
	}
	for _, name := range []string{"key", "stage", "negative", "grid", "missing"} {
		s.run("traces record --workflow ml -o $DIR/out.parquet --card $DIR/" + name + ".yaml")
	}
	s.run("traces record --workflow tpcds -o $DIR/out.parquet --card ml")
	s.run("traces record --workflow nope -o $DIR/out.parquet")
	s.run("traces record --workflow ml -o $DIR/none/out.parquet")
	s.run("traces record --workflow ml -o $DIR/key.yaml --card $DIR/key.yaml")
	s.run("traces record --workflow ml")
	slices.Sort(before)
	if after := files(t, s.dir); !slices.Equal(before, after) {
		t.Errorf("failed recordings left files behind: %q, before %q", after, before)
	}
	s.compare()
}

// What the verb writes with the default seed are the bundled traces, byte by
// byte.
func TestRecordMakesTheBundledTraces(t *testing.T) {
	for _, workflow := range models.Cards() {
		output := filepath.Join(t.TempDir(), workflow+".parquet")
		if code, _, stderr := runProgram("traces", "record", "--workflow", workflow, "-o", output); code != exitDone {
			t.Fatalf("%s: exit %d: %s", workflow, code, stderr)
		}
		got, err := os.ReadFile(output)
		if err != nil {
			t.Fatal(err)
		}
		want, err := os.ReadFile(filepath.Join("..", "..", "models", "data", "traces", workflow+".parquet"))
		if err != nil || !bytes.Equal(got, want) {
			t.Errorf("%s: the trace is not the bundled one (%v)", workflow, err)
		}
	}
}
