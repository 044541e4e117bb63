package sim

import (
	"fmt"
	"math"
	"math/rand/v2"

	"gonum.org/v1/gonum/stat/distuv"

	"eevee/models"
)

// Arrivals are the instants at which executions of a workflow are asked for.
type Arrivals interface {
	// Next returns the next instant in ns since the start, which is not
	// before the last one, or false where there is none. It allocates
	// nothing.
	Next() (at int64, ok bool)
}

// ArrivalProcess describes arrivals; see ParseArrivals.
type ArrivalProcess interface {
	// String returns the text that ParseArrivals reads.
	String() string

	// MeanRate returns the mean number of arrivals per second, 0 where it
	// follows from the simulation.
	MeanRate() float64

	check() error
}

// OpenProcess is an ArrivalProcess that does not look at what the simulation
// does.
type OpenProcess interface {
	ArrivalProcess

	// Open returns the arrivals, which draw from streams of their own.
	Open(models.Streams) Arrivals
}

// clock adds times in seconds to an instant in ns and carries the fraction on,
// so that rounding does not add up.
type clock struct {
	ns   int64
	rest float64 // ns, below 1
}

// maxInstant bounds instants, ns: 2^62, about 146 years.
const maxInstant = math.MaxInt64 / 2

// add moves the clock and reports whether the instant can be told.
func (c *clock) add(seconds float64) bool {
	ns := seconds*1e9 + c.rest
	if !(ns < maxInstant) || c.ns > maxInstant-int64(ns) {
		return false
	}
	whole := int64(ns)
	c.ns += whole
	c.rest = ns - float64(whole)
	return true
}

// Poisson arrivals are independent of each other.
type Poisson struct{ Rate float64 } // 1/s

// Open returns the arrivals.
func (p Poisson) Open(s models.Streams) Arrivals {
	return &poisson{mean: 1 / p.Rate, stream: s.New("arrivals")}
}

// MeanRate returns the rate.
func (p Poisson) MeanRate() float64 { return p.Rate }

type poisson struct {
	clock
	mean   float64 // s
	stream *rand.Rand
}

func (p *poisson) Next() (int64, bool) {
	ok := p.add(p.stream.ExpFloat64() * p.mean)
	return p.ns, ok
}

// Gamma arrivals are apart from each other by independent gamma distributed
// times. A CV above 1 makes bursts, below 1 it makes the arrivals more regular
// than Poisson; with 1 they are Poisson.
type Gamma struct {
	Rate float64 // 1/s
	CV   float64 // coefficient of variation of the times between arrivals
}

// Open returns the arrivals.
func (g Gamma) Open(s models.Streams) Arrivals {
	shape := 1 / (g.CV * g.CV)
	return &gamma{gap: distuv.Gamma{Alpha: shape, Beta: shape * g.Rate, Src: s.New("arrivals")}}
}

// MeanRate returns the rate.
func (g Gamma) MeanRate() float64 { return g.Rate }

type gamma struct {
	clock
	gap distuv.Gamma // s
}

func (g *gamma) Next() (int64, bool) {
	ok := g.add(g.gap.Rand())
	return g.ns, ok
}

// MMPP is a Markov-modulated Poisson process: arrivals are Poisson at the rate
// of the current phase. The phases follow each other in their order, and the
// first follows the last; each lasts an exponential time. The process starts in
// a phase drawn by the share of time the phases have.
type MMPP struct{ Phases []Phase }

// Phase is a phase of an MMPP.
type Phase struct {
	Rate float64 // 1/s; 0: no arrivals
	Mean float64 // mean duration, s
}

// MeanRate returns the mean over the phases.
func (m MMPP) MeanRate() float64 {
	arrivals, time := 0.0, 0.0
	for _, p := range m.Phases {
		arrivals += p.Rate * p.Mean
		time += p.Mean
	}
	return arrivals / time
}

