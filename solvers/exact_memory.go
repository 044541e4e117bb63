package solvers

import (
	"math"
	"sync"
)

// The memory that exact takes: for columns, and for what it makes of them for
// lists of choices, at most this much each. What does not fit is computed again
// when it is asked for. The searches of one aim share it.
const (
	maxBytes = 160 << 20
	maxKept  = 96 << 20 / 8
)

// MaxMemory is how many bytes a search of Exact takes at most, apart from the
// draws of the scenarios that it looks at most.
const MaxMemory = 512 << 20

// room is how many more numbers columns may keep.
type room struct{ left int }

func (r *room) take(numbers int) bool {
	if r.left < numbers {
		return false
	}
	r.left -= numbers
	return true
}

// spare holds the slabs of searches that have ended, a sync.Pool for every size,
// for the next search of as many scenarios: to clear fresh ones, and to collect
// them, takes about as long as to compute what they hold. What is not asked for
// is collected.
var spare sync.Map

func spareOf(size int) *sync.Pool {
	pool, ok := spare.Load(size)
	if !ok {
		pool, _ = spare.LoadOrStore(size, new(sync.Pool))
	}
	return pool.(*sync.Pool)
}

// takeSlab returns room for so many numbers, which may be any.
func takeSlab(size int) []float64 {
	if of, ok := spareOf(size).Get().(*[]float64); ok {
		return *of
	}
	return make([]float64, size)
}

// giveSlab takes it back. Nothing may be read from it afterwards.
func giveSlab(of []float64) { spareOf(len(of)).Put(&of) }

// release forgets the columns of a search, and gives their room back. What it
// has found stays; it cannot be asked for figures any more.
func (s *search) release() {
	if s.table == nil {
		return
	}
	for _, v := range s.table.views {
		s.table.room.left += slab * v.n * len(v.slabs)
		for _, slab := range v.slabs {
			giveSlab(slab)
		}
	}
	s.table, s.lists, s.overInputs, s.linear, s.cuts = nil, nil, nil, nil, nil
	if s.mixture != nil {
		s.mixture = &mixture{flow: s.mixture.flow}
	}
	s.beside = nil
}

// Memory returns how many bytes Exact takes at most to solve a problem, beside
// the problem itself and what the collector has not freed yet; 0 where the aim
// cannot be judged on the sample.
func (Exact) Memory(p *Problem) int64 {
	demands, err := p.Demands()
	if err != nil {
		return 0
	}
	e := extent{problem: p, n: p.Scenarios.Len(), stages: p.Workflow().Len(), searches: 1}
	e.count(demands)
	return 8 * (e.tables() + e.sums() + e.draws() + e.lists() + e.queue())
}

// extent is how large the tables of a problem can become, in numbers of 8 bytes.
type extent struct {
	problem  *Problem
	n        int
	stages   int
	columns  int
	searches int // that have their tables at the same time
	hard     int // leading scenarios
	beside   int // rows of the sides and pairings of one search
	views    int // of one search
}

// count fills in what follows from the space and from the bounds.
func (e *extent) count(demands []Demand) {
	p := e.problem
	e.columns, e.views = numbers(p), 4
	ranks := []int{}
	for _, d := range demands {
		ranks = append(ranks, d.Allowed)
	}
	if p.Percentile != 0 {
		ranks = append(ranks, p.objectiveRank(e.n))
	}
	for _, k := range ranks {
		e.hard = max(e.hard, hardRows(e.n, k))
	}
	if p.Plain() == nil {
		return
	}
	e.searches = 3 // the best one so far, the one it is compared with, and what looks for a first answer to that
	for _, k := range ranks {
		e.beside += hardRows(e.n, k)
		e.views++
	}
	// Pairings are of two bounds, or of a percentile and every bound.
	pairs := 1
	if p.Percentile != 0 {
		pairs = len(demands)
	}
	spare := 0
	for _, k := range ranks {
		for _, l := range ranks {
			spare = max(spare, k+l)
		}
	}
	e.beside += 2 * pairs * pairRows(e.n, spare)
	e.views += 2 * pairs
}

// rows returns how many scenarios the views of a search have together.
func (e *extent) rows() int {
	rows := e.n + e.hard + e.beside
	if thin := thinRows(e.n); thin < e.n {
		rows += thin
	}
	return rows
}

// tables returns the columns of both metrics, in whole slabs, and where they are.
func (e *extent) tables() int64 {
	columns := int64(e.searches) * int64(e.rows()) * int64(2*e.columns+slab)
	headers := int64(e.searches) * int64(e.views) * 3 * 2 * int64(e.columns)
	return min(maxBytes/8, columns) + headers
}

// sums returns the figures of single columns: means, linearised latency and what
// was made of it, cuts.
func (e *extent) sums() int64 { return int64(e.searches) * 20 * int64(e.columns) }

// draws returns the parameters of the scenarios that were selected, and what
// mixtures of choices take in every one.
func (e *extent) draws() int64 {
	const parameters = 6 // of a stage in a scenario, at most
	selected := e.rows() - e.n + e.hard
	return int64(e.searches) * int64(e.stages) * int64(parameters*selected+4*e.n)
}

// lists returns what is kept of lists of choices: what a node makes is counted
// when the next one begins.
func (e *extent) lists() int64 {
	node, over := int64(0), int64(0)
	for i := range e.stages {
		items := int64(len(e.problem.Space.Choices(i)))
		node += 7*items + int64(2*e.n+5*e.hard+5*e.beside)
		over += items * int64(e.hard)
	}
	return int64(keptOf(e.columns, e.n)) + node + over
}

// keptOf returns how many numbers lists keep of so many columns of n scenarios,
// before they are forgotten.
func keptOf(columns, n int) int { return min(maxKept, 8*columns*n) }

// queue returns what the open nodes of a best-first search take, or the open
// parts of a divided space.
func (e *extent) queue() int64 {
	size := 0.0
	for i := range e.stages {
		size += math.Log(float64(len(e.problem.Space.Choices(i))))
	}
	if size <= largeSpace {
		return 0
	}
	return int64(queueSize(e.stages))
}

func queueSize(stages int) int { return maxQueue * (10*stages + 24) }

// openParts returns how many parts of a divided space fit into the same.
func (s *search) openParts() int {
	size := 32
	for i, dead := range s.dead {
		size += 8 + len(s.mean[Latency][i]) + len(dead)/4
	}
	return queueSize(len(s.dead)) / size
}
