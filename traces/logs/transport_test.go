package logs

import (
	"bytes"
	"compress/gzip"
	"context"
	"encoding/base64"
	"encoding/csv"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode/utf16"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"eevee/traces"
)

// logged is a log of our own: what the function resize wrote in an instance.
type logged struct {
	ms   int64
	text string
}

const (
	loggedStream = "2026/10/08/[$LATEST]0123456789abcdef0123456789abcdef"
	loggedGroup  = "/aws/lambda/resize"
	requestA     = "6e1d9f1a-0000-4000-8000-00000000000a"
	requestB     = "6e1d9f1a-0000-4000-8000-00000000000b"
	requestC     = "6e1d9f1a-0000-4000-8000-00000000000c"
)

// textLog is a log in the text form: a cold start whose init is billed, an
// invocation that is traced, and one that times out.
func textLog() []logged {
	return []logged{
		{1791468327000, "INIT_START Runtime Version: python:3.13.v50\tRuntime Version ARN: arn:aws:lambda:us-east-1::runtime:00"},
		{1791468327500, "START RequestId: " + requestA + " Version: $LATEST"},
		{1791468327600, "resized 3 pictures, \"all\" of them"},
		{1791468327780, "END RequestId: " + requestA},
		{1791468327780, "REPORT RequestId: " + requestA + "\tDuration: 279.67 ms\tBilled Duration: 396 ms\tMemory Size: 1280 MB\tMax Memory Used: 36 MB\tInit Duration: 116.18 ms\t"},
		{1791468328500, "START RequestId: " + requestB + " Version: $LATEST"},
		{1791468328780, "REPORT RequestId: " + requestB + "\tDuration: 12.01 ms\tBilled Duration: 13 ms\tMemory Size: 1280 MB\tMax Memory Used: 37 MB\t\nXRAY TraceId: 1-66d978e5-56c7378e556e94b5461da07c\tSegmentId: 29c3839e6ecb5895\tSampled: true"},
		{1791468329000, "START RequestId: " + requestC + " Version: $LATEST"},
		{1791468332000, "REPORT RequestId: " + requestC + "\tDuration: 3000.00 ms\tBilled Duration: 3000 ms\tMemory Size: 1280 MB\tMax Memory Used: 36 MB\tStatus: timeout"},
	}
}

// jsonLog is the same log in JSON.
func jsonLog() []logged {
	var events []logged
	add := func(ms int64, kind, record string) {
		at := time.UnixMilli(ms).UTC().Format("2006-01-02T15:04:05.000Z")
		events = append(events, logged{ms, fmt.Sprintf(`{"time":%q,"type":"platform.%s","record":%s}`, at, kind, record)})
	}
	add(1791468327000, "initStart", `{"initializationType":"on-demand","phase":"init","runtimeVersion":"python:3.13.v50","functionName":"resize","functionVersion":"$LATEST"}`)
	add(1791468327500, "start", `{"requestId":"`+requestA+`","functionArn":"arn:aws:lambda:us-east-1:123456789012:function:resize","version":"$LATEST"}`)
	events = append(events, logged{1791468327600, `{"timestamp":"2026-10-08T14:05:27.600Z","level":"INFO","requestId":"` + requestA + `","message":"resized"}`})
	add(1791468327780, "report", `{"requestId":"`+requestA+`","metrics":{"durationMs":279.67,"billedDurationMs":396,"memorySizeMB":1280,"maxMemoryUsedMB":36,"initDurationMs":116.18},"status":"success"}`)
	add(1791468328500, "start", `{"requestId":"`+requestB+`","version":"$LATEST"}`)
	add(1791468328780, "report", `{"requestId":"`+requestB+`","metrics":{"durationMs":12.01,"billedDurationMs":13,"memorySizeMB":1280,"maxMemoryUsedMB":37},"status":"success","tracing":{"spanId":"29c3839e6ecb5895","type":"X-Amzn-Trace-Id","value":"Root=1-66d978e5-56c7378e556e94b5461da07c;Parent=29c3839e6ecb5895;Sampled=1"}}`)
	add(1791468329000, "start", `{"requestId":"`+requestC+`","version":"$LATEST"}`)
	add(1791468332000, "report", `{"requestId":"`+requestC+`","metrics":{"durationMs":3000,"billedDurationMs":3000,"memorySizeMB":1280,"maxMemoryUsedMB":36},"status":"timeout"}`)
	return events
}

