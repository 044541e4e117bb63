package cli

import (
	"fmt"
	"io"
	"strconv"
	"strings"

	"eevee/experiments"
)

// instanceDetail explains the import of an instance.
const instanceDetail = "INSTANCE is an instance of WfCommons (WfFormat 1.3 to 1.5), which holds one run of every\n" +
	"task. How a task varies from run to run has to be stated with --dispersion; how it scales\n" +
	"follows from its recorded CPU use, AWS Lambda's one vCPU per 1,769 MB, and Amdahl's law.\n" +
	"DIR then holds workflow.yaml, model.json and report.json, all with what is assumed:\n" +
	"\"eevee solve --workflow DIR/workflow.yaml --model-file DIR/model.json\" takes them."

// instanceImport is what the flags of an import say of an instance.
type instanceImport struct {
	request  experiments.InstanceRequest
	cpuShare float64
}

// Flags that only one of the two kinds of imports has.
var (
	instanceFlags = []string{"dispersion", "correlation", "parallel-fraction", "cpu-share", "speed", "start-delay", "memory"}
	machineFlags  = []string{"profile", "delays", "mapping", "function", "choice", "width", "loop", "keep-identifiers"}
)

func (m *instanceImport) flags() flags {
	law := &m.request.Law
	return flags{
		flagOf(&law.Dispersion, "dispersion", "", "of an instance: standard deviation of a task's time from run to run over its mean, log-normal: `CV`, as 0.2", parseDispersion),
		flagOf(&law.Correlation, "correlation", "0", "of an instance: correlation `R` of the logarithms of any two tasks' times in a run; 0: tasks vary independently", parseFraction),
		flagOf(&law.ParallelFraction, "parallel-fraction", "0", "of an instance: fraction `P` of a task's computing that more than one vCPU make faster (Amdahl 1967); 0: code of one thread", parseFraction),
		flagOf(&m.cpuShare, "cpu-share", "", "of an instance: share `U` of their time in which tasks compute, the rest does not depend on memory; default: their avgCPU, 1 where there is none", parseFraction),
		flagOf(&law.Speed, "speed", "1", "of an instance: how many times as fast a vCPU is as a core that was recorded: `X`", parseSpeed),
		flagOf(&law.Delay, "start-delay", "0", "of an instance: `TIME` from a task being ready to its function running", parseDelay),
		flagOf(&m.request.Memory, "memory", "", "of an instance: admissible `SIZES` in MB, separated by commas; default: 128 MB to 4 vCPU; those below a task's memoryInBytes are left out", parseSizes),
	}
}

// without refuses flags that make no sense here.
func without(c *call, names []string, why string) error {
	var given []string
	for _, name := range names {
		if c.isSet(name) {
			given = append(given, "--"+name)
		}
	}
	if given == nil {
		return nil
	}
	return usagef("%s: %s", strings.Join(given, ", "), why)
}

// run imports the instance in w.
func (m *instanceImport) run(c *call, w *experiments.WorkflowFile, name, output string) error {
	q := m.request
	q.Instance, q.Name = c.args[0], name
	switch err := without(c, machineFlags, "for state machines only; "+q.Instance+" is an instance in WfFormat"); {
	case err != nil:
		return err
	case len(c.args) > 1:
		return usagef("an instance holds the one run that is known of it; there are no logs to go with it, as %s", c.args[1])
	case !c.isSet("dispersion"):
		return usagef("%s: the instance holds one run of every task; state with --dispersion how much they vary from run to run (standard deviation over mean, as 0.2)", q.Instance)
	}
	if c.isSet("cpu-share") {
		q.CPUShare = &m.cpuShare
	}
	im, err := intoFolder(c, output, func() (*experiments.ImportedInstance, error) { return experiments.ImportInstance(w, q) })
	if err != nil {
		return err
	}
	for _, w := range im.Report.Warnings {
		c.warn("%s", w)
	}
	return c.result(im.Report, func(w io.Writer) error { return writeInstance(w, im.Report) })
}

func writeInstance(w io.Writer, r experiments.InstanceReport) error {
	fmt.Fprintf(w, "%s: workflow %s, %d stages and %d edges from the tasks of %s (%s)\n", r.Output, r.Workflow, r.Stages, r.Edges, r.Instance, r.Format)
	recorded := "makespan not recorded"
	if r.MakespanS > 0 {
		recorded = fmt.Sprintf("recorded makespan %s s", short(r.MakespanS))
	}
	fmt.Fprintf(w, "%s, tasks %s s in all; mean times along the longest path %s s with the smallest sizes and %s s with the largest\n",
		recorded, short(r.TasksS), short(r.SmallestS), short(r.LargestS))
	t := r.Tasks
	fmt.Fprintf(w, "of the tasks, %d have recorded CPU use, %d recorded memory; %d need more than the smallest size has, %d took 0 s\n", t.WithCPU, t.WithMemory, t.Confined, t.Instant)
	if s := r.Spread; s != nil {
		fmt.Fprintf(w, "times of tasks of one program, on different inputs, have a coefficient of variation of %s (median of %d programs)\n", short(s.Median), s.Programs)
	}
	fmt.Fprintln(w, "\nassumed (report.json says so, too; model.json holds the numbers and may be edited):")
	for _, a := range r.Assumptions {
		fmt.Fprintf(w, "  %s\n", a)
	}
	return nil // w is a buffer
}

// parseNumber reads a number in a range.
func parseNumber(s string, low, high float64) (float64, error) {
	x, err := strconv.ParseFloat(s, 64)
	if err != nil || !(x >= low && x <= high) {
		return 0, fmt.Errorf("%q is not a number from %v to %v", s, low, high)
	}
	return x, nil
}

func parseFraction(s string) (float64, error) { return parseNumber(s, 0, 1) }

func parseSpeed(s string) (float64, error) {
	x, err := parseNumber(s, 0, 1e6)
	if err != nil {
		return 0, err
	}
	return x, checkPositive(s, x)
}

func parseDispersion(s string) (float64, error) {
	x, err := parseNumber(s, 0, 10)
	if err != nil {
		return 0, err
	}
	return x, checkPositive(s, x)
}

// parseDelay reads a time that may be 0.
func parseDelay(s string) (float64, error) {
	if s == "0" {
		return 0, nil
	}
	return parseSeconds(s)
}
