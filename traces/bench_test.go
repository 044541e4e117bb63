package traces

import (
	"path/filepath"
	"testing"
)

const benchmarkRows = 200_000

func benchmarkTrace(b *testing.B) string {
	b.Helper()
	path := filepath.Join(b.TempDir(), "t.parquet")
	if err := Write(path, syntheticRows(benchmarkRows), Meta{Source: Synthetic}); err != nil {
		b.Fatal(err)
	}
	return path
}

func reportRows(b *testing.B) {
	b.ReportMetric(float64(benchmarkRows)*float64(b.N)/b.Elapsed().Seconds(), "rows/s")
}

func BenchmarkWrite(b *testing.B) {
	rows := syntheticRows(benchmarkRows)
	path := filepath.Join(b.TempDir(), "t.parquet")
	b.ReportAllocs()
	for b.Loop() {
		if err := Write(path, rows, Meta{Source: Synthetic}); err != nil {
			b.Fatal(err)
		}
	}
	reportRows(b)
}

func BenchmarkRead(b *testing.B) {
	path := benchmarkTrace(b)
	b.ReportAllocs()
	for b.Loop() {
		rows, _, err := Read(path)
		if err != nil || len(rows) != benchmarkRows {
			b.Fatal(len(rows), err)
		}
	}
	reportRows(b)
}

// BenchmarkScanSteps reads the columns that a model is fitted to, in bounded
// memory.
func BenchmarkScanSteps(b *testing.B) {
	path := benchmarkTrace(b)
	b.ReportAllocs()
	for b.Loop() {
		n := 0
		if _, err := Scan(path, StepColumns(), func(rows []Record) error {
			n += len(rows)
			return nil
		}); err != nil || n != benchmarkRows {
			b.Fatal(n, err)
		}
	}
	reportRows(b)
}

func BenchmarkValidate(b *testing.B) {
	rows := syntheticRows(benchmarkRows)
	b.ReportAllocs()
	for b.Loop() {
		if d := Validate(rows); len(d) > 0 {
			b.Fatal(d[0])
		}
	}
	reportRows(b)
}

func BenchmarkInspect(b *testing.B) {
	rows := syntheticRows(benchmarkRows)
	b.ReportAllocs()
	for b.Loop() {
		if s := Inspect(rows, Meta{}); s.Rows != benchmarkRows {
			b.Fatal(s.Rows)
		}
	}
	reportRows(b)
}
