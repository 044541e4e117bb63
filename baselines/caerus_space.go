package baselines

import (
	"errors"
	"math"

	"eevee/models"
)

// snap returns the admissible configuration nearest to the given one: every
// stage gets the next larger parallelism and size that the space admits, the
// largest where there is none. Where a coupling rule stands against that, a
// stage that others are coupled to keeps its parallelism rather than all of
// them together, as in the Jolteon artifact. Distances are those of
// logarithms, and size gives way to parallelism.
func snap(space *models.Space, want models.Config) (models.Config, error) {
	w := space.Workflow
	if space.Size().Sign() == 0 {
		return nil, errors.New("the coupling rules of the space admit no configuration")
	}
	weights := followWeights(space)
	d, vcpu := make([]float64, w.Len()), make([]float64, w.Len())
	for i := range d {
		choices := space.Choices(i)
		d[i] = nextUp(choices, float64(want[i].Parallelism), func(c models.StageConfig) float64 { return float64(c.Parallelism) })
		vcpu[i] = nextUp(choices, want[i].VCPU, func(c models.StageConfig) float64 { return c.VCPU })
	}
	distance := func(a, b float64) float64 { return math.Abs(math.Log(a) - math.Log(b)) }
	pick, _ := space.Separable(func(int) bool { return false }, func(stage, choice, _ int) float64 {
		c := space.Choices(stage)[choice]
		return weights[stage]*distance(float64(c.Parallelism), d[stage]) + 1e-6*distance(c.VCPU, vcpu[stage])
	})
	return space.Config(pick), nil
}

// nextUp returns the smallest value of the choices that is at least want, the
// largest one where there is none.
func nextUp(choices []models.StageConfig, want float64, of func(models.StageConfig) float64) float64 {
	up, largest := math.Inf(1), math.Inf(-1)
	for _, c := range choices {
		v := of(c)
		largest = max(largest, v)
		if v >= want*(1-1e-9) {
			up = min(up, v)
		}
	}
	return min(up, largest)
}

// followWeights returns a weight for every stage, larger than those of all
// stages together that are coupled to it, directly or through others. Where
// rules go in a circle that ends with one round of it.
func followWeights(space *models.Space) []float64 {
	followers := make([]float64, space.Workflow.Len()) // weights of all stages coupled to this one
	known, visiting := make([]bool, len(followers)), make([]bool, len(followers))
	var visit func(i int)
	visit = func(i int) {
		if known[i] || visiting[i] {
			return
		}
		visiting[i] = true
		for _, r := range space.Rules() {
			if r.Of == i {
				visit(r.Stage)
				followers[i] += 1 + 2*followers[r.Stage]
			}
		}
		known[i] = true
	}
	weights := make([]float64, len(followers))
	for i := range weights {
		visit(i)
		weights[i] = 1 + followers[i]
	}
	return weights
}

// ownSpace is what the Jolteon artifact makes of a parallelism and size before
// it runs them: parallelism is rounded up and kept inside its range, size
// raised to the least that works, then the rules hold in their order.
type ownSpace struct {
	Parallelism struct {
		AtLeast int `yaml:"at_least"`
		AtMost  int `yaml:"at_most"`
	} `yaml:"parallelism"`
	VCPU struct {
		AtLeast float64 `yaml:"at_least"`
	} `yaml:"vcpu"`
	RoundUp   map[string][]int `yaml:"round_up"` // by stage
	TotalVCPU struct {
		Stage   string  `yaml:"stage"`
		AtLeast float64 `yaml:"at_least"`
		Else    struct {
			Parallelism int     `yaml:"parallelism"`
			VCPU        float64 `yaml:"vcpu"`
		} `yaml:"else"`
	} `yaml:"total_vcpu"`
	Rules []ownRule `yaml:"rules"`
}

// ownRule couples a stage to another one, or raises its parallelism to
// AtLeast; at or below that its size is VCPU.
type ownRule struct {
	Stage   string  `yaml:"stage"`
	AtMost  string  `yaml:"at_most"`
	Times   int     `yaml:"times"` // 0 means 1
	Equals  string  `yaml:"equals"`
	AtLeast int     `yaml:"at_least"`
	VCPU    float64 `yaml:"vcpu"`
}

// fit returns the configuration that the artifact runs in place of c, which
// may lie outside of every grid. Memory follows from the size, mbPerVCPU each.
func (o ownSpace) fit(w *models.Workflow, c models.Config, mbPerVCPU float64) models.Config {
	c = c.Clone()
	at := func(stage string) *models.StageConfig {
		i, _ := w.Index(stage)
		return &c[i]
	}
	for i := range c {
		s := &c[i]
		if list := o.RoundUp[w.Stage(i).Name]; len(list) > 0 {
			up := list[len(list)-1]
			for k := len(list) - 1; k >= 0 && list[k] >= s.Parallelism; k-- {
				up = list[k]
			}
			s.Parallelism = up
		}
		s.Parallelism = max(s.Parallelism, o.Parallelism.AtLeast)
		if o.Parallelism.AtMost > 0 {
			s.Parallelism = min(s.Parallelism, o.Parallelism.AtMost)
		}
	}
	if t := o.TotalVCPU; t.Stage != "" {
		if s := at(t.Stage); float64(s.Parallelism)*s.VCPU < t.AtLeast {
			s.Parallelism, s.VCPU = t.Else.Parallelism, t.Else.VCPU
		}
	}
	for _, r := range o.Rules {
		s := at(r.Stage)
		switch {
		case r.AtMost != "":
			s.Parallelism = min(s.Parallelism, max(1, r.Times)*at(r.AtMost).Parallelism)
		case r.Equals != "":
			s.Parallelism = at(r.Equals).Parallelism
		case s.Parallelism <= r.AtLeast:
			s.Parallelism, s.VCPU = r.AtLeast, r.VCPU
		}
	}
	for i := range c {
		if !w.Stage(i).Splittable() {
			c[i].Parallelism = 1
		}
		c[i].VCPU = max(c[i].VCPU, o.VCPU.AtLeast)
		c[i].Memory = int(math.Round(c[i].VCPU * mbPerVCPU))
	}
	return c
}

// mbPerVCPU returns the memory in MB that buys one vCPU, from the largest size
// of the space, where rounding matters least.
func mbPerVCPU(space *models.Space) float64 {
	var largest models.StageConfig
	for i := range space.Workflow.Len() {
		for _, c := range space.Choices(i) {
			if c.Memory > largest.Memory {
				largest = c
			}
		}
	}
	return float64(largest.Memory) / largest.VCPU
}

// bySize gives every stage with a size its share of total instances in
// proportion to it, rounded down, and one where that is none.
func bySize(sizes []float64, total int) []int {
	d := make([]int, len(sizes))
	all := sum(sizes)
	for i, s := range sizes {
		d[i] = 1
		if s > 0 {
			d[i] = max(1, int(s/all*float64(total)))
		}
	}
	return d
}
