package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"slices"
	"strings"
	"time"

	"github.com/google/renameio/v2"

	"eevee/experiments"
	"eevee/solvers"
)

// solveFlags are the flags of solve.
type solveFlags struct {
	subject  subject
	bound    boundFlags
	frontier frontierFlags
	samples  int
	method   string
	deadline float64 // s; 0: none
	output   string
}

func solveVerb() verb {
	var f solveFlags
	return verb{
		name:    "solve",
		summary: "choose memory and parallelism of every stage under a bound",
		shown: []string{
			"solve --workflow ml --latency 40s -o config.json",
			"solve --workflow ml --cost 0.012 --percentile 99",
			"solve --workflow app.yaml --trace app.parquet --latency 2s --memory 128..3008/64 --parallelism 1..20",
			"solve --workflow ml --frontier -o frontier",
		},
		detail: "One of --latency and --cost is the bound; the mean of the other is minimised.\n" +
			"Either may be given several times, as --latency 30s@50 --latency 40s@99; with\n" +
			"both, --minimise says what to make small, which can be a percentile: cost@95.\n" +
			"--joint limits the share of runs that exceed one or the other. 40s@cvar95 limits\n" +
			"the mean of the worst 5 %, on the sample and without a guarantee.\n" +
			"Rule certified guarantees percentiles, all at once, with the given confidence over\n" +
			"the draw of the scenarios, under the fitted model; plugin is what the published\n" +
			"systems do and guarantees nothing; verified accepts what a holdout confirms.\n" +
			"Ctrl-C ends the search as --deadline does, with the best configuration so far and\n" +
			"what is proved of it; a second one ends the program.",
		flags: slices.Concat(f.subject.traceFlags(), f.subject.fitFlags(), f.subject.problemFlags(), f.subject.gridFlags(), f.bound.flags(), f.frontier.flags(), flags{
			countFlag(&f.samples, "samples", "", "`N` scenarios; default: what the rule needs, at least 10,000"),
			offering(textFlag(&f.method, "method", "exact", "`METHOD`, with options after colons: "+strings.Join(experiments.Methods(), ", ")), experiments.Methods()...),
			secondsFlag(&f.deadline, "deadline", "", "end the search after this `TIME` with what it has"),
			outputFlag(&f.output, "configuration `FILE` to write (JSON); with --frontier the folder for it and its pictures"),
		}),
		need: []string{"workflow"},
		run:  f.run,
	}
}

func (f *solveFlags) run(c *call) error {
	if err := f.frontier.check(c, f); err != nil {
		return err
	}
	if f.frontier.wanted {
		return f.frontier.solve(c, f)
	}
	aim, err := f.bound.aim(c)
	if err != nil {
		return err
	}
	method, err := experiments.NewMethod(f.method)
	if err != nil {
		return usagef("%w", err)
	}
	if f.output != "" {
		if _, err := checkOutput(f.output, f.subject.trace, f.subject.modelFile); err != nil {
			return err
		}
	}
	setup, err := f.subject.setup(c)
	if err != nil {
		return err
	}
	answer, err := f.search(c, setup, aim, method)
	if err != nil {
		return err
	}
	r := setup.Result(answer)
	r.Interrupted = r.Status == solvers.LimitHit && c.ctx.Err() != nil
	// What an interrupted search has found is judged like any other answer.
	truth, differences, err := setup.Truth(context.WithoutCancel(c.ctx), answer)
	if err != nil {
		return err
	}
	r.Truth = truth
	r.Warnings = slices.Concat(setup.ModelWarnings(), r.Warnings, differences)
	switch {
	case r.Interrupted:
		r.Warnings = append(r.Warnings, "the search was interrupted; left alone it may get further")
	case r.Status == solvers.LimitHit && f.deadline > 0:
		r.Warnings = append(r.Warnings, fmt.Sprintf("the search was ended by the deadline of %v s; another run may get elsewhere", f.deadline))
	}
	for _, w := range r.Warnings {
		c.warn("%s", w)
	}
	verdict := verdictOf(r)
	if f.output != "" && verdict == nil {
		file := r
		file.Runtime = nil // the same seed gives the same bytes
		text, err := marshal(file)
		if err != nil {
			return err
		}
		if err := renameio.WriteFile(f.output, text, 0o644); err != nil {
			return err
		}
	}
	return errors.Join(c.result(r, func(w io.Writer) error { return writeResult(w, r) }), verdict)
}

