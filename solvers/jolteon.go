package solvers

import (
	"context"
	"errors"
	"fmt"
	"math"
	"math/big"

	"eevee/models"
)

// Jolteon is the method of Jolteon (Zhang et al., NSDI'24) as published: the
// chance constraint becomes one constraint per scenario and path, the
// continuous relaxation is solved by a gradient method that looks at support
// constraints only, its solution is rounded up, and the admissible
// configurations around it are probed (algorithms.md 1.2).
//
// The paper lets no scenario exceed the limit (its formula of the sample size,
// SampleSize, asks for that), while the artifact's relaxation does so and its
// probe judges by a percentile. Here relaxation and probe both let as many
// scenarios exceed it as the rule of the bound allows; where that number is 0
// this is the program of the paper.
//
// The zero value is ready for use. The answer keeps the bound on the sample,
// or its status is not Done: nothing is loosened.
type Jolteon struct {
	// Compat does what the published artifact does instead, see compat. It
	// needs Problem.Model, and knows the workflows ml, video and tpcds.
	Compat bool

	// Start is where the relaxation starts between the smallest (0) and the
	// largest (1) values of every variable, on a logarithmic scale; 0 means
	// 0.5, the middle. The paper reports that it matters little.
	Start float64

	// From, with Compat, names another starting point that the artifact comes
	// with, for its runs on sensitivity: small, medium, large, mix1 or mix2; it
	// has them for video only. "" means the one that it uses else.
	From string

	// Depth is how many moves away from the best configuration the probe
	// looks for a better one; 0 means 4, the artifact's depth for ml and
	// video.
	Depth int

	// Budget bounds the configurations that the probe looks at; 0 means
	// 100,000.
	Budget int
}

// String returns "jolteon", "jolteon:compat", or with another starting point
// "jolteon:compat:from=small".
func (j Jolteon) String() string {
	switch {
	case j.Compat && j.From != "":
		return "jolteon:compat:from=" + j.From
	case j.Compat:
		return "jolteon:compat"
	}
	return "jolteon"
}

// Supports accepts every problem whose space is not empty; with Compat only
// what the artifact knows.
func (j Jolteon) Supports(p *Problem) error {
	if err := p.Plain(); err != nil {
		return err
	}
	if j.Compat {
		_, err := newCompat(p, j.From)
		return err
	}
	if p.Space.Size().Sign() == 0 {
		return errors.New("the coupling rules of the space admit no configuration")
	}
	return nil
}

// Solve implements Method. It draws nothing: all randomness is in the
// scenarios.
func (j Jolteon) Solve(ctx context.Context, p *Problem, _ models.Streams) (Solution, error) {
	allowed, err := p.Allowed()
	if err != nil {
		return Solution{}, err
	}
	if j.Compat {
		c, err := newCompat(p, j.From)
		if err != nil {
			return Solution{}, err
		}
		return c.solve(ctx), nil
	}
	s := Solution{
		Status: LimitHit, Objective: math.NaN(),
		LowerBound: math.Inf(-1), Reachable: math.NaN(), Enforced: p.Bound.Limit,
	}
	if ctx.Err() != nil {
		return s, nil
	}
	points := j.relax(ctx, p, allowed)
	if ctx.Err() != nil {
		return s, nil
	}
	start, ok := newGrid(p.Space).roundUp(points)
	if !ok {
		return Solution{}, errors.New("the coupling rules of the space admit no configuration")
	}
	if j.Depth == 0 {
		j.Depth = 4
	}
	if j.Budget == 0 {
		j.Budget = 100_000
	}
	pr := newProbe(ctx, p, allowed, j.Depth, j.Budget)
	if complete := pr.run(start); !complete {
		if pr.feasible {
			s.Config = p.Space.Config(pr.best)
			s.Objective, s.Violations = pr.worth, pr.violations
		}
		return s, nil
	}
	s.Status = Done
	if !pr.feasible {
		s.Status = NotFound
		s.Warnings = append(s.Warnings, fmt.Sprintf(
			"no configuration was found that keeps the %s bound; the closest keeps a limit of %.6g %s", p.Bound.Metric, pr.reached, p.Bound.Metric.Unit()))
	}
	if pr.budget <= 0 {
		s.Warnings = append(s.Warnings, fmt.Sprintf("the probe ended after its budget of %d configurations", j.Budget))
	}
	s.Config = p.Space.Config(pr.best)
	o := p.Evaluate(s.Config)
	s.Objective, s.Violations = o.Objective, o.Violations
	return s, nil
}

// relax solves the relaxation and returns the configuration of every stage.
// What it ends with is a start for the probe in any case, feasible or not.
func (j Jolteon) relax(ctx context.Context, p *Problem, allowed int) []models.Point {
	r := newRelaxation(p, allowed)
	start := j.Start
	if start == 0 {
		start = 0.5
	}
	x0 := make([]float64, len(r.variables))
	for i := range x0 {
		x0[i] = start
	}
	// In units of the start, objective and constraints are both about 1.
	if worth := math.Abs(r.at(x0).objective); worth > 0 && !math.IsInf(worth, 1) {
		r.worth = worth
	}
	if len(x0) > 0 {
		r.configure(sqp{tolerance: 1e-5}.minimise(ctx, r, x0).x)
	}
	return r.points
}

// SampleSize returns the number of scenarios that the paper asks for, with the
// size of the space as the artifact counts it, 28 choices for half of the
// stages:
//
//	n = ceil( ln(28^floor(stages/2) / confErr) / (2 (risk - approxRisk)^2) )
//
// 2715, 3381 and 4048 for 4, 6 and 8 stages, a risk of 0.05 and a confErr of
// 0.001. See HoeffdingSize for what it guarantees, and about which space.
func SampleSize(stages int, risk, approxRisk, confErr float64) int {
	size := new(big.Int).Exp(big.NewInt(7*4), big.NewInt(int64(stages/2)), nil)
	return HoeffdingSize(size, risk, approxRisk, confErr)
}

// HoeffdingSize returns the same with the true size of the space. With
// probability 1 - confErr over the draw of so many scenarios, every
// configuration of the space that at most a share approxRisk of them exceeds
// the limit under has a true risk of at most risk (Hoeffding's inequality and
// the union bound; Luedtke and Ahmed 2008, Theorem 5). The published
// approxRisk is 0: then it says something about configurations that no
// scenario of the sample violates, and about no others. In particular it does
// not cover what a percentile of the sample accepts.
func HoeffdingSize(size *big.Int, risk, approxRisk, confErr float64) int {
	slack := risk - approxRisk
	return int(math.Ceil((logInt(size) - math.Log(confErr)) / (2 * slack * slack)))
}
