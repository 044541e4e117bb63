package cli

import (
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"eevee/experiments"
	"eevee/figures"
	"eevee/live"
	"eevee/models"
	"eevee/sim"
	"eevee/solvers"
)

// liveVerdictSchema names the JSON form of a validation; see
// experiments/schemas/live-verdict.schema.json.
const liveVerdictSchema = "eevee.live-verdict/1"

// liveVerdict is the result of "eevee live validate".
type liveVerdict struct {
	Schema   string               `json:"schema"`
	Workflow string               `json:"workflow"`
	Seed     uint64               `json:"seed"`
	Verdict  *experiments.Verdict `json:"verdict"` // null where nothing was executed
	Files    []string             `json:"files"`
	*liveRun
}

// validateFlags are the flags of live validate.
type validateFlags struct {
	live          liveFlags
	subject       subject
	config        string
	runs, warmUps int
	bound         judgedBound
	output        string // trace file
	report        string // folder
}

func liveValidateVerb() verb {
	var f validateFlags
	return verb{
		name:    "validate",
		summary: "execute a workflow under a configuration, and compare it with its prediction",
		shown:   []string{"live validate --workflow app.yaml --functions functions.yaml --trace app.parquet --config config.json -o app.parquet --report report --live --account 123456789012 --max-spend 1"},
		detail: "CONFIG is a file that \"eevee solve -o\" wrote: its bound is judged, unless --latency or\n" +
			"--cost gives another one. The prediction is that of the model fitted to --trace, or of\n" +
			"--model-file. A bound is kept or broken if the exact binomial limit on the share of\n" +
			"executions above it says so at --confidence, else undecided; how many more executions\n" +
			"a verdict needs is said. Warm-ups do not count. --functions as for \"eevee live profile\".",
		flags: slices.Concat(f.subject.traceFlags(), f.subject.fitFlags(), flags{
			textFlag(&f.subject.modelFile, "model-file", "", "model `FILE` that \"eevee fit\" wrote, in place of a trace"),
			textFlag(&f.config, "config", "", "configuration `FILE` that \"eevee solve -o\" wrote"),
			countFlag(&f.runs, "runs", "100", "`N` executions"),
			countFlag(&f.warmUps, "warm-ups", "1", "`N` executions before them"),
			secondsFlag(&f.bound.latency, "latency", "", "bound on the latency to judge, as a `TIME`, in place of that of the configuration"),
			usdFlag(&f.bound.cost, "cost", "", "bound on the cost of a run in `USD` to judge"),
			percentFlag(&f.bound.percentile, "percentile", "", "`PERCENT` of runs that must keep the bound; default: that of the configuration, else 95"),
			percentFlag(&f.bound.confidence, "confidence", "95", "confidence of verdict and intervals in `PERCENT`"),
			outputFlag(&f.output, "trace `FILE` (Parquet) for the executions; it is added to if it exists"),
			textFlag(&f.report, "report", "", "`FOLDER` for the plots of latency and cost"),
		}, f.live.flags()),
		need: []string{"workflow", "config"},
		run:  f.run,
	}
}

// check says what is wrong with the flags before anything is done.
func (f *validateFlags) check(c *call) error {
	if err := f.live.check(); err != nil {
		return err
	}
	if f.bound.latency > 0 && f.bound.cost > 0 {
		return usagef("give one of --latency and --cost")
	}
	if err := checkLiveOutput(c, f.output, f.subject.workflow, f.subject.modelFile, f.config, f.live.functions); err != nil {
		return err
	}
	if f.report != "" {
		return checkFolder(f.report)
	}
	return nil
}

func (f *validateFlags) run(c *call) error {
	if err := f.check(c); err != nil {
		return err
	}
	def, err := models.Load(f.subject.workflow)
	if err != nil {
		return err
	}
	chosen, err := experiments.ReadConfig(f.config, def)
	if err != nil {
		return err
	}
	bound, err := f.bound.judged(c, f.config)
	if err != nil {
		return err
	}
	r, err := f.live.request(def.Workflow)
	if err != nil {
		return err
	}
	r.Configs, r.Runs, r.WarmUps, r.Output = []models.Config{chosen}, f.runs, f.warmUps, f.output
	f.subject.choice.Price = f.live.price
	setup, err := f.subject.setup(c)
	if err != nil {
		return err
	}
	if setup.Profile != nil {
		if r.Expected, err = expected(def, setup.Trace); err != nil {
			return err
		}
		r.Basis = "trace"
	}
	client, err := f.live.open(c)
	if err != nil {
		return err
	}
	defer client.Close()
	done, session, err := f.live.execute(c, client, r)
	if done == nil {
		return err
	}
	result := liveVerdict{Schema: liveVerdictSchema, Workflow: def.Workflow.Name(), Seed: c.seed, liveRun: done}
	if done.Outcome != nil {
		setup.Price = session.Price() // the prediction is of what is billed
		points, failed := measured(done.Outcome)
		if len(points) > 0 {
			v, fault := setup.Judge(chosen, points, failed, bound, f.bound.confidence, c.seed)
			if fault != nil {
				return errors.Join(fault, err)
			}
			for _, w := range v.Warnings {
				c.warn("%s", w)
			}
			result.Verdict = v
			if result.Files, fault = f.plot(v); fault != nil {
				return errors.Join(fault, err)
			}
		}
	}
	return errors.Join(c.result(result, func(w io.Writer) error { return writeVerdict(w, result) }), err)
}

