package cli

import (
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strconv"
	"strings"
	"sync"

	"eevee/experiments"
	"eevee/models"
	"eevee/sim"
)

const loadDetail = "With --arrivals the workflow is executed under load: executions share the instances, the\n" +
	"limits and the account of a --platform, start cold or warm, are throttled and retried.\n" +
	"--load simulates several workflows in one account. Arrivals are\n" +
	"  poisson:10/s                 gamma:10/s:cv=2              mmpp:1/s@60s,20/s@5s\n" +
	"  closed:50:think=1s           file:instants.csv            minutes:counts.csv[:row=NAME]\n" +
	"Ctrl-C reports what was simulated so far."

// loadFlags are the flags of a simulation under load.
type loadFlags struct {
	arrivals, file, platform string
	duration, warmup         float64 // s
	executions, replications int
	precision                float64 // share
}

func (l *loadFlags) flags() flags {
	return flags{
		textFlag(&l.arrivals, "arrivals", "", "execute the workflow under load as `ARRIVALS` say, e.g. poisson:10/s"),
		textFlag(&l.file, "load", "", "load `FILE` (YAML): workloads that share a platform, in place of --workflow and --arrivals"),
		offering(textFlag(&l.platform, "platform", "", "platform of a load, bundled ("+strings.Join(sim.Platforms(), ", ")+") or `FILE`; default: "+defaultPlatform), sim.Platforms()...),
		secondsFlag(&l.duration, "duration", "", "`TIME` for which executions of a load arrive, e.g. 1h"),
		countFlag(&l.executions, "executions", "", "`N` executions of a load, over all workloads"),
		secondsFlag(&l.warmup, "warm-up", "", "leave executions of a load out that start within this `TIME`"),
		flagOf(&l.precision, "precision", "", "end a load when the interval of every mean latency is within this `PERCENT` of it, e.g. 1%", parseShare),
		countFlag(&l.replications, "replications", "1", "`N` independent simulations of a load, added up"),
	}
}

const defaultPlatform = "aws-lambda-x86"

// asked reports whether there is a load.
func (l *loadFlags) asked() bool { return l.arrivals != "" || l.file != "" }

// check says which flags do not go together.
func (l *loadFlags) check(c *call) error {
	if !l.asked() {
		for _, f := range []string{"platform", "duration", "executions", "warm-up", "precision", "replications"} {
			if c.isSet(f) {
				return usagef("--%s is for a load; give --arrivals or --load too", f)
			}
		}
		return nil
	}
	switch {
	case c.isSet("runs"):
		return usagef("--runs and a load exclude each other; say --executions or --duration")
	case l.warmup > 0 && l.duration > 0 && l.warmup >= l.duration:
		return usagef("a --warm-up of %v s leaves nothing of a --duration of %v s", l.warmup, l.duration)
	}
	if l.file == "" {
		return l.checkArrivals()
	}
	for _, f := range []string{"arrivals", "workflow", "trace", "config", "policy", "epochs", "world", "decision-latency", "decision-cost", "space", "off-space"} {
		if c.isSet(f) {
			return usagef("--load and --%s exclude each other: workloads have their own in the file", f)
		}
	}
	return nil
}

// checkArrivals says what is wrong with arrivals that are no file's.
func (l *loadFlags) checkArrivals() error {
	if sim.ArrivalsInFile(l.arrivals) {
		return nil
	}
	if _, err := sim.ParseArrivals(l.arrivals); err != nil {
		return usagef("--%w", err)
	}
	if l.duration == 0 && l.executions == 0 && l.precision == 0 {
		return usagef("arrivals %s never end: give --duration, --executions or --precision", l.arrivals)
	}
	return nil
}

// run simulates the load: the workload that the flags describe, or those of the
// file.
func (l *loadFlags) run(c *call, f *simulateFlags) error {
	load := experiments.Load{
		Parts: []experiments.LoadPart{{
			Workflow: f.subject.workflow, Trace: f.subject.trace, Epochs: f.epochs, Config: f.config, Policy: f.policy, Arrivals: l.arrivals,
			Latency: f.settings.LatencyLimit, Deciding: f.deciding, Space: f.subject.choice.Space, OffSpace: f.offSpace, World: f.world,
		}},
		Sources: f.subject.sources(), Output: f.output, Timeline: f.timeline, PerRequest: f.perRequest,
	}
	if l.file != "" {
		var err error
		if load.Parts, err = experiments.ReadLoad(l.file); err != nil {
			return err
		}
	}
	if l.platform == "" {
		l.platform = defaultPlatform
	}
	platform, err := sim.LoadPlatform(l.platform)
	if err != nil {
		return err
	}
	if price := f.subject.choice.Price; price != "" {
		if platform.Price, err = models.LoadPrice(price); err != nil {
			return err
		}
	}
	load.Settings = sim.LoadSettings{
		Platform: platform, Seed: c.seed, Duration: l.duration, Executions: l.executions, Warmup: l.warmup, Precision: l.precision,
		LatencyLimit: f.settings.LatencyLimit, CostLimit: f.settings.CostLimit, Confidence: f.settings.Confidence, Replications: l.replications,
		Progress: c.loadProgress(l.replications),
	}
	r, err := load.Run(c.ctx)
	c.endProgress()
	if r == nil {
		return err
	}
	for _, w := range r.Warnings {
		c.warn("%s", w)
	}
	return errors.Join(c.result(r, func(w io.Writer) error { return writeLoad(w, r) }), err)
}

