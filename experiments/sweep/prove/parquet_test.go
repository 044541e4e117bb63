package prove

import (
	"context"
	"os"
	"path/filepath"
	"testing"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/memory"
	"github.com/apache/arrow-go/v18/parquet/file"
	"github.com/apache/arrow-go/v18/parquet/pqarrow"

	"eevee/experiments/sweep"
)

// What a sweep writes is read by Apache Arrow, which pandas, polars and DuckDB
// share formats with, without options: every column, every value and every
// null.
func TestArrowReadsTheResult(t *testing.T) {
	limit, cost, text := 40.5, 0.0123, "1x1792 16x1792"
	holdout := int32(100_000)
	yes := true
	rows := []sweep.Row{
		{Workflow: "ml", Metric: "latency", LimitS: &limit, Percentile: 95, Method: "exact", Cell: "a", Status: "optimal", Config: &text, ObjectiveMeanUSD: &cost, Holdout: &holdout, Keeps: &yes, Seed: 7},
		{Workflow: "ml", Metric: "latency", LimitS: &limit, Percentile: 99, Method: "exact", Cell: "b", Status: "infeasible", Seed: 7},
	}
	path := filepath.Join(t.TempDir(), "sweep.parquet")
	if err := sweep.WriteRows(path, rows); err != nil {
		t.Fatal(err)
	}
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	reader, err := file.NewParquetReader(f)
	if err != nil {
		t.Fatal(err)
	}
	defer reader.Close()
	arrows, err := pqarrow.NewFileReader(reader, pqarrow.ArrowReadProperties{}, memory.DefaultAllocator)
	if err != nil {
		t.Fatal(err)
	}
	table, err := arrows.ReadTable(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	defer table.Release()
	columns := 0
	for _, c := range sweep.Columns() {
		if len(table.Schema().FieldIndices(c.Name)) == 1 {
			columns++
		}
	}
	if int(table.NumCols()) != columns || table.NumRows() != 2 {
		t.Fatalf("%d columns, %d of them known, %d rows", table.NumCols(), columns, table.NumRows())
	}
	chunk := func(name string) arrow.Array {
		return table.Column(table.Schema().FieldIndices(name)[0]).Data().Chunk(0)
	}
	if c := chunk("percentile").(*array.Float64); c.Value(0) != 95 || c.Value(1) != 99 {
		t.Errorf("percentiles %v", c)
	}
	if c := chunk("objective_mean_usd").(*array.Float64); c.Value(0) != cost || !c.IsNull(1) {
		t.Errorf("objectives %v", c)
	}
	if c := chunk("holdout").(*array.Int32); c.Value(0) != holdout || !c.IsNull(1) {
		t.Errorf("holdouts %v", c)
	}
	if c := chunk("seed").(*array.Int64); c.Value(0) != 7 {
		t.Errorf("seeds %v", c)
	}
	if c := chunk("keeps").(*array.Boolean); !c.Value(0) || !c.IsNull(1) {
		t.Errorf("keeps %v", c)
	}
	if c, ok := chunk("config").(interface{ ValueStr(int) string }); !ok || c.ValueStr(0) != text {
		t.Errorf("configurations %v", chunk("config"))
	}
}