// plot draws a verdict into the folder of --report, if any, and returns the files.
func (f *validateFlags) plot(v *experiments.Verdict) (files []string, err error) {
	if f.report == "" {
		return nil, nil
	}
	for _, p := range figures.Verdict(v) {
		saved, err := p.Save(f.report, figures.Print)
		if err != nil {
			return files, err
		}
		files = append(files, saved...)
	}
	return files, nil
}

// judgedBound is the bound that executions are judged by, as far as the command
// line says it.
type judgedBound struct{ latency, cost, percentile, confidence float64 }

// judged returns the bound to judge: that of the flags, else that of the
// configuration's file, else none.
func (b *judgedBound) judged(c *call, config string) (*solvers.Bound, error) {
	bound := solvers.Bound{Percentile: 95, Rule: solvers.Plugin}
	r, err := experiments.ReadResult(config)
	if err == nil {
		bound = r.Asked()
	}
	switch {
	case b.latency > 0:
		bound.Metric, bound.Limit = solvers.Latency, b.latency
	case b.cost > 0:
		bound.Metric, bound.Limit = solvers.Cost, b.cost
	case bound.Limit == 0:
		return nil, nil
	case r.Bound.Measure == solvers.CVaR || r.Bound.AlsoLimitS != nil || r.Bound.AlsoLimitUSD != nil:
		c.warn("%s: its bound is not one on a percentile of one metric, and is not judged; give one with --latency or --cost", config)
		return nil, nil
	}
	if b.percentile > 0 {
		bound.Percentile = b.percentile
	}
	bound.Confidence = b.confidence
	return &bound, bound.Check()
}

// measured returns the runs of a session that count: not the warm-ups.
func measured(o *live.Outcome) (points []experiments.VerdictPoint, failed int) {
	for _, e := range o.Executions {
		switch {
		case e.Epoch == 0:
		case e.Status == "succeeded":
			points = append(points, experiments.VerdictPoint{LatencyS: e.LatencyS, CostUSD: e.CostUSD})
		default:
			failed++
		}
	}
	return points, failed
}

func writeVerdict(w io.Writer, r liveVerdict) error {
	var b strings.Builder
	if r.Outcome == nil {
		writePlan(&b, *r.Plan)
		_, err := io.WriteString(w, b.String())
		return err
	}
	if v := r.Verdict; v != nil {
		fmt.Fprintf(&b, "%s: %d executions, model %s\n\n", v.Workflow, v.Runs, v.Model)
		var rows [][]any
		add := func(name string, predicted, off, level float64, q sim.Quantile) {
			interval := fmt.Sprintf("needs %d runs", q.Needs)
			if q.Interval != nil {
				interval = fmt.Sprintf("%s to %s", short(q.Interval.Lo), short(q.Interval.Hi))
			}
			rows = append(rows, []any{name, short(predicted), short(q.Value), interval, fmt.Sprintf("%+.1f %%", 100*off), fmt.Sprintf("p%.1f", 100*level)})
		}
		for _, f := range []struct {
			name string
			experiments.VerdictFigure
		}{{"latency s", v.Latency}, {"cost USD", v.Cost}} {
			add(f.name+" p50", f.Predicted.P50, f.ErrorP50, f.LevelP50, f.Measured.P50)
			add(f.name+" p95", f.Predicted.P95, f.ErrorP95, f.LevelP95, f.Measured.P95)
			add(f.name+" p99", f.Predicted.P99, f.ErrorP99, f.LevelP99, f.Measured.P99)
		}
		b.WriteString(textTable([]any{"", "predicted", "measured", "interval", "predicted is off by", "measured is predicted"}, rows))
		b.WriteString("a prediction also spreads by what is not known of the configuration, which all executions share: they may lie to one side of it\n\n")
		if k := v.Bound; k != nil {
			fmt.Fprintf(&b, "bound: %s at most %s at p%v: %s; %d of %d executions exceed it, a share of %.4f [%.4f, %.4f], predicted %.4f\n",
				k.Metric, amount(k.LimitS, k.LimitUSD), k.Percentile, k.Verdict, k.Violations, v.Runs+v.Failed, k.Share, k.RiskLo, k.RiskHi, k.Predicted)
			switch {
			case k.Verdict != experiments.Undecided:
			case k.MoreRuns == nil:
				b.WriteString("no number of executions decides it if that share stays what it is\n")
			default:
				fmt.Fprintf(&b, "a verdict at %v %% needs about %d more executions, if that share stays what it is\n", k.Confidence, *k.MoreRuns)
			}
		}
		b.WriteString("\n")
	}
	writeOutcome(&b, r.liveRun)
	for _, f := range r.Files {
		fmt.Fprintln(&b, f)
	}
	_, err := io.WriteString(w, b.String())
	return err
}
