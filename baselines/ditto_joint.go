package baselines

import (
	"cmp"
	"context"
	"slices"

	"eevee/solvers"
)

// dittoJoint is the joint optimisation of Ditto's Algorithm 3: starting with
// every stage alone it tries the edges in the order of Algorithm 2, groups the
// two stages of an edge if the parallelism that Algorithm 1 then gives can be
// placed, and begins again, until no edge is left that can be grouped.
type dittoJoint struct {
	DittoScheduler
	job   *DittoJob
	total int // slots of all servers

	grouped   sharing
	d         []int
	placement [][]int
}

func (s *dittoJoint) plan(ctx context.Context) (DittoPlan, error) {
	s.grouped = sharing{edges: make(map[[2]int]bool), divisor: s.SharedMemory}
	if err := s.alone(); err != nil {
		return DittoPlan{}, err
	}
	open := s.job.edges()
	for more := !s.Ungrouped; more; {
		more = false
		for _, e := range s.order(open) {
			if err := ctx.Err(); err != nil {
				return DittoPlan{}, err
			}
			ok, err := s.try(e)
			if err != nil {
				return DittoPlan{}, err
			}
			if ok {
				open = slices.DeleteFunc(open, func(o [2]int) bool { return o == e })
				more = true
				break
			}
		}
	}

	p := DittoPlan{Parallelism: s.d, Placement: s.placement}
	for _, g := range s.components() {
		if len(g) > 1 {
			p.Groups = append(p.Groups, g)
		}
	}
	early, exec := s.job.predict(s.d, s.grouped, atLeastZero)
	spans, err := NimbleLaunch(s.job.tasks(s.d, s.grouped))
	if err != nil {
		return DittoPlan{}, err
	}
	for _, span := range spans {
		p.Launch = append(p.Launch, span.Launch)
	}
	p.finish(early, exec)
	p.CostGBs = s.job.cost(s.d, early, exec)
	return p, nil
}

// alone decides the parallelism of ungrouped stages, which always have a
// place: there are no more tasks than slots.
func (s *dittoJoint) alone() error {
	d, err := s.parallelism()
	if err != nil {
		return err
	}
	s.d = d
	s.placement, _ = s.place(d)
	return nil
}

// try groups edge e if all groups can be placed then.
func (s *dittoJoint) try(e [2]int) (bool, error) {
	s.grouped.edges[e] = true
	d, err := s.parallelism()
	if err != nil {
		return false, err
	}
	placement, ok := s.place(d)
	if !ok {
		delete(s.grouped.edges, e)
		return false, nil
	}
	s.d, s.placement = d, placement
	return true, nil
}

// parallelism is Algorithm 1 under the present groups.
func (s *dittoJoint) parallelism() ([]int, error) {
	share, err := s.job.shares(s.Objective, s.grouped, false, false)
	if err != nil {
		return nil, err
	}
	return spread(share, s.total), nil
}

// edges returns the edges of the job in the order of the stages that read.
func (j *DittoJob) edges() [][2]int {
	var list [][2]int
	for i := range j.Stages {
		for _, p := range j.parents(i) {
			list = append(list, [2]int{p, i})
		}
	}
	return list
}

// order is the greedy order of Algorithm 2. The weight of a stage is its
// compute time, that of an edge the time it takes to write and to read; for
// cost each times the memory of the stage, which is taken to be that of all
// its tasks together. For the completion time the heaviest edge of the
// critical path comes first and then counts for nothing, and so on; for cost
// the heaviest edge.
//
// Where no open edge is left on the critical path, the path that is most
// critical among those that hold one takes its place; the pseudo-code leaves
// that case open.
func (s *dittoJoint) order(open [][2]int) [][2]int {
	node, edge := s.weights()
	rest := slices.Clone(open)
	if s.Objective == solvers.Cost {
		slices.SortStableFunc(rest, func(a, b [2]int) int { return cmp.Compare(edge[b], edge[a]) })
		return rest
	}
	var order [][2]int
	for len(rest) > 0 {
		before, after := s.job.distances(node, edge)
		best := 0
		for k, e := range rest {
			b := rest[best]
			long := cmp.Compare(before[e[0]]+edge[e]+after[e[1]], before[b[0]]+edge[b]+after[b[1]])
			if long > 0 || long == 0 && edge[e] > edge[b] {
				best = k
			}
		}
		e := rest[best]
		edge[e] = 0
		order = append(order, e)
		rest = slices.Delete(rest, best, best+1)
	}
	return order
}

func (s *dittoJoint) weights() (node []float64, edge map[[2]int]float64) {
	j := s.job
	edge = make(map[[2]int]float64)
	node = make([]float64, len(j.Stages))
	memory := func(i int) float64 {
		if s.Objective == solvers.Cost {
			return j.Stages[i].MemoryGB + float64(s.d[i])*j.Stages[i].MemoryFixedGB
		}
		return 1
	}
	at := func(i int, t DittoTime) float64 { return max(0, t.At(j.divisor(i, s.d))) }
	for i, stage := range j.Stages {
		node[i] = memory(i) * at(i, stage.Setup.plus(stage.EarlyCompute).plus(stage.Compute))
		for _, r := range stage.Reads {
			switch e := [2]int{r.From, i}; {
			case r.From < 0:
				node[i] += memory(i) * at(i, r.Time)
			case !s.grouped.edges[e]:
				edge[e] = memory(r.From)*at(r.From, j.Stages[r.From].Write) + memory(i)*at(i, r.Time)
			}
		}
	}
	return node, edge
}

