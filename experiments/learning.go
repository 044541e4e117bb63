package experiments

import (
	"context"
	"fmt"
	"math"
	"runtime"
	"slices"
	"strconv"

	"golang.org/x/sync/errgroup"

	"eevee/models"
)

// LearningRow is how a model does that was fitted to a part of the recordings:
// to so many configurations, with so many runs of each.
type LearningRow struct {
	Workflow       string  `json:"workflow"`
	Model          string  `json:"model"`
	Along          Along   `json:"along"`
	Configurations int     `json:"configurations"`
	RunsEach       int     `json:"runs_each"` // at most, of every configuration
	Runs           int     `json:"runs"`      // fitted to, mean over repetitions
	Coverage       float64 `json:"coverage"`  // of the 95th percentile, on configurations that were not fitted to
	CoverageSE     float64 `json:"coverage_se"`
	WidthRatio     float64 `json:"width_ratio"` // median of predicted p95 over p50, mean over repetitions
	WidthRatioSE   float64 `json:"width_ratio_se"`
	MAPE           float64 `json:"mape"`
}

// Along says what a learning curve takes more and more of.
type Along string

// The two ways to record more.
const (
	AlongConfigurations Along = "configurations" // more of them, with all of their runs
	AlongRuns           Along = "runs"           // more runs of each, of nine tenths of the configurations
)

// Learning is two learning curves per model, and where they settle.
type Learning struct {
	Workflow string        `json:"workflow"`
	Rows     []LearningRow `json:"rows"` // by model, then along a curve
	Settled  []Settled     `json:"settled"`
	Warnings []string      `json:"-"`
}

// Settled says from which number of recorded runs on coverage and width stay
// within two percentage points and 5 % of where the curve ends, or cannot be
// told from it at two standard errors; null: it has not settled before.
type Settled struct {
	Model string `json:"model"`
	Along Along  `json:"along"`
	Runs  *int   `json:"runs"`
}

// The settings of a learning curve: the parts of the configurations and the runs
// of each that are kept, and how often the parts are drawn. Repetitions share
// recordings, so that their standard error is a lower limit.
const learningRepetitions = 10

func learningParts() []float64 { return []float64{0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9} }

func learningRuns() []int { return []int{1, 2, 5, 10, 20, 50, 100} }

// learningCell is one fit: a repetition of a model with a part of the
// recordings.
type learningCell struct {
	model                Forecaster
	along                Along
	configurations, each int
	repetition           int
	points               []ValidationPoint
	runs                 int
	err                  error
}

// Learn draws, for every model, parts of the recordings at random, fits to them,
// and scores what is foreseen of the configurations that are not in them. The
// points of all stages count.
func Learn(ctx context.Context, p *models.Profile, list []Forecaster, seed uint64, progress func(done, total int)) (Learning, error) {
	folds := configurationFolds(p)
	if len(folds) < 4 {
		return Learning{}, fmt.Errorf("learning curve of workflow %s: the trace has %d configurations; it takes at least 4", p.Workflow.Name(), len(folds))
	}
	streams := models.Streams{Seed: seed}.Sub("learning")
	most := 0 // warm runs of a configuration
	for _, f := range folds {
		most = max(most, len(f.held(p).Warm(0)))
	}
	var cells []*learningCell
	add := func(model Forecaster, along Along, configurations, each int) {
		for r := range learningRepetitions {
			cells = append(cells, &learningCell{model: model, along: along, configurations: configurations, each: each, repetition: r})
		}
	}
	largest := int(slices.Max(learningParts()) * float64(len(folds)))
	for _, model := range list {
		for _, part := range learningParts() {
			add(model, AlongConfigurations, max(2, int(part*float64(len(folds)))), most)
		}
		for _, each := range learningRuns() {
			if each < most {
				add(model, AlongRuns, largest, each)
			}
		}
		if most > 1 {
			add(model, AlongRuns, largest, most)
		}
	}
	warm := map[string]bool{}
	for _, o := range p.Warm(0) {
		warm[o.Execution] = true
	}
	step := counter(len(cells), progress)
	work, ctx := errgroup.WithContext(ctx)
	work.SetLimit(runtime.GOMAXPROCS(0))
	for _, c := range cells {
		work.Go(func() error {
			if err := ctx.Err(); err != nil {
				return err
			}
			c.run(p, folds, warm, streams.Sub("repetition/"+strconv.Itoa(c.repetition)))
			step()
			return nil
		})
	}
	if err := work.Wait(); err != nil {
		return Learning{}, err
	}
	l := Learning{Workflow: p.Workflow.Name()}
	for len(cells) > 0 {
		of := cells[:learningRepetitions]
		cells = cells[learningRepetitions:]
		if row, err := summarise(l.Workflow, of); err != nil {
			l.Warnings = append(l.Warnings, fmt.Sprintf("learning curve: model %s cannot be fitted to %d configurations: %v", of[0].model.Name, of[0].configurations, err))
		} else {
			l.Rows = append(l.Rows, row)
		}
	}
	for _, model := range list {
		for _, along := range []Along{AlongConfigurations, AlongRuns} {
			if of := l.curve(model.Name, along); len(of) > 1 {
				l.Settled = append(l.Settled, Settled{model.Name, along, settled(of)})
			}
		}
	}
	return l, nil
}

