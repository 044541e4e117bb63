package asl

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"os"
	"slices"
)

// BehaviourSchema names the JSON form of a Behaviour; see
// experiments/schemas/behaviour.schema.json.
const BehaviourSchema = "eevee.behaviour/1"

// Behaviour is what data and the platform decide about the states of a
// machine. Learn estimates it; a user may write it by hand. What is not known
// is not there.
type Behaviour struct {
	Schema  string             `json:"schema"`
	Machine string             `json:"machine,omitempty"` // name of the machine
	Source  string             `json:"source,omitempty"`  // where the figures come from
	Choices map[string]Odds    `json:"choices"`           // by ID of a Choice
	Widths  map[string]Widths  `json:"widths"`            // by ID of a Map
	Waits   map[string]float64 `json:"waits_s,omitempty"` // by ID of a dynamic Wait, or of a Task that invokes no function, in seconds
	Delays  *Delays            `json:"delays,omitempty"`  // of the orchestrator; nil: none
}

// Odds are the probabilities of the ways out of a Choice.
//
// Row k of P holds for visit k, from 0, within one execution of the graph that
// the Choice is in; the last row holds for all later visits too. A loop that
// always runs three times has three rows, one that forgets how often it ran
// has one.
type Odds struct {
	To []string    `json:"to"` // names of the states that follow, without repetition
	P  [][]float64 `json:"p"`
	N  []int       `json:"n,omitempty"` // recorded visits behind every row; none: not recorded
}

// At returns the probabilities for a visit, from 0.
func (o Odds) At(visit int) []float64 { return o.P[min(visit, len(o.P)-1)] }

// Pooled returns the probabilities over all recorded visits, those of the first
// visit where the number of visits is not known.
func (o Odds) Pooled() []float64 {
	if len(o.N) == 0 {
		return o.P[0]
	}
	n := 0.0
	pooled := make([]float64, len(o.To))
	for k, row := range o.P {
		n += float64(o.N[k])
		for i, p := range row {
			pooled[i] += p * float64(o.N[k])
		}
	}
	for i := range pooled {
		pooled[i] /= n
	}
	return pooled
}

// shares puts a row of probabilities into the order of the given states.
func (o Odds) shares(row []float64, to []*State) []float64 {
	list := make([]float64, len(to))
	for k, t := range to {
		if i := slices.Index(o.To, t.Name); i >= 0 {
			list[k] = row[i]
		}
	}
	return list
}

// Widths is how many items a Map gets: a distribution.
type Widths struct {
	Items []int     `json:"items"` // ascending
	P     []float64 `json:"p"`     // probability of each
	N     int       `json:"n,omitempty"`
}

// Quantile returns the smallest number of items that at least the share p of
// the runs do not exceed.
func (w Widths) Quantile(p float64) int {
	sum := 0.0
	for i, share := range w.P {
		if sum += share; sum >= p-1e-9 {
			return w.Items[i]
		}
	}
	return w.Items[len(w.Items)-1]
}

// Mean returns the mean number of items.
func (w Widths) Mean() float64 {
	mean := 0.0
	for i, share := range w.P {
		mean += share * float64(w.Items[i])
	}
	return mean
}

// Delays are what the orchestrator adds to the functions' own time: empirical
// distributions, all in seconds.
type Delays struct {
	Start      Sample `json:"start_s"`      // execution started to its first task scheduled
	Dispatch   Sample `json:"dispatch_s"`   // first task of an execution scheduled to started
	Redispatch Sample `json:"redispatch_s"` // the same for later tasks
	Invoke     Sample `json:"invoke_s"`     // time of a started task beyond the function's own duration
	Transition Sample `json:"transition_s"` // task ended to the next one scheduled
	End        Sample `json:"end_s"`        // last task ended to execution ended
}

// Sample is an empirical distribution as its values at equally spaced
// quantiles, the smallest first and the largest last; none: always 0.
type Sample struct {
	N      int       `json:"n"` // recorded values behind it
	Values []float64 `json:"values"`
}

// Quantile returns the value at p, 0 <= p < 1, interpolated.
func (s Sample) Quantile(p float64) float64 {
	n := len(s.Values)
	if n == 0 {
		return 0
	}
	h := p * float64(n-1)
	i := int(h)
	if i+1 >= n {
		return s.Values[n-1]
	}
	return s.Values[i] + (h-float64(i))*(s.Values[i+1]-s.Values[i])
}

// LoadBehaviour reads a behaviour file and checks it against the machine.
func LoadBehaviour(path string, m *Machine) (*Behaviour, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	return ParseBehaviour(path, text, m)
}

// ParseBehaviour reads the JSON form of a Behaviour. The text is named from in
// errors; all defects are reported.
func ParseBehaviour(from string, text []byte, m *Machine) (*Behaviour, error) {
	var b Behaviour
	d := json.NewDecoder(bytes.NewReader(text))
	d.DisallowUnknownFields()
	if err := d.Decode(&b); err != nil {
		return nil, fmt.Errorf("%s: not a behaviour: %w", from, err)
	}
	if b.Schema != BehaviourSchema {
		return nil, fmt.Errorf("%s: schema %q is not %q", from, b.Schema, BehaviourSchema)
	}
	if err := b.Check(m); err != nil {
		return nil, fmt.Errorf("%s: %w", from, err)
	}
	return &b, nil
}

// probabilityError is how far probabilities may be from adding up to 1.
const probabilityError = 1e-6

