package models

import (
	"fmt"
	"math"
	"strings"
)

// fileCheck collects the reasons why a file is no model.
type fileCheck struct {
	from string
	errs []error
}

func (c *fileCheck) defect(field, format string, args ...any) {
	if len(c.errs) < maxDefects {
		c.errs = append(c.errs, fmt.Errorf("%s: %s: "+format, append([]any{c.from, field}, args...)...))
	}
}

// within reports a number that is not finite or not in the given range.
func (c *fileCheck) within(field string, v, low, high float64) {
	if !finite(v) || v < low || v > high {
		c.defect(field, "is %v", v)
	}
}

// fileHead is what every model file begins with.
type fileHead struct {
	schema, kind, workflow string
	trace                  modelTrace
}

// head reports what is wrong with the head of a file of a model of the given kind,
// and whether it is of workflow w, so that the rest can be looked at.
func (c *fileCheck) head(h fileHead, kind string, w *Workflow) (known bool) {
	if h.schema != ModelSchema {
		c.defect("schema", "is %q, want %q", h.schema, ModelSchema)
	}
	if h.kind != kind {
		c.defect("kind", "is %q, want %q", h.kind, kind)
	}
	if strings.TrimSpace(h.trace.Source) == "" {
		c.defect("trace.source", "is empty")
	}
	if !isSHA256(h.trace.SHA256) {
		c.defect("trace.sha256", "%q is not 64 hexadecimal digits in lower case", h.trace.SHA256)
	}
	if h.workflow != w.Name() {
		c.defect("workflow", "is %q, want %q", h.workflow, w.Name())
	}
	return h.workflow == w.Name()
}

// stages reports a number of stages that is not the workflow's.
func (c *fileCheck) stages(n int, w *Workflow) bool {
	if n != w.Len() {
		c.defect("stages", "%d stages, workflow %s has %d", n, w.Name(), w.Len())
	}
	return n == w.Len()
}

func finite(v float64) bool { return !math.IsNaN(v) && !math.IsInf(v, 0) }

func isSHA256(s string) bool {
	return len(s) == 64 && strings.Trim(s, "0123456789abcdef") == ""
}

// ModelFileSchema returns the JSON Schema of the model file.
func ModelFileSchema() []byte {
	text, err := data.ReadFile("data/schemas/model.schema.json")
	if err != nil {
		panic(err) // the file is part of the program
	}
	return text
}
