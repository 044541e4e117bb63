package cli

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"eevee/experiments/sweep"
)

// sweepRun is what "eevee sweep" prints.
type sweepRun struct {
	Schema string          `json:"schema"`
	Folder string          `json:"folder"`
	Shard  string          `json:"shard"`
	Plan   *sweep.Estimate `json:"plan"`
	Ran    *sweep.Outcome  `json:"ran"` // null with --dry-run
}

func sweepVerb() verb {
	var output, shardText, recordings string
	var shards, workers int
	var dry, retry, noPilot bool
	return verb{
		name:    "sweep",
		summary: "answer every combination of a grid, resumable and in shards",
		shown: []string{
			"sweep p99-over-p95 -o sweep",
			"sweep grid.yaml -o sweep --shard 3/8",
		},
		detail: "GRID is a YAML file, or one of the bundled grids: " + strings.Join(sweep.Bundled(), ", ") + ".\n" +
			"A sweep that was interrupted or killed goes on where it was when it is started\n" +
			"again; a changed grid keeps what still applies. Of several machines that share\n" +
			"the folder each takes one shard.",
		args:   "GRID",
		offers: sweep.Bundled(),
		flags: flags{
			textFlag(&output, "output,o", "", "`FOLDER` that holds the results; made if it is not there"),
			textFlag(&shardText, "shard", "", "take the part `I/N` of the sweep, I from 1 to N"),
			countFlag(&shards, "shards", "", "take the part of `N` that the array of Slurm, Kubernetes or AWS Batch says"),
			switchFlag(&dry, "dry-run", "print the plan and stop"),
			switchFlag(new(bool), "resume", "go on with what is in the folder; the default"),
			switchFlag(&retry, "retry", "answer cells that failed before once more"),
			switchFlag(&noPilot, "no-pilot", "do not estimate the time before the run"),
			countFlag(&workers, "workers", "", "`N` cells at the same time; default: one for every core"),
			recordingsFlag(&recordings),
		},
		run: func(c *call) error {
			shard, err := shardOf(shardText, shards)
			if err != nil {
				return err
			}
			if output == "" && !dry {
				return usagef("--output (-o) is missing")
			}
			if err := checkFolder(output); output != "" && err != nil {
				return err
			}
			grid, err := sweep.LoadGrid(c.args[0])
			if err != nil {
				return err
			}
			c.remark("planning %s", c.args[0])
			plan, err := sweep.NewPlan(c.ctx, grid, sourcesAt(recordings))
			if err != nil {
				return fmt.Errorf("%s: %w", c.args[0], err)
			}
			r := sweepRun{Schema: sweep.RunSchema, Folder: output, Shard: shard.String()}
			var store *sweep.Store
			if !dry {
				if store, err = sweep.OpenStore(output); err != nil {
					return err
				}
				for _, path := range store.Broken {
					c.warn("%s did not match the manifest; its cells are computed anew", path)
				}
				if err := store.Expect(plan); err != nil {
					return err
				}
			}
			if !noPilot || dry {
				e, err := plan.Pilot(c.ctx, store, shard, time.Now)
				if err != nil {
					return err
				}
				r.Plan = &e
				c.remark("%s", planText(e))
			}
			if dry {
				return c.result(r, func(w io.Writer) error { _, err := fmt.Fprintln(w, planText(*r.Plan)); return err })
			}
			open := len(plan.Cells) / shard.Of
			if r.Plan != nil {
				open = r.Plan.Open
			}
			progress := c.track("answering", open)
			var mu sync.Mutex
			failed := 0
			ran, err := plan.Run(c.ctx, store, sweep.Options{Shard: shard, Workers: workers, Retry: retry, Now: time.Now, Tell: func(row sweep.Row, found bool) {
				mu.Lock()
				defer mu.Unlock()
				if row.Status == sweep.Failed {
					c.remark("failed: %s, %s, %v: %s", row.Workflow, row.Method, row.Limit(), *row.Error)
				}
				if found {
					return
				}
				if row.Status == sweep.Failed {
					failed++
					progress.note("%d failed", failed)
				}
				progress.add(1)
			}})
			if err != nil {
				return err
			}
			r.Ran = &ran
			return c.result(r, func(w io.Writer) error {
				_, err := fmt.Fprintf(w, "%s: %d cells answered, %d found, %d failed\n", output, ran.Answered, ran.Found, ran.Failed)
				if ran.Busy > 0 {
					fmt.Fprintf(w, "%d cells are being answered by another process\n", ran.Busy)
				}
				return err
			})
		},
		verbs: []verb{sweepMergeVerb(), sweepStatusVerb(), sweepSubmitVerb()},
	}
}

// shardOf returns the shard that the flags name.
func shardOf(text string, of int) (sweep.Shard, error) {
	switch {
	case text != "" && of > 0:
		return sweep.Shard{}, usagef("--shard and --shards exclude each other")
	case text != "":
		s, err := sweep.ParseShard(text)
		if err != nil {
			return s, usagef("--shard %w", err)
		}
		return s, nil
	case of > 0:
		s, err := sweep.ArrayShard(of, os.LookupEnv)
		if err != nil {
			return s, usagef("--shards %d: %w", of, err)
		}
		return s, nil
	}
	return sweep.Whole, nil
}

func planText(e sweep.Estimate) string {
	return fmt.Sprintf("%d cells, %d of them open here, %d at a time: about %s (pilot of %d cells), %.0f MB of memory, %.1f MB on disk",
		e.Cells, e.Open, e.Workers, time.Duration(e.Seconds*float64(time.Second)).Round(time.Second), e.Pilot, e.MemoryMB, e.DiskMB)
}