// run fits to the first configurations of a random order.
func (c *learningCell) run(p *models.Profile, folds []fold, warm map[string]bool, streams models.Streams) {
	order := streams.New("order").Perm(len(folds))
	kept := map[string]bool{} // executions
	source := streams.New("runs")
	for _, k := range order[:c.configurations] {
		var executions []string
		for _, o := range folds[k].held(p).Stage(0) {
			executions = append(executions, o.Execution)
		}
		source.Shuffle(len(executions), func(i, j int) { executions[i], executions[j] = executions[j], executions[i] })
		runs := 0
		for _, e := range executions {
			// The first, cold, repetition is kept for models that look at it.
			if warm[e] {
				if runs++; runs > c.each {
					continue
				}
			}
			kept[e] = true
		}
	}
	seen := p.Select(func(o models.Observation) bool { return kept[o.Execution] })
	c.runs = len(seen.Warm(0))
	rest := fold{configuration: "rest", executions: map[string]bool{}}
	for _, k := range order[c.configurations:] {
		for e := range folds[k].executions {
			rest.executions[e] = true
		}
	}
	fitted, err := c.model.Fit(seen, streams)
	if err != nil {
		c.err = err
		return
	}
	c.points, c.err = foresee(fitted, c.model.Name, seen, rest.held(p), rest.configuration)
}

// summarise sums up the repetitions of a part.
func summarise(workflow string, cells []*learningCell) (LearningRow, error) {
	first := cells[0]
	r := LearningRow{Workflow: workflow, Model: first.model.Name, Along: first.along, Configurations: first.configurations, RunsEach: first.each}
	var coverage, width []float64
	for _, c := range cells {
		if c.err != nil {
			return r, c.err
		}
		r.Runs += c.runs
		below, n, off := 0.0, 0.0, 0.0
		var widths []float64
		for _, p := range c.points {
			if p.Stage == EndToEnd {
				continue
			}
			if n++; p.Recorded <= p.Predicted[2] {
				below++
			}
			widths = append(widths, p.Predicted[2]/p.Predicted[0])
			off += math.Abs(p.Predicted[0]/p.Recorded - 1)
		}
		r.MAPE += off / n / float64(len(cells))
		coverage, width = append(coverage, below/n), append(width, models.QuantileR7(widths, 0.5))
	}
	r.Runs /= len(cells)
	r.Coverage, r.CoverageSE = meanError(coverage)
	r.WidthRatio, r.WidthRatioSE = meanError(width)
	return r, nil
}

// curve returns the rows of one curve.
func (l Learning) curve(model string, along Along) []LearningRow {
	var of []LearningRow
	for _, r := range l.Rows {
		if r.Model == model && r.Along == along {
			of = append(of, r)
		}
	}
	return of
}

// settled returns the number of runs from which on a curve stays near its end.
func settled(curve []LearningRow) *int {
	end := curve[len(curve)-1]
	var from *int
	for k := len(curve) - 2; k >= 0; k-- {
		if differs(curve[k].Coverage-end.Coverage, 0.02, curve[k].CoverageSE, end.CoverageSE) ||
			differs(curve[k].WidthRatio-end.WidthRatio, 0.05*end.WidthRatio, curve[k].WidthRatioSE, end.WidthRatioSE) {
			break
		}
		from = &curve[k].Runs
	}
	return from
}

// differs reports whether a difference is larger than the tolerance, and than two
// standard errors.
func differs(difference, tolerance, se1, se2 float64) bool {
	return math.Abs(difference) > max(tolerance, 2*math.Hypot(se1, se2))
}
