package cli

import (
	"fmt"
	"io"
	"math"

	"eevee/experiments"
	"eevee/models"
)

// fittedModel is the result of "eevee fit".
type fittedModel struct {
	Workflow string                  `json:"workflow"`
	Model    string                  `json:"model"`
	Trace    experiments.ResultTrace `json:"trace"`
	Output   string                  `json:"output"`
	Stages   []fittedStage           `json:"stages"`
	Warnings []string                `json:"warnings"`
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

func fitVerb() verb {
	var s subject
	var output string
	return verb{
		name:    "fit",
		summary: "fit a model to a trace",
		detail:  "Errors are those on the rows that the model was fitted to.",
		flags:   append(append(s.traceFlags(), s.fitFlags()...), outputFlag(&output, "model `FILE` to write (JSON)")),
		need:    []string{"workflow", "output"},
		run: func(c *call) error {
			replaces, err := checkOutput(output, s.trace)
			if err != nil {
				return err
			}
			setup, err := s.setup(c)
			if err != nil {
				return err
			}
			if replaces {
				c.remark("%s exists and is replaced", output)
			}
			m, ok := setup.Model.(*models.Jolteon)
			if !ok {
				return fmt.Errorf("model %s cannot be written to a file", setup.Model.Name())
			}
			ref := models.TraceRef{Source: string(setup.Trace.Origin), SHA256: setup.Trace.SHA256}
			if err := m.Save(output, models.ModelMeta{Trace: ref}); err != nil {
				return err
			}
			for _, w := range m.Warnings() {
				c.warn("%s", w)
			}
			r := fittedModel{
				Workflow: setup.Definition.Workflow.Name(), Model: m.Name(), Output: output, Warnings: m.Warnings(),
				Trace: experiments.ResultTrace{Source: setup.Trace.Origin, SHA256: setup.Trace.SHA256},
			}
			var rows [][]any
			for _, stage := range m.Stages() {
				f := fittedStage{Stage: stage.Name}
				for _, step := range stage.Steps() {
					fs := fittedStep{step.Name, string(step.Basis), step.Params, math.Sqrt(step.SSR / float64(step.N)), step.MeanAbs, step.N}
					f.Steps = append(f.Steps, fs)
					rows = append(rows, []any{stage.Name, fs.Step, fs.Basis, fmt.Sprintf("%.4g", fs.RMSES), fmt.Sprintf("%.1f", 100*fs.MeanAbsError), fs.N})
				}
				r.Stages = append(r.Stages, f)
			}
			return c.result(r, func(w io.Writer) error {
				_, err := fmt.Fprintf(w, "%s: model %s of workflow %s, fitted to the %s trace\n\n%s", output, r.Model, r.Workflow, r.Trace.Source,
					textTable([]any{"stage", "step", "on", "rmse (s)", "mean |error| (%)", "runs"}, rows))
				return err
			})
		},
	}
}
