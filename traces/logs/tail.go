package logs

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"unicode/utf8"

	"eevee/traces"
)

// tailFormat reads what an invocation with LogType=Tail returns: the last 4 KB
// of its log in base64, in the answer of the API or on a line of its own.
func tailFormat() Format {
	return Format{
		Name:        "lambda-tail",
		Description: "answers of \"aws lambda invoke --log-type Tail\": JSON with LogResult, or its base64 on lines of its own",
		detect: func(head string) bool {
			if isJSON(head) {
				return strings.Contains(head, `"LogResult"`)
			}
			data := firstBase64(head)
			return strings.Contains(string(data), "RequestId: ") || strings.Contains(string(data), `"platform.`)
		},
		read: readTail,
	}
}

func readTail(in *input, out *sink) error {
	start, err := in.begin()
	if err != nil {
		return readError(in.name, err)
	}
	if start != '{' && start != '[' {
		return readTailLines(in, out)
	}
	n := 0
	var answer tailAnswer
	err = walk(in, func() error {
		answer = tailAnswer{}
		n++
		return nil
	}, func(name string, dec *json.Decoder) error {
		switch name {
		case "LogResult":
			return value(dec, &answer.log)
		case "FunctionError":
			return value(dec, &answer.failure)
		}
		return skip(dec)
	}, func() error {
		if answer.log == "" {
			out.unknown(int64(n), "an answer without LogResult: was it invoked with --log-type Tail?", "")
			return nil
		}
		return readTailText(out, int64(n), answer)
	})
	if err != nil && out.stopped == nil {
		return fmt.Errorf("logs: %s: %w", in.name, err)
	}
	return err
}

// tailAnswer is what the answer to an invocation says.
type tailAnswer struct {
	log     string // base64
	failure string // Handled or Unhandled
}

func readTailLines(in *input, out *sink) error {
	lines := newLineReader(in)
	for {
		line, err := lines.next()
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return readError(in.name, err)
		}
		if trimBlanks(line) == "" {
			continue
		}
		if err := readTailText(out, lines.line, tailAnswer{log: line}); err != nil {
			return err
		}
	}
}

// readTailText reads the end of the log of one invocation. Its beginning may be
// cut off, in the middle of a line and of a character.
func readTailText(out *sink, number int64, answer tailAnswer) error {
	data, err := decodeBase64(answer.log)
	if err != nil {
		out.unknown(number, "no base64: "+err.Error(), answer.log)
		return nil
	}
	for len(data) > 0 && !utf8.RuneStart(data[0]) {
		data = data[1:]
	}
	m := newMessages(out)
	m.tail = true
	before := out.file.Rows
	for line := range strings.Lines(string(data)) {
		if err := m.take(message{line: number, ns: unknownNS, text: strings.TrimRight(line, "\r\n")}); err != nil {
			return err
		}
	}
	if out.file.Rows == before {
		out.unknown(number, "a tail without a REPORT", string(data))
	} else if r := &out.batch[len(out.batch)-1]; answer.failure != "" && r.Status == nil {
		r.Status = out.arena.text("error")
	}
	return m.finish()
}

// ReadLog returns the rows of the invocations in a piece of a log of Lambda, in
// text or JSON, whose beginning may be cut off, as an invocation with
// LogType=Tail returns it or a log group holds it. Lines that are no REPORT of
// an invocation are passed over. Of the rows only what the log says is set:
// workflow, stage and source are the caller's.
func ReadLog(text string) ([]traces.Record, error) {
	var rows []traces.Record
	const some = "-" // a sink hands on rows that are usable by themselves
	o := &Options{Workflow: some}
	out := newSink(context.Background(), o, func(part []traces.Record) error {
		rows = append(rows, part...)
		return nil
	})
	out.batch = make([]traces.Record, 0, recentRows+1) // rows come one by one
	out.begin("", some)
	m := newMessages(out)
	m.tail = true
	for line := range strings.Lines(text) {
		if err := m.take(message{line: 1, ns: unknownNS, text: strings.TrimRight(line, "\r\n")}); err != nil {
			return nil, err
		}
	}
	if len(out.batch) > 0 {
		rows = append(rows, out.batch...)
	}
	for i := range rows {
		r := &rows[i]
		r.Workflow, r.Stage, r.Function, r.Source, r.SourceLine = "", "", nil, "", nil
	}
	return rows, nil
}