// Check returns everything in which the behaviour does not fit the machine.
func (b *Behaviour) Check(m *Machine) error {
	var errs []error
	defect := func(format string, args ...any) { errs = append(errs, fmt.Errorf(format, args...)) }
	find := func(what, id string, t Type) *State {
		s, ok := m.Lookup(id)
		if !ok || s.Type != t {
			defect("%s: the machine has no %s state %q", what, t, id)
			return nil
		}
		return s
	}
	sums := func(what, id string, p []float64) {
		sum := 0.0
		for _, x := range p {
			if !(x >= 0) {
				defect("%s of %q: probability %v", what, id, x)
			}
			sum += x
		}
		if !(math.Abs(sum-1) <= probabilityError) {
			defect("%s of %q: the probabilities add up to %v, not 1", what, id, sum)
		}
	}
	for _, id := range sortedKeys(b.Choices) {
		o := b.Choices[id]
		s := find("choices", id, Choice)
		if s == nil {
			continue
		}
		if len(o.P) == 0 || len(o.N) > 0 && len(o.N) != len(o.P) {
			defect("choices of %q: %d rows p and %d of n", id, len(o.P), len(o.N))
		}
		for _, to := range o.To {
			if !s.leadsTo(to) {
				defect("choices of %q: it does not lead to %q", id, to)
			}
		}
		for _, row := range o.P {
			if len(row) != len(o.To) {
				defect("choices of %q: %d probabilities for %d states", id, len(row), len(o.To))
				continue
			}
			sums("choices", id, row)
		}
	}
	for _, id := range sortedKeys(b.Widths) {
		w := b.Widths[id]
		if find("widths", id, Map) == nil {
			continue
		}
		if len(w.Items) == 0 || len(w.Items) != len(w.P) {
			defect("widths of %q: %d numbers of items and %d probabilities", id, len(w.Items), len(w.P))
			continue
		}
		for i, n := range w.Items {
			if n < 0 || n > MaxItems || i > 0 && n <= w.Items[i-1] {
				defect("widths of %q: numbers of items ascend from 0 to %d; %d does not fit", id, MaxItems, n)
			}
		}
		sums("widths", id, w.P)
	}
	for _, id := range sortedKeys(b.Waits) {
		if s, ok := m.Lookup(id); !ok || !s.takesGivenTime() {
			defect("waits_s: the machine has no dynamic Wait %q, and no Task of this name that invokes no function", id)
		} else if !(b.Waits[id] >= 0 && b.Waits[id] <= maxWaitS) {
			defect("waits_s of %q: %v s", id, b.Waits[id])
		}
	}
	if b.Delays != nil {
		b.Delays.check(defect)
	}
	return errors.Join(errs...)
}

// takesGivenTime reports whether only a Behaviour can say how long a state
// takes.
func (s *State) takesGivenTime() bool {
	return s.Type == Wait && s.Dynamic || s.Type == Task && !s.Lambda
}

// maxWaitS bounds a wait: a Standard execution takes a year at most.
const maxWaitS = 366 * 24 * 3600

// MaxItems is the largest number of items of a Map that a Behaviour may have.
const MaxItems = 1_000_000

func (d *Delays) check(defect func(format string, args ...any)) {
	for _, s := range d.Samples() {
		for i, x := range s.Values {
			if math.IsNaN(x) || math.IsInf(x, 0) || i > 0 && x < s.Values[i-1] {
				defect("delays: %s: values ascend and are finite; value %d is %v", s.Name, i+1, x)
				break
			}
		}
	}
}

// NamedSample is a Sample with its name in JSON.
type NamedSample struct {
	Name string
	*Sample
}

// Samples returns the delays in the order in which an execution meets them.
func (d *Delays) Samples() []NamedSample {
	return []NamedSample{
		{"start_s", &d.Start}, {"dispatch_s", &d.Dispatch}, {"redispatch_s", &d.Redispatch},
		{"invoke_s", &d.Invoke}, {"transition_s", &d.Transition}, {"end_s", &d.End},
	}
}

// leadsTo reports whether one of the ways out of a Choice leads to the state of
// that name.
func (s *State) leadsTo(name string) bool {
	for _, w := range s.Ways {
		if w.To.Name == name {
			return true
		}
	}
	return false
}

// Unknown says what the machine needs of a behaviour and b does not have, one
// line each: odds of a Choice with more than one target, widths of a Map whose
// items the text does not list, the time of a dynamic Wait and of a Task that
// invokes no function.
func (b *Behaviour) Unknown(m *Machine) []string {
	var list []string
	for _, s := range m.States() {
		switch s.Type {
		case Choice:
			if _, ok := b.Choices[s.ID]; !ok && len(s.Successors(false)) > 1 {
				list = append(list, fmt.Sprintf("how often Choice %q takes which way (choices)", s.ID))
			}
		case Map:
			if _, ok := b.Widths[s.ID]; !ok && s.Items.Known < 0 {
				list = append(list, fmt.Sprintf("how many items Map %q gets (widths)", s.ID))
			}
		case Wait:
			if _, ok := b.Waits[s.ID]; !ok && s.Dynamic {
				list = append(list, fmt.Sprintf("how long Wait %q takes (waits_s)", s.ID))
			}
		case Task:
			if _, ok := b.Waits[s.ID]; !ok && !s.Lambda {
				list = append(list, fmt.Sprintf("how long Task %q takes, which invokes no function (waits_s)", s.ID))
			}
		}
	}
	return list
}