// ptr returns a pointer to a value of its own.
func ptr[T any](v T) *T { return &v }

// loggedRows are the rows of the log.
func loggedRows() []traces.Record {
	row := func(id string, start, end, us, billed int64, max int32) traces.Record {
		return traces.Record{
			Workflow: "app", Stage: "resize", Statistic: traces.Invocation, Source: traces.Recorded, MemoryMB: 1280,
			Function: ptr("resize"), RequestID: ptr(id), EnvironmentID: ptr(loggedStream), Runtime: ptr("python:3.13.v50"),
			StartNS: ptr(start * 1_000_000), EndNS: ptr(end * 1_000_000), DurationUS: &us, BilledMS: &billed, MaxMemoryMB: &max,
			BilledRule: ptr(BilledDuration), ColdStart: ptr(false), TimePrecisionUS: ptr(int64(1000)),
		}
	}
	a := row(requestA, 1791468327500, 1791468327780, 279_670, 396, 36)
	a.InitUS, a.ColdStart, a.BilledRule = ptr(int64(116_180)), ptr(true), ptr(BilledInit)
	b := row(requestB, 1791468328500, 1791468328780, 12_010, 13, 37)
	b.TraceID = ptr("1-66d978e5-56c7378e556e94b5461da07c")
	c := row(requestC, 1791468329000, 1791468332000, 3_000_000, 3000, 36)
	c.Status = ptr("timeout")
	return []traces.Record{a, b, c}
}

// carried is a log as one transport has it.
type carried struct {
	name, format, path string
	data               []byte
	lacks              string // fields of the rows that the transport does not carry
}

