package logs

import (
	"encoding/json"
	"fmt"
	"strings"
)

// eventsFormat reads what "aws logs filter-log-events" and "get-log-events"
// print: {"events":[{"logStreamName","timestamp","message"}]}, any number of
// pages.
func eventsFormat() Format {
	return Format{
		Name:        "cloudwatch-events",
		Description: "JSON of \"aws logs filter-log-events\" or \"get-log-events\", any number of pages",
		detect: func(head string) bool {
			return isJSON(head) && strings.Contains(head, `"events"`) && strings.Contains(head, `"message"`) && strings.Contains(head, `"timestamp"`) &&
				!strings.Contains(head, `"previousEventId"`)
		},
		read: func(in *input, out *sink) error {
			m := newMessages(out)
			events := 0
			err := walk(in, nil, func(name string, dec *json.Decoder) error {
				if name != "events" {
					return skip(dec)
				}
				return elements(dec, func() error {
					var e logEvent
					if err := value(dec, &e); err != nil {
						return err
					}
					events++
					return m.takeLogEvent(e, events, "", "")
				})
			}, nil)
			return jsonEnd(in.name, m, out, err)
		},
	}
}

// logEvent is one event of CloudWatch Logs.
type logEvent struct {
	Stream    string `json:"logStreamName"`
	Timestamp *int64 `json:"timestamp"` // ms
	Message   string `json:"message"`
}

// takeLogEvent reads one event, which is of a stream and a function where it
// does not name its stream.
func (m *messages) takeLogEvent(e logEvent, number int, stream, function string) error {
	if e.Stream != "" {
		stream = e.Stream
	}
	if function == "" {
		function = functionOfStream(stream)
	}
	return m.take(message{
		line: int64(number), ns: nanoseconds(e.Timestamp), stream: stream, function: function, text: strings.TrimRight(e.Message, "\r\n"),
	})
}

// nanoseconds converts milliseconds since the epoch.
func nanoseconds(ms *int64) int64 {
	const most = 1 << 43 // year 2248
	if ms == nil || *ms < 0 || *ms > most {
		return unknownNS
	}
	return *ms * 1_000_000
}

// isJSON reports whether a file begins as JSON.
func isJSON(head string) bool {
	head = trimBlanks(head)
	return strings.HasPrefix(head, "{") || strings.HasPrefix(head, "[")
}

// jsonEnd ends a file of JSON events.
func jsonEnd(name string, m *messages, out *sink, err error) error {
	if err != nil && out.stopped == nil {
		return fmt.Errorf("logs: %s: %w", name, err)
	}
	if err != nil {
		return err
	}
	return m.finish()
}
