package cli

import (
	"fmt"
	"io"
	"os"
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

// sweepFlags are the flags of sweep.
type sweepFlags struct {
	output, recordings string
	shard              string // as it was written
	shards             int
	dry, retry         bool
	noPilot            bool
	workers            int
}

func sweepVerb() verb {
	var f sweepFlags
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
			textFlag(&f.output, "output,o", "", "`FOLDER` that holds the results; made if it is not there"),
			textFlag(&f.shard, "shard", "", "take the part `I/N` of the sweep, I from 1 to N"),
			countFlag(&f.shards, "shards", "", "take the part of `N` that the array of Slurm, Kubernetes or AWS Batch says"),
			switchFlag(&f.dry, "dry-run", "print the plan and stop"),
			switchFlag(new(bool), "resume", "go on with what is in the folder; the default"),
			switchFlag(&f.retry, "retry", "answer cells that failed before once more"),
			switchFlag(&f.noPilot, "no-pilot", "do not estimate the time before the run"),
			countFlag(&f.workers, "workers", "", "`N` cells at the same time; default: one for every core"),
			recordingsFlag(&f.recordings),
		},
		run:   f.run,
		verbs: []verb{sweepMergeVerb(), sweepStatusVerb(), sweepSubmitVerb()},
	}
}

func (f *sweepFlags) run(c *call) error {
	shard, err := shardOf(f.shard, f.shards)
	switch {
	case err != nil:
		return err
	case f.output == "" && !f.dry:
		return usagef("--output (-o) is missing")
	case f.output != "":
		if err := checkFolder(f.output); err != nil {
			return err
		}
	}
	grid, err := sweep.LoadGrid(c.args[0])
	if err != nil {
		return err
	}
	c.remark("planning %s", c.args[0])
	plan, err := sweep.NewPlan(c.ctx, grid, sourcesAt(f.recordings))
	if err != nil {
		return fmt.Errorf("%s: %w", c.args[0], err)
	}
	r := sweepRun{Schema: sweep.RunSchema, Folder: f.output, Shard: shard.String()}
	var store *sweep.Store
	if !f.dry {
		if store, err = f.open(c, plan); err != nil {
			return err
		}
	}
	if !f.noPilot || f.dry {
		e, err := plan.Pilot(c.ctx, store, shard, time.Now)
		if err != nil {
			return err
		}
		r.Plan = &e
		c.remark("%s", planText(e))
	}
	if f.dry {
		return c.result(r, func(w io.Writer) error { _, err := fmt.Fprintln(w, planText(*r.Plan)); return err })
	}
	open := len(plan.Cells) / shard.Of
	if r.Plan != nil {
		open = r.Plan.Open
	}
	ran, err := f.answer(c, plan, store, shard, open)
	if err != nil {
		return err
	}
	r.Ran = &ran
	return c.result(r, func(w io.Writer) error {
		_, err := fmt.Fprintf(w, "%s: %d cells answered, %d found, %d failed\n", f.output, ran.Answered, ran.Found, ran.Failed)
		if ran.Busy > 0 {
			fmt.Fprintf(w, "%d cells are being answered by another process\n", ran.Busy)
		}
		return err
	})
}

// open opens the folder of the sweep for a plan.
func (f *sweepFlags) open(c *call, plan *sweep.Plan) (*sweep.Store, error) {
	store, err := sweep.OpenStore(f.output)
	if err != nil {
		return nil, err
	}
	for _, path := range store.Broken {
		c.warn("%s did not match the manifest; its cells are computed anew", path)
	}
	return store, store.Expect(plan)
}

// answer answers the cells of a shard, of which about so many are open.
func (f *sweepFlags) answer(c *call, plan *sweep.Plan, store *sweep.Store, shard sweep.Shard, open int) (sweep.Outcome, error) {
	progress := c.track("answering", open)
	var mu sync.Mutex
	failed := 0
	return plan.Run(c.ctx, store, sweep.Options{Shard: shard, Workers: f.workers, Retry: f.retry, Now: time.Now, Tell: func(row sweep.Row, found bool) {
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
