package logs

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"eevee/internal/recordings"
	"eevee/traces"
)

func TestCSVOfPacslab(t *testing.T) {
	dir := filepath.Join(recordings.Dir(t), "pacslab-slappmdlopt")
	for _, c := range []struct {
		mapping, file             string
		rows, functions, memories int
	}{
		{"pacslab", "optimization/profile-functions/OptAlg_lambda_logs.csv.gz", 51597, 6, 43},
		{"pacslab", "modeling/Choice/Choice_lambda_logs.csv.gz", 10000, 4, 4},
		{"pacslab", "modeling/textprocessing/TextProcessing_sfn_lambda_logs.csv.gz", 8000, 4, 1},
		{"pacslab-prcp", "optimization/DFBA-PRCP/App6_Lambda_Logs.csv.gz", 27600, 6, 46},
	} {
		m, err := LoadMapping(c.mapping)
		if err != nil {
			t.Fatal(err)
		}
		rows, _, _, err := ImportAll(t.Context(), Options{Workflow: "app", Mapping: &m}, filepath.Join(dir, c.file))
		if err != nil {
			t.Errorf("%s: %v", c.file, err)
			continue
		}
		functions, memories, rules := map[string]int{}, map[int32]int{}, map[string]int{}
		for _, r := range rows {
			functions[r.Stage]++
			memories[r.MemoryMB]++
			rules[*r.BilledRule]++
		}
		if len(rows) != c.rows || len(functions) != c.functions || len(memories) != c.memories {
			t.Errorf("%s: %d rows, %d functions, %d memories; want %d, %d, %d", c.file, len(rows), len(functions), len(memories), c.rows, c.functions, c.memories)
		}
	}
}

func TestCSVValues(t *testing.T) {
	const mapping = `
schema: eevee.csv-mapping/1
columns:
  - {column: fn, meaning: stage}
  - {column: took, unit: s, meaning: duration_us}
  - {column: billed, unit: ms, meaning: billed_ms}
  - {column: at, unit: s, meaning: start_ns}
  - {column: until, unit: datetime, meaning: end_ns}
  - {column: note, meaning: none}
  - {column: cost, unit: uUSD, meaning: cost_usd}
values: {memory_mb: "1024"}
`
	m, err := ParseMapping([]byte(mapping), "m.yaml")
	if err != nil {
		t.Fatal(err)
	}
	const text = "fn,took,billed,at,until,note,cost\n" +
		"a,0.0123456,13,1642829641.123456789,2022-01-22 05:34:02.5,x,16.479\n" +
		"\"b,c\",,,,,,\n"
	var rows []traces.Record
	err = ReadCSV(strings.NewReader(text), "t.csv", "w", m, func(r *traces.Record) error {
		rows = append(rows, *r)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if len(rows) != 2 {
		t.Fatalf("%d rows", len(rows))
	}
	a, b := rows[0], rows[1]
	if *a.DurationUS != 12346 || *a.BilledMS != 13 || *a.StartNS != 1642829641123456789 || *a.EndNS != 1642829642500000000 ||
		*a.CostUSD != 16.479/1e6 || a.MemoryMB != 1024 || *a.BilledRule != BilledDuration || *a.SourceLine != 2 || *a.Function != "a" {
		t.Errorf("row 1: %+v", a)
	}
	if b.Stage != "b,c" || b.DurationUS != nil || b.BilledMS != nil || b.StartNS != nil || b.CostUSD != nil || b.BilledRule != nil {
		t.Errorf("empty cells are not null: %+v", b)
	}
}

// The accounts in ARNs are dropped; other numbers of twelve digits stay.
func TestCSVHidesAccounts(t *testing.T) {
	m, err := ParseMapping([]byte("schema: eevee.csv-mapping/1\ncolumns:\n  - {column: fn, meaning: function}\n  - {column: run, meaning: workflow_execution_id}\n  - {column: id, meaning: request_id}\nvalues: {memory_mb: \"512\"}\n"), "m")
	if err != nil {
		t.Fatal(err)
	}
	const arn, run = "arn:aws:lambda:eu-west-1:123456789012:function:resize", "arn:aws:states:eu-west-1:123456789012:execution:app:one"
	path := filepath.Join(t.TempDir(), "t.csv")
	if err := os.WriteFile(path, []byte("fn,run,id\n"+arn+","+run+",210987654321\n"), 0o666); err != nil {
		t.Fatal(err)
	}
	for _, keep := range []bool{false, true} {
		rows, _, _, err := ImportAll(t.Context(), Options{Workflow: "app", Mapping: &m, KeepIdentifiers: keep}, path)
		if err != nil {
			t.Fatal(err)
		}
		function, execution := "resize", "app:one"
		if keep {
			function, execution = arn, run
		}
		if r := rows[0]; *r.Function != function || r.Stage != function || r.Execution != execution || *r.RequestID != "210987654321" {
			t.Errorf("keep %t: %s, %s, %s, %s", keep, r.Stage, *r.Function, r.Execution, *r.RequestID)
		}
	}
}
