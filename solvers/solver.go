package solvers

import (
	"context"
	"errors"
	"fmt"
	"math"
	"sync/atomic"

	"eevee/models"
)

// Problem is the chance-constrained problem: choose a configuration of the
// space that does what the Aim asks on the sample; as a rule it minimises the
// mean of one metric and keeps a bound on the other. Methods only read it; what
// they ask of Evaluate is counted.
type Problem struct {
	Space     *models.Space
	Scenarios *models.Scenarios
	Profile   *models.Profile // the training rows, for methods with a model of their own; may be nil
	Model     models.Model    // what the scenarios were drawn from, for methods that look into it; may be nil
	Aim

	// InputBytes is how much every stage reads, one element per stage of the
	// workflow; nil: unknown. Some published systems divide instances by it.
	InputBytes []float64

	evaluations atomic.Int64
}

// NewProblem returns a Problem with a bound on one metric and the mean of the
// other to minimise; see Pose.
func NewProblem(space *models.Space, scenarios *models.Scenarios, bound Bound) (*Problem, error) {
	return Pose(space, scenarios, Aim{Bound: bound})
}

// Pose returns a Problem after checking that its parts belong together.
func Pose(space *models.Space, scenarios *models.Scenarios, aim Aim) (*Problem, error) {
	if space.Workflow != scenarios.Workflow() {
		return nil, fmt.Errorf("problem: the space is of workflow %s, the scenarios of workflow %s",
			space.Workflow.Name(), scenarios.Workflow().Name())
	}
	if err := aim.Check(); err != nil {
		return nil, err
	}
	return &Problem{Space: space, Scenarios: scenarios, Aim: aim}, nil
}

// Workflow returns the workflow to configure.
func (p *Problem) Workflow() *models.Workflow { return p.Space.Workflow }

// Allowed returns the number of scenarios that may break the first bound.
func (p *Problem) Allowed() (int, error) {
	demands, err := p.Demands()
	if err != nil {
		return 0, err
	}
	return demands[0].Allowed, nil
}

// Demands returns what the bounds demand on the sample, the first one first.
func (p *Problem) Demands() ([]Demand, error) {
	return p.Aim.Demands(p.Scenarios.Len(), p.Space.Size())
}

// Keeps reports whether an outcome on the sample keeps every bound.
func (p *Problem) Keeps(o Outcome) (bool, error) {
	demands, err := p.Demands()
	return err == nil && keepsAll(demands, o.Latency, o.Cost), err
}

// Evaluations returns how often Evaluate was called.
func (p *Problem) Evaluations() int { return int(p.evaluations.Load()) }

// Outcome is what a configuration does on a sample of scenarios.
type Outcome struct {
	Latency, Cost []float64 // per scenario, seconds and USD
	Objective     float64   // what is minimised, as a rule the mean of one metric
	Violations    int       // scenarios that exceed a limit of the first bound
}

// Evaluate computes the outcome of c on the problem's scenarios.
func (p *Problem) Evaluate(c models.Config) Outcome {
	p.evaluations.Add(1)
	return p.evaluateOn(p.Scenarios, c)
}

func (p *Problem) evaluateOn(s *models.Scenarios, c models.Config) Outcome {
	return p.Judge(s.Outcomes(c))
}

// Judge returns the outcome of what a workflow does in every scenario, s and
// USD: for what is not a configuration, as a policy that decides in each of
// them.
func (p *Problem) Judge(latency, cost []float64) Outcome {
	return Outcome{Latency: latency, Cost: cost, Objective: p.value(latency, cost), Violations: p.Bound.Violations(latency, cost)}
}

// Bounded returns the values of the bounded metric.
func (o Outcome) Bounded(m Metric) []float64 {
	if m == Latency {
		return o.Latency
	}
	return o.Cost
}

// Status is the honest outcome of a search.
type Status string

// The statuses.
const (
	Optimal    Status = "optimal"    // feasible, and proved to be the best of the space on the sample
	Done       Status = "done"       // the method ended by its own rule; nothing is proved
	Infeasible Status = "infeasible" // proved: no configuration of the space keeps the bounds on the sample, with a finite objective
	NotFound   Status = "not-found"  // nothing feasible was found; nothing is proved
	LimitHit   Status = "limit-hit"  // the deadline or another limit ended the search; Config is the incumbent, if any
)

