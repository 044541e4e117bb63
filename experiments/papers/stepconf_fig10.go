package papers

import (
	"context"
	"fmt"
	"math"
	"slices"
	"strconv"

	"eevee/baselines"
)

// stepConfFig10 fits StepConf's model to recorded functions.
type stepConfFig10 struct {
	About       Statement  `yaml:",inline"`
	ErrorAtMost float64    `yaml:"error_at_most"`
	Memory      []int      `yaml:"memory_mb,flow"`
	Panels      []fitPanel `yaml:"panels"`
}

// fitPanel is a pair of figures.
type fitPanel struct {
	Figure      string   `yaml:"figure"`
	ErrorFigure string   `yaml:"error_figure"`
	ID          string   `yaml:"id"`
	Title       string   `yaml:"title"`
	Functions   []string `yaml:"functions,flow"`
	Drawn       string   `yaml:"drawn"`
}

// jobCount is a way to count the jobs of an input, NaN where it cannot be.
type jobCount struct {
	id, title, unit, cause string
	of                     func(r recordedFunction) []float64
}

var jobCounts = []jobCount{
	{"", "jobs by bytes", "MB", "inputs whose work is not in proportion to their bytes", func(r recordedFunction) []float64 {
		var jobs []float64
		for _, bytes := range r.inputs {
			jobs = append(jobs, float64(bytes)/1e6)
		}
		return jobs
	}},
	{"-work", "jobs by work", "s of work", "functions that use some cores but not all (not examined apart)", recordedFunction.work},
}

func newStepConfFig10() *stepConfFig10 {
	return mustFacts[stepConfFig10]("data/stepconf-fig10.yaml")
}

func (f *stepConfFig10) Statement() Statement { return f.About }

func (f *stepConfFig10) Cells(bool) []Cell { return nil }

func (f *stepConfFig10) Find(_ context.Context, lab *Lab) (Finding, error) {
	all, err := lab.functions()
	if err != nil {
		return Finding{}, err
	}
	var rows Panels
	found := Finding{Notes: []string{
		"the paper's functions count jobs; here a larger input stands for more of them, which is not the same work per byte in every function",
	}}
	for _, p := range f.Panels {
		for _, count := range jobCounts {
			claim, drawn, err := f.panel(all, p, count)
			if err != nil {
				return found, err
			}
			found.Claims, rows = append(found.Claims, claim), append(rows, drawn...)
		}
	}
	found.Rows = rows
	return found, nil
}

// panel judges the functions of a pair of figures, and draws one of them.
func (f *stepConfFig10) panel(all []recordedFunction, p fitPanel, count jobCount) (Claim, Panels, error) {
	var s shape
	name := f.About.ID + "-" + p.ID + count.id
	claim := Claim{
		ID: name, Title: fmt.Sprintf("Figures %s and %s: largest relative error, %s, %s", p.Figure, p.ErrorFigure, p.Title, count.title),
		Unit: "1", Tolerance: "at most " + digits(100*f.ErrorAtMost) + " %", Data: name + "-error.csv",
	}
	if all == nil {
		for _, function := range p.Functions {
			s.atMost(function, "largest_relative_error", math.NaN(), f.ErrorAtMost)
		}
		return s.missing(claim, chunkFuncMissing), nil, nil
	}
	list, err := pick(all, p.Functions)
	if err != nil {
		return claim, nil, err
	}
	var drawn Panels
	kept, n, short := 0, 0, 0
	for _, r := range list {
		fit, err := f.fit(r, count)
		if err != nil {
			return claim, nil, fmt.Errorf("%s: %w", r.name, err)
		}
		largest := 0.0
		for k, errors := range fit.errors {
			for i, e := range errors {
				if math.IsNaN(e) {
					continue
				}
				n++
				if largest = max(largest, e); e <= f.ErrorAtMost {
					kept++
				} else if r.seconds[fit.sizes[i].memory][k] < shortFunction {
					short++
				}
			}
		}
		s.atMost(r.name, "largest_relative_error", largest, f.ErrorAtMost)
		if r.name == p.Drawn {
			drawn, claim.Figure = fit.panels(name, r, count), name+"-error.png"
		}
	}
	return s.claim(claim, fmt.Sprintf("%d of %d errors are within %s %%; of the %d beyond, %d are of times below %v s, whose means of %d runs scatter, the others of %s",
		kept, n, digits(100*f.ErrorAtMost), n-kept, short, shortFunction, chunkFuncRepetitions, count.cause)), drawn, nil
}

