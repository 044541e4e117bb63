package solvers

import (
	"slices"

	"gonum.org/v1/gonum/floats"
)

// exchanger looks for better configurations near one where latency is the
// objective: it changes two stages at a time, one of which may stay. Latency
// linearised at the configuration that it starts from says which changes cannot
// be better; the mean cost of the hardest scenarios says which hardly keep the
// bound. Of those that are left the most promising are evaluated, on a few
// scenarios first.
type exchanger struct {
	s       *search
	pick    []int
	thin    float64     // mean latency of pick in the thin view
	tangent [][]float64 // that, linearised at pick
	costs   [][]float64 // mean cost of the hardest scenarios
	sum     []float64   // cost of pick in the leading scenarios
}

// change gives stage i choice j.
type change struct {
	i, j          int
	latency, cost float64 // by how much it changes the linear functions
}

// pair is two changes, or one and none.
type pair struct {
	a, b    change
	latency float64
}

// tries is how many pairs in a row may fail before a configuration counts as the
// best one near it; margin is by how much the linear cost, relatively to the
// limit, may miss the bound for a pair to be looked at.
const (
	tries  = 200
	margin = 0.002
)

// exchange improves the incumbent until nothing near is better.
func (s *search) exchange(costs [][]float64) {
	if s.incumbent == nil || s.metric != Cost || s.reach {
		return
	}
	v := &exchanger{s: s, pick: slices.Clone(s.incumbent), costs: costs}
	for !s.done() && v.step() {
	}
	s.offer(v.pick)
}

func (v *exchanger) step() bool {
	s := v.s
	thin := s.table.thin
	v.thin = s.eval.mean(Latency, thin.under(Latency, v.pick), thin.n)
	weight := s.copyShape(thin.under(Latency, v.pick))
	s.eval.criticality(thin.under(Latency, v.pick), weight, 1/float64(thin.n))
	v.tangent = thin.weigh(Latency, weight)
	v.sum = s.eval.values(Cost, s.table.leading.under(Cost, v.pick), s.table.hard)
	// How much more the hardest scenarios may cost on average.
	room := s.limit - OrderStatistic(v.sum, min(s.allowed, len(v.sum)-1))
	room += margin * s.limit
	var changes []change
	for i := range v.pick {
		at := s.table.columnOf(i, v.pick)
		offset := at - v.pick[i]
		for j, dead := range s.dead[i] {
			c := offset + j
			if dead || j == v.pick[i] {
				continue
			}
			changes = append(changes, change{i, j, v.tangent[i][c] - v.tangent[i][at], v.costs[i][c] - v.costs[i][at]})
		}
	}
	var pairs []pair
	for x, a := range changes {
		if a.latency < 0 && a.cost <= room {
			pairs = append(pairs, pair{a, change{i: -1}, a.latency})
		}
		for _, b := range changes[x+1:] {
			if b.i != a.i && a.latency+b.latency < 0 && a.cost+b.cost <= room {
				pairs = append(pairs, pair{a, b, a.latency + b.latency})
			}
		}
	}
	slices.SortFunc(pairs, func(a, b pair) int { return compareDown(b.latency, a.latency) })
	better := false
	touched := make([]bool, len(v.pick))
	for k, failed := 0, 0; k < len(pairs) && failed < tries && !s.done(); k++ {
		p := pairs[k]
		if touched[p.a.i] || p.b.i >= 0 && touched[p.b.i] {
			continue // these figures are no longer true
		}
		if !v.take(p) {
			failed++
			continue
		}
		better, touched[p.a.i] = true, true
		if p.b.i >= 0 {
			touched[p.b.i] = true
		}
	}
	return better
}

// take makes the changes if that is feasible and better.
func (v *exchanger) take(p pair) bool {
	s := v.s
	to := slices.Clone(v.pick)
	to[p.a.i] = p.a.j
	if p.b.i >= 0 {
		to[p.b.i] = p.b.j
	}
	if !s.admits(to) {
		return false
	}
	sum := slices.Clone(v.sum)
	over := 0
	for _, c := range []change{p.a, p.b} {
		if c.i >= 0 {
			floats.Sub(sum, s.table.leading.of(Cost, c.i, s.table.columnOf(c.i, v.pick)))
			floats.Add(sum, s.table.leading.of(Cost, c.i, s.table.columnOf(c.i, to)))
		}
	}
	for _, x := range sum {
		if !(x <= s.limit) {
			over++
		}
	}
	if over > s.allowed {
		return false
	}
	thin := s.table.thin
	latency := s.eval.mean(Latency, thin.under(Latency, to), thin.n)
	if !(latency < v.thin*(1-precision)) || !s.feasible(to) {
		return false
	}
	v.pick, v.sum, v.thin = to, sum, latency
	return true
}
