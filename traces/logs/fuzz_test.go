package logs

import (
	"bytes"
	"context"
	goflag "flag"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"eevee/traces"
)

var updateCorpus = goflag.Bool("corpus", false, "write the seeds of the fuzz targets to testdata/fuzz")

// Every reader on arbitrary bytes: no panic, rows that agree with the report
// and that hold no impossible value, and no more memory allocated than 100
// times the input, beyond the buffers that every file needs.
func fuzzReader(f *testing.F, format string, seeds []string, options ...Options) {
	for i, seed := range seeds {
		f.Add([]byte(seed))
		if *updateCorpus {
			writeSeed(f, i, seed)
		}
	}
	reader, err := FindFormat(format)
	if err != nil {
		f.Fatal(err)
	}
	o := Options{Workflow: "app"}
	if len(options) > 0 {
		o = options[0]
	}
	// What is made once per program is none of a file's.
	readAny(reader, o, []byte(strings.Join(seeds, "\n")))
	f.Fuzz(func(t *testing.T, data []byte) {
		if len(data) > 1<<16 {
			t.Skip("long inputs only slow the search down")
		}
		Detect(data)
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		rows, report, err := readAny(reader, o, data)
		runtime.ReadMemStats(&after)
		const buffers = 6 << 20 // batch of rows, pieces of lines, hash tables, decompression
		if used := after.TotalAlloc - before.TotalAlloc; used > 100*uint64(len(data))+buffers {
			t.Errorf("%d bytes allocated for %d bytes of input", used, len(data))
		}
		if err == nil && (report.Rows != rows || report.Files[0].Rows != rows) {
			t.Errorf("%d rows, %d and %d in the report", rows, report.Rows, report.Files[0].Rows)
		}
	})
}

// The same bound on inputs that are made to break it: as many and as deep
// elements as fit.
func TestAllocationIsBounded(t *testing.T) {
	segment := func(document string) string {
		return `{"Id":"1","Segments":[{"Id":"a","Document":` + document + `}]}`
	}
	many := func(element string) string { return strings.Repeat(element+",", 40_000) + element }
	for _, c := range []struct{ format, content string }{
		{"lithops", `{"worker_stats":[` + many("{}") + `]}`},
		{"xray", segment(`{"id":"a","start_time":1,"subsegments":[` + many("{}") + `]}`)},
		{"xray", segment(`{"id":"a","start_time":1,"subsegments":[` + many(`{"id":"a","start_time":1}`) + `]}`)},
		{"xray", segment(strings.Repeat(`{"id":"a","start_time":1,"subsegments":[`, 5_000) + strings.Repeat("]}", 5_000))},
		{"xray", `{"Traces":[` + many("{}") + `]}`},
		{"stepfunctions-history", `{"events":[` + many(`{"id":2,"type":"x"}`) + `]}`},
		{"cloudwatch-events", `{"events":[` + many("{}") + `]}`},
		{"cloudwatch-events", strings.Repeat("[", 9_000)},
		{"cloudwatch-subscription", `{"logEvents":[` + many("{}") + `]}`},
		{"insights-json", `{"results":[` + many("[]") + `]}`},
		{"insights-json", `{"results":[` + many(`[{}]`) + `]}`},
		{"cloudwatch-text", strings.Repeat("\n", 1<<18)},
		{"cloudwatch-text", strings.Repeat("{}\n", 40_000)},
		{"cloudwatch-text", strings.Repeat(`{"id":"2","execution_arn":"a"}`+"\n", 10_000)},
		{"cloudwatch-text", strings.Repeat("x", 9<<20)},
		{"insights-csv", "@message,@x\n" + strings.Repeat(",\n", 40_000)},
	} {
		reader, err := FindFormat(c.format)
		if err != nil {
			t.Fatal(err)
		}
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		readAny(reader, Options{Workflow: "app"}, []byte(c.content))
		runtime.ReadMemStats(&after)
		used := after.TotalAlloc - before.TotalAlloc
		if used > 100*uint64(len(c.content))+6<<20 {
			t.Errorf("%s, %.40q: %d bytes allocated for %d bytes of input", c.format, c.content, used, len(c.content))
		}
	}
}

// readAny reads bytes as one format and returns how many rows came out.
func readAny(reader Format, o Options, data []byte) (rows int64, report Report, err error) {
	out := newSink(context.Background(), &o, func(part []traces.Record) error {
		rows += int64(len(part))
		for _, d := range traces.Unusable(part) {
			if d.Column != "memory_mb" {
				panic("an unusable row was handed on: " + d.String())
			}
		}
		return nil
	})
	out.begin("input", "input")
	out.strict = reader.strict
	if err := reader.read(newInput("input", bytes.NewReader(data)), out); err != nil {
		return rows, Report{}, err
	}
	report, err = out.finish()
	return rows, report, err
}

