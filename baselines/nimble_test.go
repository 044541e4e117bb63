package baselines

import (
	"math"
	"slices"
	"testing"

	"pgregory.net/rapid"
)

// randomTasks draws tasks on a random graph. pipelined is the chance in ten
// that an edge is no breaker.
func randomTasks(t *rapid.T, pipelined int) []NimbleTask {
	n := rapid.IntRange(1, 8).Draw(t, "tasks")
	tasks := make([]NimbleTask, n)
	time := rapid.OneOf(rapid.Just(0.0), rapid.Float64Range(0.1, 20))
	for i := range tasks {
		tasks[i].Setup = time.Draw(t, "setup")
		for range rapid.IntRange(1, 3).Draw(t, "steps") {
			s := NimbleStep{Work: time.Draw(t, "work")}
			if i > 0 {
				for range rapid.IntRange(0, 2).Draw(t, "inputs") {
					s.Inputs = append(s.Inputs, NimbleInput{
						From:     rapid.IntRange(0, i-1).Draw(t, "from"),
						Breaking: rapid.IntRange(1, 10).Draw(t, "breaking") > pipelined,
					})
				}
			}
			tasks[i].Steps = append(tasks[i].Steps, s)
		}
		if rapid.Bool().Draw(t, "output") {
			tasks[i].Output = tasks[i].work() * rapid.Float64Range(.05, 1).Draw(t, "output share")
		}
	}
	return tasks
}

// inQuanta executes tasks in small pieces of work: each is done when the one
// before it is, its share of the input is there and it has taken its time. It
// knows nothing of curves.
func inQuanta(tasks []NimbleTask, launch []float64, quanta int) (spans []NimbleSpan) {
	outputs := make([][]float64, len(tasks)) // when each piece of the output is there
	spans = make([]NimbleSpan, len(tasks))
	for i, t := range tasks {
		now := launch[i] + t.Setup
		var done, at []float64 // work done, and when
		work := 0.0
		for _, s := range t.Steps {
			for _, in := range s.Inputs {
				if in.Breaking {
					now = max(now, spans[in.From].End)
				}
			}
			for k := 1; k <= quanta; k++ {
				for _, in := range s.Inputs {
					if !in.Breaking {
						now = max(now, outputs[in.From][k-1])
					}
				}
				now += s.Work / float64(quanta)
				work += s.Work / float64(quanta)
				done, at = append(done, work), append(at, now)
			}
			for _, in := range s.Inputs {
				now = max(now, spans[in.From].End)
				at[len(at)-1] = now
			}
		}
		spans[i] = NimbleSpan{Launch: launch[i], End: now, Idle: now - launch[i] - t.Setup - t.work()}
		outputs[i] = make([]float64, quanta+1)
		for k := range outputs[i] {
			needed := work - t.Output + t.Output*float64(k)/float64(quanta)
			outputs[i][k] = now
			if t.Output > 0 {
				outputs[i][k] = timeOf(done, at, launch[i]+t.Setup, needed)
			}
		}
	}
	return spans
}

// timeOf returns when so much work was done, from the quantum that did it.
func timeOf(done, at []float64, begin, needed float64) float64 {
	for k, w := range done {
		if w > needed-1e-9 {
			if needed <= 1e-9 && k == 0 {
				return begin
			}
			return at[k]
		}
	}
	return at[len(at)-1]
}

// The schedule of any launch times is that of an execution in small pieces, up
// to what the pieces are long, which adds up from task to task.
func TestNimbleRunIsAnExecution(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		tasks := randomTasks(t, 5)
		launch := make([]float64, len(tasks))
		longest := 0.0
		for i := range launch {
			launch[i] = rapid.Float64Range(0, 30).Draw(t, "launch")
			longest += tasks[i].work()
		}
		got, err := NimbleRun(tasks, launch)
		if err != nil {
			t.Fatal(err)
		}
		const quanta = 400
		tolerance := 3*longest/quanta + nimbleEpsilon
		for i, want := range inQuanta(tasks, launch, quanta) {
			if math.Abs(got[i].End-want.End) > tolerance {
				t.Fatalf("task %d ends at %v s, in quanta at %v s", i, got[i].End, want.End)
			}
			if math.Abs(got[i].Idle-want.Idle) > tolerance {
				t.Fatalf("task %d waits %v s, in quanta %v s", i, got[i].Idle, want.Idle)
			}
		}
	})
}

