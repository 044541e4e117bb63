package baselines

import (
	"context"
	"math"

	"eevee/models"
	"eevee/solvers"
)

// COSE is Bayesian optimisation in the style of COSE (INFOCOM'20): a Gaussian
// process learns objective and bounded metric from the configurations that were
// evaluated, and the next one is where the improvement to be expected is
// largest (algorithms.md 10, which knows no more of it than that it needs about
// five samples or more, and a rule to stop).
//
// Inferred: the variables are the logarithms of memory and parallelism of every
// stage; the processes learn logarithms, of the objective and of the limit that
// a configuration keeps on the sample; the improvement counts with the
// probability that the bound is kept (Gardner et al., ICML 2014), and while
// nothing has kept it that probability alone; candidates are random
// configurations and all that differ from the best in one stage. It stops when
// the improvement to be expected is below Tolerance, or after Evaluations.
type COSE struct {
	// Initial is the number of random configurations to begin with; 0 means 5.
	Initial int

	// Evaluations bounds how many configurations are evaluated; 0 means 60.
	Evaluations int

	// Tolerance is the share of the objective that must be expected to be won
	// by one more evaluation; 0 means 0.001. A search that has found nothing
	// goes on.
	Tolerance float64
}

// coseCandidates is the number of random candidates in every round.
const coseCandidates = 300

// NewCOSE returns COSE with the named options initial=N, evaluations=N and
// tolerance=X.
func NewCOSE(options ...string) (COSE, error) {
	var c COSE
	if err := readOptions("cose", options, c.options()); err != nil {
		return COSE{}, err
	}
	return c, nil
}

func (c *COSE) options() []option {
	return []option{
		count("initial=5", &c.Initial), count("evaluations=60", &c.Evaluations), amount("tolerance=0.001", &c.Tolerance, 1),
	}
}

// String returns "cose" and its options, as "cose:evaluations=100".
func (c COSE) String() string { return nameWith("cose", c.options()) }

// Supports accepts every problem whose space is not empty.
func (COSE) Supports(p *solvers.Problem) error { return contestable(p) }

// Solve implements solvers.Method.
func (c COSE) Solve(ctx context.Context, p *solvers.Problem, streams models.Streams) (solvers.Solution, error) {
	t, err := newContest(p)
	if err != nil {
		return solvers.Solution{}, err
	}
	if c.Initial == 0 {
		c.Initial = 5
	}
	if c.Evaluations == 0 {
		c.Evaluations = 60
	}
	if c.Tolerance == 0 {
		c.Tolerance = 1e-3
	}
	s := coseSearch{
		contest: t, cube: newCube(p.Space), seen: map[string]bool{},
		draw: drawing{p.Space, streams.New("configurations")},
	}
	for len(s.x) < c.Evaluations {
		if ctx.Err() != nil {
			return t.solution(true), nil
		}
		pick, gain, err := s.next(len(s.x) < c.Initial)
		if err != nil {
			return solvers.Solution{}, err
		}
		if pick == nil || t.best != nil && len(s.x) >= c.Initial && gain < c.Tolerance {
			break
		}
		s.evaluate(pick)
	}
	return t.solution(false), nil
}

// coseSearch is what a search has seen so far.
type coseSearch struct {
	*contest
	cube cube
	draw drawing
	seen map[string]bool

	x                [][]float64
	objective, reach []float64 // logarithms; of the limit kept, in units of the problem's
	bestPick         []int     // choices of contest.best
}

func (s *coseSearch) evaluate(pick []int) {
	config := s.problem.Space.Config(pick)
	s.seen[config.String()] = true
	was := s.best
	o, _ := s.try(config)
	if s.best != nil && (was == nil || s.best.String() != was.String()) {
		s.bestPick = pick
	}
	// A figure that is no number, or none that has a logarithm, is taken for
	// a very bad one.
	logarithm := func(v float64) float64 {
		if l := math.Log(v); !math.IsNaN(l) && !math.IsInf(l, 1) {
			return max(l, -50)
		}
		return 50
	}
	s.x = append(s.x, s.cube.point(pick))
	s.objective = append(s.objective, logarithm(o.Objective))
	s.reach = append(s.reach, logarithm(s.contest.reach(o)/s.problem.Bound.Limit))
}

// next returns the choices to evaluate next with the improvement to be
// expected of them, as a share of the objective; nil where nothing new is
// left. At random nothing is expected.
func (s *coseSearch) next(random bool) (pick []int, gain float64, err error) {
	var candidates [][]int
	known := map[string]bool{}
	add := func(pick []int) {
		if !s.problem.Space.Admits(pick) {
			return
		}
		name := s.problem.Space.Config(pick).String()
		if !s.seen[name] && !known[name] {
			known[name] = true
			candidates = append(candidates, pick)
		}
	}
	for range coseCandidates {
		add(s.draw.pick())
		if random && len(candidates) > 0 {
			return candidates[0], 0, nil
		}
	}
	for i := range s.bestPick {
		for j := range s.problem.Space.Choices(i) {
			neighbour := append([]int(nil), s.bestPick...)
			neighbour[i] = j
			add(neighbour)
		}
	}
	if len(candidates) == 0 || random {
		return nil, 0, nil
	}
	objective, err := newProcess(s.x, s.objective)
	if err != nil {
		return nil, 0, err
	}
	reach, err := newProcess(s.x, s.reach)
	if err != nil {
		return nil, 0, err
	}
	gain = -1
	for _, candidate := range candidates {
		x := s.cube.point(candidate)
		mean, deviation := reach.at(x)
		value := below(0, mean, deviation)
		if s.best != nil {
			mean, deviation := objective.at(x)
			value *= expectedImprovement(math.Log(s.outcome.Objective), mean, deviation)
		}
		if value > gain {
			pick, gain = candidate, value
		}
	}
	return pick, gain, nil
}

// cube maps the choices of a space into the unit cube, two dimensions per
// stage.
type cube struct {
	space *models.Space
	least []float64
	width []float64 // 0 where all choices have the same value
}

func newCube(space *models.Space) cube {
	c := cube{space: space}
	for i := range space.Workflow.Len() {
		for _, of := range []func(models.StageConfig) float64{logMemory, logParallelism} {
			lo, hi := math.Inf(1), math.Inf(-1)
			for _, choice := range space.Choices(i) {
				lo, hi = min(lo, of(choice)), max(hi, of(choice))
			}
			c.least, c.width = append(c.least, lo), append(c.width, hi-lo)
		}
	}
	return c
}

func logMemory(c models.StageConfig) float64      { return math.Log(float64(c.Memory)) }
func logParallelism(c models.StageConfig) float64 { return math.Log(float64(c.Parallelism)) }

// point returns the point of the given choices.
func (c cube) point(pick []int) []float64 {
	x := make([]float64, 2*len(pick))
	for i, j := range pick {
		choice := c.space.Choices(i)[j]
		for d, v := range []float64{logMemory(choice), logParallelism(choice)} {
			if width := c.width[2*i+d]; width > 0 {
				x[2*i+d] = (v - c.least[2*i+d]) / width
			}
		}
	}
	return x
}
