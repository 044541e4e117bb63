package experiments

import (
	"cmp"
	"fmt"
	"maps"
	"math"
	"slices"
	"sort"
	"strings"

	"eevee/models/asl"
	"eevee/traces"
)

// JoinReport says how recorded invocations went together with recorded
// executions.
type JoinReport struct {
	Executions  int     `json:"executions"`
	Invocations int     `json:"invocations"` // of functions of the machine, without repetitions
	ByID        int     `json:"joined_by_id"`
	ByTime      int     `json:"joined_by_time"`
	WithSlack   int     `json:"joined_with_slack"` // by time, outside of the execution by up to the slack
	SlackS      float64 `json:"slack_s"`
	Ambiguous   int     `json:"ambiguous"` // fall into several executions
	Alone       int     `json:"alone"`     // fall into none
	Timeless    int     `json:"timeless"`  // have neither an instant nor the name of an execution
	Share       float64 `json:"share"`     // of the invocations that were joined
	Empty       int     `json:"executions_without_invocations"`
}

// execution is a recorded execution with what was joined to it.
type execution struct {
	row  traces.Record
	rows []int // of invocations, by time
}

// resolveFunctions maps the names that functions have in logs to those that
// the machine gives them: the same name, the name of a state, or a name that
// ends like the other one after a separator, as in Structures_f1 and f1. Given
// names win. Names that are not of the machine are not in the result.
func resolveFunctions(m *asl.Machine, seen []string, given map[string]string) (map[string]string, error) {
	functions := make(map[string]bool)
	states := make(map[string]string)
	for _, s := range m.States() {
		if s.Lambda {
			functions[s.Function], states[s.Name] = true, s.Function
		}
	}
	names := slices.Sorted(maps.Keys(functions))
	for _, from := range slices.Sorted(maps.Keys(given)) {
		if to := given[from]; !functions[to] {
			return nil, fmt.Errorf("function %q is to be %q, which the machine does not invoke; it invokes %s", from, to, strings.Join(names, ", "))
		}
	}
	resolved := make(map[string]string)
	for _, name := range seen {
		if to, ok := given[name]; ok {
			resolved[name] = to
			continue
		}
		if functions[name] {
			resolved[name] = name
			continue
		}
		if to, ok := states[name]; ok {
			resolved[name] = to
			continue
		}
		var like []string
		for _, f := range names {
			if endsLike(f, name) || endsLike(name, f) {
				like = append(like, f)
			}
		}
		if len(like) == 1 {
			resolved[name] = like[0]
		}
	}
	return resolved, nil
}

// endsLike reports whether long is short with a prefix and a separator before
// it.
func endsLike(long, short string) bool {
	rest, ok := strings.CutSuffix(long, short)
	return ok && short != "" && rest != "" && strings.ContainsAny(rest[len(rest)-1:], "_-./:")
}

// instantOf returns when an invocation was: its end where that is known.
func instantOf(r *traces.Record) (ns int64, ok bool) {
	switch {
	case r.EndNS != nil:
		return *r.EndNS, true
	case r.StartNS != nil:
		return *r.StartNS, true
	}
	return 0, false
}

// leastSlack is how far outside of its execution an invocation may be logged
// at least, in ns: two clocks, and the time it takes to write the line.
const leastSlack = 1e9