const nimbleEpsilon = 1e-9

func launchTimes(spans []NimbleSpan) []float64 {
	l := make([]float64, len(spans))
	for i, s := range spans {
		l[i] = s.Launch
	}
	return l
}

func makespan(spans []NimbleSpan) float64 {
	last := 0.0
	for _, s := range spans {
		last = max(last, s.End)
	}
	return last
}

func held(spans []NimbleSpan) float64 {
	total := 0.0
	for _, s := range spans {
		total += s.End - s.Launch
	}
	return total
}

func schedules(t *rapid.T, tasks []NimbleTask) (nimble, lazy, eager []NimbleSpan) {
	var errs [3]error
	nimble, errs[0] = NimbleLaunch(tasks)
	lazy, errs[1] = LazyLaunch(tasks)
	eager, errs[2] = EagerLaunch(tasks)
	for _, err := range errs {
		if err != nil {
			t.Fatal(err)
		}
	}
	return nimble, lazy, eager
}

func TestNimbleNeverWaits(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		tasks := randomTasks(t, 5)
		nimble, lazy, eager := schedules(t, tasks)
		launch := launchTimes(nimble)
		ran, err := NimbleRun(tasks, launch)
		if err != nil {
			t.Fatal(err)
		}
		for i, s := range ran {
			if s.Idle > nimbleEpsilon || math.Abs(s.End-nimble[i].End) > nimbleEpsilon {
				t.Errorf("task %d, launched at %v s, waits %v s and ends at %v s; planned for %v s", i, launch[i], s.Idle, s.End, nimble[i].End)
			}
		}

		// Launched at once, a task waits and ends no earlier, given the
		// others; launched a little earlier it ends at the same time and
		// waits; launched later it ends later.
		for i := range tasks {
			for _, other := range []float64{0, launch[i] * .9, launch[i] + 1} {
				changed := slices.Clone(launch)
				changed[i] = other
				ran, err := NimbleRun(tasks, changed)
				if err != nil {
					t.Fatal(err)
				}
				late := max(0, other-launch[i])
				early := max(0, launch[i]-other)
				if math.Abs(ran[i].End-nimble[i].End-late) > nimbleEpsilon || math.Abs(ran[i].Idle-early) > nimbleEpsilon {
					t.Errorf("task %d launched at %v s instead of %v s ends at %v s instead of %v s and waits %v s", i, other, launch[i], ran[i].End, nimble[i].End, ran[i].Idle)
				}
			}
		}

		// Least cost, and between the two yardsticks in time.
		if math.Abs(held(nimble)-held(lazy)) > 1e-7 || held(nimble) > held(eager)+1e-7 {
			t.Errorf("tasks hold their places for %v s, lazily %v s, eagerly %v s", held(nimble), held(lazy), held(eager))
		}
		if makespan(nimble) > makespan(lazy)+nimbleEpsilon || makespan(eager) > makespan(nimble)+nimbleEpsilon {
			t.Errorf("the job ends at %v s, lazily at %v s, eagerly at %v s", makespan(nimble), makespan(lazy), makespan(eager))
		}
	})
}

