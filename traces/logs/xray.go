package logs

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
)

// Trace is one trace of AWS X-Ray: the segments that the services and functions
// of one request sent, each a tree of subsegments. It is a sample: what X-Ray
// traces is no census, and no rate follows from it.
type Trace struct {
	ID            string
	LimitExceeded bool // segments are missing
	Segments      []Segment
}

// Segment is a segment of X-Ray or a subsegment. Instants are in nanoseconds
// since the epoch; nil is unknown. Those of different segments come from
// different clocks.
type Segment struct {
	ID         string
	ParentID   string // of a segment: the segment or subsegment that caused it
	Name       string
	Origin     string // such as AWS::Lambda; of a segment
	Operation  string // of a call to AWS, such as GetObject
	RequestID  string
	Function   string // of Lambda, or that a call invokes
	Resource   string // ARN
	StartNS    *int64
	EndNS      *int64
	InProgress bool // the end was not known when it was sent
	Error      bool // 4xx
	Fault      bool // 5xx
	Throttle   bool // 429
	Parts      []Segment
}

// Walk calls visit for the segment and everything in it, outermost first.
func (s *Segment) Walk(visit func(*Segment)) {
	visit(s)
	for i := range s.Parts {
		s.Parts[i].Walk(visit)
	}
}

// Part returns the first direct part with the given name, nil if there is none.
func (s *Segment) Part(name string) *Segment {
	for i := range s.Parts {
		if s.Parts[i].Name == name {
			return &s.Parts[i]
		}
	}
	return nil
}

// xrayFormat reads what "aws xray batch-get-traces" prints.
func xrayFormat() Format {
	return Format{
		Name:        "xray",
		Description: "JSON of \"aws xray batch-get-traces\", any number of pages, or traces one after the other",
		detect: func(head string) bool {
			return isJSON(head) && strings.Contains(head, `"Segments"`) && strings.Contains(head, `"Document"`)
		},
		read: func(in *input, out *sink) error {
			n := int64(0)
			err := ReadXRay(in, func(t *Trace) error {
				n++
				return t.rows(out, n)
			})
			if err != nil && out.stopped == nil {
				return readError(in.name, err)
			}
			return err
		},
	}
}

// ReadXRay reads what "aws xray batch-get-traces" prints, any number of pages,
// or bare traces one after the other. An error of visit ends the reading and is
// returned as it is.
func ReadXRay(r io.Reader, visit func(*Trace) error) error {
	return walk(r, nil, traceKeys(visit, &Trace{}, 0), nil)
}

// traceKeys reads the keys of a page or of a trace.
func traceKeys(visit func(*Trace) error, t *Trace, depth int) func(string, *json.Decoder) error {
	return func(name string, dec *json.Decoder) error {
		switch {
		case name == "Traces" && depth == 0:
			return elements(dec, func() error {
				token, err := dec.Token()
				if err != nil {
					return brokenJSON(dec, err)
				}
				if token != json.Delim('{') {
					return fmt.Errorf("at byte %d: %v where a trace is expected", dec.InputOffset(), token)
				}
				return keys(dec, traceKeys(visit, &Trace{}, 1))
			})
		case name == "Id":
			return value(dec, &t.ID)
		case name == "LimitExceeded":
			return value(dec, &t.LimitExceeded)
		case name != "Segments":
			return skip(dec)
		}
		t.Segments = nil
		err := elements(dec, func() error {
			var s struct {
				ID       string `json:"Id"`
				Document json.RawMessage
			}
			if err := value(dec, &s); err != nil {
				return err
			}
			parsed, err := parseSegment(s.Document)
			if err != nil {
				return fmt.Errorf("trace %s, segment %s: %w", t.ID, s.ID, err)
			}
			t.Segments = append(t.Segments, parsed)
			return nil
		})
		if err != nil {
			return err
		}
		return visit(t)
	}
}

// parseSegment reads the document of a segment: a text that holds JSON, or the
// JSON itself.
func parseSegment(document json.RawMessage) (Segment, error) {
	if bytes.HasPrefix(document, []byte(`"`)) {
		var text string
		if err := json.Unmarshal(document, &text); err != nil {
			return Segment{}, err
		}
		document = []byte(text)
	}
	return newSegment(document, 0)
}

// maxSegmentDepth bounds how deep parts lie within each other: each level reads
// the text of those within it once more.
const maxSegmentDepth = 32

// newSegment reads a segment or a subsegment.
func newSegment(document []byte, depth int) (Segment, error) {
	var d segmentDocument
	if err := json.Unmarshal(document, &d); err != nil {
		return Segment{}, fmt.Errorf("the document is no segment: %w", err)
	}
	if d.ID == "" || d.Start == nil {
		return Segment{}, errors.New("a segment or subsegment without id or start_time")
	}
	if depth > maxSegmentDepth {
		return Segment{}, fmt.Errorf("parts lie more than %d levels deep", maxSegmentDepth)
	}
	return d.segment(depth)
}

// segmentDocument is the JSON of a segment or a subsegment.
type segmentDocument struct {
	ID          string            `json:"id"`
	ParentID    string            `json:"parent_id"`
	Name        string            `json:"name"`
	Origin      string            `json:"origin"`
	Start       *json.Number      `json:"start_time"`
	End         *json.Number      `json:"end_time"`
	InProgress  bool              `json:"in_progress"`
	Error       bool              `json:"error"`
	Fault       bool              `json:"fault"`
	Throttle    bool              `json:"throttle"`
	ResourceARN string            `json:"resource_arn"`
	Subsegments []json.RawMessage `json:"subsegments"`
	AWS         *struct {
		Operation    string `json:"operation"`
		RequestID    string `json:"request_id"`
		FunctionARN  string `json:"function_arn"`
		FunctionName string `json:"function_name"`
		ResourceARN  string `json:"resource_arn"`
	} `json:"aws"`
}

func (d *segmentDocument) segment(depth int) (Segment, error) {
	s := Segment{
		ID: d.ID, ParentID: d.ParentID, Name: d.Name, Origin: d.Origin, Resource: d.ResourceARN,
		InProgress: d.InProgress, Error: d.Error, Fault: d.Fault, Throttle: d.Throttle,
	}
	if d.AWS != nil {
		s.Operation, s.RequestID, s.Function = d.AWS.Operation, d.AWS.RequestID, d.AWS.FunctionName
		if s.Resource == "" {
			s.Resource = d.AWS.FunctionARN
		}
		if s.Resource == "" {
			s.Resource = d.AWS.ResourceARN
		}
	}
	if s.Function == "" && strings.Contains(s.Resource, ":function:") {
		s.Function = functionOf(s.Resource)
	}
	var err error
	if s.StartNS, err = epochSeconds(d.Start); err != nil {
		return s, fmt.Errorf("start_time of %s: %w", d.ID, err)
	}
	if s.EndNS, err = epochSeconds(d.End); err != nil {
		return s, fmt.Errorf("end_time of %s: %w", d.ID, err)
	}
	for i := range d.Subsegments {
		part, err := newSegment(d.Subsegments[i], depth+1)
		if err != nil {
			return s, err
		}
		s.Parts = append(s.Parts, part)
	}
	return s, nil
}

// epochSeconds reads an instant such as 1.613573909463E9 without the rounding
// error of a float64.
func epochSeconds(n *json.Number) (*int64, error) {
	if n == nil {
		return nil, nil
	}
	ns, err := scaled(n.String(), 9, 1)
	if err != nil || ns < 0 {
		return nil, fmt.Errorf("%s is no instant in seconds", n)
	}
	return &ns, nil
}
