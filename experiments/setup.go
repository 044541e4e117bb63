package experiments

import (
	"cmp"
	"context"
	"fmt"
	"math/big"
	"slices"
	"strconv"
	"strings"
	"time"

	"eevee/internal/spelling"
	"eevee/models"
	"eevee/solvers"
)

// Setup is a workflow that problems can be posed on: its space, its trace and
// the model fitted to that.
type Setup struct {
	Definition *models.Definition
	SpaceName  string
	Grid       Grid // that replaces choices of the space of that name
	Space      *models.Space
	Size       *big.Int // of Space
	Trace      Trace
	Profile    *models.Profile // nil with a model from a file
	Model      models.Model
	Price      models.PriceBook
	FitTime    time.Duration
}

// Choice is what a user can choose about a Setup; the zero value of every field
// takes the default.
type Choice struct {
	Space string // the workflow's first one
	Grid  Grid   // none
	Model string // "calibrated"
	Price string // the workflow's
}

// Grid is every size and number of instances in two ranges, in place of those of
// a space, whose rules stay; see models.Definition.Grid. Where a range is zero
// the space's own values stay.
type Grid struct {
	Memory      models.Range `json:"memory_mb,omitzero"`
	Parallelism models.Range `json:"parallelism,omitzero"`
}

// String returns the ranges as readers are told of them, "" where there is none.
func (g Grid) String() string {
	var parts []string
	if g.Memory != (models.Range{}) {
		parts = append(parts, g.Memory.String()+" MB")
	}
	if g.Parallelism != (models.Range{}) {
		parts = append(parts, "parallelism "+g.Parallelism.String())
	}
	return strings.Join(parts, ", ")
}

// Of returns the space of a workflow that has a name, the first one where that
// is empty, with the choices of the grid.
func (g Grid) Of(def *models.Definition, space string) (*models.Space, error) {
	s, err := def.Space(space)
	if err != nil || g == (Grid{}) {
		return s, err
	}
	return def.Grid(s, g.Memory, g.Parallelism)
}

// modelNames are the models that can be fitted, the default first.
var modelNames = []string{"calibrated", "jolteon"}

// ModelNames returns the names of the models that can be fitted, the default
// first.
func ModelNames() []string { return slices.Clone(modelNames) }

// NewSetup fits a model to a trace.
func NewSetup(def *models.Definition, trace Trace, choice Choice) (*Setup, error) {
	s, err := newSetup(def, choice)
	if err != nil {
		return nil, err
	}
	s.Trace = trace
	start := time.Now()
	if s.Profile, err = models.NewProfile(def, trace.Rows); err != nil {
		if trace.Path != "" {
			err = fmt.Errorf("%s: %w", trace.Path, err)
		}
		return nil, err
	}
	s.Model, err = FitModel(cmp.Or(choice.Model, modelNames[0]), s.Profile)
	s.FitTime = time.Since(start)
	return s, err
}

// FitModel fits the model of a name to a profile.
func FitModel(name string, p *models.Profile) (models.Model, error) {
	switch name {
	case "jolteon":
		return models.FitJolteon(p, models.JolteonOptions{})
	case "calibrated":
		return models.FitCalibrated(p, models.CalibratedSettings{})
	}
	return nil, spelling.Unknown("model", name, modelNames)
}

// LoadSetup takes a model from a file that "eevee fit" wrote.
func LoadSetup(def *models.Definition, modelFile string, choice Choice) (*Setup, error) {
	s, err := newSetup(def, choice)
	if err != nil {
		return nil, err
	}
	model, meta, err := models.LoadModel(modelFile, def)
	if err != nil {
		return nil, err
	}
	s.Model = model
	s.Trace = Trace{Origin: Origin(meta.Trace.Source), SHA256: meta.Trace.SHA256}
	return s, nil
}

func newSetup(def *models.Definition, choice Choice) (*Setup, error) {
	s := &Setup{Definition: def, SpaceName: choice.Space, Grid: choice.Grid}
	var err error
	if s.Space, err = s.Grid.Of(def, choice.Space); err != nil {
		return nil, err
	}
	if s.SpaceName == "" {
		s.SpaceName = def.Spaces[0].Name
	}
	s.Size = s.Space.Size()
	if s.Size.Sign() == 0 {
		return nil, fmt.Errorf("workflow %s: space %q holds no configuration: its rules contradict each other", def.Workflow.Name(), s.SpaceName)
	}
	price := choice.Price
	if price == "" {
		price = def.Price
	}
	s.Price, err = models.LoadPrice(price)
	return s, err
}

// ModelWarnings returns what a user of the model must know, whatever is asked of
// it.
func (s *Setup) ModelWarnings() []string {
	if m, ok := s.Model.(interface{ Warnings() []string }); ok {
		return m.Warnings()
	}
	return nil
}

// Request is one problem for one method.
type Request struct {
	Bound   solvers.Bound
	Further []solvers.Bound // to be kept as well; see solvers.Aim
	Method  solvers.Method
	Samples int    // scenarios; 0: what the bound's rule needs, at least 10,000
	Seed    uint64 // of scenarios, method and holdout

	// Percentile of the objective to minimise; 0: its mean.
	Percentile float64

	// Posed is shown the problem before the method is; it may be nil.
	Posed func(*solvers.Problem)
}

