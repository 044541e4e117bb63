package sweep

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"eevee/experiments"
	"eevee/models"
	"eevee/sim"
	"eevee/solvers"
)

// blank returns the row of a cell that is not answered yet.
func (c Cell) blank() Row {
	r := Row{
		Workflow: c.Workflow, Trace: c.Trace, Origin: c.Origin, Space: c.Space, Model: c.Model, Seed: int64(c.Seed),
		Metric: string(c.Metric), Percentile: c.Percentile, Confidence: c.Confidence, Rule: string(c.Rule),
		Samples: int32(c.Samples), Replications: int32(c.Replications), Platform: c.Platform, DeadlineS: c.Deadline, Method: c.Method, Cell: c.Key(),
	}
	if c.Metric == solvers.Latency {
		r.LimitS = &c.Limit
	} else {
		r.LimitUSD = &c.Limit
	}
	return r
}

// answer answers a cell. What goes wrong is part of the row; the error is that
// of an end from outside, which leaves no row.
func (b *bench) answer(ctx context.Context, c Cell) (Row, error) {
	r := c.blank()
	err := b.fill(ctx, c, &r)
	if ctx.Err() != nil {
		return Row{}, ctx.Err()
	}
	if err != nil {
		text := err.Error()
		r.Status, r.Error = Failed, &text
		if errors.As(err, new(unsupported)) {
			r.Status = Unsupported
		}
	}
	return r, nil
}

// unsupported is why a method cannot handle a problem.
type unsupported struct{ reason error }

func (u unsupported) Error() string { return u.reason.Error() }

// fill puts the answer into a row. A panic is a failure of this cell alone.
func (b *bench) fill(ctx context.Context, c Cell, r *Row) (err error) {
	defer func() {
		if broken := recover(); broken != nil {
			err = fmt.Errorf("internal error: %v", broken)
		}
	}()
	m, err := experiments.NewMethod(c.Method)
	if err != nil {
		return err
	}
	scenarios, err := b.sample(c.Samples, c.Seed)
	if err != nil {
		return err
	}
	p, err := b.Pose(scenarios, c.Bound())
	if err != nil {
		return err
	}
	if reason := m.Supports(p); reason != nil {
		return unsupported{reason}
	}
	search := ctx
	if c.Deadline > 0 {
		var cancel context.CancelFunc
		search, cancel = context.WithTimeout(ctx, time.Duration(c.Deadline*float64(time.Second)))
		defer cancel()
	}
	report, err := solvers.Solve(search, p, m, models.Streams{Seed: c.Seed}, b.holdout(c.Seed))
	if err != nil {
		return err
	}
	r.CutOff = search.Err() != nil
	r.put(b.Result(experiments.Answer{
		Request: experiments.Request{Bound: c.Bound(), Method: m, Samples: c.Samples, Seed: c.Seed},
		Problem: p, Report: report,
	}))
	if report.Solution.Config == nil {
		return nil
	}
	keeps := report.Feasible
	r.Keeps = &keeps
	if c.Replications == 0 {
		return nil
	}
	return b.simulate(ctx, c, report.Solution.Config, r)
}

