package experiments

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"

	"eevee/baselines"
	"eevee/internal/spelling"
	"eevee/models"
)

// Predictor says what a model that was fitted to some recorded runs expects of
// other ones. Samples are in s, in any order; a model that knows no spread
// gives a single value.
type Predictor interface {
	// Execution returns a sample of the time that an instance of the stage
	// runs under c, mean over the instances of one run: read, compute and
	// write.
	Execution(stage int, c models.StageConfig, inputParallelism int) ([]float64, error)

	// Latency returns a sample of the latency of a run of the workflow.
	Latency(c models.Config) ([]float64, error)
}

// Forecaster is a model as a validation sees it.
type Forecaster struct {
	Name string

	// Fit fits the model. Every fold has streams of its own, and all models
	// the same.
	Fit func(p *models.Profile, streams models.Streams) (Predictor, error)
}

// forecastDraws is the number of scenarios or residuals that a predicted
// distribution is made of: enough for a 99th percentile that is off by less
// than a tenth of the distance to the 98th.
const forecastDraws = 4000

// forecasters are the models that can be validated, in the order of tables.
var forecasters = []Forecaster{
	{"jolteon", fitScenarios("jolteon")},
	{"orion", func(p *models.Profile, _ models.Streams) (Predictor, error) { return orionPredictor{p}, nil }},
	{"ditto", func(p *models.Profile, _ models.Streams) (Predictor, error) {
		m, err := baselines.FitDitto(p)
		if err != nil {
			return nil, err
		}
		return pointPredictor{p.Workflow, m}, nil
	}},
	{"stepconf", func(p *models.Profile, _ models.Streams) (Predictor, error) {
		m, err := baselines.FitStepConf(p)
		if err != nil {
			return nil, err
		}
		return pointPredictor{p.Workflow, m}, nil
	}},
	{"calibrated", fitScenarios("calibrated")},
	{"empirical", func(p *models.Profile, streams models.Streams) (Predictor, error) {
		return fitResiduals(p, resampling{}, streams)
	}},
}

// ablations are what is left of the calibrated model without some of its parts.
// Calibration makes good for a missing part as far as it can; what a part does by
// itself shows in the last two, which are not calibrated.
var ablations = []struct {
	option   string
	settings models.CalibratedSettings
}{
	{"no-parameters", models.CalibratedSettings{NoParameterUncertainty: true}},
	{"no-variation", models.CalibratedSettings{NoExecutionVariation: true}},
	{"no-calibration", models.CalibratedSettings{NoCalibration: true}},
	{"independent-stages", models.CalibratedSettings{IndependentStages: true}},
	{"only-parameters", models.CalibratedSettings{NoExecutionVariation: true, NoCalibration: true}},
	{"only-variation", models.CalibratedSettings{NoParameterUncertainty: true, NoCalibration: true}},
}

// ForecasterNames returns the names of the models that can be validated.
func ForecasterNames() []string {
	var names []string
	for _, f := range forecasters {
		names = append(names, f.Name)
	}
	return names
}

// AblationNames returns the names of the calibrated model, and of it without
// some of its parts.
func AblationNames() []string {
	names := []string{"calibrated"}
	for _, a := range ablations {
		names = append(names, "calibrated:"+a.option)
	}
	return names
}

// Forecasters returns the models of a comma-separated list of names; "all" and
// the empty list stand for all but ablations, "ablation" for those of
// AblationNames.
func Forecasters(list string) ([]Forecaster, error) {
	if list == "" {
		list = "all"
	}
	var chosen []Forecaster
	for name := range strings.SplitSeq(list, ",") {
		name = strings.TrimSpace(name)
		names := []string{name}
		switch name {
		case "all":
			names = ForecasterNames()
		case "ablation":
			names = AblationNames()
		}
		for _, name := range names {
			f, err := forecaster(name)
			if err != nil {
				return nil, err
			}
			if !slices.ContainsFunc(chosen, func(c Forecaster) bool { return c.Name == name }) {
				chosen = append(chosen, f)
			}
		}
	}
	return chosen, nil
}

func forecaster(name string) (Forecaster, error) {
	if k := slices.IndexFunc(forecasters, func(f Forecaster) bool { return f.Name == name }); k >= 0 {
		return forecasters[k], nil
	}
	for _, a := range ablations {
		if name == "calibrated:"+a.option {
			return Forecaster{name, sampled(func(p *models.Profile) (models.Model, error) { return models.FitCalibrated(p, a.settings) })}, nil
		}
	}
	return Forecaster{}, spelling.Unknown("model", name, append(append(ForecasterNames(), AblationNames()[1:]...), "all", "ablation"))
}

// fitScenarios makes a predictor out of the scenarios of a model by its name.
func fitScenarios(name string) func(*models.Profile, models.Streams) (Predictor, error) {
	return sampled(func(p *models.Profile) (models.Model, error) { return FitModel(name, p) })
}

func sampled(fit func(*models.Profile) (models.Model, error)) func(*models.Profile, models.Streams) (Predictor, error) {
	return func(p *models.Profile, streams models.Streams) (Predictor, error) {
		m, err := fit(p)
		if err != nil {
			return nil, err
		}
		// Any price will do: nothing is paid for.
		s, err := m.Sample(forecastDraws, models.MustPrice(models.PriceJolteon), streams.Sub("scenarios"))
		if err != nil {
			return nil, err
		}
		return scenarioPredictor{s}, nil
	}
}

type scenarioPredictor struct{ scenarios *models.Scenarios }

func (p scenarioPredictor) Execution(stage int, c models.StageConfig, inputParallelism int) ([]float64, error) {
	billed := make([]float64, p.scenarios.Len())
	p.scenarios.Times(stage, c, inputParallelism, nil, billed)
	return billed, nil
}

