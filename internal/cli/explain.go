package cli

import (
	"cmp"
	"fmt"
	"io"

	"eevee/experiments"
	"eevee/models"
)

// explainFlags are the flags of explain.
type explainFlags struct{ subject subject }

func explainVerb() verb {
	var f explainFlags
	return verb{
		name:    "explain",
		summary: "say why a configuration is what it is, and what another limit would buy",
		shown:   []string{"explain config.json"},
		detail: "CONFIG is a file that \"eevee solve -o\" wrote. On the scenarios that it was found on:\n" +
			"the path that decides the latency, what every stage has to spare, the best\n" +
			"configuration that does without its choice, the runner-up, what other limits\n" +
			"cost, and the single changes that buy the most.",
		args: "CONFIG",
		flags: append(f.subject.traceFlags(),
			textFlag(&f.subject.modelFile, "model-file", "", "model `FILE` that the configuration was found with, in place of a trace"),
			priceFlag(&f.subject.choice.Price, "", "; default: that of the file"),
		),
		run: f.run,
	}
}

func (f *explainFlags) run(c *call) error {
	path := c.args[0]
	asked, err := experiments.ReadResult(path)
	if err != nil {
		return err
	}
	setup, err := f.setup(c, path, asked)
	if err != nil {
		return err
	}
	config, err := experiments.ReadConfig(path, setup.Definition)
	if err != nil {
		return err
	}
	if _, err := setup.Space.Locate(config); err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	p, err := setup.Problem(asked.Asked(), asked.Samples, asked.Seed)
	if err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	e, err := setup.Explain(c.ctx, p, config, asked.Bound.AllowedViolations, asked.Seed)
	if err != nil {
		return err
	}
	if v := asked.Bound.Violations; v != nil && *v != *e.Bound.Violations {
		c.warn("%s: says that %d of %d scenarios exceed the limit, here %d do: it was edited, or another version wrote it", path, *v, e.Samples, *e.Bound.Violations)
	}
	for _, w := range e.Warnings {
		c.warn("%s", w)
	}
	return c.result(e, func(w io.Writer) error { return writeExplanation(w, e) })
}

// setup fits the model that an answer was found with. What the flags leave out is
// as the file says.
func (f *explainFlags) setup(c *call, path string, asked experiments.Result) (*experiments.Setup, error) {
	if err := asked.OneBound(); err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	s := &f.subject
	named := s.workflow != ""
	if !named {
		s.workflow = asked.Workflow
	}
	def, err := models.Load(s.workflow)
	switch {
	case err != nil && !named:
		return nil, fmt.Errorf("%s: is of workflow %q, which is not bundled; name its file with --workflow", path, asked.Workflow)
	case err != nil:
		return nil, err
	case def.Workflow.Name() != asked.Workflow:
		return nil, fmt.Errorf("%s: is of workflow %q, not %q", path, asked.Workflow, def.Workflow.Name())
	}
	s.choice.Price = cmp.Or(s.choice.Price, asked.Price)
	s.choice.Space, s.choice.Grid = asked.Space, asked.Grid
	if s.modelFile == "" {
		s.choice.Model = asked.Model
	}
	setup, err := s.setup(c)
	if err == nil && setup.Trace.SHA256 != asked.Trace.SHA256 {
		return nil, fmt.Errorf("%s: was found with another trace (SHA-256 %.12s..., here %.12s...); name that one with --trace or --recordings, or its model with --model-file",
			path, asked.Trace.SHA256, setup.Trace.SHA256)
	}
	return setup, err
}
