package solvers

import (
	"math"
	"slices"
)

// warmStart looks for a good first incumbent: the bound is priced into the
// objective (its mean over the hardest scenarios times a multiplier), the
// multiplier is bisected for the cheapest feasible answer, and single stages
// are then improved for as long as that helps.
func (s *search) warmStart() {
	reference := s.middle()
	s.linear = s.linearise(reference)
	multiplier := 0.0
	hard := min(s.table.n, max(block, 2*(s.allowed+1)))
	score := s.scores(hard)
	weight := slices.Repeat([]float64{1}, len(score))
	for range 3 {
		pick, lambda := s.price(score, weight)
		if pick == nil {
			break
		}
		multiplier = 1 / lambda
		s.descend(pick)
		s.criticality(pick, weight, hard)
	}
	if s.incumbent != nil {
		reference = s.incumbent
	}
	s.guide(reference, multiplier)
}

// scores returns the mean of the bounded metric over the leading rows, per
// stage and column.
func (s *search) scores(rows int) [][]float64 {
	score := make([][]float64, len(s.table.columns))
	for i, cols := range s.table.columns {
		score[i] = make([]float64, len(cols))
		for j := range cols {
			sum := 0.0
			for _, v := range s.boundedOf(&cols[j])[:rows] {
				sum += v
			}
			score[i][j] = sum / float64(rows)
		}
	}
	return score
}

// middle returns the middle choice of every stage.
func (s *search) middle() []int {
	pick := make([]int, s.space.Workflow.Len())
	for i := range pick {
		pick[i] = len(s.space.Choices(i)) / 2
	}
	return pick
}

// price bisects the multiplier of the bound.
func (s *search) price(score [][]float64, weight []float64) (best []int, lambda float64) {
	relaxed := func(lambda float64) []int {
		pick, _ := s.space.Separable(
			s.readsInput,
			func(i, j, in int) float64 {
				k := s.table.input(i, in)*len(s.space.Choices(i)) + j
				mean := s.linear[i][k]
				if s.metric == Cost && !s.reach {
					mean = s.table.columns[i][k].meanLatency
				}
				if s.metric == Latency {
					return mean + lambda*weight[i]*score[i][k]
				}
				return weight[i]*mean + lambda*score[i][k]
			})
		return pick
	}
	// In units of the objective per unit of the bound.
	scale := s.magnitude() / s.table.problem.Bound.Limit
	if s.reach {
		pick := relaxed(1e6 * scale)
		s.offer(pick)
		return pick, 0
	}
	lo, hi := 1e-4*scale, 1e4*scale
	for range 18 {
		mid := math.Sqrt(lo * hi)
		pick := relaxed(mid)
		if !math.IsInf(s.offer(pick), 1) {
			best, hi = pick, mid
		} else {
			lo = mid
		}
	}
	return best, hi
}

// magnitude is the typical size of the objective.
func (s *search) magnitude() float64 {
	sum := 0.0
	for _, cols := range s.table.columns {
		sum += s.objectiveOf(&cols[len(cols)/2])
	}
	return sum
}

// objectiveOf returns the mean of the objective's metric of a column.
func (s *search) objectiveOf(c *column) float64 {
	if s.metric == Cost {
		return c.meanLatency
	}
	return c.meanCost
}

// descend improves one stage at a time from a feasible configuration.
func (s *search) descend(from []int) {
	pick := slices.Clone(from)
	current := s.objective(pick)
	for improved := true; improved; {
		improved = false
		for i := range pick {
			was := pick[i]
			for _, j := range s.byMean(i, pick) {
				pick[i] = j
				if j == was {
					break // the others have a higher mean
				}
				if _, err := s.space.Locate(s.space.Config(pick)); err != nil {
					continue
				}
				if objective := s.offer(pick); objective < current {
					current, improved, was = objective, true, j
					break
				}
			}
			pick[i] = was
		}
	}
}

// byMean returns the choices of stage i, the best mean first.
func (s *search) byMean(i int, pick []int) []int {
	in := 0
	if s.table.inputs[i] != nil {
		parent := s.space.Workflow.InputParent(i)
		in = s.table.input(i, s.space.Choices(parent)[pick[parent]].Parallelism)
	}
	choices := len(s.space.Choices(i))
	order := make([]int, choices)
	for j := range order {
		order[j] = j
	}
	slices.SortStableFunc(order, func(a, b int) int {
		ma := s.objectiveOf(&s.table.columns[i][in*choices+a])
		mb := s.objectiveOf(&s.table.columns[i][in*choices+b])
		switch {
		case ma < mb:
			return -1
		case ma > mb:
			return 1
		}
		return 0
	})
	return order
}

// criticality moves the weight of every stage half way to the share of the
// hardest scenarios in which it lies on the longest path.
func (s *search) criticality(pick []int, weight []float64, hard int) {
	cols := s.table.of(pick)
	latency := make([]float64, len(cols))
	share := make([]float64, len(cols))
	w := s.space.Workflow
	for k := range hard {
		longest := 0.0
		for i, c := range cols {
			latency[i] = c.latency[k]
		}
		through := s.through.longest(w, latency)
		for _, l := range through {
			longest = max(longest, l)
		}
		for i, l := range through {
			if l >= longest*(1-1e-12) {
				share[i]++
			}
		}
	}
	for i := range weight {
		weight[i] = (weight[i] + max(0.02, share[i]/float64(hard))) / 2
	}
}