// Solution is the answer of a Method.
type Solution struct {
	Status     Status
	Config     models.Config    // nil where there is none; with Infeasible and NotFound the closest miss, if known
	Objective  float64          // what is minimised, of the sample under Config
	Violations int              // scenarios of the sample that break the problem's first bound under Config
	LowerBound float64          // no feasible configuration has a lower objective; -Inf where nothing is proved
	Reachable  float64          // with Infeasible: the smallest limit of the first bound that some configuration of finite objective keeps on the sample, with all other limits in proportion; else NaN
	Enforced   float64          // the limit that the method really kept; differs from the problem's where it loosened or tightened it
	Schedule   *models.Schedule // when stages are launched and instances started; nil where the method leaves it to the platform
	States     int              // what the method looked at in a search of its own, beside Evaluate: nodes of a tree, configurations under a model of its own; 0: none, or not counted
	Warnings   []string         // what the reader must know about a valid result
}

// Gap returns the relative distance between the objective and its proved lower
// bound, +Inf where nothing is proved.
func (s Solution) Gap() float64 {
	if s.Config == nil || math.IsInf(s.LowerBound, -1) {
		return math.Inf(1)
	}
	gap := (s.Objective - s.LowerBound) / math.Abs(s.Objective)
	if gap < 1e-12 {
		return 0 // sums of the same numbers in another order
	}
	return gap
}

// Method is anything that chooses a configuration: our solvers and the
// published systems.
type Method interface {
	// String is the name and options that select the method, as
	// "jolteon:compat".
	String() string

	// Supports says why the method cannot handle p, nil if it can.
	Supports(p *Problem) error

	// Solve chooses a configuration. An unreachable bound is a Status, not an
	// error. On cancellation it returns at once with what it has and status
	// LimitHit.
	Solve(ctx context.Context, p *Problem, streams models.Streams) (Solution, error)
}

// Holdout draws n scenarios that no method saw. Every attempt of the rule
// verified asks for new ones; the others have attempt 0 only.
type Holdout func(attempt, n int) (*models.Scenarios, error)

// HoldoutSize is the number of holdout scenarios on which Solve re-checks an
// answer.
const HoldoutSize = 100_000

// Report is a Solution together with what Solve found out about it, whatever
// the method claims.
type Report struct {
	Method      string
	Solution    Solution
	Allowed     int      // k: scenarios of the sample that may break the first bound
	Demands     []Demand // every bound, the first one first
	Feasible    bool     // Config keeps all bounds on the sample, and its objective is finite
	Outcome     Outcome  // on the sample; zero where there is no Config
	Evaluations int
	Holdout     HoldoutCheck
}

// HoldoutCheck is the risk and objective of a configuration on scenarios that
// no method saw. The risk is that of breaking the first bound.
type HoldoutCheck struct {
	N          int
	Violations int
	RiskLo     float64 // exact (Clopper and Pearson 1934)
	RiskHi     float64
	Confidence float64      // percent, of every interval
	Objective  float64      // on the holdout
	Bounds     []BoundCheck // every bound, the first one first
	Outcome    Outcome
}

// BoundCheck is what a holdout says about one bound.
type BoundCheck struct {
	Violations     int
	RiskLo, RiskHi float64 // of breaking it, exact; with CVaR of exceeding the limit

	// With CVaR: its value on the holdout, with an interval that is asymptotic;
	// else zero.
	CVaR, CVaRLo, CVaRHi float64
}

// CheckHoldout returns what an outcome on a holdout says about every bound.
func (p *Problem) CheckHoldout(o Outcome) HoldoutCheck {
	n := len(o.Latency)
	h := HoldoutCheck{N: n, Confidence: p.Bound.Confidence, Objective: o.Objective, Outcome: o}
	for _, b := range p.Bounds() {
		c := BoundCheck{Violations: b.Violations(o.Latency, o.Cost)}
		c.RiskLo, c.RiskHi = BinomialInterval(c.Violations, n, h.Confidence)
		if b.Measure == CVaR {
			values := o.Bounded(b.Metric)
			c.CVaR = TailMean(values, b.Percentile)
			c.CVaRLo, c.CVaRHi = TailInterval(values, b.Percentile, h.Confidence)
		}
		h.Bounds = append(h.Bounds, c)
	}
	h.Violations, h.RiskLo, h.RiskHi = h.Bounds[0].Violations, h.Bounds[0].RiskLo, h.Bounds[0].RiskHi
	return h
}

// verifiedAttempts is how often the rule verified may try; each attempt has its
// share of 1 - confidence (Bonferroni).
const verifiedAttempts = 5