// transports carries a log in every way.
func transports(log []logged) []carried {
	var all []carried
	add := func(name, format, path string, lacks string, data []byte) {
		all = append(all, carried{name, format, path, data, lacks})
	}
	lines := func(prefix func(e logged) string) []byte {
		var b bytes.Buffer
		for _, e := range log {
			b.WriteString(prefix(e) + e.text + "\n")
		}
		return b.Bytes()
	}
	at := func(e logged, layout string) string { return time.UnixMilli(e.ms).UTC().Format(layout) }
	detailed := lines(func(e logged) string { return at(e, "2006-01-02T15:04:05.000000+00:00") + " " + loggedStream + " " })
	add("tail", "cloudwatch-text", "resize.log", "", detailed)
	add("tail in another zone", "cloudwatch-text", "resize.log", "", lines(func(e logged) string {
		return time.UnixMilli(e.ms).In(time.FixedZone("", -5*3600-1800)).Format("2006-01-02T15:04:05.000000-07:00") + " " + loggedStream + " "
	}))
	add("tail, blanks for tabs", "cloudwatch-text", "resize.log", "", bytes.ReplaceAll(detailed, []byte("\t"), []byte("  ")))
	add("tail, ends of Windows", "cloudwatch-text", "resize.log", "", bytes.ReplaceAll(detailed, []byte("\n"), []byte("\r\n")))
	add("short tail", "cloudwatch-text", "resize.log", "EnvironmentID milliseconds", lines(func(e logged) string { return at(e, "2006-01-02T15:04:05") + " " }))
	add("export to S3", "cloudwatch-text", filepath.Join("resize", "2026-10-08-[$LATEST]0123456789abcdef0123456789abcdef", "resize.gz"), "",
		packed(lines(func(e logged) string { return at(e, "2006-01-02T15:04:05.000Z") + " " })))
	type object = map[string]any
	var events, insights, subscribed, flat []any
	for _, e := range log {
		events = append(events, object{"logStreamName": loggedStream, "timestamp": e.ms, "message": e.text + "\n", "ingestionTime": e.ms + 9, "eventId": "1"})
		subscribed = append(subscribed, object{"id": "1", "timestamp": e.ms, "message": e.text + "\n"})
		insights = append(insights, []any{
			object{"field": "@timestamp", "value": at(e, "2006-01-02 15:04:05.000")}, object{"field": "@message", "value": e.text + "\n"},
			object{"field": "@logStream", "value": loggedStream}, object{"field": "@log", "value": "123456789012:" + loggedGroup}, object{"field": "@ptr", "value": "x"},
		})
		flat = append(flat, object{"@timestamp": at(e, "2006-01-02 15:04:05.000"), "@message": e.text, "@logStream": loggedStream})
	}
	page := func(from, to int) string {
		return encoded(object{"events": events[from:to], "searchedLogStreams": []any{}, "nextToken": "x"})
	}
	add("filter-log-events", "cloudwatch-events", "resize.json", "", []byte(page(0, len(events))))
	add("two pages", "cloudwatch-events", "resize.json", "", []byte(page(0, 4)+"\n"+page(4, len(events))))
	add("pages in an array", "cloudwatch-events", "resize.json", "", []byte("["+page(0, 4)+","+page(4, len(events))+"]"))
	add("Insights", "insights-json", "q.json", "", []byte(encoded(object{"results": insights, "statistics": object{"recordsMatched": 9.0}, "status": "Complete"})))
	add("flattened", "insights-json", "resize.json", "", []byte("\ufeff"+encoded(flat)))
	add("flattened by PowerShell", "insights-json", "resize.json", "", wide(encoded(flat)))
	var table bytes.Buffer
	w := csv.NewWriter(&table)
	w.Write([]string{"@timestamp", "@message", "@logStream"})
	for _, e := range log {
		w.Write([]string{at(e, "2006-01-02 15:04:05.000"), e.text, loggedStream})
	}
	w.Flush()
	add("Insights as a table", "insights-csv", "resize.csv", "", table.Bytes())
	delivery := encoded(object{"messageType": "DATA_MESSAGE", "owner": "123456789012", "logGroup": loggedGroup, "logStream": loggedStream, "subscriptionFilters": []any{"f"}, "logEvents": subscribed})
	coded := base64.StdEncoding.EncodeToString(packed([]byte(delivery)))
	add("delivery, packed", "cloudwatch-subscription", "d.gz", "", packed([]byte(delivery)))
	add("delivery for Lambda", "cloudwatch-subscription", "d.json", "", []byte(encoded(object{"awslogs": object{"data": coded}})))
	add("delivery by Kinesis", "cloudwatch-subscription", "d.json", "", []byte(encoded(object{"Records": []any{object{"eventID": "1", "kinesis": object{"data": coded, "partitionKey": "k"}}}})))
	add("delivery on a line", "cloudwatch-subscription", "d.b64", "", []byte(coded+"\n"))
	return all
}

// tails carries each invocation of a log as the answer to it.
func tails(log []logged) carried {
	var b bytes.Buffer
	end := ""
	for _, e := range log {
		end += e.text + "\n"
		if strings.Contains(e.text, "REPORT ") || strings.Contains(e.text, "platform.report") {
			b.WriteString(encoded(map[string]any{"StatusCode": 200, "ExecutedVersion": "$LATEST", "LogResult": base64.StdEncoding.EncodeToString([]byte("rest of a line\n" + end))}) + "\n")
			end = ""
		}
	}
	return carried{name: "LogType=Tail", format: "lambda-tail", path: "resize.json", data: b.Bytes(), lacks: "EnvironmentID StartNS EndNS TimePrecisionUS Runtime"}
}

