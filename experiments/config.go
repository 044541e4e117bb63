package experiments

import (
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"os"
	"reflect"

	"eevee/models"
	"eevee/solvers"
)

// ReadConfig reads the configuration in a file that "eevee solve -o" wrote, or
// in any JSON object with a "config" of the same form. Stages may stand in any
// order; every defect is reported at once.
func ReadConfig(path string, def *models.Definition) (models.Config, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	var file struct {
		Workflow string `json:"workflow"`
		Config   []struct {
			Stage       string   `json:"stage"`
			MemoryMB    *int     `json:"memory_mb"`
			VCPU        *float64 `json:"vcpu"`
			Parallelism *int     `json:"parallelism"`
		} `json:"config"`
	}
	if err := json.Unmarshal(text, &file); err != nil {
		return nil, fmt.Errorf("%s: not a configuration: %w", path, misread(text, err))
	}
	w := def.Workflow
	if file.Workflow != "" && file.Workflow != w.Name() {
		return nil, fmt.Errorf("%s: is a configuration of workflow %q, not %q", path, file.Workflow, w.Name())
	}
	if len(file.Config) == 0 {
		return nil, fmt.Errorf("%s: has no \"config\"; the answer it holds may be that nothing is feasible", path)
	}
	config := make(models.Config, w.Len())
	var errs []error
	defect := func(format string, args ...any) {
		errs = append(errs, fmt.Errorf("%s: "+format, append([]any{path}, args...)...))
	}
	for k, s := range file.Config {
		i, ok := w.Index(s.Stage)
		switch {
		case !ok:
			defect("config %d: workflow %s has no stage %q", k, w.Name(), s.Stage)
			continue
		case config[i].Parallelism != 0:
			defect("config %d: stage %q is configured twice", k, s.Stage)
			continue
		case s.MemoryMB == nil || *s.MemoryMB < 1:
			defect("stage %q: memory_mb is not a number of at least 1", s.Stage)
			continue
		case s.Parallelism == nil || *s.Parallelism < 1:
			defect("stage %q: parallelism is not a number of at least 1", s.Stage)
			continue
		case !w.Stage(i).Splittable() && *s.Parallelism != 1:
			defect("stage %q: cannot be split, but parallelism is %d", s.Stage, *s.Parallelism)
			continue
		}
		config[i] = def.StageConfig(*s.MemoryMB, *s.Parallelism)
		if s.VCPU != nil {
			// The CPU share follows from the memory; a file may only say it
			// more exactly than whole megabytes can.
			if math.Abs(*s.VCPU*def.MBPerVCPU-float64(*s.MemoryMB)) > 1 {
				defect("stage %q: %d MB are %.4g vCPU, not %v", s.Stage, *s.MemoryMB, config[i].VCPU, *s.VCPU)
			}
			config[i].VCPU = *s.VCPU
		}
	}
	for i, c := range config {
		if c.Parallelism == 0 && len(errs) == 0 {
			defect("stage %q has no configuration", w.Stage(i).Name)
		}
	}
	return config, errors.Join(errs...)
}

// ReadAdmitted reads a configuration as ReadConfig does, and refuses one that is
// not in the space of the given name or, where that is empty, in the one that it
// was found in, with the grid that it was found on.
func ReadAdmitted(path string, def *models.Definition, space string) (models.Config, error) {
	config, err := ReadConfig(path, def)
	if err != nil {
		return nil, err
	}
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	var file struct {
		Space string `json:"space"`
		Grid  Grid   `json:"grid"`
	}
	if err := json.Unmarshal(text, &file); err != nil {
		return nil, fmt.Errorf("%s: not a configuration: %w", path, misread(text, err))
	}
	if space == "" {
		space = file.Space
	}
	admits, err := file.Grid.Of(def, space)
	if err == nil {
		_, err = admits.Locate(config)
	}
	if err != nil {
		return nil, fmt.Errorf("%s: %w; --off-space simulates it all the same", path, err)
	}
	return config, nil
}

