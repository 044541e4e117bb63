package sim

import (
	"cmp"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"eevee/models"
	"eevee/models/asl"
	"eevee/traces"
)

// Machine is a state machine that can be executed: its states, what data and
// platform decide about them, and recorded invocations of its functions.
//
// An execution goes through the states as AWS Step Functions does: branches and
// items run side by side, as many items at a time as the Map allows, waits
// take their time, a task that fails is retried and caught as its state says.
// Which way a Choice goes and how many items a Map gets is drawn from the
// behaviour. An invocation of a function takes one of its recorded durations,
// whatever happened before it, and what the orchestrator adds is drawn from
// the behaviour's delays.
type Machine struct {
	machine   *asl.Machine
	behaviour *asl.Behaviour
	delays    asl.Delays
	functions map[string]*recordedFunction
	warnings  []string
}

// recordedFunction is the recorded invocations of a function at one size.
type recordedFunction struct {
	name        string
	memory      int
	invocations []recordedInvocation
	sizes       []int // all that were recorded, ascending
	tariff      tariff
}

// recordedInvocation is what one invocation did.
type recordedInvocation struct {
	init, busy int64  // ns
	billed     int64  // ns; -1: not known
	failure    string // name of the error; empty: none
}

// NewMachine makes a state machine executable. Its functions are looked up
// among the invocation rows by the name of the function. Memory says at which
// size in MB a function runs; a function that is not in it runs at the size
// that most of its rows have.
//
// The errors name everything that is missing: odds, widths and waits of the
// behaviour, functions without rows, sizes that were not recorded.
func NewMachine(m *asl.Machine, b *asl.Behaviour, rows []traces.Record, memory map[string]int) (*Machine, error) {
	w := &Machine{machine: m, behaviour: b, functions: make(map[string]*recordedFunction)}
	var errs []error
	if err := b.Check(m); err != nil {
		errs = append(errs, err)
	}
	for _, what := range b.Unknown(m) {
		errs = append(errs, fmt.Errorf("the behaviour does not say %s", what))
	}
	users := make(map[string][]string)
	for _, s := range m.States() {
		if s.Lambda {
			users[s.Function] = append(users[s.Function], s.ID)
		}
	}
	bySize := make(map[string]map[int][]recordedInvocation)
	for k := range rows {
		r := &rows[k]
		if r.Statistic != traces.Invocation || r.Function == nil || users[*r.Function] == nil {
			continue
		}
		x, known, err := invocationOf(r)
		if err != nil {
			return nil, fmt.Errorf("machine %s: row %d: %w", m.Name, k, err)
		}
		if !known {
			continue
		}
		if bySize[*r.Function] == nil {
			bySize[*r.Function] = make(map[int][]recordedInvocation)
		}
		bySize[*r.Function][int(r.MemoryMB)] = append(bySize[*r.Function][int(r.MemoryMB)], x)
	}
	for _, name := range slices.Sorted(maps.Keys(users)) {
		f, err := chooseSize(name, bySize[name], memory[name])
		if err != nil {
			errs = append(errs, fmt.Errorf("%w (states %s)", err, strings.Join(users[name], ", ")))
			continue
		}
		w.functions[name] = f
	}
	for _, name := range slices.Sorted(maps.Keys(memory)) {
		if users[name] == nil {
			errs = append(errs, fmt.Errorf("a size is given for function %q, which the machine does not invoke", name))
		}
	}
	if err := errors.Join(errs...); err != nil {
		return nil, fmt.Errorf("machine %s: %w", m.Name, err)
	}
	w.warn()
	return w, nil
}

// invocationOf returns what a row says about an invocation, and whether it says
// how long it took.
func invocationOf(r *traces.Record) (x recordedInvocation, known bool, err error) {
	if r.DurationUS == nil && r.Compute == nil {
		return x, false, nil
	}
	s, err := steps(r)
	if err != nil {
		return x, false, err
	}
	x = recordedInvocation{busy: nanoseconds(s.Exec()), billed: -1}
	if r.DurationUS != nil {
		x.busy = *r.DurationUS * 1000
	}
	if r.BilledMS != nil {
		x.billed = *r.BilledMS * 1_000_000
	}
	for _, us := range []*int64{r.InitUS, r.RestoreUS} {
		if us != nil {
			x.init += *us * 1000
		}
	}
	if x.busy < 0 || x.init < 0 || max(x.busy, x.init) > nanoseconds(longestStep) {
		return x, false, fmt.Errorf("duration_us or init_us is negative or longer than %v s", float64(longestStep))
	}
	if r.Status != nil && !succeededStatus(*r.Status) {
		x.failure = errorUnknown
		switch {
		case r.ErrorType != nil:
			x.failure = *r.ErrorType
		case strings.EqualFold(*r.Status, "timeout"):
			x.failure = ErrorTimeout
		}
	}
	return x, true, nil
}

// succeededStatus reports whether the status of a row means that all went well.
func succeededStatus(status string) bool {
	return slices.Contains([]string{"", "success", "succeeded", "ok"}, strings.ToLower(status))
}

// chooseSize picks the size that a function runs at.
func chooseSize(name string, bySize map[int][]recordedInvocation, memory int) (*recordedFunction, error) {
	sizes := slices.Sorted(maps.Keys(bySize))
	if len(sizes) == 0 {
		return nil, fmt.Errorf("no recorded invocation of function %q", name)
	}
	f := &recordedFunction{name: name, memory: memory, sizes: sizes}
	if memory == 0 {
		f.memory = slices.MaxFunc(sizes, func(a, b int) int {
			return cmp.Or(cmp.Compare(len(bySize[a]), len(bySize[b])), cmp.Compare(b, a))
		})
	}
	if f.invocations = bySize[f.memory]; len(f.invocations) == 0 {
		return nil, fmt.Errorf("function %q was not recorded at %d MB; it was at %v", name, f.memory, sizes)
	}
	return f, nil
}

// fewInvocations is the number of recorded invocations below which the p95 of
// what is resampled rests on less than a handful of them.
const fewInvocations = 100

func (w *Machine) warn() {
	note := func(format string, args ...any) { w.warnings = append(w.warnings, fmt.Sprintf(format, args...)) }
	for _, name := range slices.Sorted(maps.Keys(w.functions)) {
		f := w.functions[name]
		if n := len(f.invocations); n < fewInvocations {
			note("function %s: only %d recorded invocations at %d MB", name, n, f.memory)
		}
	}
	if w.behaviour.Delays == nil {
		note("nothing is known of the orchestrator's delays; they count as 0")
	} else {
		w.delays = *w.behaviour.Delays
		for _, s := range w.delays.Samples() {
			if s.N == 0 {
				note("delays: %s was not recorded and counts as 0", s.Name)
			}
		}
	}
	for _, s := range w.machine.States() {
		if s.Lambda && s.Callback {
			note("state %q waits for a callback after its function; that time is not simulated", s.ID)
		}
	}
}

// price applies a price book to all functions.
func (w *Machine) price(p models.PriceBook) {
	for _, f := range w.functions {
		vcpu := 0.0
		if p.MBPerVCPU > 0 {
			vcpu = float64(f.memory) / p.MBPerVCPU
		}
		f.tariff = newTariff(p, models.StageConfig{Memory: f.memory, VCPU: vcpu, Parallelism: 1})
	}
}