func sweepMergeVerb() verb {
	var output string
	var partial bool
	type merged struct {
		Schema string `json:"schema"`
		File   string `json:"file"`
		Rows   int    `json:"rows"`
	}
	return verb{
		name:    "merge",
		summary: "write all cells of a sweep into one sorted Parquet file",
		shown:   []string{"sweep merge sweep -o sweep.parquet"},
		args:    "FOLDER",
		flags: flags{
			outputFlag(&output, "Parquet `FILE` to write"),
			switchFlag(&partial, "partial", "also where some cells are still open"),
		},
		need: []string{"output"},
		run: func(c *call) error {
			if _, err := checkOutput(output); err != nil {
				return err
			}
			store, err := sweep.FindStore(c.args[0])
			if err != nil {
				return err
			}
			rows, err := store.Merge(output, partial)
			if err != nil {
				return err
			}
			return c.result(merged{sweep.MergeSchema, output, rows}, func(w io.Writer) error {
				_, err := fmt.Fprintf(w, "%s: %d cells\n", output, rows)
				return err
			})
		},
	}
}

func sweepStatusVerb() verb {
	return verb{
		name:    "status",
		summary: "say what is answered, what failed and what is open",
		shown:   []string{"sweep status sweep"},
		args:    "FOLDER",
		run: func(c *call) error {
			store, err := sweep.FindStore(c.args[0])
			if err != nil {
				return err
			}
			o, err := store.Status()
			if err != nil {
				return err
			}
			return c.result(o, func(w io.Writer) error {
				fmt.Fprintf(w, "%d of %d cells are answered\n", o.Answered, o.Cells)
				for _, s := range o.Statuses {
					fmt.Fprintf(w, "  %-12s %d\n", s.Status, s.Cells)
				}
				for _, f := range o.Failures {
					fmt.Fprintf(w, "%d failed: %s\n", f.Cells, f.Error)
				}
				if o.Others > 0 {
					fmt.Fprintf(w, "%d more cells belong to an earlier grid and are kept\n", o.Others)
				}
				for _, b := range o.Broken {
					fmt.Fprintf(w, "%s did not match the manifest; its cells are open again\n", b)
				}
				return nil
			})
		},
	}
}

func sweepSubmitVerb() verb {
	var engine, folder, output string
	var run bool
	j := sweep.Job{}
	return verb{
		name:    "submit",
		summary: "write the job files that run a sweep as an array of shards",
		shown:   []string{"sweep submit grid.yaml --engine slurm --folder /shared/sweep --tasks 16 -o jobs"},
		detail: "GRID and --folder are paths on the machines of the engine; all of them must see\n" +
			"the folder. With --run the job is handed to Slurm; for the other engines the files\n" +
			"say in their first line, and the documentation shows, how to submit them.",
		args: "GRID",
		flags: flags{
			choiceFlag(&engine, "engine", "", "`ENGINE`: "+strings.Join(sweep.Engines(), ", "), sweep.Engines()),
			textFlag(&folder, "folder", "", "`FOLDER` of the sweep, on the machines"),
			textFlag(&output, "output,o", ".", "`FOLDER` to write the job files into"),
			countFlag(&j.Tasks, "tasks", "8", "`N` shards"),
			countFlag(&j.Cores, "cores", "2", "`N` cores for every task"),
			countFlag(&j.MemoryMB, "memory", "2000", "`MB` of memory for every task"),
			countFlag(&j.Hours, "hours", "4", "`N` hours that a task may take"),
			textFlag(&j.Name, "name", "eevee-sweep", "`NAME` of the job"),
			textFlag(&j.Program, "program", "eevee", "`PATH` of eevee, on the machines or in the image"),
			textFlag(&j.Image, "image", "", "container `IMAGE` (kubernetes, batch)"),
			textFlag(&j.Volume, "volume", "", "volume `CLAIM` (kubernetes) or file system id (batch) that holds the folder"),
			textFlag(&j.Queue, "queue", "", "job `QUEUE` (batch)"),
			switchFlag(&run, "run", "submit it (slurm)"),
		},
		need: []string{"engine", "folder"},
		run: func(c *call) error {
			j.Grid, j.Folder = c.args[0], folder
			if run && engine != "slurm" {
				return usagef("--run: only Slurm is submitted to; the files for %s are written without it", engine)
			}
			files, err := sweep.JobFiles(engine, j)
			if err != nil {
				var lines []error
				for line := range strings.Lines(err.Error()) {
					lines = append(lines, usagef("%s", strings.TrimSpace(line)))
				}
				return errors.Join(lines...)
			}
			if err := os.MkdirAll(output, 0o777); err != nil {
				return err
			}
			type submitted struct {
				Schema string   `json:"schema"`
				Files  []string `json:"files"`
				Job    string   `json:"job,omitempty"`
			}
			s := submitted{Schema: sweep.SubmitSchema}
			for _, f := range files {
				path := filepath.Join(output, f.Name)
				if err := sweep.WriteFile(path, f.Text); err != nil {
					return err
				}
				s.Files = append(s.Files, path)
			}
			if run {
				if s.Job, err = sweep.SubmitSlurm(c.ctx, s.Files[0]); err != nil {
					return err
				}
			}
			return c.result(s, func(w io.Writer) error {
				for _, f := range s.Files {
					fmt.Fprintln(w, f)
				}
				if s.Job != "" {
					fmt.Fprintf(w, "submitted as job %s\n", s.Job)
				}
				return nil
			})
		},
	}
}
