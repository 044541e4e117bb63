package cli

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"eevee/experiments/sweep"
)

// submittedSweep is the result of "eevee sweep submit".
type submittedSweep struct {
	Schema string   `json:"schema"`
	Files  []string `json:"files"`
	Job    string   `json:"job,omitempty"` // that Slurm gave it, with --run
}

// submitFlags are the flags of sweep submit.
type submitFlags struct {
	engine, output string
	job            sweep.Job
	run            bool
}

func sweepSubmitVerb() verb {
	var f submitFlags
	j := &f.job
	return verb{
		name:    "submit",
		summary: "write the job files that run a sweep as an array of shards",
		shown:   []string{"sweep submit grid.yaml --engine slurm --folder /shared/sweep --tasks 16 -o jobs"},
		detail: "GRID and --folder are paths on the machines of the engine; all of them must see\n" +
			"the folder. With --run the job is handed to Slurm; for the other engines the files\n" +
			"say in their first line, and the documentation shows, how to submit them.",
		args: "GRID",
		flags: flags{
			choiceFlag(&f.engine, "engine", "", "`ENGINE`: "+strings.Join(sweep.Engines(), ", "), sweep.Engines()),
			textFlag(&j.Folder, "folder", "", "`FOLDER` of the sweep, on the machines"),
			textFlag(&f.output, "output,o", ".", "`FOLDER` to write the job files into"),
			countFlag(&j.Tasks, "tasks", "8", "`N` shards"),
			countFlag(&j.Cores, "cores", "2", "`N` cores for every task"),
			countFlag(&j.MemoryMB, "memory", "2000", "`MB` of memory for every task"),
			countFlag(&j.Hours, "hours", "4", "`N` hours that a task may take"),
			textFlag(&j.Name, "name", "eevee-sweep", "`NAME` of the job"),
			textFlag(&j.Program, "program", "eevee", "`PATH` of eevee, on the machines or in the image"),
			textFlag(&j.Image, "image", "", "container `IMAGE` (kubernetes, batch)"),
			textFlag(&j.Volume, "volume", "", "volume `CLAIM` (kubernetes) or file system id (batch) that holds the folder"),
			textFlag(&j.Queue, "queue", "", "job `QUEUE` (batch)"),
			switchFlag(&f.run, "run", "submit it (slurm)"),
		},
		need: []string{"engine", "folder"},
		run:  f.submit,
	}
}

func (f *submitFlags) submit(c *call) error {
	f.job.Grid = c.args[0]
	if f.run && f.engine != "slurm" {
		return usagef("--run: only Slurm is submitted to; the files for %s are written without it", f.engine)
	}
	files, err := sweep.JobFiles(f.engine, f.job)
	if err != nil {
		var lines []error
		for line := range strings.Lines(err.Error()) {
			lines = append(lines, usagef("%s", strings.TrimSpace(line)))
		}
		return errors.Join(lines...)
	}
	if err := checkFolder(f.output); err != nil {
		return err
	}
	if err := os.MkdirAll(f.output, 0o777); err != nil {
		return err
	}
	s := submittedSweep{Schema: sweep.SubmitSchema}
	for _, file := range files {
		path := filepath.Join(f.output, file.Name)
		if err := sweep.WriteFile(path, file.Text); err != nil {
			return err
		}
		s.Files = append(s.Files, path)
	}
	if f.run {
		if s.Job, err = sweep.SubmitSlurm(c.ctx, s.Files[0]); err != nil {
			return err
		}
	}
	return c.result(s, func(w io.Writer) error {
		for _, path := range s.Files {
			fmt.Fprintln(w, path)
		}
		if s.Job != "" {
			fmt.Fprintf(w, "submitted as job %s\n", s.Job)
		}
		return nil // w is a buffer
	})
}
