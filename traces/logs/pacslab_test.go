package logs

import (
	"path/filepath"
	"testing"

	"eevee/internal/recordings"
	"eevee/traces"
)

// pacslab returns the folder of the recordings of pacslab/SLAppMdlOpt.
func pacslab(t *testing.T) string {
	t.Helper()
	return filepath.Join(recordings.Dir(t), "pacslab-slappmdlopt")
}

// The counts of the results of Insights that were recorded: 46,000 REPORT
// lines, some of which two queries returned.
func TestInsightsOfPacslab(t *testing.T) {
	rows, _, report, err := ImportAll(t.Context(), Options{Workflow: "app"}, filepath.Join(pacslab(t), "raw_insights"))
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		what      string
		got, want int64
	}{
		{"rows", int64(len(rows)), 46_000},
		{"rows of the report", report.Rows, 46_000},
		{"request ids", report.RequestIDs, 38_000},
		{"repeated rows", report.Repeated, 8_000},
		{"rows with init", report.WithInit, 56},
		{"cold rows", report.Cold, 56},
		{"files", int64(len(report.Files)), 10},
		{"not understood", report.Unknown, 0},
		{"billed ceil(d)", countOf(report.Rules, BilledDuration), 45_625},
		{"billed ceil(d)+1", countOf(report.Rules, BilledDurationPlusOne), 375},
	} {
		if c.got != c.want {
			t.Errorf("%s: %d, want %d", c.what, c.got, c.want)
		}
	}
	ids := make(map[string]bool)
	for _, r := range rows {
		if ids[*r.RequestID] = true; r.EndNS == nil || *r.EndNS%1_000_000 != 0 || *r.TimePrecisionUS != 1000 {
			t.Fatalf("row %s has no time in ms", *r.RequestID)
		}
	}
	if len(ids) != 38_000 {
		t.Errorf("%d distinct request ids, want 38000", len(ids))
	}
}

// The tables that were published beside the results of Insights hold the same
// invocations: every field of one is that of the other. The table has whole
// seconds.
func TestInsightsEqualTables(t *testing.T) {
	mapping, err := LoadMapping("pacslab")
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		table, results string
		rows           int
	}{
		{"modeling/Choice/Choice_lambda_logs.csv.gz", "raw_insights/modeling__Choice__query_lambda_results.json.gz", 10_000},
		{"modeling/textprocessing/TextProcessing_sfn_lambda_logs.csv.gz", "raw_insights/modeling__textprocessing__query_lambda_results_sfn.json.gz", 8_000},
	} {
		table, _, _, err := ImportAll(t.Context(), Options{Workflow: "app", Mapping: &mapping}, filepath.Join(pacslab(t), c.table))
		if err != nil {
			t.Fatal(err)
		}
		results, _, _, err := ImportAll(t.Context(), Options{Workflow: "app"}, filepath.Join(pacslab(t), c.results))
		if err != nil {
			t.Fatal(err)
		}
		if len(table) != c.rows || len(results) != c.rows {
			t.Fatalf("%s: %d rows, %d results, want %d", c.table, len(table), len(results), c.rows)
		}
		byRequest := make(map[string]*traces.Record)
		for i := range results {
			byRequest[*results[i].RequestID] = &results[i]
		}
		for _, a := range table {
			b := byRequest[*a.RequestID]
			if b == nil {
				t.Fatalf("%s: no result of request %s", c.table, *a.RequestID)
			}
			second := *b.EndNS / 1_000_000_000 * 1_000_000_000
			if *a.DurationUS != *b.DurationUS || *a.BilledMS != *b.BilledMS || a.MemoryMB != b.MemoryMB || *a.MaxMemoryMB != *b.MaxMemoryMB ||
				*a.BilledRule != *b.BilledRule || *a.EndNS != second {
				t.Errorf("%s: request %s: %+v in the table, %+v in the results", c.table, *a.RequestID, a, *b)
			}
		}
	}
}

func countOf(counts []Count, name string) int64 {
	for _, c := range counts {
		if c.Name == name {
			return c.Count
		}
	}
	return 0
}
