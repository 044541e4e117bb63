package cli

import (
	"fmt"
	"io"
	"math"
	"strings"

	"eevee/experiments"
	"eevee/figures"
	"eevee/models"
)

// fittedModel is the result of "eevee fit"; see
// experiments/schemas/fit.schema.json.
type fittedModel struct {
	Schema     string                      `json:"schema"`
	Workflow   string                      `json:"workflow"`
	Model      string                      `json:"model"`
	Trace      experiments.ResultTrace     `json:"trace"`
	Output     *string                     `json:"output"` // null where no model file was asked for
	Stages     []fittedStage               `json:"stages"`
	Validation []experiments.ValidationRow `json:"validation,omitempty"`
	Learning   *experiments.Learning       `json:"learning,omitempty"`
	Need       *experiments.Need           `json:"need,omitempty"`
	Drift      []experiments.DriftRow      `json:"drift,omitempty"`
	Decisions  []experiments.DecisionRow   `json:"decisions,omitempty"`
	Warnings   []string                    `json:"warnings"`
}

type fittedStage struct {
	Stage string       `json:"stage"`
	Steps []fittedStep `json:"steps"`
}

// fittedStep says how well one step fits the trace it was fitted to.
type fittedStep struct {
	Step         string    `json:"step"`
	Basis        string    `json:"basis"`
	Params       []float64 `json:"params"`
	RMSES        float64   `json:"rmse_s"`
	MeanAbsError float64   `json:"mean_abs_relative_error"`
	N            int       `json:"n"`
}

// savedModel is a model that can be written to a file.
type savedModel interface {
	models.Model
	Save(path string, meta models.ModelMeta) error
	Warnings() []string
}

// fitFlags are the flags of fit beside those of its subject.
type fitFlags struct {
	output   string
	validate bool
	learning bool
	against  string
	report   string
	need     bool
	config   string
	drift    string
	decide   bool
}

func fitVerb() verb {
	var s subject
	var f fitFlags
	return verb{
		name:    "fit",
		summary: "fit a model to a trace, and show how far it can be trusted",
		shown: []string{
			"fit --workflow ml -o model.json",
			"fit --workflow ml --validate --against jolteon,calibrated --report validation",
			"fit --workflow ml --need --config config.json",
		},
		detail: "Errors are those on the rows that the model was fitted to.\n" +
			"--validate holds out one recorded configuration after the other, fits every model\n" +
			"to the rest, and reports how often recorded runs stay below the predicted\n" +
			"percentile: the honest measure of a bound that the model promises.\n" +
			"--learning shows how many recorded runs that takes, --need which further ones would\n" +
			"tighten the bound under --config most, --drift whether a later trace has changed,\n" +
			"--decide what comes of configurations that one half of the runs would choose.",
		flags: append(append(s.traceFlags(), s.fitFlags()...),
			outputFlag(&f.output, "model `FILE` to write (JSON)"),
			switchFlag(&f.validate, "validate", "foresee recorded configurations that were held out"),
			switchFlag(&f.learning, "learning", "foresee them from ever smaller parts of the recordings"),
			offering(textFlag(&f.against, "against", "all", "`MODELS` to validate: "+strings.Join(experiments.ForecasterNames(), ", ")+", or \"ablation\" for the parts of calibrated"), append(experiments.ForecasterNames(), "all", "ablation")...),
			textFlag(&f.report, "report", "", "`FOLDER` for the figures and tables of --validate and --learning"),
			switchFlag(&f.need, "need", "find out which further runs would tighten the latency's p95 under --config most"),
			textFlag(&f.config, "config", "", "configuration `FILE` that --need is about, as \"eevee solve -o\" writes it"),
			switchFlag(&f.decide, "decide", "choose configurations by one half of the runs, and judge them by the other"),
			textFlag(&f.drift, "drift", "", "later trace `FILE` of the same workflow to compare the trace with"),
		),
		need: []string{"workflow"},
		run:  func(c *call) error { return f.run(c, &s) },
	}
}

// check says what is wrong with the flags before any work is done.
func (f *fitFlags) check(c *call, s *subject) error {
	examines := f.validate || f.learning
	switch {
	case f.output == "" && !examines && !f.need && !f.decide && f.drift == "":
		return usagef("--output (-o) is missing, or something to find out: --validate, --learning, --need, --decide, --drift")
	case f.need != (f.config != ""):
		return usagef("--need and --config belong together")
	}
	for _, flag := range []string{"against", "report"} {
		if c.isSet(flag) && !examines {
			return usagef("--%s needs --validate or --learning", flag)
		}
	}
	if f.report != "" {
		if err := checkFolder(f.report); err != nil {
			return err
		}
	}
	if f.output == "" {
		return nil
	}
	replaces, err := checkOutput(f.output, s.trace, f.drift, f.config)
	if replaces {
		c.remark("%s exists and is replaced", f.output)
	}
	return err
}