func (p scenarioPredictor) Latency(c models.Config) ([]float64, error) {
	latency, _ := p.scenarios.Outcomes(c)
	return latency, nil
}

// orionPredictor interpolates the distributions of a profile as Orion does.
type orionPredictor struct{ profile *models.Profile }

// orionLevels are the percentiles that stand for a distribution of Orion's.
func orionLevels() []float64 {
	levels := make([]float64, 400)
	for k := range levels {
		levels[k] = 100 * (float64(k) + 0.5) / float64(len(levels))
	}
	return levels
}

func (p orionPredictor) Execution(stage int, c models.StageConfig, _ int) ([]float64, error) {
	return baselines.Orion{}.PredictExecution(p.profile, stage, c, orionLevels()...)
}

func (p orionPredictor) Latency(c models.Config) ([]float64, error) {
	return baselines.Orion{}.Predict(p.profile, c, orionLevels()...)
}

// pointPredictor is a model without a spread.
type pointPredictor struct {
	workflow *models.Workflow
	model    interface {
		InstanceTime(i int, c models.StageConfig) float64
		Time(i int, c models.StageConfig) float64
	}
}

func (p pointPredictor) Execution(stage int, c models.StageConfig, _ int) ([]float64, error) {
	return []float64{p.model.InstanceTime(stage, c)}, nil
}

func (p pointPredictor) Latency(c models.Config) ([]float64, error) {
	times := make([]float64, len(c))
	for i := range c {
		times[i] = p.model.Time(i, c[i])
	}
	return []float64{p.workflow.Latency(times)}, nil
}

// resampling says how residuals are drawn.
type resampling struct {
	// Joint draws those of all steps and stages from one recorded run, so that
	// what made a run slow stays together. By default every step of every stage
	// has its own.
	Joint bool
}

// residualPredictor is plain residual resampling, the floor that a model has to
// beat: the published step terms (those of models.Jolteon) by least squares, and
// around them what they left unexplained of the runs they were fitted to. The
// delay of the start is one of the recorded ones.
type residualPredictor struct {
	workflow  *models.Workflow
	stages    []models.JolteonStage
	residuals [][][]float64 // per stage and step (read, compute, write), s
	delays    [][]float64   // per stage, s
	picks     [][][]int     // per stage and what is drawn (steps, then the delay): numbers of runs
}

func fitResiduals(p *models.Profile, how resampling, streams models.Streams) (*residualPredictor, error) {
	m, err := models.FitJolteon(p, models.JolteonOptions{})
	if err != nil {
		return nil, err
	}
	r := &residualPredictor{workflow: p.Workflow, stages: m.Stages()}
	runs := jointRuns(p)
	if how.Joint && len(runs) == 0 {
		return nil, fmt.Errorf("no recorded run has all stages of workflow %s", p.Workflow.Name())
	}
	var shared []int
	if how.Joint {
		shared = integers(len(runs), forecastDraws, streams.New("runs"))
	}
	for i := range p.Workflow.Len() {
		obs := p.Warm(i)
		if how.Joint {
			obs = make([]models.Observation, len(runs))
			for k, run := range runs {
				obs[k] = run[i]
			}
		}
		residuals, picks := make([][]float64, 3), make([][]int, 4)
		var delays []float64
		for _, o := range obs {
			delays = append(delays, o.Mean.Cold)
			for j, step := range r.stages[i].Steps() {
				recorded := [...]float64{o.Mean.Read, o.Mean.Compute, o.Mean.Write}[j]
				residuals[j] = append(residuals[j], recorded-step.At(o.Config, o.InputParallelism))
			}
		}
		for j, name := range []string{"read", "compute", "write", "cold"} {
			picks[j] = shared
			if !how.Joint {
				picks[j] = integers(len(obs), forecastDraws, streams.Sub(r.stages[i].Name).New(name))
			}
		}
		r.residuals = append(r.residuals, residuals)
		r.delays = append(r.delays, delays)
		r.picks = append(r.picks, picks)
	}
	return r, nil
}

// integers draws count numbers below n.
func integers(n, count int, source *rand.Rand) []int {
	list := make([]int, count)
	for k := range list {
		list[k] = source.IntN(n)
	}
	return list
}

func (r *residualPredictor) Execution(stage int, c models.StageConfig, inputParallelism int) ([]float64, error) {
	sample := make([]float64, forecastDraws)
	for j, step := range r.stages[stage].Steps() {
		mean := step.At(c, inputParallelism)
		for k, run := range r.picks[stage][j] {
			sample[k] += mean + r.residuals[stage][j][run]
		}
	}
	return sample, nil
}

func (r *residualPredictor) Latency(c models.Config) ([]float64, error) {
	latency, _ := r.outcomes(c, models.PriceBook{})
	return latency, nil
}

// outcomes returns the latency (s) and the cost (USD) of runs under c.
func (r *residualPredictor) outcomes(c models.Config, price models.PriceBook) (latency, cost []float64) {
	latency, cost = make([]float64, forecastDraws), make([]float64, forecastDraws)
	stages := make([][]float64, len(c))
	for i := range c {
		stages[i], _ = r.Execution(i, c[i], r.workflow.InputParallelism(c, i))
		for k, run := range r.picks[i][3] {
			cost[k] += price.Stage(c[i], max(0, stages[i][k]))
			stages[i][k] += r.delays[i][run]
		}
	}
	times := make([]float64, len(c))
	for k := range latency {
		for i := range times {
			times[i] = stages[i][k]
		}
		latency[k] = r.workflow.Latency(times)
	}
	return latency, cost
}
