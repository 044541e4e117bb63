package live

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"

	"eevee/models"
	"eevee/traces"
)

// runner executes what a session planned.
type runner struct {
	session *Session
	client  *Client
	stand   *stand
	rec     *recording
	bill    *Bill
	slots   chan struct{} // one for every invocation that may be in flight

	machineARN string          // of the copy that executes the current configuration
	claimed    map[string]bool // requests that belong to an execution of a state machine

	mu  sync.Mutex
	out Outcome
}

func newRunner(s *Session, on *stand, rec *recording) *runner {
	return &runner{
		session: s, client: s.client, stand: on, rec: rec, bill: NewBill(s.request.MaxSpendUSD),
		slots: make(chan struct{}, s.client.settings.Concurrency), claimed: make(map[string]bool),
		out: Outcome{Executions: []Execution{}, Warnings: []string{}},
	}
}

func (r *runner) outcome() Outcome {
	r.out.Spend = r.bill.Spend()
	return r.out
}

// ns returns an instant in nanoseconds since the epoch, by a clock that nobody
// sets while the session lasts.
func (r *runner) ns(t time.Time) int64 {
	return r.session.began.UnixNano() + int64(t.Sub(r.session.began))
}

// warn says something once.
func (r *runner) warn(format string, args ...any) {
	text := fmt.Sprintf(format, args...)
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, known := range r.out.Warnings {
		if known == text {
			return
		}
	}
	r.out.Warnings = append(r.out.Warnings, text)
}

const (
	mostFailures = 3  // executions that may fail one after the other
	flushEvery   = 20 // executions, at least, after which the trace is written
)

// all executes every configuration.
func (r *runner) all(ctx context.Context, progress func()) error {
	q := &r.session.request
	failures := 0
	for k, c := range q.Configs {
		if r.session.machine != nil {
			var err error
			if r.machineARN, err = r.stand.copyMachine(ctx, r.session, k); err != nil {
				return err
			}
		}
		for n := range q.WarmUps + q.Runs {
			epoch := max(0, n-q.WarmUps+1)
			if err := ctx.Err(); err != nil {
				return errInterrupted
			}
			_, worst := r.session.runCost(c)
			if err := r.bill.Reserve(worst); err != nil {
				return fmt.Errorf("live: ended after %d executions: %w", len(r.out.Executions), err)
			}
			e, rows, end := r.execute(ctx, c, fmt.Sprintf("%s-%d-%d", r.session.run, k+1, n), epoch, worst)
			r.out.Executions = append(r.out.Executions, e)
			r.rec.add(rows...)
			if failures++; e.Status == succeeded {
				failures = 0
			}
			switch {
			case end != nil:
				return end
			case ctx.Err() != nil:
				return errInterrupted
			case failures == mostFailures:
				return fmt.Errorf("live: ended after %d executions: %d failed one after the other, the last one: %s", len(r.out.Executions), failures, e.Error)
			}
			if n%flushEvery == flushEvery-1 {
				if err := r.rec.flush(); err != nil {
					return err
				}
			}
			progress()
		}
		if err := r.rec.flush(); err != nil {
			return err
		}
	}
	return nil
}

// execute executes a configuration once, within what is reserved for it. The
// rows of an execution that failed are left out but for the one about the whole
// run: a stage that is half there would look like a narrower one. end is why no
// further execution is to be begun.
func (r *runner) execute(ctx context.Context, c models.Config, name string, epoch int, reserved float64) (e Execution, rows []traces.Record, end error) {
	e = Execution{Name: name, Configuration: c.String(), Epoch: epoch, Status: succeeded}
	x := execution{runner: r, config: c, name: name, epoch: int32(epoch)}
	began := time.Now()
	var err error
	if r.session.machine != nil {
		err = x.byMachine(ctx, reserved)
	} else {
		err = x.direct(ctx, reserved)
	}
	ended := time.Now()
	if !x.began.IsZero() {
		began, ended = x.began, x.ended
	}
	e.LatencyS, e.CostUSD = ended.Sub(began).Seconds(), x.usd
	if err != nil {
		e.Status, e.Error, x.rows = failed, err.Error(), nil
	}
	start, stop, number := r.ns(began), r.ns(ended), int32(epoch)
	rows = append(x.rows, traces.Record{
		Workflow: r.session.request.Workflow.Name(), Execution: name, Epoch: &number, Statistic: traces.Run,
		StartNS: &start, EndNS: &stop, Status: &e.Status, CostUSD: &e.CostUSD, Source: traces.Live,
	})
	var fatal fatalError
	if errors.As(err, &fatal) {
		end = err
	}
	return e, rows, end
}

// fatalError is an error that every further execution would end with.
type fatalError struct{ error }

func (e fatalError) Unwrap() error { return e.error }

// execution is one run of the workflow that is under way.
type execution struct {
	*runner
	config models.Config
	name   string
	epoch  int32

	mu    sync.Mutex // guards what follows
	rows  []traces.Record
	usd   float64
	errs  []error
	began time.Time // where the platform tells
	ended time.Time
}

