package baselines

import (
	"context"
	"errors"
	"math/rand/v2"
	"slices"

	"eevee/models"
	"eevee/solvers"
)

// RandomSearch draws configurations of the space, evaluates them and answers
// with the best: the yardstick of what any cleverness must be worth.
type RandomSearch struct {
	// Evaluations is how many configurations it looks at; 0 means 1000.
	Evaluations int
}

// NewRandomSearch returns a random search with the option evaluations=N.
func NewRandomSearch(options ...string) (RandomSearch, error) {
	var r RandomSearch
	if err := readOptions("random", options, r.options()); err != nil {
		return RandomSearch{}, err
	}
	return r, nil
}

func (r *RandomSearch) options() []option {
	return []option{count("evaluations=1000", &r.Evaluations)}
}

// String returns "random", or "random:evaluations=N".
func (r RandomSearch) String() string { return nameWith("random", r.options()) }

// Supports accepts every problem whose space is not empty.
func (RandomSearch) Supports(p *solvers.Problem) error { return contestable(p) }

// contestable accepts every problem with one percentile to keep whose space is
// not empty.
func contestable(p *solvers.Problem) error {
	if err := p.Plain(); err != nil {
		return err
	}
	if p.Space.Size().Sign() == 0 {
		return errors.New("the coupling rules of the space admit no configuration")
	}
	return nil
}

// Solve implements solvers.Method.
func (r RandomSearch) Solve(ctx context.Context, p *solvers.Problem, streams models.Streams) (solvers.Solution, error) {
	t, err := newContest(p)
	if err != nil {
		return solvers.Solution{}, err
	}
	n := r.Evaluations
	if n == 0 {
		n = 1000
	}
	draw := drawing{p.Space, streams.New("configurations")}
	for range n {
		if ctx.Err() != nil {
			return t.solution(true), nil
		}
		t.try(p.Space.Config(draw.pick()))
	}
	return t.solution(false), nil
}

// drawing draws admissible configurations of a space that is not empty.
type drawing struct {
	space  *models.Space
	source *rand.Rand
}

// drawTries is how many configurations are refused under the coupling rules
// before one is made to fit them.
const drawTries = 100

// pick draws the choices of an admissible configuration, all equally likely.
// Where the rules admit so few that none of drawTries is among them, it gives
// every choice a random weight and takes the admissible configuration with the
// smallest sum, which may favour some.
func (d drawing) pick() []int {
	pick := make([]int, d.space.Workflow.Len())
	for range drawTries {
		for i := range pick {
			pick[i] = d.source.IntN(len(d.space.Choices(i)))
		}
		if d.space.Admits(pick) {
			return pick
		}
	}
	weights := make([][]float64, len(pick))
	for i := range weights {
		for range d.space.Choices(i) {
			weights[i] = append(weights[i], d.source.ExpFloat64())
		}
	}
	pick, _ = d.space.Separable(func(int) bool { return false }, func(i, j, _ int) float64 { return weights[i][j] })
	return pick
}

// UniformSize gives all stages one size and one parallelism, as many users do,
// and answers with the best combination of the two. A stage that does not
// admit them has the next larger ones that it does.
type UniformSize struct{}

// String returns "uniform".
func (UniformSize) String() string { return "uniform" }

// Supports accepts every problem whose space is not empty.
func (UniformSize) Supports(p *solvers.Problem) error { return contestable(p) }

// Solve implements solvers.Method. It draws nothing.
func (UniformSize) Solve(ctx context.Context, p *solvers.Problem, _ models.Streams) (solvers.Solution, error) {
	t, err := newContest(p)
	if err != nil {
		return solvers.Solution{}, err
	}
	vcpu := map[int]float64{}
	var sizes, parallelism []int
	for i := range p.Workflow().Len() {
		for _, c := range p.Space.Choices(i) {
			vcpu[c.Memory] = max(vcpu[c.Memory], c.VCPU)
			sizes, parallelism = append(sizes, c.Memory), append(parallelism, c.Parallelism)
		}
	}
	distinct := func(list []int) []int { slices.Sort(list); return slices.Compact(list) }
	seen := map[string]bool{}
	want := make(models.Config, p.Workflow().Len())
	for _, d := range distinct(parallelism) {
		for _, memory := range distinct(sizes) {
			if ctx.Err() != nil {
				return t.solution(true), nil
			}
			for i := range want {
				want[i] = models.StageConfig{Memory: memory, VCPU: vcpu[memory], Parallelism: d}
				if limit := p.Workflow().Stage(i).MaxParallelism; limit > 0 {
					want[i].Parallelism = min(d, limit)
				}
			}
			c, err := snap(p.Space, want)
			if err != nil {
				return solvers.Solution{}, err
			}
			if !seen[c.String()] {
				seen[c.String()] = true
				t.try(c)
			}
		}
	}
	return t.solution(false), nil
}
