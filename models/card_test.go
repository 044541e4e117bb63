package models_test

import (
	"bytes"
	"flag"
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"

	"eevee/internal/recordings"
	"eevee/models"
	"eevee/traces"
)

var update = flag.Bool("update", false, "measure the bundled cards on the recordings again, and make the bundled traces of them")

// recordedRows returns the published profile of a workflow and what a card of
// it says about its origin.
func recordedRows(t testing.TB, workflow string) ([]traces.Record, models.Origin) {
	t.Helper()
	name := profileFile[workflow] + "_profile.json"
	rows, meta, err := traces.Import("jolteon-profile", workflow, filepath.Join(recordings.Dir(t), "jolteon", name))
	if err != nil {
		t.Fatal(err)
	}
	return rows, models.Origin{
		Source: "pkusys/Jolteon at bcce495, profiles/" + name + " (SHA-256 " + meta.InputSHA256 + "), recorded on AWS Lambda",
		Date:   "2026-11-21",
	}
}

// The committed cards are what MeasureCard gives for the recordings, digit by
// digit.
func TestBundledCardsAreMeasured(t *testing.T) {
	for _, workflow := range models.Bundled() {
		def := load(t, workflow)
		rows, origin := recordedRows(t, workflow)
		card, err := models.MeasureCard(def, rows, origin)
		if err != nil {
			t.Fatal(err)
		}
		text, err := card.Text()
		if err != nil {
			t.Fatal(err)
		}
		path := filepath.Join("data", "cards", workflow+".yaml")
		if *update {
			if err := os.WriteFile(path, text, 0o644); err != nil {
				t.Fatal(err)
			}
		}
		committed, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(text, committed) {
			t.Errorf("%s is not what MeasureCard gives; run go test ./models -run Card -update and look at the difference", path)
		}
	}
}

// The bundled traces are what the bundled cards give, row by row and byte by
// byte, and no more than they may take.
func TestBundledTracesAreOfTheCards(t *testing.T) {
	var size int64
	for _, workflow := range models.Cards() {
		// The file, which an update has just written, not the one in the
		// program.
		card, err := models.LoadCard(filepath.Join("data", "cards", workflow+".yaml"), load(t, workflow))
		if err != nil {
			t.Fatal(err)
		}
		streams := models.Streams{Seed: 1}
		rows, err := card.Record(streams)
		if err != nil {
			t.Fatal(err)
		}
		meta, err := card.Meta(streams)
		if err != nil {
			t.Fatal(err)
		}
		committed := filepath.Join("data", "traces", workflow+".parquet")
		again := filepath.Join(t.TempDir(), workflow+".parquet")
		paths := []string{again}
		if *update {
			paths = append(paths, committed)
		}
		for _, path := range paths {
			if err := traces.Write(path, rows, meta); err != nil {
				t.Fatal(err)
			}
		}
		for _, suffix := range []string{"", ".sha256"} {
			got, err := os.ReadFile(again + suffix)
			if err != nil {
				t.Fatal(err)
			}
			want, err := os.ReadFile(committed + suffix)
			if err != nil || !bytes.Equal(got, want) {
				t.Errorf("%s is not what the card gives (%v); run go test ./models -run Card -update", committed+suffix, err)
			}
			size += int64(len(want))
		}
		if *update {
			continue // the program still holds the old ones
		}
		bundled, its, err := models.BundledTrace(workflow)
		if err != nil {
			t.Fatal(err)
		}
		if d := cmp.Diff(rows, bundled); d != "" {
			t.Errorf("%s: other rows (-card +bundled):\n%s", workflow, d)
		}
		if d := cmp.Diff(meta, its); d != "" {
			t.Errorf("%s: other meta (-card +bundled):\n%s", workflow, d)
		}
		sum, err := models.BundledTraceSHA256(workflow)
		if of, _ := traces.FileSHA256(committed); err != nil || sum != of {
			t.Errorf("%s: checksum %s, of the file %s (%v)", workflow, sum, of, err)
		}
	}
	if size > 400_000 {
		t.Errorf("the bundled traces have %d bytes, more than 400 kB", size)
	}
	for _, name := range []string{"tea", "../cards/ml", ""} {
		if _, _, err := models.BundledTrace(name); err == nil {
			t.Errorf("there is a bundled trace of %q", name)
		}
	}
}