// direct executes the workflow along its graph: a stage begins when all of its
// parents have ended, with all of its instances at once.
func (x *execution) direct(ctx context.Context, reserved float64) error {
	w := x.session.request.Workflow
	var unused atomic.Bool
	done := make([]chan struct{}, w.Len())
	for i := range done {
		done[i] = make(chan struct{})
	}
	outputs := make([][]json.RawMessage, w.Len())
	var stages sync.WaitGroup
	for i := range w.Len() {
		stages.Go(func() {
			defer close(done[i])
			for _, p := range w.Parents(i) {
				<-done[p]
			}
			f, d := x.session.functions[x.session.at[i]], x.config[i].Parallelism
			if unused.Load() || ctx.Err() != nil {
				unused.Store(true)
				x.bill.Settle(float64(d)*f.worst(x.config[i].Memory), 0)
				return
			}
			outputs[i] = make([]json.RawMessage, d)
			if !x.stage(ctx, i, outputs) {
				unused.Store(true)
			}
		})
	}
	stages.Wait()
	if err := errors.Join(x.errs...); err != nil {
		return err
	}
	if unused.Load() {
		return errInterrupted
	}
	return nil
}

// stage runs all instances of a stage and reports whether they succeeded.
func (x *execution) stage(ctx context.Context, i int, outputs [][]json.RawMessage) bool {
	ready := time.Now()
	var instances sync.WaitGroup
	var broken atomic.Bool
	for k := range x.config[i].Parallelism {
		instances.Go(func() {
			output, err := x.instance(ctx, i, k, ready, outputs)
			if err != nil {
				broken.Store(true)
				x.mu.Lock()
				x.errs = append(x.errs, fmt.Errorf("stage %q, instance %d: %w", x.session.request.Workflow.Stage(i).Name, k, err))
				x.mu.Unlock()
			}
			outputs[i][k] = output
		})
	}
	instances.Wait()
	return !broken.Load()
}

// instance invokes the function of a stage once.
func (x *execution) instance(ctx context.Context, i, k int, ready time.Time, outputs [][]json.RawMessage) (json.RawMessage, error) {
	q, f, c := &x.session.request, x.session.functions[x.session.at[i]], x.config[i]
	worst := f.worst(c.Memory)
	payload, err := q.Targets[i].Payload.Fill(func(place string) any { return x.value(place, i, k, outputs) })
	if err != nil {
		x.bill.Settle(worst, 0)
		return nil, fatalError{err}
	}
	select {
	case x.slots <- struct{}{}:
		defer func() { <-x.slots }()
	case <-ctx.Done():
		x.bill.Settle(worst, 0)
		return nil, errInterrupted
	}
	a := x.client.invoke(ctx, task{
		name: x.stand.name(f), qualifier: x.stand.qualifiers[x.session.at[i]][c.Memory], memoryMB: c.Memory, payload: payload,
		limit: time.Duration(f.limitS+initLimitS)*time.Second + x.client.settings.CallTimeout,
	})
	usd := 0.0
	x.runner.mu.Lock()
	x.out.Retried += a.attempts - 1
	switch {
	case a.billed:
		x.out.Invocations++
		usd = f.cost(c.Memory, float64(*a.row.BilledMS)/1e3)
		x.bill.Settle(worst, usd)
	case a.err != nil && a.fault == lost:
		x.out.Lost++
		x.bill.Lose(worst)
	case a.output != nil:
		x.out.Invocations++
		x.bill.Lose(worst) // it ran, and does not say for how long
	default:
		x.bill.Settle(worst, 0)
	}
	x.runner.mu.Unlock()
	if a.warning != "" {
		x.warn("function %s: %s", f.name, a.warning)
	}
	x.mu.Lock()
	defer x.mu.Unlock()
	x.usd += usd
	if a.err != nil {
		if a.output == nil && a.fault == refused {
			a.err = fatalError{a.err}
		}
		return nil, a.err
	}
	r := &a.row
	x.place(r, i)
	r.MapIndex, r.Attempt = new(int32(k)), new(int32(a.attempts-1))
	r.ScheduledNS, r.StartNS, r.EndNS = new(x.ns(ready)), new(x.ns(a.sent)), new(x.ns(a.received))
	r.Cold = new(max(0, a.received.Sub(ready).Seconds()-running(r)))
	r.BytesIn, r.BytesOut = new(int64(len(payload))), new(int64(len(a.output)))
	r.CostUSD = &usd
	x.rows = append(x.rows, *r)
	return a.output, nil
}

// place says where a row belongs.
func (x *execution) place(r *traces.Record, i int) {
	f := x.session.functions[x.session.at[i]]
	r.Workflow, r.Execution, r.Stage = x.session.request.Workflow.Name(), x.name, x.session.request.Workflow.Stage(i).Name
	r.Statistic, r.Source, r.Epoch = traces.Invocation, traces.Live, &x.epoch
	r.MemoryMB, r.Parallelism = int32(x.config[i].Memory), new(int32(x.config[i].Parallelism))
	r.Function, r.Arch, r.Status = &f.name, new(f.arch()), new("success")
	if f.config.Runtime != "" {
		r.Runtime = new(string(f.config.Runtime))
	}
	r.TraceID = nil
}

// running returns how long the function of a row ran, in seconds.
func running(r *traces.Record) float64 { return float64(*r.DurationUS) / 1e6 }

// value returns what stands in a place of the payload of an instance.
func (x *execution) value(place string, i, k int, outputs [][]json.RawMessage) any {
	w := x.session.request.Workflow
	kind, of, _ := strings.Cut(place, ".")
	at := i
	if of != "" {
		at, _ = w.Index(of)
	}
	switch kind {
	case "instance":
		return k
	case "parallelism":
		return x.config[at].Parallelism
	case "memory_mb":
		return x.config[i].Memory
	case "stage":
		return w.Stage(i).Name
	case "execution":
		return x.name
	case "outputs":
		return outputs[at]
	}
	panic("live: a place of a template that was not checked: " + aws.ToString(&place))
}