func (f *fitFlags) run(c *call, s *subject) error {
	if err := f.check(c, s); err != nil {
		return err
	}
	against, err := experiments.Forecasters(f.against)
	if err != nil {
		return usagef("--against: %w", err)
	}
	setup, err := s.setup(c)
	if err != nil {
		return err
	}
	r := fittedModel{
		Schema: experiments.FitSchema, Workflow: setup.Definition.Workflow.Name(), Model: setup.Model.Name(),
		Trace: experiments.ResultTrace{Source: setup.Trace.Origin, SHA256: setup.Trace.SHA256}, Stages: fittedStages(setup),
	}
	m, ok := setup.Model.(savedModel)
	if ok {
		r.Warnings = m.Warnings()
	}
	found, err := f.examine(c, s, setup, against, &r)
	if err != nil {
		return err
	}
	if f.output != "" {
		if !ok {
			return fmt.Errorf("model %s cannot be written to a file", r.Model)
		}
		ref := models.TraceRef{Source: string(setup.Trace.Origin), SHA256: setup.Trace.SHA256}
		if err := m.Save(f.output, models.ModelMeta{Trace: ref}); err != nil {
			return err
		}
		r.Output = &f.output
	}
	if f.report != "" {
		if err := figures.SaveValidation(c.ctx, f.report, found, r.Learning, setup.Trace.Origin == experiments.OriginRecorded); err != nil {
			return err
		}
	}
	for _, w := range r.Warnings {
		c.warn("%s", w)
	}
	return c.result(r, func(w io.Writer) error { return writeFitted(w, r, f.report) })
}

// examine finds out what the flags ask for beside the model.
func (f *fitFlags) examine(c *call, s *subject, setup *experiments.Setup, against []experiments.Forecaster, r *fittedModel) (v experiments.Validation, err error) {
	if f.need {
		config, err := experiments.ReadConfig(f.config, setup.Definition)
		if err != nil {
			return v, err
		}
		model, err := experiments.Forecasters(setup.Model.Name())
		if err != nil {
			return v, err
		}
		need, err := experiments.FindNeed(c.ctx, setup.Profile, model[0], config, c.seed, c.parts("looking ahead"))
		if err != nil {
			return v, err
		}
		r.Need = &need
	}
	if f.drift != "" {
		later, err := s.sources().Trace(setup.Definition.Workflow.Name(), f.drift)
		if err != nil {
			return v, err
		}
		after, err := models.NewProfile(setup.Definition, later.Rows)
		if err != nil {
			return v, fmt.Errorf("%s: %w", f.drift, err)
		}
		if r.Drift, err = experiments.Drift(c.ctx, setup.Profile, after, c.seed); err != nil {
			return v, err
		}
	}
	if f.decide {
		if r.Decisions, err = experiments.Decide(c.ctx, []*models.Profile{setup.Profile}, r.Model, setup.Price, c.seed); err != nil {
			return v, err
		}
	}
	if f.validate {
		if v, err = experiments.Validate(c.ctx, setup.Profile, experiments.ValidationOptions{Models: against, Seed: c.seed, Progress: c.parts("validating")}); err != nil {
			return v, err
		}
		r.Validation = v.Rows
		r.Warnings = append(r.Warnings, v.Warnings...)
	}
	if f.learning {
		l, err := experiments.Learn(c.ctx, setup.Profile, against, c.seed, c.parts("learning"))
		if err != nil {
			return v, err
		}
		r.Learning = &l
		r.Warnings = append(r.Warnings, l.Warnings...)
	}
	return v, nil
}

// fittedStages returns how well every step fits.
func fittedStages(setup *experiments.Setup) []fittedStage {
	var list []fittedStage
	switch m := setup.Model.(type) {
	case *models.Jolteon:
		for _, stage := range m.Stages() {
			f := fittedStage{Stage: stage.Name}
			for _, step := range stage.Steps() {
				f.Steps = append(f.Steps, fittedStep{step.Name, string(step.Basis), step.Params, math.Sqrt(step.SSR / float64(step.N)), step.MeanAbs, step.N})
			}
			list = append(list, f)
		}
	case *models.Calibrated:
		for i, steps := range m.Steps(setup.Profile) {
			f := fittedStage{Stage: m.Workflow().Stage(i).Name}
			for _, step := range steps {
				var names []string
				seconds := []float64{}
				for _, t := range step.Terms {
					names = append(names, t.Feature)
					seconds = append(seconds, t.Seconds)
				}
				f.Steps = append(f.Steps, fittedStep{step.Name, strings.Join(names, " + "), seconds, step.RMSE, step.MeanAbs, step.N})
			}
			list = append(list, f)
		}
	}
	return list
}
