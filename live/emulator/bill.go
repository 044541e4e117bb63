package emulator

import (
	"slices"
	"time"

	"eevee/models"
)

// Charge is what one invocation costs.
type Charge struct {
	RequestID string
	Function  string
	Version   string
	MemoryMB  int
	Cold      bool
	Billed    time.Duration // rounded up to 1 ms, initialisation included
	USD       float64
}

// Bill is what AWS would have charged.
type Bill struct {
	Invocations    []Charge // in the order in which they ended
	Transitions    int      // of standard state machines
	InvocationsUSD float64
	TransitionsUSD float64
}

// USD is the sum of the bill.
func (b Bill) USD() float64 { return b.InvocationsUSD + b.TransitionsUSD }

// Bill returns the bill so far: every invocation that ran, whether its caller
// got an answer or not.
func (e *Emulator) Bill() Bill {
	e.mu.Lock()
	defer e.mu.Unlock()
	b := e.bill
	b.Invocations = slices.Clone(b.Invocations)
	return b
}

// charge adds an invocation to the bill. The caller holds e.mu.
func (e *Emulator) charge(j job, o *outcome) {
	c := Charge{
		RequestID: j.id, Function: j.version.of.name, Version: j.version.number, MemoryMB: j.settings.Memory, Cold: j.cold, Billed: o.billed(),
	}
	c.USD = e.options.Price.Invocation(models.StageConfig{Memory: c.MemoryMB, Parallelism: 1}, c.Billed.Seconds())
	e.bill.Invocations = append(e.bill.Invocations, c)
	e.bill.InvocationsUSD += c.USD
}
