package cli

import (
	"fmt"
	"io"
	"strconv"
	"strings"

	"eevee/experiments"
	"eevee/models/asl"
	"eevee/traces/logs"
)

func importVerb() verb {
	var q experiments.ImportRequest
	var instance instanceImport
	var output string
	return verb{
		name:    "import",
		summary: "turn a state machine and logs, or a WfCommons instance, into a workflow and a model",
		shown:   []string{"import definition.asl.json logs/ executions.csv -o app"},
		detail: "MACHINE is a state machine in the Amazon States Language. LOGS is what was recorded of\n" +
			"its executions: logs of Lambda and Step Functions (told by their content), tables (CSV,\n" +
			"told by their header), traces (Parquet) and folders of them. Invocations join\n" +
			"executions by name, request or time; choices, loops and widths of maps are estimated\n" +
			"from them.\n\n" +
			"With --profile the times of the functions come from invocations recorded apart, with\n" +
			"--delays those of the orchestrator from executions of any machine.\n\n" +
			"DIR appears whole or not at all, with machine.asl.json, behaviour.json (to be edited),\n" +
			"workflow.yaml, traces.parquet, runs.parquet, model.json and report.json;\n" +
			"\"eevee workflows execute DIR\" simulates it.\n\n" + instanceDetail,
		args: "MACHINE|INSTANCE [LOGS...]",
		flags: append(flags{
			textFlag(&output, "output,o", "", "`DIR` to write"),
			pathsFlag(&q.Profile, "profile", "invocations of the functions by themselves: `FILE` or folder; may be given again"),
			pathsFlag(&q.Delays, "delays", "executions that show the orchestrator's delays: `FILE` or folder; may be given again"),
			pathsFlag(&q.Mappings, "mapping", "what the columns of a table mean: `FILE` (YAML), or bundled: "+strings.Join(logs.Mappings(), ", ")+"; may be given again"),
			flagOf(&q.Functions, "function", "", "functions that logs call otherwise than the machine, as `LOG=MACHINE,...`", parsePairs),
			textFlag(&q.Lower.Name, "name", "", "`NAME` of the workflow; default: that of the machine's file or folder"),
			flagOf(&q.Choices, "choice", "", "odds of choices, as `STATE:TO=P,...;...`, in place of what is learnt", parseOdds),
			flagOf(&q.Widths, "width", "", "how many items Maps get, as `STATE=N,...`, in place of what is learnt", parseWidths),
			flagOf(&q.Lower.Loops, "loop", "", "how often loops are unrolled, as `STATE=N,...`; default: what 95 % of the executions need", parseNumbered),
			switchFlag(&q.Keep, "keep-identifiers", "leave account numbers in machine.asl.json"),
		}, instance.flags()...),
		need: []string{"output"},
		run: func(c *call) error {
			q.Machine, q.Logs = c.args[0], c.args[1:]
			w, err := experiments.OpenWorkflow(q.Machine)
			if err != nil {
				return err
			}
			if w.Instance != nil {
				return instance.run(c, w, q.Lower.Name, output)
			}
			if err := without(c, instanceFlags, "for instances in WfFormat only; "+q.Machine+" is none"); err != nil {
				return err
			}
			if len(q.Logs)+len(q.Profile) == 0 {
				return usagef("give logs of the machine's executions, or a --profile of its functions; \"eevee workflows import\" takes a machine alone")
			}
			im, err := intoFolder(c, output, func() (*experiments.Imported, error) { return experiments.Import(c.ctx, q) })
			if err != nil {
				return err
			}
			for _, w := range im.Report.Warnings {
				c.warn("%s", w)
			}
			return c.result(im.Report, func(w io.Writer) error { return writeImport(w, im.Report) })
		},
	}
}

// intoFolder writes what an import reads to a folder, which it replaces if that is
// one of an import.
func intoFolder[I interface{ Write(folder string) error }](c *call, folder string, read func() (I, error)) (im I, err error) {
	replaces, err := experiments.CheckImportFolder(folder)
	if err != nil {
		return im, err
	}
	if im, err = read(); err != nil {
		return im, err
	}
	if err := c.ctx.Err(); err != nil {
		return im, err
	}
	if replaces {
		c.remark("%s exists and is replaced", folder)
	}
	return im, im.Write(folder)
}

