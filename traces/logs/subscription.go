package logs

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
)

// subscriptionFormat reads what a subscription delivers: {"messageType",
// "logGroup","logStream","logEvents":[...]}, as it is, or compressed and in
// base64 in an event for Lambda, in records of Kinesis or on lines of its own.
func subscriptionFormat() Format {
	return Format{
		Name:        "cloudwatch-subscription",
		Description: "what a subscription delivers: JSON with logEvents, plain, or gzip in base64, in events for Lambda or Kinesis records",
		detect: func(head string) bool {
			if isJSON(head) {
				return strings.Contains(head, `"logEvents"`) && strings.Contains(head, `"messageType"`) ||
					strings.Contains(head, `"awslogs"`) || strings.Contains(head, `"kinesis"`) && strings.Contains(head, `"data"`)
			}
			data := firstBase64(head)
			return len(data) > 1 && data[0] == 0x1f && data[1] == 0x8b
		},
		read: readSubscription,
	}
}

// maxDelivery bounds one delivery when it is decompressed; CloudWatch sends at
// most 1 MB.
const maxDelivery = 16 << 20

func readSubscription(in *input, out *sink) error {
	s := &subscription{messages: newMessages(out)}
	start, err := in.begin()
	if err != nil {
		return readError(in.name, err)
	}
	if start == '{' || start == '[' {
		err = s.objects(in)
	} else {
		err = s.lines(in)
	}
	return jsonEnd(in.name, s.messages, out, err)
}

// subscription reads deliveries.
type subscription struct {
	*messages
	events int
	group  string
	stream string
	early  []logEvent // that came before the names of their group and stream
	nested int
}

// lines reads one delivery in base64 per line.
func (s *subscription) lines(r io.Reader) error {
	lines := newLineReader(r)
	for {
		line, err := lines.next()
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return err
		}
		if trimBlanks(line) == "" {
			continue
		}
		if err := s.packed(line); err != nil {
			return fmt.Errorf("line %d: %w", lines.line, err)
		}
	}
}

// packed reads one delivery in base64, compressed.
func (s *subscription) packed(text string) error {
	if s.nested > 0 {
		return errors.New("a delivery within a delivery")
	}
	data, err := decodeBase64(text)
	if err != nil {
		return err
	}
	z, err := gzip.NewReader(bytes.NewReader(data))
	if err != nil {
		return err
	}
	limited := &io.LimitedReader{R: z, N: maxDelivery}
	s.nested++
	err = s.objects(limited)
	s.nested--
	if limited.N == 0 {
		return fmt.Errorf("a delivery of more than %d MB", maxDelivery>>20)
	}
	return err
}

// objects reads deliveries, and what they are wrapped in.
func (s *subscription) objects(r io.Reader) error {
	return walk(r, func() error {
		s.group, s.stream, s.early = "", "", nil
		return nil
	}, func(name string, dec *json.Decoder) error {
		switch name {
		case "messageType":
			var kind string
			if err := value(dec, &kind); err != nil {
				return err
			}
			s.out.saw(kind)
			return nil
		case "logGroup":
			return value(dec, &s.group)
		case "logStream":
			return value(dec, &s.stream)
		case "logEvents":
			return elements(dec, func() error {
				var e logEvent
				if err := value(dec, &e); err != nil {
					return err
				}
				if s.group == "" || s.stream == "" {
					s.early = append(s.early, e)
					return nil
				}
				return s.event(e)
			})
		case "awslogs":
			var wrapped struct{ Data string }
			if err := value(dec, &wrapped); err != nil {
				return err
			}
			return s.packed(wrapped.Data)
		case "Records":
			return elements(dec, func() error {
				var record struct{ Kinesis struct{ Data string } }
				if err := value(dec, &record); err != nil {
					return err
				}
				return s.packed(record.Kinesis.Data)
			})
		}
		return skip(dec)
	}, func() error {
		for _, e := range s.early {
			if err := s.event(e); err != nil {
				return err
			}
		}
		s.early = nil
		return nil
	})
}

func (s *subscription) event(e logEvent) error {
	s.events++
	function := ""
	if strings.HasPrefix(s.group, "/aws/lambda/") {
		function = functionOf(s.group)
	}
	return s.takeLogEvent(e, s.events, s.stream, function)
}

// firstBase64 decodes the beginning of a text that is base64.
func firstBase64(head string) []byte {
	head = trimBlanks(head)
	end := strings.IndexAny(head, "\r\n")
	if end < 0 {
		end = len(head)
	}
	data, err := decodeBase64(head[:min(end, 4096)&^3])
	if err != nil {
		return nil
	}
	return data
}
