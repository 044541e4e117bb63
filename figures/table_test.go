package figures

import (
	"bytes"
	"encoding/csv"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"unicode/utf8"

	"pgregory.net/rapid"
)

func table5() Table {
	return Table{
		Title:   "Error of the end-to-end prediction",
		Columns: []Column{{Name: "configuration"}, {Name: "P95", Unit: "%", Decimals: 2}, {Name: "runs"}},
		Rows: [][]any{
			{"C0", -7.58, 100},
			{"C1 | C2", 36.034999, nil},
			{"none", nil, 8},
			{"zero", -0.001, 12},
		},
	}
}

func ExampleTable_WriteText() {
	if err := table5().WriteText(os.Stdout); err != nil {
		fmt.Println(err)
	}
	// Output:
	// Error of the end-to-end prediction
	// ┌───────────────┬─────────┬──────┐
	// │ configuration │ P95 (%) │ runs │
	// ├───────────────┼─────────┼──────┤
	// │ C0            │   -7.58 │  100 │
	// │ C1 | C2       │   36.03 │    – │
	// │ none          │       – │    8 │
	// │ zero          │    0.00 │   12 │
	// └───────────────┴─────────┴──────┘
}

func ExampleTable_WriteMarkdown() {
	if err := table5().WriteMarkdown(os.Stdout); err != nil {
		fmt.Println(err)
	}
	// Output:
	// **Error of the end-to-end prediction**
	//
	// | configuration | P95 (%) | runs |
	// |:--- | ---:| ---:|
	// | C0 | -7.58 | 100 |
	// | C1 \| C2 | 36.03 | – |
	// | none | – | 8 |
	// | zero | 0.00 | 12 |
}

func ExampleTable_WriteCSV() {
	if err := table5().WriteCSV(os.Stdout); err != nil {
		fmt.Println(err)
	}
	// Output:
	// configuration,P95 (%),runs
	// C0,-7.58,100
	// C1 | C2,36.034999,
	// none,,8
	// zero,-0.001,12
}

func TestTableCSVReadsBack(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		table := Table{Columns: []Column{{Name: "text"}, {Name: "number", Decimals: 2}}}
		for range rapid.IntRange(1, 10).Draw(t, "rows") {
			table.Rows = append(table.Rows, []any{rapid.String().Draw(t, "text"), rapid.Float64Range(-math.MaxFloat64, math.MaxFloat64).Draw(t, "number")})
		}
		var b bytes.Buffer
		if err := table.WriteCSV(&b); err != nil {
			t.Fatal(err)
		}
		rows, err := csv.NewReader(&b).ReadAll()
		if err != nil {
			t.Fatal(err)
		}
		for i, row := range table.Rows {
			v, err := strconv.ParseFloat(rows[i+1][1], 64)
			if err != nil || math.Float64bits(v) != math.Float64bits(row[1].(float64)) {
				t.Fatalf("%s, want %v", rows[i+1][1], row[1])
			}
			if rows[i+1][0] != strings.ReplaceAll(row[0].(string), "\r\n", "\n") {
				t.Fatalf("%q, want %q", rows[i+1][0], row[0])
			}
		}
	})
}

func TestTableTextIsAligned(t *testing.T) {
	var b bytes.Buffer
	table := table5()
	table.Title = ""
	if err := table.WriteText(&b); err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(strings.TrimSpace(b.String()), "\n")
	for _, line := range lines {
		if n := utf8.RuneCountInString(line); n != utf8.RuneCountInString(lines[0]) {
			t.Errorf("line %q has %d characters, the first one %d", line, n, utf8.RuneCountInString(lines[0]))
		}
	}
}

func TestTableDefects(t *testing.T) {
	columns := []Column{{Name: "a"}, {Name: "b"}}
	for name, c := range map[string]struct {
		rows [][]any
		want []string
	}{
		"too few":  {[][]any{{"x"}}, []string{"row 0", "1 cells for 2 columns"}},
		"NaN":      {[][]any{{"x", 1.0}, {"x", math.NaN()}}, []string{"row 1", `"b"`, "NaN"}},
		"infinite": {[][]any{{math.Inf(-1), 1.0}}, []string{"row 0", `"a"`, "-Inf"}},
		"type":     {[][]any{{"x", true}}, []string{"row 0", `"b"`, "bool"}},
	} {
		dir := filepath.Join(t.TempDir(), "new")
		_, err := Save(dir, "t", Table{Title: "T", Columns: columns, Rows: c.rows}, Print)
		if err == nil {
			t.Errorf("%s: no error", name)
			continue
		}
		for _, want := range append(c.want, "figures:", `"T"`) {
			if !strings.Contains(err.Error(), want) {
				t.Errorf("%s: error %q does not say %q", name, err, want)
			}
		}
		if _, err := os.Stat(dir); !os.IsNotExist(err) {
			t.Errorf("%s: something was written", name)
		}
	}
}

func TestTableSave(t *testing.T) {
	dir := t.TempDir()
	paths, err := Save(dir, "t5", table5(), Print)
	if err != nil {
		t.Fatal(err)
	}
	if len(paths) != 3 {
		t.Errorf("paths %q", paths)
	}
	for _, p := range paths {
		if len(read(t, p)) == 0 {
			t.Errorf("%s is empty", p)
		}
	}
}