func writeImport(w io.Writer, r experiments.ImportReport) error {
	fmt.Fprintf(w, "%s: workflow %s, from a state machine of %d states\n", r.Output, r.Workflow, r.States)
	for _, in := range r.Inputs {
		fmt.Fprintf(w, "  %s %s (%s): %d invocations, %d tasks, %d executions\n", in.Role, in.Path, in.Format, in.Invoked, in.Tasks, in.Runs)
	}
	var rows [][]any
	for _, f := range r.Functions {
		name := f.Function
		for _, s := range f.Sizes {
			rows = append(rows, []any{name, strings.Join(f.InLogs, " "), s.MemoryMB, s.Invocations, short(s.P50S), short(s.P95S)})
			name = ""
		}
		if len(f.Sizes) == 0 {
			rows = append(rows, []any{name, strings.Join(f.InLogs, " "), "-", 0, "-", "-"})
		}
	}
	fmt.Fprintf(w, "\n%s\n", textTable([]any{"function", "in logs", "memory MB", "invocations", "p50 s", "p95 s"}, rows))
	j := r.Join
	fmt.Fprintf(w, "joined: %d of %d invocations (%.4g %%) to %d executions, %d by name and %d by time (%d of them with slack of up to %g s)\n",
		j.ByID+j.ByTime, j.Invocations, 100*j.Share, j.Executions, j.ByID, j.ByTime, j.WithSlack, j.SlackS)
	if j.Ambiguous+j.Alone+j.Timeless+j.Empty > 0 {
		fmt.Fprintf(w, "not joined: %d fall into several executions, %d into none, %d have no instant; %d executions have no invocation\n", j.Ambiguous, j.Alone, j.Timeless, j.Empty)
	}
	q := r.Quality
	or := func(x *float64, unit string) string {
		if x == nil {
			return "not known"
		}
		return short(*x) + unit
	}
	fmt.Fprintf(w, "quality: %d repeated and %d failed invocations, %d of other functions, %d odd bills; share of cold starts %s\n", q.Repeated, q.Failed, q.Foreign, q.OddBills, or(q.ColdShare, ""))
	fmt.Fprintf(w, "clocks: coarsest instant %s, most outside of an execution %s, most started before scheduled %s\n", or(q.PrecisionS, " s"), or(q.MostOutsideS, " s"), or(q.MostEarlyS, " s"))
	fmt.Fprintf(w, "executions: p50 %s, p95 %s; between them %s, at most %s\n", or(q.ExecutionsP50S, " s"), or(q.ExecutionsP95S, " s"), or(q.MedianGapS, " s"), or(q.LongestGapS, " s"))
	if k := r.Costs; k != nil {
		fmt.Fprintf(w, "costs: recorded %s USD on average, billed %s USD; equal in %d of %d executions, by duration in %d, at most %.2g USD apart\n", short(k.RecordedUSD), short(k.BilledUSD), k.Equal, k.Executions, k.EqualCeil, k.MostUSD)
	}
	l := r.Learned
	fmt.Fprintf(w, "learned: %d choices and %d widths of maps from %d executions (%d inconsistent)\n", l.Choices, l.Widths, l.Executions, l.Inconsistent)
	for _, n := range l.Notes {
		fmt.Fprintf(w, "  %s\n", n)
	}
	if r.Model.Fitted {
		fmt.Fprintf(w, "model: %s\n", r.Model.Name)
	} else {
		fmt.Fprintf(w, "model: none, %s\n", r.Model.Why)
	}
	if r.Lowering != nil {
		fmt.Fprintf(w, "\nthe workflow has %d stages and %d edges; it does not say:\n", r.Lowering.Stages, r.Lowering.Edges)
		for _, lost := range r.Lowering.Lost {
			fmt.Fprintf(w, "  %s\n", lost)
		}
	}
	if len(r.Next) > 0 {
		fmt.Fprintln(w, "\nwhat to record next:")
	}
	for _, n := range r.Next {
		fmt.Fprintf(w, "  %s\n", n)
	}
	return nil // w is a buffer
}

// parsePairs reads pairs of names, as "f1=Structures_f1".
func parsePairs(s string) (map[string]string, error) {
	all := make(map[string]string)
	for part := range strings.SplitSeq(s, ",") {
		from, to, ok := strings.Cut(part, "=")
		if !ok || from == "" || to == "" {
			return nil, fmt.Errorf("%q is not LOG=MACHINE", part)
		}
		all[strings.TrimSpace(from)] = strings.TrimSpace(to)
	}
	return all, nil
}

// parseOdds reads odds of choices, as "Ready?:yes=0.9,no=0.1;Big?:a=1".
func parseOdds(s string) (map[string]asl.Odds, error) {
	all := make(map[string]asl.Odds)
	for part := range strings.SplitSeq(s, ";") {
		id, ways, ok := strings.Cut(part, ":")
		if !ok || id == "" {
			return nil, fmt.Errorf("%q is not STATE:TO=P", part)
		}
		o := asl.Odds{P: [][]float64{nil}}
		for way := range strings.SplitSeq(ways, ",") {
			i := strings.LastIndexByte(way, '=')
			if i < 1 {
				return nil, fmt.Errorf("%q is not TO=P", way)
			}
			p, err := strconv.ParseFloat(strings.TrimSpace(way[i+1:]), 64)
			if err != nil || !(p >= 0 && p <= 1) {
				return nil, fmt.Errorf("%q is not a probability from 0 to 1", way[i+1:])
			}
			o.To, o.P[0] = append(o.To, strings.TrimSpace(way[:i])), append(o.P[0], p)
		}
		all[strings.TrimSpace(id)] = o
	}
	return all, nil
}

// parseWidths reads numbers of items, as "Map=4".
func parseWidths(s string) (map[string]asl.Widths, error) {
	numbers, err := parseNumbered(s)
	if err != nil {
		return nil, err
	}
	all := make(map[string]asl.Widths)
	for id, n := range numbers {
		all[id] = asl.Widths{Items: []int{n}, P: []float64{1}}
	}
	return all, nil
}
