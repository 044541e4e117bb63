package cli

import (
	"fmt"
	"io"
	"path/filepath"
	"strconv"
	"strings"
	"sync"

	"github.com/google/renameio/v2"

	"eevee/experiments"
	"eevee/figures"
	"eevee/solvers"
)

// frontierFlags are the flags of solve that only a frontier has.
type frontierFlags struct {
	wanted    bool
	tolerance float64
}

func (f *frontierFlags) flags() flags {
	return flags{
		switchFlag(&f.wanted, "frontier", "every trade-off between latency and cost, each point proved, in place of the answer to one bound"),
		flagOf(&f.tolerance, "tolerance", "0.1", "`PERCENT` that a point of the frontier may be off; 0: every point there is", parseTolerance),
	}
}

func parseTolerance(s string) (float64, error) {
	if x, err := strconv.ParseFloat(s, 64); err == nil && x == 0 {
		return 0, nil
	}
	return parsePercent(s)
}

// check refuses flags that mean nothing beside --frontier.
func (f *frontierFlags) check(c *call, of *solveFlags) error {
	if !f.wanted {
		if c.isSet("tolerance") {
			return usagef("--tolerance is for --frontier")
		}
		return nil
	}
	for _, flag := range []string{"latency", "cost", "joint", "minimise"} {
		if c.isSet(flag) {
			return usagef("--frontier and --%s exclude each other: a frontier holds every bound", flag)
		}
	}
	switch {
	case of.method != "exact":
		return usagef("--frontier needs the method exact, not %s", of.method)
	case c.isSet("memory") || c.isSet("parallelism"):
		return usagef("--frontier is of a space that the workflow has; --memory and --parallelism go without it")
	case solvers.Rule(of.bound.rule) == solvers.Verified:
		return usagef("--frontier cannot be judged by the rule %s, which spends a holdout on every answer; take %s or %s", solvers.Verified, solvers.Certified, solvers.Plugin)
	case of.output != "":
		return checkFolder(of.output)
	}
	return nil
}

// solve computes both frontiers, as far as deadline and interruption let it. Into
// the folder of --output, if any, it writes the object of --json and a picture of
// each.
func (f *frontierFlags) solve(c *call, of *solveFlags) error {
	setup, err := of.subject.setup(c)
	if err != nil {
		return err
	}
	ctx, cancel := withDeadline(c.ctx, of.deadline)
	defer cancel()
	stop := c.onInterrupt("ending with the points that are found")
	defer stop()
	c.remark("the search takes at most %d MB per core", solvers.MaxMemory>>20)
	progress := c.track("frontier", 1000)
	var mu sync.Mutex
	share, shown := 0.0, 0
	r, err := setup.Frontiers(ctx, experiments.FrontierRequest{
		Percentile: of.bound.percentile, Confidence: of.bound.confidence, Rule: solvers.Rule(of.bound.rule), Tolerance: f.tolerance / 100,
		Samples: of.samples, Seed: c.seed,
	}, func(more float64) {
		mu.Lock()
		defer mu.Unlock()
		share += more
		if now := int(1000 * share); now > shown {
			progress.add(now - shown)
			shown = now
		}
	})
	if err != nil {
		return err
	}
	for _, w := range r.Warnings {
		c.warn("%s", w)
	}
	var files []string
	if of.output != "" {
		if files, err = writeFrontiers(r, of.output); err != nil {
			return err
		}
	}
	return c.result(r, func(w io.Writer) error { return printFrontiers(w, r, files) })
}

// writeFrontiers writes the object and the pictures, and returns their names.
func writeFrontiers(r experiments.Frontiers, folder string) ([]string, error) {
	var files []string
	for _, kind := range r.Kinds {
		if len(kind.Points) == 0 {
			continue
		}
		saved, err := figures.Save(folder, fmt.Sprintf("frontier-%s-percentile", kind.PercentileOf), figures.Frontier(r, kind), figures.Print)
		if err != nil {
			return nil, err
		}
		files = append(files, saved...)
	}
	text, err := marshal(r)
	if err != nil {
		return nil, err
	}
	path := filepath.Join(folder, "frontier.json")
	return append(files, path), renameio.WriteFile(path, text, 0o644)
}

// frontierRows is how many points of a frontier are printed.
const frontierRows = 12

func printFrontiers(w io.Writer, r experiments.Frontiers, files []string) error {
	var b strings.Builder
	fmt.Fprintf(&b, "%s: model %s, price %s, %s trace, space %q of %v configurations, %d scenarios, rule %s\n",
		r.Workflow, r.Model, r.Price, r.Trace.Source, r.Space, r.SpaceSize, r.Samples, r.Rule)
	for _, kind := range r.Kinds {
		state := "complete"
		if !kind.Complete {
			state = "cut short"
		}
		fmt.Fprintf(&b, "\np%v of %s against mean %s: %d points, %s, tolerance %v %%\n\n",
			r.Percentile, kind.PercentileOf, kind.MeanOf, len(kind.Points), state, 100*r.Tolerance)
		var rows [][]any
		last := -1
		for k := range min(frontierRows, len(kind.Points)) {
			i := k * (len(kind.Points) - 1) / max(1, min(frontierRows, len(kind.Points))-1)
			if i == last {
				continue
			}
			last = i
			p := kind.Points[i]
			var config []string
			for _, stage := range p.Config {
				config = append(config, fmt.Sprintf("%dx%d", stage.Parallelism, stage.MemoryMB))
			}
			rows = append(rows, []any{amount(p.PercentileS, p.PercentileUSD), amount(p.MeanS, p.MeanUSD), amount(p.LowerBoundS, p.LowerBoundUSD), strings.Join(config, " ")})
		}
		b.WriteString(textTable([]any{fmt.Sprintf("p%v %s", r.Percentile, kind.PercentileOf), "mean " + string(kind.MeanOf), "proved not below", "configuration (instances x MB)"}, rows))
	}
	for _, path := range files {
		fmt.Fprintf(&b, "%s\n", path)
	}
	_, err := io.WriteString(w, b.String())
	return err
}
