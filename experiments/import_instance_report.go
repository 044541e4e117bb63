package experiments

import (
	"fmt"
	"math"

	"eevee/models"
)

// InstanceReport says what was taken from an instance, and what is assumed.
type InstanceReport struct {
	Schema      string          `json:"schema"`
	Instance    string          `json:"instance"`
	SHA256      string          `json:"sha256"`
	Format      string          `json:"format"`
	Workflow    string          `json:"workflow"`
	Output      string          `json:"output,omitempty"`
	Stages      int             `json:"stages"`
	Edges       int             `json:"edges"`
	MakespanS   float64         `json:"makespan_s"` // as recorded; 0: not recorded
	TasksS      float64         `json:"tasks_s"`    // recorded times, summed
	SmallestS   float64         `json:"smallest_s"` // mean times along the longest path with the smallest sizes, by the model
	LargestS    float64         `json:"largest_s"`  // and with the largest
	Law         InstanceLaw     `json:"law"`
	Tasks       InstanceTasks   `json:"tasks"`
	Spread      *InstanceSpread `json:"recorded_spread"` // null where no program ran more than one task
	Assumptions []string        `json:"assumptions"`
	Warnings    []string        `json:"warnings"`
}

// InstanceLaw is a models.StatedLaw.
type InstanceLaw struct {
	Dispersion       float64 `json:"dispersion"`
	Correlation      float64 `json:"correlation"`
	ParallelFraction float64 `json:"parallel_fraction"`
	Speed            float64 `json:"speed"`
	Delay            float64 `json:"delay_s"`
}

// InstanceTasks counts what is recorded of the tasks.
type InstanceTasks struct {
	WithCPU    int `json:"with_cpu"`    // their CPU use
	WithMemory int `json:"with_memory"` // their resident memory
	Confined   int `json:"confined"`    // which not every size holds
	Instant    int `json:"instant"`     // a time of 0 s
}

// InstanceSpread says how far apart the recorded times of tasks of one program
// are. Their inputs differ, so that it is not how much one task varies from run
// to run.
type InstanceSpread struct {
	Programs int     `json:"programs"` // that ran more than one task
	Tasks    int     `json:"tasks"`
	Median   float64 `json:"median_coefficient_of_variation"` // over the programs
}

// InstanceSchema names the JSON form of an InstanceReport; see
// schemas/instance-import.schema.json.
const InstanceSchema = "eevee.instance-import/1"

// longestFunctionS is how long AWS Lambda lets a function run, in s (AWS Lambda
// developer guide, "Lambda quotas").
const longestFunctionS = 900

// report says what came of an import.
func (im *ImportedInstance) report(q InstanceRequest, instance *models.WfInstance, tasks []models.WfTask) {
	w, law := im.Definition.Workflow, im.Model.Law()
	r := &im.Report
	*r = InstanceReport{
		Schema: InstanceSchema, Instance: q.Instance, Format: "WfFormat " + instance.Version,
		Workflow: w.Name(), Stages: w.Len(), Edges: instance.Edges, MakespanS: instance.MakespanS,
		Law: InstanceLaw(law), Spread: spreadOf(tasks), Warnings: []string{},
	}
	sizes := len(q.sizes(models.WfTask{}))
	smallest, largest := make([]float64, w.Len()), make([]float64, w.Len())
	tooLong, longest := 0, 0
	for i, t := range tasks {
		r.TasksS += t.RuntimeS
		choices := im.Definition.Spaces[0].Choices(i)
		for _, count := range []struct {
			what *int
			is   bool
		}{{&r.Tasks.WithCPU, t.CPU > 0}, {&r.Tasks.WithMemory, t.Memory > 0}, {&r.Tasks.Confined, len(choices) < sizes}, {&r.Tasks.Instant, t.RuntimeS == 0}} {
			if count.is {
				*count.what++
			}
		}
		smallest[i], _ = law.MeanTime(im.Model.Stages()[i], choices[0].VCPU)
		largest[i], _ = law.MeanTime(im.Model.Stages()[i], choices[len(choices)-1].VCPU)
		if largest[i] > longestFunctionS {
			tooLong++
		}
		if largest[i] > largest[longest] {
			longest = i
		}
	}
	if tooLong > 0 {
		r.Warnings = append(r.Warnings, fmt.Sprintf("AWS Lambda ends a function after %d s; longer than that, even at their largest size, take %d of %d tasks, and longest %q with %.0f s",
			longestFunctionS, tooLong, len(tasks), tasks[longest].ID, largest[longest]))
	}
	for i := range tasks {
		smallest[i] += law.Delay
		largest[i] += law.Delay
	}
	r.SmallestS, r.LargestS = w.Latency(smallest), w.Latency(largest)
	r.Assumptions = append(im.Model.Assumptions(), q.computing(r.Tasks.WithCPU, len(tasks)),
		fmt.Sprintf("a task is a function of one instance, and needs the memory that was recorded (of %d of %d tasks)", r.Tasks.WithMemory, len(tasks)),
		"reading and writing files is part of the recorded times")
}

// computing says where the share of computing comes from.
func (q InstanceRequest) computing(recorded, tasks int) string {
	if q.CPUShare != nil {
		return fmt.Sprintf("every task computes in a share of %v of its time, on the cores that its coreCount says", *q.CPUShare)
	}
	return fmt.Sprintf("a task computes in the share of its time, and on the cores, that its avgCPU says (recorded of %d of %d tasks; the others compute all the time)", recorded, tasks)
}

// spreadOf returns how far apart the times of tasks of one program are, nil
// where none ran more than one task. Some recorders give the tasks of a program
// one name, others give every task its ID for a name.
func spreadOf(tasks []models.WfTask) *InstanceSpread {
	times := map[string][]float64{}
	for _, t := range tasks {
		program := t.Name
		if (program == t.ID || program == "") && t.Program != "" {
			program = t.Program
		}
		times[program] = append(times[program], t.RuntimeS)
	}
	var s InstanceSpread
	var spread []float64
	for _, list := range times {
		mean, square := 0.0, 0.0
		for _, v := range list {
			mean += v / float64(len(list))
		}
		if len(list) < 2 || mean == 0 {
			continue
		}
		for _, v := range list {
			square += (v - mean) * (v - mean) / float64(len(list)-1)
		}
		s.Programs, s.Tasks = s.Programs+1, s.Tasks+len(list)
		spread = append(spread, math.Sqrt(square)/mean)
	}
	if s.Programs == 0 {
		return nil
	}
	s.Median = models.QuantileR7(spread, 0.5)
	return &s
}
