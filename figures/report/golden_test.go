package report

import (
	"bytes"
	"context"
	"encoding/csv"
	"flag"
	"os"
	"path/filepath"
	"strconv"
	"testing"
	"time"

	"eevee/experiments"
	"eevee/experiments/papers"
	"eevee/figures"
)

var update = flag.Bool("update", false, "write the golden files anew")

// goldenOf are the experiments whose data have goldens: on bundled traces, in a
// quick run.
var goldenOf = []string{
	"headlines", "fig8", "fig12", "table4", "sampling", "samplesize", "sensitivity", "caerus", "orion", "violations", "frontier", "regret", "coverage",
}

// The data behind every picture are what they were, to six digits.
func TestDataOfPictures(t *testing.T) {
	if testing.Short() {
		t.Skip("runs many experiments")
	}
	selected, err := papers.Select(goldenOf, nil)
	if err != nil {
		t.Fatal(err)
	}
	found, err := papers.Reproduce(context.Background(), selected, papers.Options{
		Sources: experiments.Sources{}, Seed: 1, Quick: true, Clock: papers.Clock{Wall: func() time.Time { return time.Time{} }},
	})
	if err != nil {
		t.Fatal(err)
	}
	compared := 0
	for _, f := range found.Findings {
		for _, p := range pictures(f) {
			if _, long := p.Drawing.(figures.Listing); long {
				continue
			}
			compared++
			var b bytes.Buffer
			if err := p.Drawing.WriteCSV(&b); err != nil {
				t.Errorf("%s: %v", p.Name, err)
				continue
			}
			matchesGolden(t, p.Name+".csv", rounded(t, b.Bytes()))
		}
	}
	if golden, err := os.ReadDir("testdata"); err != nil || len(golden) != compared {
		t.Errorf("%d pictures, %d golden files (%v)", compared, len(golden), err)
	}
}

func matchesGolden(t *testing.T, name string, got []byte) {
	t.Helper()
	path := filepath.Join("testdata", name)
	if *update {
		if err := os.WriteFile(path, got, 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Errorf("%v; run the test with -update", err)
		return
	}
	if !bytes.Equal(got, want) {
		t.Errorf("%s is another one; run the test with -update and read the difference:\n%s", path, firstDifference(got, want))
	}
}

func firstDifference(got, want []byte) string {
	a, b := bytes.Split(got, []byte("\n")), bytes.Split(want, []byte("\n"))
	for i := range a {
		if i >= len(b) || !bytes.Equal(a[i], b[i]) {
			text := "got  " + string(a[i])
			if i < len(b) {
				text += "\nwant " + string(b[i])
			}
			return text
		}
	}
	return "the end is missing"
}

// rounded writes every number of a CSV file with six digits.
func rounded(t *testing.T, text []byte) []byte {
	t.Helper()
	rows, err := csv.NewReader(bytes.NewReader(text)).ReadAll()
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
	var b bytes.Buffer
	w := csv.NewWriter(&b)
	if err := w.WriteAll(rows); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}
