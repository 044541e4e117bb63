package papers

import (
	"cmp"
	"context"
	"fmt"
	"math"
	"slices"

	"eevee/experiments"
	"eevee/models"
)

// StepBands are predicted times of steps, with recorded ones.
type StepBands struct{ Panels []StepBand }

func (StepBands) rows() {}

// StepBand is one step of one stage; times are in s.
type StepBand struct {
	Name     string // of the picture
	Workflow string // title
	Recorded bool
	Stage    string
	Step     string
	Draws    int
	Points   []StepBandPoint // by vCPU
}

// StepBandPoint is a recorded configuration: the vCPU of all instances, the
// predicted band and the warm recorded times.
type StepBandPoint struct {
	Config         models.StageConfig
	VCPU           float64
	Mean, Min, Max float64
	Times          []float64
}

// inside returns how many of the recorded times lie in the band.
func (s StepBand) inside() (inside, all int) {
	for _, p := range s.Points {
		for _, t := range p.Times {
			all++
			if p.Min <= t && t <= p.Max {
				inside++
			}
		}
	}
	return inside, all
}

// fig12 draws steps from the fitted model.
type fig12 struct {
	About  Statement `yaml:",inline"`
	Most   float64   `yaml:"most"`
	Panels []struct {
		Name     string  `yaml:"name"`
		Workflow string  `yaml:"workflow"`
		Stage    string  `yaml:"stage"`
		Step     string  `yaml:"step"`
		Error    float64 `yaml:"error_below_percent"` // 0: the claim is about the band
	} `yaml:"panels"`
}

func newFig12() Experiment { return mustFacts[fig12]("data/fig12.yaml") }

func (f *fig12) Statement() Statement { return f.About }

func (f *fig12) Cells(bool) []Cell { return nil }

func (f *fig12) Find(_ context.Context, lab *Lab) (Finding, error) {
	var found Finding
	var rows StepBands
	for _, p := range f.Panels {
		b, err := lab.bench(p.Workflow)
		if err != nil {
			return found, err
		}
		stage, _ := b.setup.Definition.Workflow.Index(p.Stage)
		fit := stepOf(b.setup.Model.(*models.Jolteon).Stages()[stage], p.Step)
		band := StepBand{Name: p.Name, Workflow: shortTitle(b.setup.Definition), Recorded: b.recorded(), Stage: p.Stage, Step: p.Step, Draws: b.samples}
		band.Points = bandPoints(fit, b.setup.Profile.Warm(stage), p.Step, parameterDraws(fit, b.samples, experiments.SampleStreams(lab.options.Seed).Sub(p.Name)))
		rows.Panels = append(rows.Panels, band)

		var c comparison
		at := fmt.Sprintf("%s, %s, %s", p.Workflow, p.Stage, p.Step)
		title, tolerance := "share of recorded times inside the band", fmt.Sprintf("at least %s %%", digits(f.Most))
		inside, all := band.inside()
		if p.Error > 0 {
			title, tolerance = "mean error of the fit", fmt.Sprintf("below %s %%", digits(p.Error))
			c.add(at, "mean_absolute_error_percent", p.Error, 100*fit.MeanAbs, Tolerance{Below: 1})
		} else {
			c.add(at, "inside_percent", f.Most, 100*float64(inside)/float64(all), Tolerance{Absolute: 0, Above: 100/f.Most - 1})
		}
		found.Claims = append(found.Claims, c.claim(Claim{
			ID: p.Name, Title: fmt.Sprintf("Figure 12, %s, %s of %s: %s", band.Workflow, p.Step, p.Stage, title), Unit: "%",
			Tolerance: tolerance, Figure: p.Name + ".png", Data: p.Name + ".csv",
		}, b.recorded()).because(fmt.Sprintf("%d of %d times of the profile are inside the band, whose width is the uncertainty of the parameters and not the variation of runs", inside, all)))
		found.Notes = append(found.Notes, fmt.Sprintf("%s: %d of %d recorded times are inside the band; the mean absolute error of the fit is %s %%, on the runs it was fitted to", at, inside, all, digits(100*fit.MeanAbs)))
	}
	found.Notes = append(found.Notes, "a band that reaches below 0 s is what the model says: it draws parameters from a normal distribution, and nothing keeps times positive")
	found.Rows = rows
	return found, nil
}

func stepOf(s models.JolteonStage, name string) models.StepFit {
	steps := s.Steps()
	return steps[slices.IndexFunc(steps, func(n models.NamedStep) bool { return n.Name == name })].StepFit
}

// parameterDraws draws parameters of a step as scenarios do.
func parameterDraws(fit models.StepFit, n int, streams models.Streams) []models.StepFit {
	source := streams.New("band")
	draws := make([]models.StepFit, n)
	z := make([]float64, len(fit.Params))
	for i := range draws {
		for k := range z {
			z[k] = source.NormFloat64()
		}
		draws[i] = models.StepFit{Basis: fit.Basis}
		for k, mean := range fit.Params {
			for l, f := range fit.Factor[k] {
				mean += f * z[l]
			}
			draws[i].Params = append(draws[i].Params, mean)
		}
	}
	return draws
}

// bandPoints are the recorded configurations by the vCPU of all their
// instances.
func bandPoints(fit models.StepFit, warm []models.Observation, step string, draws []models.StepFit) []StepBandPoint {
	var points []StepBandPoint
	for _, o := range warm {
		i := slices.IndexFunc(points, func(p StepBandPoint) bool { return p.Config == o.Config })
		if i < 0 {
			p := StepBandPoint{Config: o.Config, VCPU: o.Config.VCPU * float64(o.Config.Parallelism), Mean: fit.At(o.Config, o.InputParallelism), Min: math.Inf(1), Max: math.Inf(-1)}
			for _, d := range draws {
				t := d.At(o.Config, o.InputParallelism)
				p.Min, p.Max = min(p.Min, t), max(p.Max, t)
			}
			i = len(points)
			points = append(points, p)
		}
		t := o.Mean.Read
		if step == "compute" {
			t = o.Mean.Compute
		}
		points[i].Times = append(points[i].Times, t)
	}
	slices.SortStableFunc(points, func(a, b StepBandPoint) int { return cmp.Compare(a.VCPU, b.VCPU) })
	return points
}
