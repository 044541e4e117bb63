package live

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"os"
	"regexp"
	"slices"
	"strings"

	"github.com/goccy/go-yaml"

	"eevee/models"
)

// Target is the function behind a stage, and what its instances are sent.
type Target struct {
	Function string // name or ARN, without a version or an alias
	Payload  Template
}

// Targets is the functions of all stages, in the order of the workflow.
type Targets []Target

// targetsFile is the YAML form of Targets.
type targetsFile struct {
	Functions map[string]struct {
		Function string `yaml:"function"`
		Payload  any    `yaml:"payload,omitempty"`
	} `yaml:"functions"`
}

// functionName is what names a function: its name, or its ARN.
var functionName = regexp.MustCompile(`^(?:arn:aws[a-z-]*:lambda:[a-z0-9-]+:\d{12}:function:)?[A-Za-z0-9_-]{1,64}$`)

// ReadTargets reads which function is behind which stage:
//
//	functions:
//	  STAGE:
//	    function: NAME or ARN
//	    payload: {...} # see Template; default: {}
//
// Every defect is reported at once.
func ReadTargets(path string, w *models.Workflow) (Targets, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	var f targetsFile
	if err := yaml.UnmarshalWithOptions(text, &f, yaml.Strict()); err != nil {
		line, _, _ := strings.Cut(err.Error(), "\n")
		return nil, fmt.Errorf("%s: %s", path, line)
	}
	var errs []error
	defect := func(format string, args ...any) {
		errs = append(errs, fmt.Errorf("%s: "+format, append([]any{path}, args...)...))
	}
	targets := make(Targets, w.Len())
	for _, stage := range sortedKeys(f.Functions) {
		i, ok := w.Index(stage)
		if !ok {
			defect("workflow %s has no stage %q", w.Name(), stage)
			continue
		}
		entry := f.Functions[stage]
		if !functionName.MatchString(entry.Function) {
			why := "is neither the name of a function nor its ARN"
			if functionName.MatchString(entry.Function[:max(0, strings.LastIndex(entry.Function, ":"))]) {
				why = "names a version or an alias; give the function alone, eevee makes versions of its own"
			}
			defect("stage %q: function %q %s", stage, entry.Function, why)
		}
		t, err := payloadTemplate(entry.Payload)
		if err != nil {
			defect("stage %q: payload: %w", stage, err)
		}
		for _, other := range t.stages("parallelism") {
			if _, ok := w.Index(other); !ok {
				defect("stage %q: payload: ${parallelism.%s}: workflow %s has no such stage", stage, other, w.Name())
			}
		}
		for _, other := range t.stages("outputs") {
			if k, ok := w.Index(other); !ok || !precedes(w, k, i) {
				defect("stage %q: payload: ${outputs.%s}: no such stage comes before it", stage, other)
			}
		}
		targets[i] = Target{Function: entry.Function, Payload: t}
	}
	for i, t := range targets {
		if t.Function == "" && len(errs) == 0 {
			defect("stage %q has no function", w.Stage(i).Name)
		}
	}
	return targets, errors.Join(errs...)
}

// payloadTemplate turns a payload in YAML into a template.
func payloadTemplate(payload any) (Template, error) {
	if payload == nil {
		return ParseTemplate(nil)
	}
	text, err := json.Marshal(payload)
	if err != nil {
		return Template{}, fmt.Errorf("cannot be JSON: %w", err)
	}
	return ParseTemplate(text)
}

// precedes reports whether stage a ends before stage b begins.
func precedes(w *models.Workflow, a, b int) bool {
	for _, p := range w.Parents(b) {
		if p == a || precedes(w, a, p) {
			return true
		}
	}
	return false
}

func sortedKeys[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }
