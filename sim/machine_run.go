package sim

import (
	"math/rand/v2"
	"slices"

	"eevee/models"
	"eevee/models/asl"
)

// MachineRun is one simulated execution of a state machine. Its clock starts
// at 0 with the execution. It is valid until the function that it was handed
// to returns.
type MachineRun struct {
	Replication int
	Latency     float64 // s
	Cost        float64 // USD, of all invocations; without the transitions
	GBSeconds   float64
	Invocations int
	Transitions int    // states entered and retries
	Error       string // with which the execution failed; empty: it did not
	Tasks       []MachineTask
}

// MachineTask is one invocation in a MachineRun, in the order in which the
// executor came to them: branch by branch and item by item.
type MachineTask struct {
	State     *asl.State
	MemoryMB  int
	Item      int     // of the Map around it, from 0; -1: none
	Attempt   int     // from 0
	Scheduled float64 // s
	Start     float64 // s
	End       float64 // s
	Duration  float64 // s, of the function itself
	Init      float64 // s
	Billed    float64 // s
	Cost      float64 // USD
	Error     string  // empty: it succeeded
}

// ErrorHistory is the error of an execution that runs on beyond the 25,000
// events that AWS Step Functions keeps of a Standard execution: a loop that
// hardly ever ends.
const ErrorHistory = "States.ExceedHistory"

// maxTransitions bounds the states entered in an execution: each makes two
// events at least.
const maxTransitions = 25_000 / 2

// executor executes runs of a Machine on one core.
type executor struct {
	w     *Machine
	keep  bool
	run   *MachineRun
	cost  money
	ways  *rand.Rand // of choices and widths
	times *rand.Rand // of invocations
	waits *rand.Rand // of delays
}

// outcome is how a graph or a state ended.
type outcome struct {
	end   int64 // ns
	fresh bool  // no task has ended on this way yet
	err   string
}

func (x *executor) execute(streams models.Streams, replication int, run *MachineRun) {
	streams.Replication = uint64(replication)
	x.ways, x.times, x.waits = streams.New("ways"), streams.New("times"), streams.New("delays")
	*run = MachineRun{Replication: replication, Tasks: run.Tasks[:0]}
	x.run, x.cost = run, 0
	start := nanoseconds(x.w.delays.Start.Quantile(x.waits.Float64()))
	o := x.graph(&x.w.machine.Graph, max(0, start), true, -1)
	end := o.end + max(0, nanoseconds(x.w.delays.End.Quantile(x.waits.Float64())))
	if limit := x.w.machine.TimeoutS; limit > 0 && end > nanoseconds(limit) {
		end, o.err = nanoseconds(limit), asl.ErrorTimeout
	}
	run.Latency, run.Cost, run.Error = seconds(end), x.cost.usd(), o.err
}

// graph executes the states of a graph from its start.
func (x *executor) graph(g *asl.Graph, at int64, fresh bool, item int) outcome {
	o := outcome{end: at, fresh: fresh}
	var visits map[*asl.State]int
	for s := g.Start; s != nil; {
		if x.run.Transitions++; x.run.Transitions > maxTransitions {
			o.err = ErrorHistory
			return o
		}
		next := s.Next
		switch s.Type {
		case asl.Choice:
			to := s.Successors(false)
			next = to[0]
			if len(to) > 1 {
				if visits == nil {
					visits = make(map[*asl.State]int)
				}
				next = x.way(s, to, visits[s])
				visits[s]++
			}
		case asl.Fail:
			o.err = s.Error
			if o.err == "" {
				o.err = string(asl.Fail)
			}
			return o
		default:
			if o = x.state(s, o.end, o.fresh, item); o.err == "" {
				break
			}
			next = nil
			for _, c := range s.Catch {
				if asl.Matches(c.Errors, o.err) {
					next, o.err = c.To, ""
					break
				}
			}
			if o.err != "" {
				return o
			}
		}
		s = next
	}
	return o
}

// way draws the way out of a Choice.
func (x *executor) way(s *asl.State, to []*asl.State, visit int) *asl.State {
	odds := x.w.behaviour.Choices[s.ID]
	u := x.ways.Float64()
	last := to[0]
	for i, p := range odds.At(visit) {
		if p == 0 {
			continue
		}
		k := slices.IndexFunc(to, func(t *asl.State) bool { return t.Name == odds.To[i] })
		last = to[k]
		if u -= p; u < 0 {
			break
		}
	}
	return last
}

// state executes a state, and again as its retriers say.
func (x *executor) state(s *asl.State, at int64, fresh bool, item int) outcome {
	var tried []int // retries by retrier
	for attempt := 0; ; attempt++ {
		o := x.once(s, at, fresh, item, attempt)
		k := -1
		if o.err != "" && o.err != ErrorHistory {
			k = slices.IndexFunc(s.Retry, func(r asl.Retrier) bool { return asl.Matches(r.Errors, o.err) })
		}
		if k < 0 {
			return o
		}
		if tried == nil {
			tried = make([]int, len(s.Retry))
		}
		if tried[k]++; tried[k] > s.Retry[k].MaxAttempts {
			return o
		}
		delay := s.Retry[k].Delay(tried[k])
		if s.Retry[k].FullJitter {
			delay *= x.waits.Float64()
		}
		if x.run.Transitions++; x.run.Transitions > maxTransitions {
			o.err = ErrorHistory
			return o
		}
		at, fresh = o.end+nanoseconds(min(delay, longestStep)), o.fresh
	}
}

// once executes a state one time.
func (x *executor) once(s *asl.State, at int64, fresh bool, item, attempt int) outcome {
	o := outcome{end: at, fresh: fresh}
	switch s.Type {
	case asl.Wait:
		wait := s.WaitS
		if s.Dynamic {
			wait = x.w.behaviour.Waits[s.ID]
		}
		o.end += nanoseconds(wait)
	case asl.Task:
		if s.Lambda {
			return x.invoke(s, at, fresh, item, attempt)
		}
		o.end += nanoseconds(x.w.behaviour.Waits[s.ID])
		o.fresh = false
	case asl.Parallel:
		for _, b := range s.Branches {
			o = joined(o, x.graph(b, at, fresh, item))
		}
	case asl.Map:
		return x.items(s, at, fresh)
	}
	return o
}

// joined is how two graphs that ran side by side ended: with the later one, or
// with the first that failed, which aborts the others.
func joined(a, b outcome) outcome {
	switch {
	case a.err != "" && (b.err == "" || a.end <= b.end):
		return a
	case b.err != "":
		return b
	}
	return outcome{end: max(a.end, b.end), fresh: a.fresh && b.fresh}
}

// items executes a Map: its items start in their order, as soon as one of the
// iterations that run at a time ends.
func (x *executor) items(s *asl.State, at int64, fresh bool) outcome {
	n := s.Items.Known
	if w, ok := x.w.behaviour.Widths[s.ID]; ok {
		n = w.Items[len(w.Items)-1]
		u := x.ways.Float64()
		for i, p := range w.P {
			if u -= p; u < 0 {
				n = w.Items[i]
				break
			}
		}
	}
	if b := s.Items.Batch; b > 1 {
		n = (n + b - 1) / b
	}
	o := outcome{end: at, fresh: fresh}
	free := make([]int64, min(n, s.Items.Concurrency())) // when each iteration can start
	for i := range free {
		free[i] = at
	}
	for i := range n {
		k := 0
		for j := range free {
			if free[j] < free[k] {
				k = j
			}
		}
		ended := x.graph(&s.Items.Processor, free[k], fresh, i)
		free[k] = ended.end
		if o = joined(o, ended); o.err != "" && o.end <= slices.Min(free) {
			break // no item starts after the Map has failed
		}
	}
	return o
}

// invoke executes a Task on a function.
func (x *executor) invoke(s *asl.State, at int64, fresh bool, item, attempt int) outcome {
	f := x.w.functions[s.Function]
	d := &x.w.delays
	delay := func(sample *asl.Sample) int64 { return nanoseconds(sample.Quantile(x.waits.Float64())) }
	dispatch := &d.Dispatch
	scheduled := at
	if !fresh {
		dispatch = &d.Redispatch
		scheduled += max(0, delay(&d.Transition))
	}
	start := scheduled + max(0, delay(dispatch))
	r := f.invocations[x.times.IntN(len(f.invocations))]
	end := start + max(0, r.init+r.busy+delay(&d.Invoke))
	failure := r.failure
	if limit := nanoseconds(s.TimeoutS); limit > 0 && end-start > limit {
		end, failure = start+limit, asl.ErrorTimeout
	}
	bill := r.billed
	if bill < 0 {
		bill = r.busy
	}
	billed, cost := f.tariff.invoice(bill)
	x.cost += cost
	x.run.Invocations++
	x.run.GBSeconds += seconds(billed) * f.tariff.gb
	if x.keep {
		x.run.Tasks = append(x.run.Tasks, MachineTask{
			State: s, MemoryMB: f.memory, Item: item, Attempt: attempt,
			Scheduled: seconds(scheduled), Start: seconds(start), End: seconds(end),
			Duration: seconds(r.busy), Init: seconds(r.init), Billed: seconds(billed), Cost: cost.usd(), Error: failure,
		})
	}
	return outcome{end: end, err: failure}
}