// distances returns the weight of the heaviest way that ends with each stage,
// and of the heaviest that begins with it.
func (j *DittoJob) distances(node []float64, edge map[[2]int]float64) (before, after []float64) {
	before, after = slices.Clone(node), slices.Clone(node)
	for i := range node {
		for _, p := range j.parents(i) {
			before[i] = max(before[i], before[p]+edge[[2]int{p, i}]+node[i])
		}
	}
	for i := len(node) - 1; i >= 0; i-- {
		for _, p := range j.parents(i) {
			after[p] = max(after[p], node[p]+edge[[2]int{p, i}]+after[i])
		}
	}
	return before, after
}

// components returns the stages that grouped edges connect, ascending.
func (s *dittoJoint) components() [][]int {
	group := make([]int, len(s.job.Stages))
	for i := range group {
		group[i] = i
	}
	for _, e := range s.job.edges() {
		if !s.grouped.edges[e] {
			continue
		}
		low, high := min(group[e[0]], group[e[1]]), max(group[e[0]], group[e[1]])
		for i := range group {
			if group[i] == high {
				group[i] = low
			}
		}
	}
	members := make([][]int, len(group))
	for i, g := range group {
		members[g] = append(members[g], i)
	}
	return slices.DeleteFunc(members, func(m []int) bool { return len(m) == 0 })
}

// place puts every group onto the server whose free slots are the fewest that
// are enough (CAN_PLACE), the largest group first, and the tasks of stages
// that are alone wherever there is a slot. With TaskGroups a group whose
// stages gather is placed in parts.
func (s *dittoJoint) place(d []int) (placement [][]int, ok bool) {
	free := slices.Clone(s.Slots)
	placement = make([][]int, len(d))
	for i := range placement {
		placement[i] = make([]int, len(free))
	}
	var parts [][]int // tasks per stage that need one server
	for _, g := range s.components() {
		if len(g) > 1 {
			parts = append(parts, s.parts(g, d)...)
		}
	}
	size := func(part []int) (n int) {
		for _, tasks := range part {
			n += tasks
		}
		return n
	}
	slices.SortStableFunc(parts, func(a, b []int) int { return size(b) - size(a) })
	placed := make([]int, len(d))
	for _, part := range parts {
		best, need := -1, size(part)
		for k, n := range free {
			if n >= need && (best < 0 || n < free[best]) {
				best = k
			}
		}
		if best < 0 {
			return nil, false
		}
		free[best] -= need
		for i, tasks := range part {
			placement[i][best] += tasks
			placed[i] += tasks
		}
	}
	server := 0
	for i := range d {
		for placed[i] < d[i] {
			for free[server] == 0 {
				server++
			}
			free[server]--
			placement[i][server]++
			placed[i]++
		}
	}
	return placement, true
}

// parts returns what of a group has to be on one server: all of it, or with
// TaskGroups and only gather exchanges as many parts as its smallest stage has
// tasks.
func (s *dittoJoint) parts(group []int, d []int) [][]int {
	count := 1
	if s.TaskGroups && s.gathers(group) {
		count = d[group[0]]
		for _, i := range group {
			count = min(count, d[i])
		}
	}
	parts := make([][]int, count)
	for k := range parts {
		parts[k] = make([]int, len(d))
		for _, i := range group {
			// Spread so that parts differ by one task at most.
			parts[k][i] = d[i]*(k+1)/count - d[i]*k/count
		}
	}
	return parts
}

// gathers reports whether all grouped edges inside a group are gather
// exchanges.
func (s *dittoJoint) gathers(group []int) bool {
	for _, i := range group {
		for _, p := range s.job.parents(i) {
			if s.grouped.edges[[2]int{p, i}] && s.job.Stages[p].Exchange != Gather {
				return false
			}
		}
	}
	return true
}

// tasks returns the job as NIMBLE schedules it: set-up overlaps with the
// stages before, early reads wait for theirs, the other reads for the rest.
func (j *DittoJob) tasks(d []int, g sharing) []NimbleTask {
	tasks := make([]NimbleTask, len(j.Stages))
	for i, s := range j.Stages {
		x := j.divisor(i, d)
		setup := max(0, s.Setup.At(x))
		early := NimbleStep{Work: max(0, max(0, j.early(i, g).At(x))-setup)}
		rest := NimbleStep{Work: max(0, j.exec(i, g).At(x))}
		for _, r := range s.Reads {
			in := NimbleInput{From: r.From, Breaking: true}
			switch {
			case r.From < 0:
			case r.Early:
				early.Inputs = append(early.Inputs, in)
			default:
				rest.Inputs = append(rest.Inputs, in)
			}
		}
		tasks[i] = NimbleTask{Setup: setup, Steps: []NimbleStep{early, rest}}
	}
	return tasks
}