// Among schedules without waiting no task can be launched earlier: whatever
// launch times are tried, those that are earlier somewhere wait somewhere.
func TestNimbleIsTheFastestWithoutWaiting(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		tasks := randomTasks(t, 5)
		nimble, _, _ := schedules(t, tasks)
		launch := make([]float64, len(tasks))
		for i := range launch {
			launch[i] = max(0, nimble[i].Launch+rapid.Float64Range(-5, 5).Draw(t, "shift"))
		}
		ran, err := NimbleRun(tasks, launch)
		if err != nil {
			t.Fatal(err)
		}
		for _, s := range ran {
			if s.Idle > nimbleEpsilon {
				return
			}
		}
		for i := range ran {
			if ran[i].Launch < nimble[i].Launch-1e-7 {
				t.Errorf("task %d can be launched at %v s without waiting, planned is %v s", i, ran[i].Launch, nimble[i].Launch)
			}
		}
	})
}

// Where every edge is a breaker, or only tasks without inputs are read while
// they write, every task ends when it would if all were launched at once.
func TestNimbleEndsWithEager(t *testing.T) {
	same := func(t *rapid.T, tasks []NimbleTask) {
		nimble, _, eager := schedules(t, tasks)
		for i := range tasks {
			if math.Abs(nimble[i].End-eager[i].End) > nimbleEpsilon {
				t.Errorf("task %d ends at %v s, eagerly at %v s", i, nimble[i].End, eager[i].End)
			}
		}
	}
	rapid.Check(t, func(t *rapid.T) { same(t, randomTasks(t, 0)) })
	rapid.Check(t, func(t *rapid.T) {
		tasks := randomTasks(t, 10)
		for i := range tasks {
			for k := range tasks[i].Steps {
				tasks[i].Steps[k].Inputs = slices.DeleteFunc(tasks[i].Steps[k].Inputs, func(in NimbleInput) bool {
					return in.From > 0 || i == 0
				})
			}
		}
		same(t, tasks)
	})
}

// In longer pipelines the price of never waiting can be time: a fast task in
// the middle is launched late, and so begins late to feed a slow one.
func TestNimblePaysForNotWaiting(t *testing.T) {
	read := func(from int) []NimbleInput { return []NimbleInput{{From: from}} }
	tasks := []NimbleTask{
		{Steps: []NimbleStep{{Work: 10}}, Output: 10},
		{Steps: []NimbleStep{{Work: 1, Inputs: read(0)}}, Output: 1},
		{Steps: []NimbleStep{{Work: 100, Inputs: read(1)}}},
	}
	for _, c := range []struct {
		name  string
		rule  func([]NimbleTask) ([]NimbleSpan, error)
		spans []NimbleSpan
	}{
		{"nimble", NimbleLaunch, []NimbleSpan{{0, 10, 0}, {9, 10, 0}, {9, 109, 0}}},
		{"lazy", LazyLaunch, []NimbleSpan{{0, 10, 0}, {10, 11, 0}, {11, 111, 0}}},
		{"eager", EagerLaunch, []NimbleSpan{{0, 10, 0}, {0, 10, 9}, {0, 100, 0}}},
	} {
		got, err := c.rule(tasks)
		if err != nil || !slices.Equal(got, c.spans) {
			t.Errorf("%s: %v (%v), want %v", c.name, got, err, c.spans)
		}
	}
}