// writeSeed keeps a seed among the files of the corpus.
func writeSeed(f *testing.F, i int, seed string) {
	folder := filepath.Join("testdata", "fuzz", f.Name())
	if err := os.MkdirAll(folder, 0o777); err != nil {
		f.Fatal(err)
	}
	text := fmt.Sprintf("go test fuzz v1\n[]byte(%q)\n", seed)
	if err := os.WriteFile(filepath.Join(folder, fmt.Sprintf("seed%02d", i)), []byte(text), 0o666); err != nil {
		f.Fatal(err)
	}
}

// carriedAs returns our own logs as the transports of one format have them.
func carriedAs(format string) (seeds []string) {
	for _, log := range [][]logged{textLog(), jsonLog()} {
		for _, c := range append(transports(log), tails(log)) {
			if c.format != format || bytes.HasPrefix(c.data, []byte{0x1f, 0x8b}) {
				continue
			}
			seeds = append(seeds, strings.TrimPrefix(string(c.data), "\ufeff"))
		}
	}
	return seeds
}

func FuzzText(f *testing.F) {
	seeds := append(carriedAs("cloudwatch-text"), strings.Join(logHistory(story(), "one"), "\n"),
		"2026-10-08T14:05:27 RequestId: "+requestA+" Error: Runtime exited with error: signal: killed\nREPORT RequestId: "+requestA+"\tDuration: 1 ms\tBilled Duration: 1 ms\tMemory Size: 128 MB\tMax Memory Used: 128 MB\t\n",
		"INIT_REPORT Init Duration: 1236.04 ms\tPhase: invoke\tStatus: error\tError Type: Runtime.ExitError\nRESTORE_REPORT Restore Duration: 12.04 ms\n")
	fuzzReader(f, "cloudwatch-text", seeds)
}

func FuzzEvents(f *testing.F) { fuzzReader(f, "cloudwatch-events", carriedAs("cloudwatch-events")) }

func FuzzSubscription(f *testing.F) {
	fuzzReader(f, "cloudwatch-subscription", carriedAs("cloudwatch-subscription"))
}

func FuzzInsights(f *testing.F) { fuzzReader(f, "insights-json", carriedAs("insights-json")) }

func FuzzInsightsTable(f *testing.F) {
	fuzzReader(f, "insights-csv", append(carriedAs("insights-csv"),
		"@timestamp,@requestId,@duration,@billedDuration,@memorySize,@maxMemoryUsed,@initDuration,@type\n2026-10-08 14:05:27.780,"+requestA+",279.67,396.0,1.28E9,36000000,116.18,REPORT\n",
		"timestamp,message\n1791468327780,\"REPORT RequestId: "+requestA+"\tDuration: 1 ms\tBilled Duration: 1 ms\tMemory Size: 128 MB\tMax Memory Used: 128 MB\t\n\"\n"))
}

func FuzzTail(f *testing.F) { fuzzReader(f, "lambda-tail", carriedAs("lambda-tail")) }

func FuzzHistory(f *testing.F) {
	fuzzReader(f, "stepfunctions-history", []string{apiHistory(story(), 1000, false), apiHistory(story(), 7, true), apiHistory(story()[9:], 9, false)})
}

func FuzzXRay(f *testing.F) {
	fuzzReader(f, "xray", []string{ownTrace(), "{\"Traces\":[" + ownTrace() + "]}"})
}

