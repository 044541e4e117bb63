package cli

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"path/filepath"
	"slices"
	"testing"

	"eevee/internal/recordings"
	"eevee/traces"
)

// tailed is what "aws logs tail" prints of three invocations.
const tailed = `2026-10-08T14:05:27.000000+00:00 2026/10/08/[$LATEST]0123456789abcdef0123456789abcdef INIT_START Runtime Version: python:3.13.v50	Runtime Version ARN: arn:aws:lambda:us-east-1::runtime:00
2026-10-08T14:05:27.500000+00:00 2026/10/08/[$LATEST]0123456789abcdef0123456789abcdef START RequestId: 6e1d9f1a-0000-4000-8000-000000000001 Version: $LATEST
2026-10-08T14:05:27.600000+00:00 2026/10/08/[$LATEST]0123456789abcdef0123456789abcdef resized 3 pictures
2026-10-08T14:05:27.780000+00:00 2026/10/08/[$LATEST]0123456789abcdef0123456789abcdef END RequestId: 6e1d9f1a-0000-4000-8000-000000000001
2026-10-08T14:05:27.780000+00:00 2026/10/08/[$LATEST]0123456789abcdef0123456789abcdef REPORT RequestId: 6e1d9f1a-0000-4000-8000-000000000001	Duration: 279.67 ms	Billed Duration: 396 ms	Memory Size: 1280 MB	Max Memory Used: 36 MB	Init Duration: 116.18 ms	
2026-10-08T14:05:28.780000+00:00 2026/10/08/[$LATEST]0123456789abcdef0123456789abcdef REPORT RequestId: 6e1d9f1a-0000-4000-8000-000000000002	Duration: 12.01 ms	Billed Duration: 13 ms	Memory Size: 1280 MB	Max Memory Used: 36 MB	
2026-10-08T14:05:29.780000+00:00 2026/10/08/[$LATEST]0123456789abcdef0123456789abcdef REPORT RequestId: 6e1d9f1a-0000-4000-8000-000000000003	Duration: 3000.00 ms	Billed Duration: 3000 ms	Memory Size: 1280 MB	Max Memory Used: 36 MB	
2026-10-08T14:05:29.780000+00:00 2026/10/08/[$LATEST]0123456789abcdef0123456789abcdef 2026-10-08T14:05:29.780Z 6e1d9f1a-0000-4000-8000-000000000003 Task timed out after 3.00 seconds
2026-10-08T14:05:30.000000+00:00 2026/10/08/[$LATEST]0123456789abcdef0123456789abcdef account 123456789012 called from 192.0.2.17
`

func TestImportLogsGolden(t *testing.T) {
	s := newSession(t, "import_logs")
	s.write("resize.log", []byte(tailed))
	var packed bytes.Buffer
	z := gzip.NewWriter(&packed)
	z.Write([]byte(tailed))
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	s.write("packed.log.gz", packed.Bytes())
	s.write("empty.log", nil)
	s.write("prose.txt", []byte("Nothing of interest.\n"))
	s.write("table.csv", []byte("fn,ms\nresize,12.5\n"))
	s.write("negative.csv", []byte("fn,ms\nresize,-12.5\n"))
	s.write("map.yaml", []byte("schema: eevee.csv-mapping/1\ncolumns:\n  - {column: fn, meaning: function}\n  - {column: ms, unit: ms, meaning: duration_us}\nvalues: {memory_mb: \"512\"}\n"))
	s.write("wrong.yaml", []byte("schema: eevee.csv-mapping/1\ncolumns:\n  - {column: fn, meaning: functoin}\n  - {column: ms, unit: furlong, meaning: duration_us}\n"))
	s.write("other.yaml", []byte("schema: eevee.csv-mapping/1\ncolumns:\n  - {column: fn, meaning: function}\n  - {column: secs, unit: s, meaning: duration_us}\n"))
	s.run("traces import --workflow app $DIR/resize.log -o $DIR/t.parquet")
	s.run("traces inspect $DIR/t.parquet")
	s.run("traces import --workflow app $DIR/resize.log $DIR/packed.log.gz -o $DIR/t.parquet --json --quiet")
	s.run("traces import --workflow app --keep-identifiers --function f --memory 512 $DIR/resize.log -o $DIR/t.parquet")
	s.run("traces import --workflow app --mapping $DIR/map.yaml $DIR/table.csv -o $DIR/t.parquet")
	before := files(t, s.dir)
	for _, bad := range []string{"empty.log", "prose.txt", "table.csv", "missing.log", "table.csv --format csv", "negative.csv --mapping $DIR/map.yaml",
		"table.csv --mapping $DIR/wrong.yaml", "table.csv --mapping $DIR/other.yaml", "table.csv --mapping nope", "table.csv --mapping $DIR/map.yaml --format xray",
		"prose.txt --format cloudwatch-text", "prose.txt --format xray"} {
		s.run("traces import --workflow app -o $DIR/out.parquet $DIR/" + bad)
	}
	if after := files(t, s.dir); !slices.Equal(before, after) {
		t.Errorf("failed imports left files behind: %q, before %q", after, before)
	}
	s.compare()
}

// What --json prints is as the published schema says, and counts what was
// recorded.
func TestImportJSONSchema(t *testing.T) {
	path := filepath.Join(t.TempDir(), "t.parquet")
	inputs := filepath.Join(recordings.Dir(t), "pacslab-slappmdlopt", "raw_insights")
	code, stdout, stderr := runProgram("traces", "import", "--workflow", "app", inputs, "-o", path, "--json", "--quiet")
	if code != exitDone {
		t.Fatalf("exit %d: %s", code, stderr)
	}
	matchesSchema(t, "import", []byte(stdout))
	var got importedTrace
	if err := json.Unmarshal([]byte(stdout), &got); err != nil {
		t.Fatal(err)
	}
	summary, err := traces.InspectFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if got.Rows != 46_000 || summary.Rows != 46_000 || got.Report.RequestIDs != 38_000 || summary.Meta.InputSHA256 != got.InputSHA256 {
		t.Errorf("%d rows, %d in the trace, %d request ids; want 46000, 46000 and 38000", got.Rows, summary.Rows, got.Report.RequestIDs)
	}
}