// Aim returns what the request asks of a configuration.
func (r Request) Aim() solvers.Aim {
	return solvers.Aim{Bound: r.Bound, Further: r.Further, Percentile: r.Percentile}
}

// Answer is what a method made of a Request.
type Answer struct {
	Request Request
	Problem *solvers.Problem
	Report  solvers.Report
	Timing  Timing
}

// Timing says how long the parts of an answer took. It is the one thing about
// an answer that differs between two runs.
type Timing struct {
	Fit, Sample, Solve, Holdout time.Duration
}

// SampleStreams are the streams that the scenarios of a problem are drawn from.
func SampleStreams(seed uint64) models.Streams { return models.Streams{Seed: seed}.Sub("sample") }

// HoldoutStreams are the streams of the scenarios that no method sees.
func HoldoutStreams(seed uint64) models.Streams { return models.Streams{Seed: seed}.Sub("holdout") }

// A sample takes memory by scenarios times stages: drawBytes is what one of them
// was measured to take in all, with the tables of a search over it, and maxDraws
// is where a sample would take some 2 GB.
const (
	maxDraws  = 16 << 20
	drawBytes = 130
)

// Scenarios draws the n scenarios that problems of this seed are posed on.
func (s *Setup) Scenarios(n int, seed uint64) (*models.Scenarios, error) {
	if stages := s.Definition.Workflow.Len(); n > maxDraws/stages {
		return nil, fmt.Errorf("%d scenarios of %d stages take %.1f GB, at most %d can be drawn; ask for fewer, a lower percentile, or another rule",
			n, stages, float64(n)*float64(stages)*drawBytes/1e9, maxDraws/stages)
	}
	return s.Model.Sample(n, s.Price, SampleStreams(seed))
}

// Holdout draws the n scenarios that answers of this seed are re-checked on;
// every attempt has its own.
func (s *Setup) Holdout(seed uint64, attempt, n int) (*models.Scenarios, error) {
	return s.Model.Sample(n, s.Price, HoldoutStreams(seed).Sub(strconv.Itoa(attempt)))
}

// Problem draws the scenarios of a problem with one bound and poses it.
func (s *Setup) Problem(bound solvers.Bound, samples int, seed uint64) (*solvers.Problem, error) {
	return s.ProblemOf(solvers.Aim{Bound: bound}, samples, seed)
}

// ProblemOf draws the scenarios of a problem and poses it.
func (s *Setup) ProblemOf(aim solvers.Aim, samples int, seed uint64) (*solvers.Problem, error) {
	if err := aim.Check(); err != nil {
		return nil, err
	}
	if samples == 0 {
		samples = aim.DefaultSamples(s.Size)
	}
	scenarios, err := s.Scenarios(samples, seed)
	if err != nil {
		return nil, err
	}
	return s.pose(scenarios, aim)
}

// Pose poses a problem with one bound on scenarios that are drawn already.
func (s *Setup) Pose(scenarios *models.Scenarios, bound solvers.Bound) (*solvers.Problem, error) {
	return s.pose(scenarios, solvers.Aim{Bound: bound})
}

func (s *Setup) pose(scenarios *models.Scenarios, aim solvers.Aim) (*solvers.Problem, error) {
	p, err := solvers.Pose(s.Space, scenarios, aim)
	if err != nil {
		return nil, err
	}
	p.Profile, p.Model = s.Profile, s.Model
	return p, nil
}

// Solve poses a request and re-checks the answer on a holdout.
func (s *Setup) Solve(ctx context.Context, r Request) (Answer, error) {
	start := time.Now()
	p, err := s.ProblemOf(r.Aim(), r.Samples, r.Seed)
	if err != nil {
		return Answer{}, err
	}
	a, err := s.Answer(ctx, p, r)
	a.Timing.Sample = time.Since(start) - a.Timing.Solve - a.Timing.Holdout
	return a, err
}

// Answer lets the method of a request solve a problem that is already posed,
// and re-checks the answer on a holdout.
func (s *Setup) Answer(ctx context.Context, p *solvers.Problem, r Request) (Answer, error) {
	return s.answer(ctx, p, r, func(attempt, n int) (*models.Scenarios, error) { return s.Holdout(r.Seed, attempt, n) })
}

// answer is Answer with the holdout to take.
func (s *Setup) answer(ctx context.Context, p *solvers.Problem, r Request, holdout solvers.Holdout) (Answer, error) {
	r.Samples = p.Scenarios.Len()
	if r.Posed != nil {
		r.Posed(p)
	}
	a := Answer{Request: r, Problem: p, Timing: Timing{Fit: s.FitTime}}
	start := time.Now()
	var err error
	a.Report, err = solvers.Solve(ctx, p, r.Method, models.Streams{Seed: r.Seed}, func(attempt, n int) (*models.Scenarios, error) {
		a.Timing.Solve = time.Since(start)
		return holdout(attempt, n)
	})
	if a.Timing.Solve == 0 {
		a.Timing.Solve = time.Since(start)
	}
	a.Timing.Holdout = time.Since(start) - a.Timing.Solve
	return a, err
}

// stopwatch returns what tells how long ago it was made.
func stopwatch() func() time.Duration {
	start := time.Now()
	return func() time.Duration { return time.Since(start) }
}

func ms(d time.Duration) float64 { return float64(d.Microseconds()) / 1e3 }