// put takes over what solve would print.
func (r *Row) put(s experiments.Result) {
	r.Status = string(s.Status)
	r.Allowed = whole(s.Bound.AllowedViolations)
	if s.Bound.Violations != nil {
		r.Exceed = whole(*s.Bound.Violations)
	}
	evaluations := int64(s.Evaluations)
	r.Evaluations = &evaluations
	r.ReachableS, r.ReachableUSD = s.Bound.ReachableLimitS, s.Bound.ReachableLimitUSD
	r.LowerBoundS, r.LowerBoundUSD = s.Certificate.LowerBoundS, s.Certificate.LowerBoundUSD
	r.Gap = s.Certificate.Gap
	r.ObjectiveMeanS, r.ObjectiveMeanUSD = s.Objective.MeanS, s.Objective.MeanUSD
	if len(s.Config) > 0 {
		text := configText(s.Config)
		r.Config = &text
	}
	if p := s.Predicted; p != nil {
		r.LatencyMeanS, r.LatencyP50S, r.LatencyP95S, r.LatencyP99S = &p.Latency.Mean, &p.Latency.P50, &p.Latency.P95, &p.Latency.P99
		r.CostMeanUSD, r.CostP50USD, r.CostP95USD, r.CostP99USD = &p.Cost.Mean, &p.Cost.P50, &p.Cost.P95, &p.Cost.P99
	}
	if h := s.Holdout; h != nil {
		r.Holdout, r.HoldoutExceed = whole(h.N), whole(h.Violations)
		r.HoldoutRiskLo, r.HoldoutRiskHi = &h.RiskLo, &h.RiskHi
		r.HoldoutMeanS, r.HoldoutMeanUSD = h.ObjectiveMeanS, h.ObjectiveMeanUSD
	}
}

func whole(n int) *int32 {
	x := int32(n)
	return &x
}

// configText gives a configuration as instances x MB per stage, in the
// workflow's order.
func configText(stages []experiments.ResultStage) string {
	var words []string
	for _, s := range stages {
		words = append(words, fmt.Sprintf("%dx%d", s.Parallelism, s.MemoryMB))
	}
	return strings.Join(words, " ")
}

// simulated is what a configuration does in the world of the trace.
type simulated struct {
	latency, cost []float64 // per run, in rising order
}

// simulate checks an answer in the world of the trace.
func (b *bench) simulate(ctx context.Context, c Cell, config models.Config, r *Row) error {
	s, err := b.runs.get(runKey{*r.Config, c.Replications, c.Seed, c.PlatformHash}, func() (simulated, error) {
		return b.execute(ctx, c, config)
	})
	if err != nil {
		return err
	}
	bounded := s.latency
	if c.Metric == solvers.Cost {
		bounded = s.cost
	}
	within, _ := slices.BinarySearchFunc(bounded, c.Limit, func(x, limit float64) int {
		if x > limit {
			return 1
		}
		return -1
	})
	r.SimulatedExceed = whole(c.Replications - within)
	latency, cost := solvers.Mean(s.latency), solvers.Mean(s.cost)
	p95, p95Cost := models.SortedQuantileR7(s.latency, 0.95), models.SortedQuantileR7(s.cost, 0.95)
	r.SimulatedMeanS, r.SimulatedP95S = &latency, &p95
	r.SimulatedMeanUSD, r.SimulatedP95USD = &cost, &p95Cost
	return nil
}

// execute runs a configuration again and again: every run for itself, or on a
// platform one after the other, as one user who waits for the end of each.
func (b *bench) execute(ctx context.Context, c Cell, config models.Config) (simulated, error) {
	var s simulated
	each := func(run *sim.Run) error {
		s.latency, s.cost = append(s.latency, run.Latency), append(s.cost, run.Cost)
		return nil
	}
	var err error
	if c.Platform == replayOnly {
		_, err = sim.Simulate(ctx, b.world, config, c.Replications, sim.Settings{Seed: c.Seed, Price: b.Price, Cores: 1}, each)
	} else {
		_, err = sim.Load(ctx, []sim.Workload{{World: b.world, Config: config, Arrivals: sim.Closed{Users: 1}}}, sim.LoadSettings{
			Platform: b.platforms[c.Platform], Seed: c.Seed, Executions: c.Replications, Cores: 1,
		}, each)
	}
	if err != nil {
		return s, err
	}
	if failed := c.Replications - len(s.latency); failed > 0 {
		return s, fmt.Errorf("platform %s: %d of %d executions failed", c.Platform, failed, c.Replications)
	}
	slices.Sort(s.latency)
	slices.Sort(s.cost)
	return s, nil
}
