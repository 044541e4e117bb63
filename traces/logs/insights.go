package logs

import (
	"encoding/csv"
	"encoding/json"
	"fmt"
	"io"
	"math"
	"strings"
)

// insightsFormat reads results of CloudWatch Logs Insights as the API has them:
// {"results":[[{"field","value"}]]}, all values texts, any number of queries.
func insightsFormat() Format {
	return Format{
		Name:        "insights-json",
		Description: "JSON of \"aws logs get-query-results\", any number of queries, or of its rows as objects",
		detect: func(head string) bool {
			return isJSON(head) && (strings.Contains(head, `"results"`) && strings.Contains(head, `"field"`) ||
				strings.Contains(head, `"@message"`) || strings.Contains(head, `"@requestId"`) && strings.Contains(head, `"@duration"`))
		},
		read: readInsights,
	}
}

func readInsights(in *input, out *sink) error {
	m := newMessages(out)
	row := make(map[string]string)
	n := 0
	err := walk(in, func() error {
		clear(row)
		return nil
	}, func(name string, dec *json.Decoder) error {
		if name != "results" {
			if !strings.HasPrefix(name, "@") {
				return skip(dec)
			}
			return flatField(name, dec, row)
		}
		return elements(dec, func() error {
			var fields []struct{ Field, Value string }
			if err := value(dec, &fields); err != nil {
				return err
			}
			clear(row)
			for _, f := range fields {
				row[f.Field] = f.Value
			}
			n++
			err := m.takeFields(n, row)
			clear(row)
			return err
		})
	}, func() error {
		if row["@message"] == "" && row["@requestId"] == "" {
			return nil // a result that has rows of its own
		}
		n++
		err := m.takeFields(n, row)
		clear(row)
		return err
	})
	return jsonEnd(in.name, m, out, err)
}

// flatField reads a value of a flattened row, which is a text or a number.
func flatField(name string, dec *json.Decoder, row map[string]string) error {
	var raw json.RawMessage
	if err := value(dec, &raw); err != nil {
		return err
	}
	var text string
	if json.Unmarshal(raw, &text) != nil {
		text = string(raw)
	}
	if text != "null" {
		row[name] = text
	}
	return nil
}

// insightsCSVFormat reads results of Insights as a table, as the console
// exports them, and the events that the console exports: timestamp,message.
func insightsCSVFormat() Format {
	return Format{
		Name:        "insights-csv",
		Description: "CSV of Insights results or of the console: @timestamp, @message, @requestId, @duration and so on",
		detect: func(head string) bool {
			title, _, _ := strings.Cut(head, "\n")
			title = strings.NewReplacer(`"`, "", "\r", "").Replace(title)
			if title == "timestamp,message" {
				return true
			}
			return strings.HasPrefix(title, "@") && strings.Contains(title, ",") || strings.Contains(title, ",@message") || strings.Contains(title, ",@requestId")
		},
		read: readInsightsCSV,
	}
}

func readInsightsCSV(in *input, out *sink) error {
	table := csv.NewReader(in)
	table.ReuseRecord = true
	titles, err := table.Read()
	if err != nil {
		return readError(in.name, err)
	}
	titles = append([]string(nil), titles...)
	for i, title := range titles {
		if title = strings.TrimSpace(title); title != "" && !strings.HasPrefix(title, "@") {
			title = "@" + title
		}
		titles[i] = title
	}
	m := newMessages(out)
	row := make(map[string]string)
	for n := 1; ; n++ {
		cells, err := table.Read()
		if err == io.EOF {
			return m.finish()
		}
		if err != nil {
			return readError(in.name, err)
		}
		clear(row)
		for i, cell := range cells {
			if cell != "" {
				row[titles[i]] = cell
			}
		}
		line, _ := table.FieldPos(0)
		if err := m.takeFields(line, row); err != nil {
			return err
		}
	}
}

// takeFields reads one row of Insights. Its message is read where it is there,
// else the fields that Insights discovered in it.
func (m *messages) takeFields(number int, row map[string]string) error {
	e := message{line: int64(number), ns: unknownNS, stream: row["@logStream"], text: strings.TrimRight(row["@message"], "\r\n")}
	if ns, ok := wholeInstant(row["@timestamp"]); ok {
		e.ns = ns
	} else if ms, err := scaled(row["@timestamp"], 0, 1); err == nil {
		e.ns = nanoseconds(&ms)
	}
	e.function = functionOfStream(e.stream)
	if log := row["@log"]; log != "" {
		e.function = functionOf(log)
	}
	if e.text != "" {
		return m.take(e)
	}
	switch kind := row["@type"]; {
	case kind == "START":
		m.seen[seenStart]++
		m.start(row["@requestId"], e.ns)
		return nil
	case kind == "END":
		m.seen[seenEnd]++
		return nil
	case kind != "" && kind != "REPORT":
		m.seen[seenApplication]++
		return nil
	}
	return m.takeDiscovered(e, row)
}

// takeDiscovered makes a row of the fields that Insights discovers in a REPORT
// line. It counts memory in bytes, 1,000,000 to the MB of the line.
func (m *messages) takeDiscovered(e message, row map[string]string) error {
	p := &m.report
	p.reset()
	p.requestID, p.traceID = row["@requestId"], row["@xrayTraceId"]
	for _, f := range []struct {
		name  string
		shift int
		to    *int64
	}{
		{"@duration", 3, &p.durationUS}, {"@billedDuration", 0, &p.billedMS}, {"@memorySize", -6, &p.memoryMB},
		{"@maxMemoryUsed", -6, &p.maxMemoryMB}, {"@initDuration", 3, &p.initUS},
	} {
		text := row[f.name]
		if text == "" {
			continue
		}
		n, err := scaled(text, f.shift, 1)
		if err != nil || n < 0 || f.shift == -6 && n > math.MaxInt32 {
			m.out.unknown(e.line, fmt.Sprintf("field %s is no number of its kind", f.name), text)
			return nil
		}
		*f.to = n
	}
	if p.requestID == "" || p.durationUS < 0 {
		m.out.unknown(e.line, "a result with neither a message nor @requestId and @duration", fmt.Sprint(row))
		return nil
	}
	m.seen[seenReport]++
	if _, ok := row["@initDuration"]; !ok {
		// Whether the query asked for it is not known.
		e.partial = true
	}
	return m.emit(e, p)
}
