package sim

import (
	"context"
	"fmt"

	"eevee/models"
)

// cloud is one simulation of workloads that share a platform: the account, its
// functions and their instances, and the executions under way. It runs on one
// core, and allocates nothing once its tables have grown to what is under way
// at the same time.
//
// Two things are kept out of the heap of events. Arrivals come from sorted
// streams and are merged, after the events of the same instant; and instances
// expire without anybody looking at the clock (pool).
type cloud struct {
	kernel
	platform    *Platform
	streams     models.Streams
	settings    LoadSettings
	warmup      int64 // ns
	tooSlow     int64 // ns; never: no limit
	tooDear     money
	maxDuration int64 // ns; never: no limit
	delays      bool  // the orchestrator delays stages or tasks
	express     bool
	moves       bool  // functions read or write
	horizon     int64 // ns; no execution is asked for from then on

	tenants   []*tenant
	functions []*function
	deployed  map[deployedKey]uint32
	arrivals  heap // the next arrival of every open workload; argument: tenant
	asked     int  // executions
	ended     int  // of which have ended
	stopped   bool // no execution is asked for any more

	tasks     []task
	spareTask uint32  // list of free places in tasks
	asides    []aside // of tasks, in the same places
	steps     []Task  // of tasks, in the same places; nil unless executions are handed out or functions read or write
	errands   []errand
	spare     []uint32 // free places in errands

	limit         int // requests on instances on demand that functions share; 0: no limit, exhausted: none
	shared        int // of which are under way
	inFlight      int // requests that have an instance
	most          int // the largest number of them at the same time
	queued        int // requests that wait in the queues of functions
	waiting       []*function
	transitions   tokens
	store         *store
	perTransition money
	histories     [][]int  // how often retriers were used, per task that was retried
	forgotten     []uint32 // free places in histories

	each    func(*Run) error
	scratch []float64
	err     error
	audit   auditor
}

// What happens in a cloud, and to whom.
const (
	asks    kind = iota // a user of a closed loop asks for an execution; tenant
	arrives             // a request reaches the platform; task
	ends                // an attempt ends; task
	reads               // a function reads its input; task
	writes              // a function writes its output; task
	comesUp             // an errand comes up; errand
)

// errand is what happens rarely: its event names its place in a table.
type errand struct {
	what   errandKind
	tenant uint16
	a, b   uint32
}

type errandKind uint8

const (
	idle          errandKind = iota // nothing, or nothing any more
	stageEnters                     // a transition is over; execution, stage
	stageLaunches                   // its functions are invoked before or after its input is there; execution, stage
	prewarms                        // instances are started ahead; function, instances
	getsReady                       // an instance that was started ahead; function
	looksAfter                      // requests that wait for the scaling rate; function
	givesUp                         // a function that waits for its input runs out of time; task, its generation
)

// pollEvents is how many events pass between looks at the context.
const pollEvents = 4096

// run simulates until nothing is under way, or until the context is done.
func (c *cloud) run(ctx context.Context) error {
	for n := 1; ; n++ {
		if n%pollEvents == 0 {
			if err := ctx.Err(); err != nil {
				return err
			}
			if c.settings.Progress != nil {
				c.settings.Progress(int(c.streams.Replication), c.share())
			}
			if c.ids > maxIDs {
				return fmt.Errorf("more than %d events", uint64(maxIDs))
			}
		}
		if len(c.arrivals) > 0 && !c.stopped && (len(c.heap) == 0 || c.arrivals[0].at < c.heap[0].at) {
			next := c.arrivals[0]
			c.advance(next.at)
			c.arrive(next.arg())
		} else if e, more := c.next(); more {
			switch e.kind() {
			case ends:
				c.attemptEnds(e.arg())
			case arrives:
				k := &c.tasks[e.arg()]
				t := c.tenants[k.tenant]
				c.request(e.arg(), k, t, &t.executions[k.execution])
			case reads:
				c.read(e.arg())
			case writes:
				c.write(e.arg())
			case asks:
				c.ask(e.arg())
			case comesUp:
				c.errand(e.arg())
			}
		} else {
			break
		}
		if c.err != nil {
			return c.err
		}
		if c.audit.every > 0 && n%c.audit.every == 0 {
			c.check()
		}
	}
	if c.asked != c.ended {
		return c.stuck()
	}
	if c.audit.every > 0 {
		c.check()
		c.checkRest()
	}
	return nil
}