// Open returns the arrivals.
func (m MMPP) Open(s models.Streams) Arrivals {
	a := &mmpp{phases: m.Phases, stream: s.New("arrivals")}
	total := 0.0
	for _, p := range m.Phases {
		total += p.Mean
	}
	u := a.stream.Float64() * total
	for k, p := range m.Phases {
		a.phase = k
		if u -= p.Mean; u < 0 {
			break
		}
	}
	a.left = a.stream.ExpFloat64() * m.Phases[a.phase].Mean
	return a
}

type mmpp struct {
	clock
	phases []Phase
	phase  int
	left   float64 // s of the phase
	stream *rand.Rand
}

func (m *mmpp) Next() (int64, bool) {
	wait := 0.0
	for {
		p := &m.phases[m.phase]
		gap := math.Inf(1)
		if p.Rate > 0 {
			gap = m.stream.ExpFloat64() / p.Rate
		}
		if gap < m.left {
			m.left -= gap
			ok := m.add(wait + gap)
			return m.ns, ok
		}
		wait += m.left
		if wait > maxInstant/1e9 {
			return m.ns, false
		}
		m.phase = (m.phase + 1) % len(m.phases)
		m.left = m.stream.ExpFloat64() * m.phases[m.phase].Mean
	}
}

// Closed is a closed loop: each of the users waits, asks for an execution, and
// starts over when it has ended. Its arrivals follow from the simulation.
type Closed struct {
	Users int
	Think float64 // mean time a user waits, s; 0: none
	Fixed bool    // the time is always the mean; else it is exponential
}

// MeanRate returns 0: the rate follows from the simulation.
func (c Closed) MeanRate() float64 { return 0 }

// Draw draws a time to think in seconds.
func (c Closed) Draw(stream *rand.Rand) float64 {
	if c.Fixed || c.Think == 0 {
		return c.Think
	}
	return stream.ExpFloat64() * c.Think
}

// check of the processes that need no file.

func (p Poisson) check() error { return checkRate(p.Rate) }

func (g Gamma) check() error {
	if err := checkRate(g.Rate); err != nil {
		return err
	}
	if !(g.CV >= minCV && g.CV <= maxCV) {
		return fmt.Errorf("cv %v is not from %v to %v", g.CV, minCV, maxCV)
	}
	return nil
}

// minCV and maxCV bound the coefficient of variation of Gamma arrivals: beyond
// them the times between arrivals are constant, or all but a few are 0.
const minCV, maxCV = 0.001, 100

func (m MMPP) check() error {
	if len(m.Phases) == 0 {
		return fmt.Errorf("no phase; write 1/s@60s,20/s@5s")
	}
	for k, p := range m.Phases {
		switch {
		case !(p.Rate >= 0) || math.IsInf(p.Rate, 0):
			return fmt.Errorf("phase %d: rate %v/s is not a number of at least 0", k+1, p.Rate)
		case !(p.Mean > 0) || math.IsInf(p.Mean, 0):
			return fmt.Errorf("phase %d: duration %v s is not above 0", k+1, p.Mean)
		}
	}
	return checkRate(m.MeanRate())
}

func (c Closed) check() error {
	switch {
	case c.Users < 1 || c.Users > maxUsers:
		return fmt.Errorf("%d users; need 1 to %d", c.Users, maxUsers)
	case !(c.Think >= 0) || math.IsInf(c.Think, 0):
		return fmt.Errorf("think %v s is not a time of at least 0", c.Think)
	}
	return nil
}

// maxUsers bounds the users of a closed loop, each of which has an event of its
// own in the kernel.
const maxUsers = 1_000_000

func checkRate(rate float64) error {
	if !(rate > 0 && rate <= maxRate) {
		return fmt.Errorf("rate %v/s is not above 0 and at most %v/s", rate, float64(maxRate))
	}
	return nil
}

// maxRate bounds the arrivals per second: at it, they are a nanosecond apart.
const maxRate = 1e9
