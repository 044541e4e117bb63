package logs

import (
	"bufio"
	"bytes"
	"fmt"
	"path/filepath"
	"testing"
	"time"

	"eevee/traces"
)

// reportLines makes lines as "aws logs tail --format short" prints them.
func reportLines(n int) []byte {
	var b bytes.Buffer
	at := time.Date(2026, 10, 8, 14, 5, 27, 768_000_000, time.UTC)
	for i := range n {
		us := 200_000 + i*7919%500_000/10*10
		fmt.Fprintf(&b, "%s REPORT RequestId: %08x-1c1f-4a2b-9c3d-%012x\tDuration: %d.%02d ms\tBilled Duration: %d ms\tMemory Size: 1280 MB\tMax Memory Used: 36 MB\t",
			at.Format("2006-01-02T15:04:05.000Z"), i*2654435761%(1<<32), i, us/1000, us%1000/10, (us+999)/1000)
		if i%500 == 0 {
			b.WriteString("Init Duration: 116.18 ms\t")
		}
		b.WriteByte('\n')
		at = at.Add(17 * time.Millisecond)
	}
	return b.Bytes()
}

const benchLines = 100_000

// perLine runs a benchmark and reports the processor time that a line takes,
// of all threads. The machine may be busy with other things, so that the time
// on the clock says little.
func perLine(b *testing.B, body func()) {
	before := cpuTime()
	n := 0
	for b.Loop() {
		body()
		n++
	}
	perLine := float64((cpuTime() - before).Nanoseconds()) / float64(n) / benchLines
	b.ReportMetric(perLine, "cpu-ns/line")
	b.ReportMetric(perLine/scanTime(), "x-scan")
	b.ReportMetric(1e9/perLine, "lines/cpu-s")
}

// scanTime returns what a line takes that is only found, in ns of processor
// time, measured in the same run.
func scanTime() float64 {
	text := reportLines(benchLines)
	const scans = 20
	before := cpuTime()
	for range scans {
		scan(text)
	}
	return float64((cpuTime() - before).Nanoseconds()) / scans / benchLines
}

// BenchmarkScan is the yardstick: to find the lines and do nothing with them.
func BenchmarkScan(b *testing.B) {
	text := reportLines(benchLines)
	b.SetBytes(int64(len(text)))
	perLine(b, func() { scan(text) })
}

func scan(text []byte) (n int) {
	lines := bufio.NewScanner(bytes.NewReader(text))
	for lines.Scan() {
		n += len(lines.Bytes())
	}
	return n
}

func BenchmarkReadText(b *testing.B) {
	text := reportLines(benchLines)
	b.SetBytes(int64(len(text)))
	b.ReportAllocs()
	perLine(b, func() {
		if rows := readBytes(b, text, func([]traces.Record) error { return nil }); rows != benchLines {
			b.Fatalf("%d rows", rows)
		}
	})
}

// BenchmarkRowsToParquet writes rows that are read already.
func BenchmarkRowsToParquet(b *testing.B) {
	var rows []traces.Record
	readBytes(b, reportLines(benchLines), func(part []traces.Record) error {
		rows = append(rows, part...)
		return nil
	})
	path := filepath.Join(b.TempDir(), "t.parquet")
	b.ReportAllocs()
	perLine(b, func() {
		if err := traces.Write(path, rows, traces.Meta{Source: traces.Recorded}); err != nil {
			b.Fatal(err)
		}
	})
}

// BenchmarkTextToParquet does both.
func BenchmarkTextToParquet(b *testing.B) {
	text := reportLines(benchLines)
	path := filepath.Join(b.TempDir(), "t.parquet")
	b.ReportAllocs()
	perLine(b, func() {
		w, err := traces.NewWriter(path, traces.Meta{Source: traces.Recorded})
		if err != nil {
			b.Fatal(err)
		}
		readBytes(b, text, func(rows []traces.Record) error { return w.Write(rows...) })
		if err := w.Close(); err != nil {
			b.Fatal(err)
		}
	})
}

func readBytes(tb testing.TB, text []byte, visit func([]traces.Record) error) int64 {
	tb.Helper()
	o := Options{Workflow: "app"}
	out := newSink(tb.Context(), &o, visit)
	out.begin("text", "f")
	if err := readText(newInput("text", bytes.NewReader(text)), out); err != nil {
		tb.Fatal(err)
	}
	report, err := out.finish()
	if err != nil {
		tb.Fatal(err)
	}
	return report.Rows
}