// Solve validates the problem, runs the method and re-checks its answer on the
// sample and on HoldoutSize fresh scenarios, whatever the method claims. A nil
// holdout leaves out the latter.
//
// Under the rule verified the method has to do with fewer violations of every
// bound than the plug-in's, by one standard deviation of their binomial number
// for each attempt, and its answer is accepted only if the exact one-sided upper
// limit of each risk on a holdout of the attempt's own is at most what the bound
// allows. Every attempt, and every bound in it, has an equal share of what the
// confidence leaves (Bonferroni).
func Solve(ctx context.Context, p *Problem, m Method, streams models.Streams, holdout Holdout) (Report, error) {
	if err := p.Aim.Check(); err != nil {
		return Report{}, err
	}
	if err := m.Supports(p); err != nil {
		return Report{}, fmt.Errorf("method %s: %w", m, err)
	}
	if p.Bound.Rule != Verified {
		return solveOnce(ctx, p, m, streams, holdout, 0)
	}
	if holdout == nil {
		return Report{}, errors.New("bound: the rule verified needs a holdout")
	}
	var r Report
	for attempt := range verifiedAttempts {
		p.Bound.Margin = p.margin(p.Bound, attempt)
		for i, b := range p.Further {
			p.Further[i].Margin = p.margin(b, attempt)
		}
		var err error
		r, err = solveOnce(ctx, p, m, streams, holdout, attempt)
		if err != nil || !r.Feasible {
			return r, err
		}
		if p.confirmed(r.Holdout) {
			return r, nil
		}
	}
	r.Solution.Status = NotFound
	r.Solution.Warnings = append(r.Solution.Warnings, fmt.Sprintf(
		"%d answers were refused on their holdouts; take more scenarios", verifiedAttempts))
	return r, nil
}

// margin returns how many violations fewer than the plug-in's an attempt of the
// rule verified may do with.
func (p *Problem) margin(b Bound, attempt int) int {
	n, risk := float64(p.Scenarios.Len()), b.Risk()
	return int(math.Ceil(float64(attempt+1) * math.Sqrt(n*risk*(1-risk))))
}

// confirmed reports whether a holdout of an attempt's own confirms every bound.
func (p *Problem) confirmed(h HoldoutCheck) bool {
	bounds := p.Bounds()
	share := 100 - (100-p.Bound.Confidence)/float64(verifiedAttempts*len(bounds))
	for i, b := range bounds {
		if BinomialUpper(h.Bounds[i].Violations, h.N, share) > b.Risk() {
			return false
		}
	}
	return true
}

func solveOnce(ctx context.Context, p *Problem, m Method, streams models.Streams, holdout Holdout, attempt int) (Report, error) {
	demands, err := p.Demands()
	if err != nil {
		return Report{}, err
	}
	before := p.Evaluations()
	s, err := m.Solve(ctx, p, streams.Sub("method/"+m.String()))
	if err != nil {
		return Report{}, fmt.Errorf("method %s: %w", m, err)
	}
	r := Report{Method: m.String(), Solution: s, Allowed: demands[0].Allowed, Demands: demands, Evaluations: p.Evaluations() - before}
	if s.Config == nil {
		return r, nil
	}
	r.Outcome = p.evaluateOn(p.Scenarios, s.Config)
	r.Solution.Objective, r.Solution.Violations = r.Outcome.Objective, r.Outcome.Violations
	r.Feasible = keepsAll(demands, r.Outcome.Latency, r.Outcome.Cost) && !math.IsInf(r.Outcome.Objective, 1)
	if !r.Feasible && (s.Status == Optimal || s.Status == Done) {
		// A method may answer with a configuration that breaks the bound; it
		// may not call that done.
		r.Solution.Status = NotFound
		for _, d := range demands {
			if !d.Keeps(r.Outcome.Latency, r.Outcome.Cost) {
				r.Solution.Warnings = append(r.Solution.Warnings, "the answer breaks the bound: "+d.breach(r.Outcome))
			}
		}
		if math.IsInf(r.Outcome.Objective, 1) {
			r.Solution.Warnings = append(r.Solution.Warnings, "the objective of the answer is infinite")
		}
	}
	if holdout == nil {
		return r, nil
	}
	fresh, err := holdout(attempt, HoldoutSize)
	if err != nil {
		return Report{}, fmt.Errorf("holdout: %w", err)
	}
	if fresh == p.Scenarios {
		return Report{}, errors.New("holdout: the sample itself is no holdout")
	}
	r.Holdout = p.CheckHoldout(p.evaluateOn(fresh, s.Config))
	return r, nil
}
