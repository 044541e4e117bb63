package cli

import (
	"bytes"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"github.com/google/renameio/v2"

	"eevee/experiments"
	"eevee/models"
	"eevee/models/asl"
)

// exportedConfig is the result of "eevee workflows export".
type exportedConfig struct {
	Form   string `json:"form"`
	Output string `json:"output,omitempty"`
	Text   string `json:"text,omitempty"` // where it did not go into a file
	*experiments.Deployment
}

func exportWorkflowVerb() verb {
	var workflow, machine, format, output string
	forms := experiments.DeployForms()
	return verb{
		name:    "export",
		summary: "write a configuration as commands or templates that set it on AWS",
		shown:   []string{"workflows export config.json --workflow ml --format terraform"},
		detail: "CONFIG is what \"eevee solve -o\" wrote. Memory is set on functions: as commands of the\n" +
			"AWS command line (cli), resources of AWS SAM (sam) or of Terraform (terraform), to be\n" +
			"merged into yours. Parallelism is set on states (asl). With --machine functions have\n" +
			"the names that the state machine gives them, else those of their stages. Nothing is\n" +
			"sent to AWS.",
		args: "CONFIG",
		flags: flags{
			textFlag(&workflow, "workflow", "", "bundled workflow or workflow `FILE` that the configuration is of"),
			textFlag(&machine, "machine", "", "state machine `FILE`, or the folder that \"eevee import\" wrote"),
			choiceFlag(&format, "format", "cli", "write it as `FORMAT`: "+strings.Join(forms, ", "), forms),
			outputFlag(&output, "`FILE` to write; default: standard output"),
		},
		need: []string{"workflow"},
		run: func(c *call) error {
			if output != "" {
				if _, err := checkOutput(output, c.args[0], workflow, machine); err != nil {
					return err
				}
			}
			def, err := models.Load(workflow)
			if err != nil {
				return err
			}
			config, err := experiments.ReadConfig(c.args[0], def)
			if err != nil {
				return err
			}
			m, err := machineAt(machine)
			if err != nil {
				return err
			}
			d, err := experiments.Deploy(def.Workflow, config, m)
			if err != nil {
				return err
			}
			var text bytes.Buffer
			if err := d.Write(&text, format); err != nil {
				return err
			}
			for _, w := range d.Warnings {
				c.warn("%s", w)
			}
			r := exportedConfig{Form: format, Output: output, Deployment: d}
			if output == "" {
				r.Text = text.String()
				return c.result(r, func(w io.Writer) error { _, err := w.Write(text.Bytes()); return err })
			}
			if err := renameio.WriteFile(output, text.Bytes(), 0o644); err != nil {
				return err
			}
			return c.result(r, func(w io.Writer) error {
				_, err := fmt.Fprintf(w, "%s: %d functions of workflow %s as %s\n", output, len(d.Functions), d.Workflow, format)
				return err
			})
		},
	}
}

// machineAt reads the state machine in a file or in the folder of an import;
// there is none without a path.
func machineAt(path string) (*asl.Machine, error) {
	if path == "" {
		return nil, nil
	}
	if info, err := os.Stat(path); err == nil && info.IsDir() {
		path = filepath.Join(path, experiments.ImportedMachine)
	}
	w, err := experiments.OpenWorkflow(path)
	if err != nil {
		return nil, err
	}
	if w.Machine == nil {
		return nil, fmt.Errorf("%s: is no state machine", path)
	}
	return w.Machine, nil
}