// join puts invocations to executions: by the name of the execution where rows
// have one, else by time. An instant that was cut to the second may be up to
// one second later than it says. One that falls into no execution goes to the
// only one within the slack, if there is one.
func join(runs []traces.Record, rows []traces.Record) ([]execution, JoinReport) {
	list := make([]execution, len(runs))
	byID := make(map[string]int)
	for i, r := range runs {
		list[i].row = r
		if r.Execution != "" {
			byID[r.Execution] = i
		}
	}
	report := JoinReport{Executions: len(runs), Invocations: len(rows), SlackS: leastSlack / 1e9}
	type window struct {
		start, end int64
		at         int
	}
	var windows []window
	for i, r := range runs {
		if r.StartNS != nil && r.EndNS != nil {
			windows = append(windows, window{*r.StartNS, *r.EndNS, i})
		}
	}
	slices.SortStableFunc(windows, func(a, b window) int { return cmp.Compare(a.start, b.start) })
	longest := int64(0)
	for _, w := range windows {
		longest = max(longest, w.end-w.start)
	}
	// within returns the windows that meet [from, to].
	within := func(from, to int64) []int {
		var found []int
		last := sort.Search(len(windows), func(k int) bool { return windows[k].start > to })
		for k := last - 1; k >= 0 && windows[k].start >= from-longest; k-- {
			if windows[k].end >= from {
				found = append(found, windows[k].at)
			}
		}
		return found
	}
	for k := range rows {
		r := &rows[k]
		if i, ok := byID[r.Execution]; ok && r.Execution != "" {
			list[i].rows = append(list[i].rows, k)
			report.ByID++
			continue
		}
		at, ok := instantOf(r)
		if !ok {
			report.Timeless++
			continue
		}
		precision := int64(0)
		if r.TimePrecisionUS != nil {
			precision = *r.TimePrecisionUS * 1000
		}
		slack := max(leastSlack, precision)
		found, loose := within(at, at+precision), false
		if len(found) == 0 {
			found, loose = within(at-slack, at+precision+slack), true
		}
		switch {
		case len(found) == 0:
			report.Alone++
		case len(found) > 1:
			report.Ambiguous++
		default:
			list[found[0]].rows = append(list[found[0]].rows, k)
			report.ByTime++
			if loose {
				report.WithSlack++
			}
		}
	}
	for i := range list {
		slices.SortStableFunc(list[i].rows, func(a, b int) int {
			x, _ := instantOf(&rows[a])
			y, _ := instantOf(&rows[b])
			return cmp.Compare(x, y)
		})
		if len(list[i].rows) == 0 {
			report.Empty++
		}
	}
	if report.Invocations > 0 {
		report.Share = float64(report.ByID+report.ByTime) / float64(report.Invocations)
	}
	return list, report
}

// runsOf returns the rows of whole executions. Where there are none but
// invocations name theirs, an execution lasts from its first to its last
// instant. Rows without instants, as a table of costs has them, add what they
// say to the others in order, if they are as many.
func runsOf(rows []traces.Record) (runs []traces.Record, notes []string) {
	var timeless []traces.Record
	byID := make(map[string]int)
	for _, r := range rows {
		if r.Statistic != traces.Run {
			continue
		}
		if r.StartNS == nil || r.EndNS == nil {
			timeless = append(timeless, r)
			continue
		}
		runs = append(runs, r)
	}
	slices.SortStableFunc(runs, func(a, b traces.Record) int { return cmp.Compare(*a.StartNS, *b.StartNS) })
	if len(runs) == 0 && len(timeless) == 0 {
		for k := range rows {
			r := &rows[k]
			at, ok := instantOf(r)
			if r.Execution == "" || !ok {
				continue
			}
			i, seen := byID[r.Execution]
			if !seen {
				i = len(runs)
				byID[r.Execution] = i
				start, end := at, at
				runs = append(runs, traces.Record{Workflow: r.Workflow, Execution: r.Execution, Statistic: traces.Run, Source: r.Source, StartNS: &start, EndNS: &end})
			}
			first := at
			for _, ns := range []*int64{r.ScheduledNS, r.StartNS} {
				if ns != nil {
					first = min(first, *ns)
				}
			}
			*runs[i].StartNS, *runs[i].EndNS = min(*runs[i].StartNS, first), max(*runs[i].EndNS, at)
		}
		if len(runs) > 0 {
			notes = append(notes, "executions are named by invocations only; they count from the first to the last of them")
		}
	}
	for len(timeless) > 0 {
		// Each further table is as long as the first one.
		n := len(runs)
		if n == 0 {
			runs, timeless = timeless, nil
			break
		}
		if len(timeless) < n || len(timeless)%n != 0 {
			notes = append(notes, fmt.Sprintf("%d rows of executions have no instants, and there are %d executions: they cannot be put together and are left out", len(timeless), n))
			break
		}
		for i, r := range timeless[:n] {
			if runs[i].CostUSD == nil {
				runs[i].CostUSD = r.CostUSD
			}
			if runs[i].DurationUS == nil {
				runs[i].DurationUS = r.DurationUS
			}
		}
		timeless = timeless[n:]
	}
	for i := range runs {
		if runs[i].Execution == "" {
			runs[i].Execution = fmt.Sprintf("execution %0*d", int(math.Log10(float64(max(1, len(runs)))))+1, i+1)
		}
	}
	return runs, notes
}

// unrepeated returns the rows without those whose request came before, and how
// many those are.
func unrepeated(rows []traces.Record) (kept []traces.Record, repeated int) {
	type key struct{ function, request string }
	seen := make(map[key]bool)
	for _, r := range rows {
		if r.RequestID != nil && r.Function != nil {
			k := key{*r.Function, *r.RequestID}
			if seen[k] {
				repeated++
				continue
			}
			seen[k] = true
		}
		kept = append(kept, r)
	}
	return kept, repeated
}
