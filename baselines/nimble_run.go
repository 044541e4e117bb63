package baselines

import "fmt"

// NimbleRun returns what becomes of tasks that are launched at the given times
// in seconds: a task whose input is not there waits, holding its place.
func NimbleRun(tasks []NimbleTask, launch []float64) ([]NimbleSpan, error) {
	if err := checkTasks(tasks); err != nil {
		return nil, err
	}
	if len(launch) != len(tasks) {
		return nil, fmt.Errorf("nimble: %d launch times for %d tasks", len(launch), len(tasks))
	}
	spans := make([]NimbleSpan, len(tasks))
	outputs := make([]curve, len(tasks))
	for i, t := range tasks {
		if !(launch[i] >= 0) {
			return nil, fmt.Errorf("nimble: task %d is launched at %v s", i, launch[i])
		}
		spans[i], outputs[i] = t.run(launch[i], spans, outputs)
	}
	return spans, nil
}

// EagerLaunch returns the schedule that launches every task at once: nothing
// can end earlier, and everything that waits is paid for.
func EagerLaunch(tasks []NimbleTask) ([]NimbleSpan, error) {
	return NimbleRun(tasks, make([]float64, len(tasks)))
}

// run executes a task from its launch, given what became of those before it.
func (t NimbleTask) run(launch float64, spans []NimbleSpan, outputs []curve) (NimbleSpan, curve) {
	now, done, work := launch+t.Setup, 0.0, t.work()
	var progress curve // when each part of the work is done
	for _, s := range t.Steps {
		for _, in := range s.Inputs {
			if in.Breaking {
				now = max(now, spans[in.From].End)
			}
		}
		// Begun at b, part x of a step of work w is done at
		// x*w + max(b, max over y <= x of available(y) - y*w).
		wait := curve{{0, 1, now, now}}
		for _, in := range s.Inputs {
			if !in.Breaking {
				wait = upper(wait, outputs[in.From].lean(s.Work).running())
			}
		}
		step := wait.lean(-s.Work)
		for _, p := range step {
			progress = append(progress, piece{done + p.from*s.Work, done + p.to*s.Work, p.at, p.then})
		}
		done += s.Work
		now = step[len(step)-1].then
	}
	span := NimbleSpan{Launch: launch, End: now, Idle: max(0, now-launch-t.Setup-work)}
	silent := work - t.Output
	if silent >= done {
		return span, curve{{0, 1, now, now}} // no output before the end
	}
	return span, progress.tail(silent, done)
}

// curve is a time as a function of a part between 0 and 1, in linear pieces
// from left to right; it may jump between two of them.
type curve []piece

type piece struct {
	from, to float64 // parts
	at, then float64 // times at both ends, s
}

func (p piece) value(x float64) float64 {
	switch {
	case p.to == p.from || x >= p.to:
		return p.then
	case x <= p.from:
		return p.at
	}
	return p.at + (p.then-p.at)*(x-p.from)/(p.to-p.from)
}

// cut returns the piece between from and to.
func (p piece) cut(from, to float64) piece { return piece{from, to, p.value(from), p.value(to)} }

// lean subtracts slope times the part.
func (c curve) lean(slope float64) curve {
	out := make(curve, len(c))
	for k, p := range c {
		out[k] = piece{p.from, p.to, p.at - slope*p.from, p.then - slope*p.to}
	}
	return out
}

// running returns the maximum so far.
func (c curve) running() curve {
	var out curve
	level := c[0].at
	for _, p := range c {
		level = max(level, p.at)
		switch {
		case p.then <= level:
			out = append(out, piece{p.from, p.to, level, level})
			continue
		case p.at < level:
			cross := p.from + (p.to-p.from)*(level-p.at)/(p.then-p.at)
			out = append(out, piece{p.from, cross, level, level}, piece{cross, p.to, level, p.then})
		default:
			out = append(out, p)
		}
		level = p.then
	}
	return out
}

// upper returns the larger of two curves.
func upper(a, b curve) curve {
	var out curve
	for i, k := 0, 0; ; {
		from, to := max(a[i].from, b[k].from), min(a[i].to, b[k].to)
		p, q := a[i].cut(from, to), b[k].cut(from, to)
		if d0, d1 := p.at-q.at, p.then-q.then; d0*d1 < 0 {
			cross := from + (to-from)*d0/(d0-d1)
			out = append(out, larger(p.cut(from, cross), q.cut(from, cross)), larger(p.cut(cross, to), q.cut(cross, to)))
		} else {
			out = append(out, larger(p, q))
		}
		// A curve may end in a jump, so that both go on to their last piece.
		lastA, lastB := i == len(a)-1, k == len(b)-1
		if lastA && lastB {
			return out
		}
		endA, endB := a[i].to, b[k].to
		if !lastA && (lastB || endA <= endB) {
			i++
		}
		if !lastB && (lastA || endB <= endA) {
			k++
		}
	}
}

// larger returns the larger of two pieces over the same part that do not
// cross.
func larger(p, q piece) piece {
	if p.at+p.then >= q.at+q.then {
		return p
	}
	return q
}

// tail returns what follows of the curve after part from, scaled to 0 to 1.
func (c curve) tail(from, to float64) curve {
	var out curve
	for _, p := range c {
		if p.to <= from {
			continue
		}
		p = p.cut(max(p.from, from), p.to)
		out = append(out, piece{max(0, (p.from-from)/(to-from)), min(1, (p.to-from)/(to-from)), p.at, p.then})
	}
	return out
}
