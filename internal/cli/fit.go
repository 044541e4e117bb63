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
	against  string
	report   string
}

func fitVerb() verb {
	var s subject
	var f fitFlags
	return verb{
		name:    "fit",
		summary: "fit a model to a trace, and show how far it can be trusted",
		detail: "Errors are those on the rows that the model was fitted to.\n" +
			"--validate holds out one recorded configuration after the other, fits every model\n" +
			"to the rest, and reports how often recorded runs stay below the predicted\n" +
			"percentile: the honest measure of a bound that the model promises.",
		flags: append(append(s.traceFlags(), s.fitFlags()...),
			outputFlag(&f.output, "model `FILE` to write (JSON)"),
			switchFlag(&f.validate, "validate", "foresee recorded configurations that were held out"),
			textFlag(&f.against, "against", "all", "`MODELS` to validate: "+strings.Join(experiments.ForecasterNames(), ", ")),
			textFlag(&f.report, "report", "", "`FOLDER` for the figures and tables of the validation"),
		),
		need: []string{"workflow"},
		run:  func(c *call) error { return f.run(c, &s) },
	}
}

// check says what is wrong with the flags before any work is done.
func (f *fitFlags) check(c *call, s *subject) error {
	if f.output == "" && !f.validate {
		return usagef("--output (-o) is missing, or something to find out: --validate")
	}
	for _, flag := range []string{"against", "report"} {
		if c.isSet(flag) && !f.validate {
			return usagef("--%s needs --validate", flag)
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
	replaces, err := checkOutput(f.output, s.trace)
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
		Trace: experiments.ResultTrace{Source: setup.Trace.Origin, SHA256: setup.Trace.SHA256}, Stages: fittedStages(setup.Model),
	}
	m, ok := setup.Model.(savedModel)
	if ok {
		r.Warnings = m.Warnings()
	}
	var validation experiments.Validation
	if f.validate {
		validation, err = experiments.Validate(c.ctx, setup.Profile, experiments.ValidationOptions{Models: against, Seed: c.seed, Progress: c.parts("validating")})
		if err != nil {
			return err
		}
		r.Validation = validation.Rows
		r.Warnings = append(r.Warnings, validation.Warnings...)
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
		if err := figures.SaveValidation(c.ctx, f.report, validation, setup.Trace.Origin == experiments.OriginRecorded); err != nil {
			return err
		}
	}
	for _, w := range r.Warnings {
		c.warn("%s", w)
	}
	return c.result(r, func(w io.Writer) error { return writeFitted(w, r, f.report) })
}

// fittedStages returns how well every step fits, where the model is made of
// steps.
func fittedStages(m models.Model) []fittedStage {
	j, ok := m.(interface{ Stages() []models.JolteonStage })
	if !ok {
		return nil
	}
	var list []fittedStage
	for _, stage := range j.Stages() {
		f := fittedStage{Stage: stage.Name}
		for _, step := range stage.Steps() {
			f.Steps = append(f.Steps, fittedStep{step.Name, string(step.Basis), step.Params, math.Sqrt(step.SSR / float64(step.N)), step.MeanAbs, step.N})
		}
		list = append(list, f)
	}
	return list
}

func writeFitted(w io.Writer, r fittedModel, report string) error {
	var b strings.Builder
	if r.Output != nil {
		fmt.Fprintf(&b, "%s: ", *r.Output)
	}
	fmt.Fprintf(&b, "model %s of workflow %s, fitted to the %s trace\n\n", r.Model, r.Workflow, r.Trace.Source)
	var rows [][]any
	for _, stage := range r.Stages {
		for _, s := range stage.Steps {
			rows = append(rows, []any{stage.Stage, s.Step, s.Basis, fmt.Sprintf("%.4g", s.RMSES), fmt.Sprintf("%.1f", 100*s.MeanAbsError), s.N})
		}
	}
	if len(rows) > 0 {
		b.WriteString(textTable([]any{"stage", "step", "on", "rmse (s)", "mean |error| (%)", "runs"}, rows))
	}
	if len(r.Validation) > 0 {
		b.WriteString("\nconfigurations that the models never saw: how often recorded times are at most the predicted percentile\n\n" + validationTable(r.Validation))
	}
	if report != "" {
		fmt.Fprintf(&b, "\nfigures and tables: %s\n", report)
	}
	_, err := io.WriteString(w, b.String())
	return err
}

// validationTable shows the rows that are about all stages and about whole
// runs, a line for every model.
func validationTable(rows []experiments.ValidationRow) string {
	var lines [][]any
	percent := func(x float64) string { return fmt.Sprintf("%.1f", 100*x) }
	single := true
	for _, r := range rows {
		single = single && r.Stage != experiments.AllStages
	}
	for _, r := range rows {
		if r.Level != 0.95 || !single && r.Stage != experiments.AllStages && r.Stage != experiments.EndToEnd {
			continue
		}
		lines = append(lines, []any{
			r.Model, r.Stage, r.N, percent(r.Coverage), percent(r.CoverageLo) + " to " + percent(r.CoverageHi),
			fmt.Sprintf("%.2f", r.WidthRatio), percent(r.MAPE), fmt.Sprintf("%.3g", r.CRPS),
		})
	}
	return textTable([]any{"model", "of", "runs", "below p95 (%)", "95 % interval", "p95 / p50", "MAPE (%)", "CRPS (s)"}, lines)
}