// share returns how much of the simulation is done, 0 where its end cannot be
// foreseen.
func (c *cloud) share() float64 {
	share := 0.0
	if c.horizon != never {
		share = float64(c.now) / float64(c.horizon)
	}
	if n := c.settings.Executions; n > 0 {
		share = max(share, float64(c.ended)/float64(n))
	}
	return min(share, 1)
}

// stuck says why executions are under way although nothing happens any more:
// functions that were invoked ahead of their input hold what it takes to make
// it.
func (c *cloud) stuck() error {
	parked := 0
	for id := range c.tasks {
		if c.tasks[id].parked {
			parked++
		}
	}
	return fmt.Errorf("at %.3f s, %d executions wait for each other: %d functions that were launched early wait for their input, and %d requests for their turn", seconds(c.now), c.asked-c.ended, parked, c.queued)
}

// arrive starts the next execution of an open workload.
func (c *cloud) arrive(w uint32) {
	t := c.tenants[w]
	if !c.admits() {
		return
	}
	if at, more := t.arrivals.Next(); more {
		if at < c.now {
			c.err = fmt.Errorf("workload %s: arrival %d is at %d ns, the one before it at %d ns", t.name, t.asked+2, at, c.now)
			return
		}
		c.arrivals.replace(event{at, uint64(w)})
	} else {
		c.arrivals.pop()
	}
	c.begin(t)
}

// ask starts an execution of a closed loop.
func (c *cloud) ask(w uint32) {
	if c.admits() {
		c.begin(c.tenants[w])
	}
}

// admits reports whether executions are still asked for.
func (c *cloud) admits() bool {
	if !c.stopped && (c.asked == c.settings.Executions && c.asked > 0 || c.now >= c.horizon) {
		c.stopped = true
	}
	return !c.stopped
}

// later puts an errand on the calendar and returns its place.
func (c *cloud) later(at int64, e errand) uint32 {
	var id uint32
	if n := len(c.spare); n > 0 {
		id = c.spare[n-1]
		c.spare = c.spare[:n-1]
		c.errands[id] = e
	} else {
		id = uint32(len(c.errands))
		c.errands = append(c.errands, e)
	}
	c.at(max(at, c.now), comesUp, id)
	return id
}

func (c *cloud) errand(id uint32) {
	e := c.errands[id]
	if e.what == getsReady {
		f := c.functions[e.a]
		f.warm.ready(f.startedAhead(id).instance)
	}
	c.errands[id] = errand{}
	c.spare = append(c.spare, id)
	switch e.what {
	case getsReady:
		c.dispatch()
	case stageEnters:
		t := c.tenants[e.tenant]
		x := &t.executions[e.a]
		c.enter(t, e.a, int(e.b), x, t.stage(e.a, int(e.b)))
		c.leave(t, e.a, x)
	case stageLaunches:
		t := c.tenants[e.tenant]
		x := &t.executions[e.a]
		c.launch(t, e.a, int(e.b), x, t.stage(e.a, int(e.b)), c.now)
		c.leave(t, e.a, x)
	case prewarms:
		c.prewarm(e.a, int(e.b))
		c.dispatch()
	case looksAfter:
		c.dispatch()
	case givesUp:
		c.giveUp(e.a, e.b)
	}
}

// prewarm starts instances of a function, so that n are idle.
func (c *cloud) prewarm(f uint32, n int) {
	fn := c.functions[f]
	for n -= fn.warm.idle(c.now); n > 0 && fn.scale.try(c.now, 1); n-- {
		delay, init := fn.startTime()
		ready := c.now + delay + init
		instance := fn.warm.startAhead(c.now, ready)
		fn.equip(&fn.warm, instance, ready)
		if c.platform.ColdStart.BilledInit {
			_, cost := fn.tariff.invoice(init)
			cost -= fn.tariff.fee
			fn.ledger.init.add(init)
			fn.ledger.cost += cost
			fn.prewarming += cost
		}
		fn.ahead = append(fn.ahead, startAhead{instance, ready, c.later(ready, errand{what: getsReady, a: f})})
	}
}