func encoded(v any) string {
	data, err := json.Marshal(v)
	if err != nil {
		panic(err)
	}
	return string(data)
}

func packed(data []byte) []byte {
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	z.Write(data)
	z.Close()
	return b.Bytes()
}

// wide encodes a text in UTF-16, little end first, with its mark.
func wide(s string) []byte {
	data := []byte{0xff, 0xfe}
	for _, u := range utf16.Encode([]rune(s)) {
		data = append(data, byte(u), byte(u>>8))
	}
	return data
}

// Whatever brings a log, its rows are the same.
func TestTransports(t *testing.T) {
	for form, log := range map[string][]logged{"text": textLog(), "JSON": jsonLog()} {
		for _, c := range append(transports(log), tails(log)) {
			t.Run(form+"/"+c.name, func(t *testing.T) {
				path := filepath.Join(t.TempDir(), c.path)
				if err := os.MkdirAll(filepath.Dir(path), 0o777); err != nil {
					t.Fatal(err)
				}
				if err := os.WriteFile(path, c.data, 0o666); err != nil {
					t.Fatal(err)
				}
				got, _, report, err := ImportAll(t.Context(), Options{Workflow: "app"}, path)
				if err != nil {
					t.Fatal(err)
				}
				if report.Files[0].Format != c.format || report.Unknown != 0 || report.Doubts != 0 {
					t.Errorf("read as %s, not understood: %+v", report.Files[0].Format, report.Samples)
				}
				want := loggedRows()
				for i := range want {
					if form == "JSON" && i < 2 {
						want[i].Status = ptr("success")
					}
					without(&want[i], c.lacks, form)
				}
				if diff := cmp.Diff(want, got, cmpopts.IgnoreFields(traces.Record{}, "SourceLine")); diff != "" {
					t.Errorf("rows (-want +got):\n%s", diff)
				}
			})
		}
	}
}

// without empties the fields of a row that a transport does not carry. The
// events in JSON hold their own times, and name the function.
func without(r *traces.Record, lacks, form string) {
	for _, name := range strings.Fields(lacks) {
		switch name {
		case "EnvironmentID":
			r.EnvironmentID = nil
		case "milliseconds":
			if form == "text" {
				const second = 1_000_000_000
				r.StartNS, r.EndNS, r.TimePrecisionUS = ptr(*r.StartNS/second*second), ptr(*r.EndNS/second*second), ptr(int64(secondUS))
			}
		case "StartNS":
			if form == "text" {
				r.StartNS, r.EndNS, r.TimePrecisionUS = nil, nil, nil
			}
		case "Runtime":
			// Only the first answer holds how the instance began.
			if *r.RequestID != requestA {
				r.Runtime = nil
			}
		}
	}
}

// Insights can return what it discovered in the line instead of the line, with
// memory in bytes. That a query did not ask for the init time says nothing.
func TestInsightsDiscoveredFields(t *testing.T) {
	const table = "@timestamp,@requestId,@duration,@billedDuration,@memorySize,@maxMemoryUsed,@initDuration,@type\n" +
		"2026-10-08 14:05:27.780," + requestA + ",279.67,396.0,1.28E9,36000000,116.18,REPORT\n" +
		"2026-10-08 14:05:28.780," + requestB + ",12.01,13.0,1280000000,37000000,,REPORT\n"
	rows := readString(t, insightsCSVFormat(), table)
	if len(rows) != 2 {
		t.Fatalf("%d rows", len(rows))
	}
	a, b := rows[0], rows[1]
	if a.MemoryMB != 1280 || *a.MaxMemoryMB != 36 || *a.InitUS != 116_180 || *a.BilledRule != BilledInit || !*a.ColdStart {
		t.Errorf("%+v", a)
	}
	if b.MemoryMB != 1280 || *b.MaxMemoryMB != 37 || b.InitUS != nil || b.ColdStart != nil || *b.EndNS != 1791468328780_000_000 {
		t.Errorf("%+v", b)
	}
}