// shortFunction is the time in s below which a mean over a few runs says little.
const shortFunction = 1.0

// stepConfFit is the model fitted to a recorded function.
type stepConfFit struct {
	jobs   []float64      // per input
	sizes  []recordedSize // of the grid
	model  [][]float64    // s, per input, per recorded size
	errors [][]float64    // per input, per size of the grid; NaN: not recorded
}

// fitEvery is which of the recorded sizes are fitted to: every fourth, of which
// there are still 40.
const fitEvery = 4

func (f *stepConfFig10) fit(r recordedFunction, count jobCount) (fit stepConfFit, err error) {
	fit.jobs = count.of(r)
	var points []baselines.StepConfPoint
	for i, s := range r.sizes {
		for k, v := range r.seconds[s.memory] {
			if i%fitEvery == 0 && !math.IsNaN(v) && !math.IsNaN(fit.jobs[k]) {
				points = append(points, baselines.StepConfPoint{Jobs: fit.jobs[k], VCPU: s.vcpu, Seconds: v})
			}
		}
	}
	curve, err := baselines.FitStepConfCurve(points)
	if err != nil {
		return fit, err
	}
	for _, s := range r.sizes {
		if slices.Contains(f.Memory, s.memory) {
			fit.sizes = append(fit.sizes, s)
		}
	}
	for k, jobs := range fit.jobs {
		var times, errs []float64
		for _, s := range r.sizes {
			times = append(times, curve.Seconds(jobs, s.vcpu))
		}
		for _, s := range fit.sizes {
			errs = append(errs, math.Abs(curve.Seconds(jobs, s.vcpu)/r.seconds[s.memory][k]-1))
		}
		fit.model, fit.errors = append(fit.model, times), append(fit.errors, errs)
	}
	return fit, nil
}

// panels are the times of a function beside the model's, and the errors.
func (fit stepConfFit) panels(name string, r recordedFunction, count jobCount) Panels {
	curves := Curves{X: Quantity{Label: "memory", Unit: "MB"}, Y: Quantity{Label: "duration", Unit: "s", Log: true}, Cast: []string{}}
	heat := Fields{X: "memory (MB)", Y: "jobs (" + count.unit + ")", Value: Quantity{Label: "relative error", Unit: "%"}}
	for _, s := range fit.sizes {
		heat.Names[0] = append(heat.Names[0], strconv.Itoa(s.memory))
	}
	for k, jobs := range fit.jobs {
		if math.IsNaN(jobs) {
			continue
		}
		input := strconv.FormatFloat(jobs, 'f', 2, 64)
		heat.Names[1] = append(heat.Names[1], input)
		var percent []float64
		for _, e := range fit.errors[k] {
			percent = append(percent, 100*e)
		}
		heat.Values = append(heat.Values, percent)
		truth := Curve{Name: input + " " + count.unit}
		model := Curve{Name: input + " " + count.unit + ", model", Line: true, Like: truth.Name}
		for i, s := range r.sizes {
			if v := r.seconds[s.memory][k]; !math.IsNaN(v) && i%fitEvery == 0 {
				truth.Points = append(truth.Points, CurvePoint{X: float64(s.memory), Y: v})
			}
			model.Points = append(model.Points, CurvePoint{X: float64(s.memory), Y: fit.model[k][i]})
		}
		curves.Curves = append(curves.Curves, truth, model)
	}
	return Panels{
		{Name: name, Title: r.name + ", " + count.title, Curves: &curves,
			Caption: r.name + ": recorded duration over memory by the jobs of the input (every fourth size), and StepConf's model fitted to that"},
		{Name: name + "-error", Title: r.name + ", " + count.title + ": relative error (%)", Fields: &heat,
			Caption: r.name + ": relative error of the model's time in percent at the sizes of the paper's grid"},
	}
}