// loadProgress shows how much of a load is done, in percent of all of its
// replications.
func (c *call) loadProgress(replications int) func(int, float64) {
	var mu sync.Mutex
	done := make([]float64, replications)
	shown := 0
	progress := c.track("simulating, percent", 100)
	return func(replication int, share float64) {
		mu.Lock()
		defer mu.Unlock()
		done[replication] = share
		sum := 0.0
		for _, x := range done {
			sum += x
		}
		if percent := int(100 * sum / float64(replications)); percent > shown {
			progress.add(percent - shown)
			shown = percent
		}
	}
}

// parseShare reads a percentage as a share.
func parseShare(s string) (float64, error) {
	x, err := parsePercent(strings.TrimSuffix(s, "%"))
	return x / 100, err
}

func writeLoad(w io.Writer, r *experiments.LoadResult) error {
	var b strings.Builder
	if r.Interrupted {
		b.WriteString("interrupted; so far:\n")
	}
	times := ""
	if r.Replications != 1 {
		times = fmt.Sprintf(" in %d replications", r.Replications)
	}
	fmt.Fprintf(&b, "%d of %d executions on platform %s, %s s of simulated time%s\n", r.Ended, r.Asked, r.Platform, short(r.Simulated), times)
	for k, x := range r.Workloads {
		fmt.Fprintf(&b, "\n%s: %s, in the world of the %s trace", x.Workload, x.Arrivals, r.Traces[k].Source)
		if x.Policy != "" {
			fmt.Fprintf(&b, ", under policy %s", x.Policy)
		}
		fmt.Fprintf(&b, "\n%d executions ended, %s per second", x.Executions, short(x.Throughput))
		for _, name := range slices.Sorted(maps.Keys(x.Failed)) {
			fmt.Fprintf(&b, "; %d failed with %s", x.Failed[name], name)
		}
		row := func(name string, d sim.LoadDistribution) []any {
			mean := short(d.Mean)
			if i := d.MeanInterval; i != nil {
				mean += fmt.Sprintf(" [%s, %s]", short(i.Lo), short(i.Hi))
			}
			return []any{name, mean, short(d.P50), short(d.P95), short(d.P99), short(d.Max)}
		}
		b.WriteString("\n\n" + textTable([]any{"", "mean", "p50", "p95", "p99", "max"}, [][]any{row("latency (s)", x.Latency), row("cost (USD)", x.Cost)}))
		for _, v := range []struct {
			name, unit string
			*sim.Violations
		}{{"latency", "s", x.LatencyViolations}, {"cost", "USD", x.CostViolations}} {
			if v.Violations != nil {
				fmt.Fprintf(&b, "\n%s above %v %s: %d of %d executions, a share of %.4f\n", v.name, v.Limit, v.unit, v.Count, x.Executions, v.Share)
			}
		}
	}
	var rows [][]any
	for _, f := range r.Functions {
		name := f.Function
		if len(r.Workloads) > 1 {
			name = f.Workload + "/" + name
		}
		failed := uint64(0)
		for _, n := range f.Failed {
			failed += n
		}
		share := func(n uint64) string {
			if f.Invocations == 0 {
				return strconv.FormatUint(n, 10)
			}
			return fmt.Sprintf("%d (%.3g %%)", n, 100*float64(n)/float64(f.Invocations))
		}
		rows = append(rows, []any{name, f.MemoryMB, int(f.Invocations), share(f.ColdStarts), int(f.Throttled), int(f.Retries), int(failed), short(f.Wait.P95), int(f.Instances), short(f.BusySeconds / max(f.InstanceSeconds, 1e-9)), short(f.Cost)})
	}
	b.WriteString("\n" + textTable([]any{"function", "MB", "invocations", "cold starts", "throttled", "retries", "failures", "wait p95 (s)", "instances", "busy", "cost (USD)"}, rows))
	fmt.Fprintf(&b, "\nat most %d requests at the same time\n", r.Peak)
	fmt.Fprintf(&b, "cost: %s USD, of which functions %s, storage %s, provisioned instances %s, orchestration %s, deciding %s\n",
		short(r.Cost.Total), short(r.Cost.Functions), short(r.Cost.Storage), short(r.Cost.Provisioned), short(r.Cost.Orchestration), short(r.Cost.Deciding))
	if r.Output != "" {
		fmt.Fprintf(&b, "\n%s: the executions as a trace\n", r.Output)
	}
	_, err := io.WriteString(w, b.String())
	return err
}