// One edge of each kind, worked by hand: a producer that sets up for 1 s and
// works for 10 s, its output appearing over the last 6 s (5 to 11 s).
func TestNimbleOneEdge(t *testing.T) {
	producer := NimbleTask{Setup: 1, Steps: []NimbleStep{{Work: 10}}, Output: 6}
	for _, c := range []struct {
		name     string
		consumer NimbleTask
		want     float64
	}{
		{"breaker", NimbleTask{Steps: []NimbleStep{{Work: 4, Inputs: []NimbleInput{{0, true}}}}}, 11},
		{"breaker after setup", NimbleTask{Setup: 3, Steps: []NimbleStep{{Work: 4, Inputs: []NimbleInput{{0, true}}}}}, 8},
		{"breaker after a step", NimbleTask{Setup: 3, Steps: []NimbleStep{{Work: 2}, {Work: 4, Inputs: []NimbleInput{{0, true}}}}}, 6},
		{"fast reader", NimbleTask{Steps: []NimbleStep{{Work: 4, Inputs: []NimbleInput{{0, false}}}}}, 7},
		{"slow reader", NimbleTask{Steps: []NimbleStep{{Work: 8, Inputs: []NimbleInput{{0, false}}}}}, 5},
		{"slow reader with setup", NimbleTask{Setup: 2, Steps: []NimbleStep{{Work: 8, Inputs: []NimbleInput{{0, false}}}}}, 3},
		{"reader that also needs all of it later", NimbleTask{Steps: []NimbleStep{{Work: 4, Inputs: []NimbleInput{{0, false}}}, {Work: 1, Inputs: []NimbleInput{{0, true}}}}}, 7},
		{"no input", NimbleTask{Steps: []NimbleStep{{Work: 8}}}, 0},
	} {
		got, err := NimbleLaunch([]NimbleTask{producer, c.consumer})
		if err != nil || math.Abs(got[1].Launch-c.want) > nimbleEpsilon {
			t.Errorf("%s: launched at %v s (%v), want %v s", c.name, got[1].Launch, err, c.want)
		}
	}
}

func TestNimbleDoesNotDependOnScale(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		tasks := randomTasks(t, 5)
		before, _, eager := schedules(t, tasks)
		const k = 8 // a power of two, so that nothing is rounded
		for i := range tasks {
			tasks[i].Setup, tasks[i].Output = k*tasks[i].Setup, k*tasks[i].Output
			for s := range tasks[i].Steps {
				tasks[i].Steps[s].Work *= k
			}
		}
		after, _, eagerAfter := schedules(t, tasks)
		for i := range tasks {
			if after[i].Launch != k*before[i].Launch || math.Abs(eagerAfter[i].End-k*eager[i].End) > 1e-9 {
				t.Errorf("task %d is launched at %v s, before scaling at %v s", i, after[i].Launch, before[i].Launch)
			}
		}
	})
}

func TestNimbleErrors(t *testing.T) {
	for _, c := range []struct {
		tasks []NimbleTask
		want  string
	}{
		{nil, "nimble: no tasks"},
		{[]NimbleTask{{Setup: -1}}, "nimble: task 0: a time is negative or not a number"},
		{[]NimbleTask{{Setup: math.NaN()}}, "nimble: task 0: a time is negative or not a number"},
		{[]NimbleTask{{Steps: []NimbleStep{{Work: 3}, {Work: -2}}}}, "nimble: task 0: a step of -2 s"},
		{[]NimbleTask{{Steps: []NimbleStep{{Work: 3}}, Output: 4}}, "nimble: task 0: its output takes 4 s, all of its steps 3 s"},
		{[]NimbleTask{{Steps: []NimbleStep{{Work: 3, Inputs: []NimbleInput{{From: 0}}}}}}, "nimble: task 0 reads from task 0, which does not come before it"},
		{[]NimbleTask{{Steps: []NimbleStep{{Work: 3, Inputs: []NimbleInput{{From: -1}}}}}}, "nimble: task 0 reads from task -1, which does not come before it"},
	} {
		for _, rule := range []func([]NimbleTask) ([]NimbleSpan, error){NimbleLaunch, LazyLaunch, EagerLaunch} {
			if _, err := rule(c.tasks); err == nil || err.Error() != c.want {
				t.Errorf("%+v: %v, want %q", c.tasks, err, c.want)
			}
		}
	}
	one := []NimbleTask{{Setup: 1}}
	if _, err := NimbleRun(one, nil); err == nil {
		t.Error("no launch time for a task")
	}
	if _, err := NimbleRun(one, []float64{math.NaN()}); err == nil {
		t.Error("a launch at NaN s")
	}
}