// search lets the method answer, until it is done, the deadline is over, or the
// program is interrupted.
func (f *solveFlags) search(c *call, setup *experiments.Setup, aim solvers.Aim, method solvers.Method) (experiments.Answer, error) {
	ctx, cancel := withDeadline(c.ctx, f.deadline)
	defer cancel()
	stop := c.onInterrupt("ending the search with what it has")
	defer stop()
	return setup.Solve(solvers.WithProgress(ctx, c.searching(aim.Objective())), experiments.Request{
		Bound: aim.Bound, Further: aim.Further, Percentile: aim.Percentile,
		Method: method, Samples: f.samples, Seed: c.seed, Posed: func(p *solvers.Problem) {
			if exact, ok := method.(solvers.Exact); ok {
				if mb := exact.Memory(p) >> 20; mb > 0 {
					c.remark("the search takes at most %d MB", mb)
				}
			}
		},
	})
}

// onInterrupt remarks what an interruption leads to as soon as it comes, until
// stop is called.
func (c *call) onInterrupt(does string) (stop func()) {
	said := make(chan struct{})
	unregister := context.AfterFunc(c.ctx, func() {
		defer close(said)
		c.remark("interrupted: %s; another Ctrl-C ends the program at once", does)
	})
	return func() {
		if !unregister() {
			<-said
		}
	}
}

// withDeadline returns a context that ends after some seconds; 0: never.
func withDeadline(ctx context.Context, seconds float64) (context.Context, context.CancelFunc) {
	if seconds == 0 {
		return context.WithCancel(ctx)
	}
	return context.WithTimeout(ctx, time.Duration(seconds*float64(time.Second)))
}

// searchPause is how long a search that says how far it is says nothing more.
var searchPause = 2 * time.Second

// searching returns a function that remarks on the progress of a search for the
// lowest mean of a metric.
func (c *call) searching(objective solvers.Metric) func(solvers.Progress) {
	last := time.Now()
	return func(p solvers.Progress) {
		if now := time.Now(); now.Sub(last) >= searchPause && !math.IsInf(p.Objective, 1) {
			last = now
			line := fmt.Sprintf("searching: mean %s %.4g %s so far", objective, p.Objective, unit(objective))
			if !math.IsInf(p.LowerBound, -1) {
				line += fmt.Sprintf(", proved not below %.4g (gap %.2g %%)", p.LowerBound, 100*(p.Objective-p.LowerBound)/p.Objective)
			}
			c.remark("%s", line)
		}
	}
}

// verdictOf returns the error for an answer that holds no configuration to
// use, nil for one that does.
func verdictOf(r experiments.Result) error {
	asked := askedText(r)
	switch r.Status {
	case solvers.Infeasible:
		if len(r.Further) > 0 {
			reach := "what one can keep is unknown"
			if x := ratio(r.Bound.ReachableLimitS, r.Bound.LimitS) + ratio(r.Bound.ReachableLimitUSD, r.Bound.LimitUSD); x > 0 {
				reach = fmt.Sprintf("%.4g times all limits is the best that one can keep", x)
			}
			return nothingf("no configuration keeps %s on these scenarios; %s", asked, reach)
		}
		reach := "unknown"
		if r.Bound.ReachableLimitS != nil || r.Bound.ReachableLimitUSD != nil {
			reach = amount(r.Bound.ReachableLimitS, r.Bound.ReachableLimitUSD)
		}
		return nothingf("no configuration keeps %s on these scenarios; the best that one can keep is %s", asked, reach)
	case solvers.NotFound:
		return nothingf("method %s found no configuration that keeps %s; it does not prove that there is none", r.Method, asked)
	case solvers.LimitHit:
		if len(r.Config) == 0 {
			return nothingf("the search was ended before it found a configuration that keeps %s", asked)
		}
	}
	return nil
}
