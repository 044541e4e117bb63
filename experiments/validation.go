package experiments

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"math"
	"runtime"
	"strings"
	"sync"

	"golang.org/x/sync/errgroup"

	"eevee/models"
)

// The rows of a Validation that are about more than one stage.
const (
	EndToEnd  = "end-to-end" // the latency of whole runs
	AllStages = "all stages" // the points of every stage, pooled
)

// FitSchema names the JSON form of what "eevee fit" prints; see
// schemas/fit.schema.json.
const FitSchema = "eevee.fit/1"

// ValidationLevels are the probabilities at which coverage is reported.
func ValidationLevels() []float64 { return []float64{0.50, 0.90, 0.95, 0.99} }

// ValidationOptions are the options of Validate; the zero value validates every
// model with the settings that were fixed beforehand.
type ValidationOptions struct {
	Models    []Forecaster // empty: all of them
	Seed      uint64       // of predictions and of the bootstrap
	Resamples int          // of the bootstrap; 0: 2,000
	Progress  func(done, total int)
}

// ValidationPoint is one recorded figure of a run whose configuration the model
// had not seen, and what the model expected of it. Times are in s.
type ValidationPoint struct {
	Model         string
	Stage         string // or EndToEnd
	Configuration string // of the workflow; all runs under it were held out together
	Execution     string
	Memory        int // MB, of the stage; 0: end to end
	Parallelism   int
	Inside        bool // within the range of sizes that the model had seen
	Recorded      float64
	Predicted     []float64 // quantiles at ValidationLevels; the first is the median
	Share         float64   // of the predicted distribution that is at or below Recorded
	CRPS          float64   // continuous ranked probability score, s
}

// Validation is how well models foresee recorded runs under configurations that
// they never saw: every recorded configuration of the workflow is held out in
// turn, with all of its runs.
type Validation struct {
	Workflow string
	Models   []string // in the order of the options
	Points   []ValidationPoint
	Rows     []ValidationRow
	Warnings []string
}

// Validate holds out one configuration after the other. A model that cannot be
// fitted to what is left has no rows, and a warning says why.
func Validate(ctx context.Context, p *models.Profile, o ValidationOptions) (Validation, error) {
	if len(o.Models) == 0 {
		o.Models = forecasters
	}
	folds := configurationFolds(p)
	if len(folds) < 2 {
		return Validation{}, fmt.Errorf("validation of workflow %s: the trace has %d configuration; holding one out takes at least 2", p.Workflow.Name(), len(folds))
	}
	streams := models.Streams{Seed: o.Seed}.Sub("validation")
	points := make([][]ValidationPoint, len(o.Models)*len(folds))
	failed := make([]error, len(points))
	progress := counter(len(points), o.Progress)
	work, ctx := errgroup.WithContext(ctx)
	work.SetLimit(runtime.GOMAXPROCS(0))
	for k := range points {
		work.Go(func() error {
			if err := ctx.Err(); err != nil {
				return err
			}
			model, f := o.Models[k/len(folds)], folds[k%len(folds)]
			points[k], failed[k] = forecast(model, f, p, streams.Sub("fold/"+f.configuration))
			progress()
			return nil
		})
	}
	if err := work.Wait(); err != nil {
		return Validation{}, err
	}
	v := Validation{Workflow: p.Workflow.Name()}
	for m, model := range o.Models {
		of := points[m*len(folds) : (m+1)*len(folds)]
		if err := errors.Join(failed[m*len(folds) : (m+1)*len(folds)]...); err != nil {
			first, _, _ := strings.Cut(err.Error(), "\n")
			v.Warnings = append(v.Warnings, fmt.Sprintf("model %s is left out: %s", model.Name, first))
			continue
		}
		v.Models = append(v.Models, model.Name)
		for _, list := range of {
			v.Points = append(v.Points, list...)
		}
	}
	v.Rows = scoreAll(v, stagesOf(p.Workflow), cmp.Or(o.Resamples, bootstrapResamples), streams)
	return v, nil
}

// counter returns a function that counts up to total and tells progress, one
// goroutine at a time; progress may be nil.
func counter(total int, progress func(done, total int)) func() {
	var mu sync.Mutex
	done := 0
	return func() {
		mu.Lock()
		defer mu.Unlock()
		done++
		if progress != nil {
			progress(done, total)
		}
	}
}

// forecast fits a model to all configurations but one and scores what it
// expects of that one.
func forecast(model Forecaster, f fold, p *models.Profile, streams models.Streams) ([]ValidationPoint, error) {
	seen := f.without(p)
	fitted, err := model.Fit(seen, streams)
	if err != nil {
		return nil, fmt.Errorf("without %s: %w", f.configuration, err)
	}
	return foresee(fitted, model.Name, seen, f.held(p), f.configuration)
}

// foresee scores what a model that was fitted to the profile seen expects of the
// warm runs of the profile held.
func foresee(fitted Predictor, model string, seen, held *models.Profile, configuration string) ([]ValidationPoint, error) {
	w := seen.Workflow
	var points []ValidationPoint
	for i := range w.Len() {
		// Runs of a configuration share what is known of it.
		type expectation struct {
			prediction
			inside bool
		}
		known := map[[3]int]expectation{}
		for _, o := range held.Warm(i) {
			recorded := executionTime(o)
			if math.IsNaN(recorded) {
				continue
			}
			key := [...]int{o.Config.Memory, o.Config.Parallelism, o.InputParallelism}
			expected, ok := known[key]
			if !ok {
				sample, err := fitted.Execution(i, o.Config, o.InputParallelism)
				if err != nil {
					return nil, err
				}
				expected = expectation{newPrediction(sample), inside(seen, i, o.Config)}
				known[key] = expected
			}
			point := expected.point(recorded)
			point.Model, point.Stage, point.Configuration, point.Execution = model, w.Stage(i).Name, configuration, o.Execution
			point.Memory, point.Parallelism, point.Inside = o.Config.Memory, o.Config.Parallelism, expected.inside
			points = append(points, point)
		}
	}
	if w.Len() == 1 {
		return points, nil // the stage is the workflow
	}
	for _, run := range jointRuns(held) {
		recorded := run.latency(w)
		if math.IsNaN(recorded) {
			continue
		}
		sample, err := fitted.Latency(run.config())
		if err != nil {
			return nil, err
		}
		point := newPrediction(sample).point(recorded)
		point.Model, point.Stage, point.Configuration, point.Execution = model, EndToEnd, configuration, run[0].Execution
		point.Inside = true
		for i, o := range run {
			point.Inside = point.Inside && inside(seen, i, o.Config)
		}
		points = append(points, point)
	}
	return points, nil
}

// stagesOf returns the names of the stages of a workflow.
func stagesOf(w *models.Workflow) []string {
	var names []string
	for i := range w.Len() {
		names = append(names, w.Stage(i).Name)
	}
	return names
}
