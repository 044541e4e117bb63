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

// BenchmarkScan is the yardstick: to find the lines and do nothing with them.
func BenchmarkScan(b *testing.B) {
	text := reportLines(benchLines)
	b.SetBytes(int64(len(text)))
	for b.Loop() {
		lines := bufio.NewScanner(bytes.NewReader(text))
		n := 0
		for lines.Scan() {
			n += len(lines.Bytes())
		}
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/benchLines, "ns/line")
}

func BenchmarkReadText(b *testing.B) {
	text := reportLines(benchLines)
	b.SetBytes(int64(len(text)))
	b.ReportAllocs()
	for b.Loop() {
		if rows := readBytes(b, text, func([]traces.Record) error { return nil }); rows != benchLines {
			b.Fatalf("%d rows", rows)
		}
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/benchLines, "ns/line")
}

func BenchmarkTextToParquet(b *testing.B) {
	text := reportLines(benchLines)
	path := filepath.Join(b.TempDir(), "t.parquet")
	b.ReportAllocs()
	for b.Loop() {
		w, err := traces.NewWriter(path, traces.Meta{Source: traces.Recorded})
		if err != nil {
			b.Fatal(err)
		}
		readBytes(b, text, func(rows []traces.Record) error { return w.Write(rows...) })
		if err := w.Close(); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/benchLines, "ns/line")
}

func readBytes(tb testing.TB, text []byte, visit func([]traces.Record) error) int64 {
	tb.Helper()
	o := Options{Workflow: "app"}
	out := newSink(tb.Context(), &o, visit)
	out.begin("text", "f")
	if err := readText(&input{"text", bufio.NewReader(bytes.NewReader(text))}, out); err != nil {
		tb.Fatal(err)
	}
	report, err := out.finish()
	if err != nil {
		tb.Fatal(err)
	}
	return report.Rows
}
