package baselines

import (
	"errors"
	"fmt"
	"math"
)

// NimbleTask is one stage as the NIMBLE scheduling of Caerus (NSDI'21) sees
// it: a sequence of steps, and an output that appears while the last of them
// run.
//
// The equations of the paper's step model were not available. What follows is
// inferred from its abstract and from public notes (algorithms.md, section 4):
// rates are constant, the steps of a task follow each other, and a task that
// has to wait holds its place and is paid for.
type NimbleTask struct {
	Setup float64 // s, before the first step; needs no input
	Steps []NimbleStep

	// Output is the length in seconds of the last part of the steps' work
	// during which the output appears at a constant rate; 0: all of it at the
	// end, as if every reader's edge were breaking.
	Output float64
}

// NimbleStep is one step of a task: it reads its inputs, all of them at the
// same pace, and works on them.
type NimbleStep struct {
	Work   float64 // s, where nothing has to be waited for
	Inputs []NimbleInput
}

// NimbleInput is one data dependency.
type NimbleInput struct {
	From     int  // the task that produces it, which comes before this one
	Breaking bool // a pipeline breaker: the step needs all of it before it starts; else it reads what is there
}

// work returns the time of all steps, s.
func (t NimbleTask) work() float64 {
	total := 0.0
	for _, s := range t.Steps {
		total += s.Work
	}
	return total
}

// NimbleSpan is when a task is launched and ends, in seconds after the start
// of the job, and how long of that time it waits for its inputs.
type NimbleSpan struct {
	Launch, End, Idle float64
}

func checkTasks(tasks []NimbleTask) error {
	if len(tasks) == 0 {
		return errors.New("nimble: no tasks")
	}
	time := func(v float64) bool { return v >= 0 && !math.IsInf(v, 0) }
	for i, t := range tasks {
		if !time(t.Setup) || !time(t.Output) || !time(t.work()) {
			return fmt.Errorf("nimble: task %d: a time is negative or not a number", i)
		}
		if t.Output > t.work()*(1+1e-9) {
			return fmt.Errorf("nimble: task %d: its output takes %v s, all of its steps %v s", i, t.Output, t.work())
		}
		for _, s := range t.Steps {
			if !time(s.Work) {
				return fmt.Errorf("nimble: task %d: a step of %v s", i, s.Work)
			}
			for _, in := range s.Inputs {
				if in.From < 0 || in.From >= i {
					return fmt.Errorf("nimble: task %d reads from task %d, which does not come before it", i, in.From)
				}
			}
		}
	}
	return nil
}

// NimbleLaunch returns the schedule in which no task ever waits and every task
// ends as early as that allows: the least cost and, among schedules of that
// cost, the least completion time. Tasks are in topological order.
//
// A task is launched as late as it can without ending later than if it had
// been launched at once and had waited, given the tasks before it. With off
// the time from its launch to a step of work w, and [s, f] the time in which
// the output of a task before it appears,
//
//	breaking       launch >= f - off
//	pipelineable   launch >= max(s, f - w) - off
//
// since reading and production both have constant rates, which keep in step
// if they do so at both ends.
//
// "Never waiting" holds on every graph, and no schedule without waiting launches
// or ends anything earlier. "Never later than launched at once" holds for a task
// given the tasks before it, and for the whole job where every edge is breaking
// or comes from a task without inputs. Beyond one such level of pipelining it
// does not: a task that is launched late because its input is slow also starts to
// produce late, and a slow reader feels that. Of three tasks of 10, 1 and 100 s
// in a pipeline the last one ends after 109 s, under EagerLaunch after 100 s, at
// the price of 9 s of waiting.
func NimbleLaunch(tasks []NimbleTask) ([]NimbleSpan, error) {
	if err := checkTasks(tasks); err != nil {
		return nil, err
	}
	spans := make([]NimbleSpan, len(tasks))
	for i, t := range tasks {
		launch, off := 0.0, t.Setup
		for _, s := range t.Steps {
			for _, in := range s.Inputs {
				f := spans[in.From].End
				needed := f
				if !in.Breaking {
					needed = max(f-tasks[in.From].Output, f-s.Work)
				}
				launch = max(launch, needed-off)
			}
			off += s.Work
		}
		spans[i] = NimbleSpan{Launch: launch, End: launch + off}
	}
	return spans, nil
}

// LazyLaunch returns the schedule that launches every task when all tasks that
// it reads from have ended: nothing waits, nothing overlaps.
func LazyLaunch(tasks []NimbleTask) ([]NimbleSpan, error) {
	if err := checkTasks(tasks); err != nil {
		return nil, err
	}
	spans := make([]NimbleSpan, len(tasks))
	for i, t := range tasks {
		launch := 0.0
		for _, s := range t.Steps {
			for _, in := range s.Inputs {
				launch = max(launch, spans[in.From].End)
			}
		}
		spans[i] = NimbleSpan{Launch: launch, End: launch + t.Setup + t.work()}
	}
	return spans, nil
}