// Lines that begin as one of the platform but are cut or of another form are
// counted and shown; the others are read.
func TestUnknownLinesAreCounted(t *testing.T) {
	lines := []string{
		"REPORT RequestId: " + requestA + "\tDuration: 279.67 ms\tBilled Dur", // cut
		"REPORT RequestId: " + requestB + "\tDuration: 12.01 ms\tBilled Duration: 13 ms\tMemory Size: 1280 MB\tMax Memory Used: 37 MB\tMood: good",
		"REPORT Duration: 1 ms",
		"{\"time\":\"2026-10-08T14:05:27.780Z\",\"type\":\"platform.invokeReport\",\"record\":{}}",
		"{\"time\":",
		"and something else of account 123456789012 at 2001:db8::7",
		"",
	}
	var o Options
	o.Workflow = "app"
	out := newSink(context.Background(), &o, func([]traces.Record) error { return nil })
	out.begin("x.log", "x")
	if err := readText(newInput("x.log", strings.NewReader(strings.Join(lines, "\n"))), out); err != nil {
		t.Fatal(err)
	}
	r, err := out.finish()
	if err != nil {
		t.Fatal(err)
	}
	// What a cut line still has may be cut as well: "Duration: 27" of 279.67.
	if r.Rows != 1 || r.Unknown != 5 || r.Doubts != 1 || len(r.Samples) != maxFileSamples {
		t.Errorf("%d rows, %d not understood, %d doubts, %d samples: %+v", r.Rows, r.Unknown, r.Doubts, len(r.Samples), r.Samples)
	}
}

// Account ids and addresses are dropped, and nothing else.
func TestRedact(t *testing.T) {
	for text, want := range map[string]string{
		"account 123456789012 at 2001:db8::7, 192.0.2.17.":   "account <account> at <address>, <address>.",
		"arn:aws:lambda:eu-west-1:123456789012:function:f":   "arn:aws:lambda:eu-west-1:<account>:function:f",
		"at 2026-10-08T14:05:27.780Z, 14:05:27, 1.2.3 ms":    "at 2026-10-08T14:05:27.780Z, 14:05:27, 1.2.3 ms",
		"REPORT RequestId: " + requestA + "\tDuration: 3 ms": "REPORT RequestId: " + requestA + "\tDuration: 3 ms",
	} {
		if got := redact(text); got != want {
			t.Errorf("%q: got %q, want %q", text, got, want)
		}
	}
}

// The name of a function, whatever form its ARN or log group has.
func TestFunctionOf(t *testing.T) {
	for text, want := range map[string]string{
		"resize": "resize", "resize:3": "resize", "123456789012:function:resize": "resize", "/aws/lambda/resize": "resize",
		"123456789012:/aws/lambda/resize": "resize", "arn:aws:lambda:eu-west-1:123456789012:function:resize:$LATEST": "resize",
		"arn:aws:lambda:eu-west-1:123456789012:function:resize": "resize", "": "",
	} {
		if got := functionOf(text); got != want {
			t.Errorf("%q: got %q, want %q", text, got, want)
		}
	}
}

// readString reads a text as one format.
func readString(tb testing.TB, f Format, content string) []traces.Record {
	tb.Helper()
	o := Options{Workflow: "app"}
	var rows []traces.Record
	out := newSink(tb.Context(), &o, func(part []traces.Record) error {
		rows = append(rows, slices.Clone(part)...)
		return nil
	})
	out.begin("input", "input")
	if err := f.read(newInput("input", strings.NewReader(content)), out); err != nil {
		tb.Fatal(err)
	}
	if _, err := out.finish(); err != nil {
		tb.Fatal(err)
	}
	return rows
}