// ownTrace is a trace of one cold asynchronous invocation that is retried.
func ownTrace() string {
	type object = map[string]any
	const start = 1791468327.25
	document := func(o object) object { return object{"Id": o["id"], "Document": encoded(o)} }
	return encoded(object{"Id": "1-6ae3f2c7-0123456789abcdef01234567", "Duration": 2.5, "LimitExceeded": false, "Segments": []any{
		document(object{"id": "00000000000000a0", "name": "api/prod", "origin": "AWS::ApiGateway::Stage", "start_time": start, "end_time": start + 2.5}),
		document(object{"id": "00000000000000a1", "parent_id": "00000000000000a0", "name": "resize", "origin": "AWS::Lambda", "start_time": start + 0.25, "end_time": start + 0.3,
			"resource_arn": "arn:aws:lambda:eu-west-1:123456789012:function:resize", "aws": object{"request_id": requestA},
			"subsegments": []any{
				object{"id": "00000000000000b0", "name": "Dwell Time", "start_time": start + 0.25, "end_time": start + 0.5},
				object{"id": "00000000000000b1", "name": "Attempt #1", "start_time": start + 0.5, "end_time": start + 1, "error": true},
				object{"id": "00000000000000b2", "name": "Attempt #2", "start_time": start + 1, "end_time": start + 2},
			}}),
		document(object{"id": "00000000000000a2", "parent_id": "00000000000000b1", "name": "resize", "origin": "AWS::Lambda::Function", "start_time": start + 0.75, "end_time": start + 1, "error": true,
			"subsegments": []any{object{"id": "00000000000000b3", "name": "Initialization", "start_time": start + 0.5, "end_time": start + 0.75}}}),
		document(object{"id": "00000000000000a3", "parent_id": "00000000000000b2", "name": "resize", "origin": "AWS::Lambda::Function", "start_time": start + 1, "end_time": start + 2,
			"subsegments": []any{object{"id": "00000000000000b4", "name": "Invocation", "start_time": start + 1, "end_time": start + 1.75}}}),
	}})
}

// The two attempts of an asynchronous invocation are rows of their own.
func TestXRayAttempts(t *testing.T) {
	rows := readString(t, xrayFormat(), ownTrace())
	if len(rows) != 2 {
		t.Fatalf("%d rows", len(rows))
	}
	a, b := rows[0], rows[1]
	if *a.Attempt != 0 || *b.Attempt != 1 || *a.RequestID != requestA || *b.RequestID != requestA || !*a.ColdStart || *b.ColdStart ||
		*a.InitUS != 250_000 || b.InitUS != nil || *a.Status != "error" || *b.Status != "success" || *b.StartNS != 1791468328250_000_000 || *a.ScheduledNS != 1791468327500_000_000 || *b.ScheduledNS != 1791468328250_000_000 {
		t.Errorf("%+v\n%+v", a, b)
	}
}

func FuzzLithops(f *testing.F) {
	fuzzReader(f, "lithops", []string{
		`{"start_time":1.5e9,"worker_stats":[{"host_submit_tstamp":1500000000.25,"worker_start_tstamp":1500000000.5,"worker_func_start_tstamp":1500000000.75,"worker_func_exec_time":2.5,"worker_result_upload_time":0.125,"worker_end_tstamp":1500000003.5,"worker_exec_time":3.0,"worker_cold_start":true,"data_size_bytes":4100,"func_result_size":44.0}]}`,
		`{"worker_stats":[{"exception":false,"start_time":1500000000.5,"python_version":"3.6.3","function_start_time":1500000000.75,"function_end_time":1500000003.25,"function_elapsed_exec_time":2.5,"output_elapsed_upload_time":0.125,"end_time":1500000003.5}]}`,
	})
}

func FuzzDitto(f *testing.F) {
	fuzzReader(f, "ditto-profile", []string{strings.Repeat("PreTime.tpre 7\nPreTime.tread 1\nPreTime.tcomp 0\nEffectTime.tread1 144\nEffectTime.tread2 0\nEffectTime.tcomp 8\nEffectTime.twrite 37\nEffectTime.tpost 3\n", 2)},
		Options{Workflow: "app", Parallelism: []int{2, 4}})
}

const ownMapping = `schema: eevee.csv-mapping/1
columns:
  - {column: fn, meaning: stage}
  - {column: took, unit: s, meaning: duration_us}
  - {column: at, unit: datetime, meaning: end_ns}
  - {column: cold, meaning: cold}
  - {column: cost, unit: uUSD, meaning: cost_usd}
  - {column: note, meaning: none}
values: {memory_mb: "1024"}
`

func FuzzCSV(f *testing.F) {
	m, err := ParseMapping([]byte(ownMapping), "own")
	if err != nil {
		f.Fatal(err)
	}
	fuzzReader(f, "csv", []string{"fn,took,at,cold,cost,note\na,0.0123456,2026-10-08 14:05:27.78,true,16.4,x\n\"b,c\",,,,,\n"}, Options{Workflow: "app", Mapping: &m})
}

func FuzzMapping(f *testing.F) {
	f.Add([]byte(ownMapping))
	if *updateCorpus {
		writeSeed(f, 0, ownMapping)
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		if len(data) > 1<<12 {
			t.Skip("long inputs only slow the search down")
		}
		if m, err := ParseMapping(data, "m"); err == nil {
			ReadCSV(strings.NewReader("fn,took\na,1\n"), "t", "w", m, func(*traces.Record) error { return nil })
		}
	})
}