// ReadSchedule reads the schedule in a file that "eevee solve -o" wrote, nil
// where it has none.
func ReadSchedule(path string, w *models.Workflow) (*models.Schedule, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	var file struct {
		Schedule []ResultTimes `json:"schedule"`
	}
	if err := json.Unmarshal(text, &file); err != nil {
		return nil, fmt.Errorf("%s: not a schedule: %w", path, misread(text, err))
	}
	if len(file.Schedule) == 0 {
		return nil, nil
	}
	s := &models.Schedule{Launch: make([]float64, w.Len()), Prewarm: make([]float64, w.Len())}
	for i := range w.Len() {
		s.Launch[i], s.Prewarm[i] = math.NaN(), math.NaN()
	}
	for k, t := range file.Schedule {
		i, ok := w.Index(t.Stage)
		if !ok {
			return nil, fmt.Errorf("%s: schedule %d: workflow %s has no stage %q", path, k, w.Name(), t.Stage)
		}
		if t.LaunchS != nil {
			s.Launch[i] = *t.LaunchS
		}
		if t.PrewarmS != nil {
			s.Prewarm[i] = *t.PrewarmS
		}
	}
	if err := s.Check(w.Len()); err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return s, nil
}

// misread says where a JSON text could not be read, and what was expected there.
func misread(text []byte, err error) error {
	line := models.LineOf(text, err)
	var kind *json.UnmarshalTypeError
	if errors.As(err, &kind) {
		wanted := "another value"
		switch kind.Type.Kind() {
		case reflect.Int, reflect.Uint64:
			wanted = "a whole number"
		case reflect.Float64:
			wanted = "a number"
		case reflect.String:
			wanted = "a text"
		case reflect.Slice:
			wanted = "a list"
		case reflect.Struct:
			wanted = "an object"
		}
		err = fmt.Errorf("%s: %s, want %s", kind.Field, kind.Value, wanted)
	}
	return fmt.Errorf("line %d: %w", line, err)
}

// ReadResult reads the answer in a file that "eevee solve -o" wrote. Its
// configuration is ReadConfig's to read, which knows the workflow.
func ReadResult(path string) (Result, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return Result{}, err
	}
	var r Result
	if err := json.Unmarshal(text, &r); err != nil {
		return r, fmt.Errorf("%s: not an answer of \"eevee solve -o\": %w", path, misread(text, err))
	}
	for _, field := range []struct {
		name    string
		missing bool
	}{
		{"workflow", r.Workflow == ""}, {"model", r.Model == ""}, {"trace.sha256", r.Trace.SHA256 == ""}, {"samples", r.Samples < 1},
		{"bound.metric", r.Bound.Metric == ""}, {"bound.limit_s or bound.limit_usd", r.Bound.LimitS == nil && r.Bound.LimitUSD == nil},
		{"bound.percentile", r.Bound.Percentile == 0},
	} {
		if field.missing {
			return r, fmt.Errorf("%s: has no %s; give a file that \"eevee solve -o\" wrote", path, field.name)
		}
	}
	if k := r.Bound.AllowedViolations; k < 0 || k >= r.Samples {
		return r, fmt.Errorf("%s: bound.allowed_violations is %d of %d scenarios; give a file that \"eevee solve -o\" wrote", path, k, r.Samples)
	}
	return r, nil
}

// OneBound says why the answer is not one to a single percentile and the mean of
// the other metric, nil if it is.
func (r Result) OneBound() error {
	if len(r.Further) > 0 || r.Bound.Measure != solvers.Quantile || r.Bound.AlsoLimitS != nil || r.Bound.AlsoLimitUSD != nil || r.Objective.Percentile != 0 {
		return errors.New("was found under several bounds, a joint one or one on CVaR, or minimises a percentile; what is asked here is known for one percentile of one metric")
	}
	return nil
}

// Asked returns the bound that was asked for.
func (r Result) Asked() solvers.Bound {
	b := solvers.Bound{Metric: r.Bound.Metric, Percentile: r.Bound.Percentile, Confidence: r.Bound.Confidence, Rule: r.Bound.Rule}
	switch {
	case r.Bound.Metric == solvers.Latency && r.Bound.LimitS != nil:
		b.Limit = *r.Bound.LimitS
	case r.Bound.Metric == solvers.Cost && r.Bound.LimitUSD != nil:
		b.Limit = *r.Bound.LimitUSD
	}
	return b
}
