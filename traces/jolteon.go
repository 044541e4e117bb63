package traces

import (
	"errors"
	"fmt"
	"io"
	"math"
	"slices"
	"strconv"
	"strings"
)

// ProfileConfig is one point of the grid of configurations of a profile: the
// memory of every instance and, of every stage that can be split, the
// parallelism.
type ProfileConfig struct {
	MemoryMB    int32
	Parallelism int32
}

// String gives the configuration as "1792MBx8".
func (c ProfileConfig) String() string {
	return fmt.Sprintf("%dMBx%d", c.MemoryMB, c.Parallelism)
}

// ProfileLayout says what the numbers of a profile stand for: the file itself
// names only stages and steps.
type ProfileLayout struct {
	Workflow string
	Stages   []string        // as the file names them, in the order of the records
	Unsplit  []string        // the stages that ran as one instance whatever the grid says
	Epochs   int             // repetitions of the whole grid
	Grid     []ProfileConfig // in the order of the file
}

// JolteonLayout returns the layout of a profile that the Jolteon artifact
// publishes, for the workflow ml, video or tpcds.
//
// The grids are those of the artifact (pkusys/Jolteon at bcce495), memory in MB
// as set on the platform.
func JolteonLayout(workflow string) (ProfileLayout, bool) {
	for _, layout := range jolteonLayouts() {
		if layout.Workflow == workflow {
			return layout, true
		}
	}
	return ProfileLayout{}, false
}

func jolteonLayouts() []ProfileLayout {
	large := []int32{1792, 3584, 5120, 6144, 7168}
	return []ProfileLayout{
		{
			Workflow: "ml", Stages: numbered(4), Unsplit: []string{"stage0", "stage3"}, Epochs: 3,
			Grid: slices.Concat(grid([]int32{1024}, 8, 16, 32), grid(large, 4, 8, 16, 32)),
		},
		{
			Workflow: "video", Stages: numbered(4), Epochs: 3,
			Grid: grid(append(slices.Clone(large), 8960), 4, 8, 16, 32),
		},
		{
			Workflow: "tpcds", Stages: numbered(8), Unsplit: []string{"stage1", "stage7"}, Epochs: 3,
			Grid: slices.Concat(
				grid([]int32{892, 1078, 1258, 1437, 1617}, 16, 24, 32, 48, 64),
				grid([]int32{1792}, 8, 16, 24, 32, 48, 64)),
		},
	}
}

// numbered returns the names stage0 to stage<n-1>.
func numbered(n int) []string {
	names := make([]string, n)
	for i := range names {
		names[i] = "stage" + strconv.Itoa(i)
	}
	return names
}

// grid combines every memory with every parallelism, the parallelism running
// fastest.
func grid(memory []int32, parallelism ...int32) []ProfileConfig {
	var configs []ProfileConfig
	for _, m := range memory {
		for _, d := range parallelism {
			configs = append(configs, ProfileConfig{m, d})
		}
	}
	return configs
}

// profileSteps are the steps of a stage, in the order of Record.
var profileSteps = []string{"cold", "read", "compute", "write"}

// profileStatistics are the two numbers of a configuration.
var profileStatistics = []Statistic{Mean, P95}

// maxProfileBytes bounds the size of a profile: the largest of the published
// ones has 128 kB.
const maxProfileBytes = 64 << 20

// ReadJolteonProfile reads a profile in the format of the Jolteon artifact:
//
//	profile[stage][step][epoch][config] = [mean, p95] in seconds
//
// over the instances of the stage in one run, with the steps cold, read,
// compute and write. name stands for the file in errors.
//
// It returns one Record per stage, epoch, configuration and statistic, in this
// order. The records of one run have the same Execution, such as
// "ml/epoch1/1792MBx8", which holds the parallelism of the grid; Parallelism
// is that of the stage, 1 where it was not split.
//
// The cold value of a p95 row is a residual and may be negative. Any other
// negative number, a number that is not finite, a key that is there twice and
// every deviation from the layout are errors, all of them reported.
func ReadJolteonProfile(r io.Reader, name string, w ProfileLayout) ([]Record, error) {
	data, err := io.ReadAll(io.LimitReader(r, maxProfileBytes+1))
	if err != nil {
		return nil, fmt.Errorf("traces: %s: %w", name, err)
	}
	if len(data) > maxProfileBytes {
		return nil, fmt.Errorf("traces: %s: is larger than %d MB, no profile is", name, maxProfileBytes>>20)
	}
	p := &profileReader{name: name, layout: w, data: data}
	root, path, err := parseJSON(data)
	if root == nil {
		p.defect(path, "%w", err)
		return nil, errors.Join(p.errs...)
	}
	if err != nil {
		p.defect(nil, "%w", err)
	}
	if !p.isOther(root) {
		p.workflow(root)
	}
	if len(p.errs) > 0 {
		return nil, errors.Join(p.errs...)
	}
	return p.records(), nil
}

// profileReader turns one profile into records.
type profileReader struct {
	name   string
	layout ProfileLayout
	data   []byte
	times  [][][][][2]float64 // stage, step, epoch, configuration, statistic
	errs   []error
}

// defect reports a defect of the value that the path leads to.
func (p *profileReader) defect(path jsonPath, format string, args ...any) {
	where := "traces: " + p.name + ": "
	if place := p.place(path); place != "" {
		where += place + ": "
	}
	p.errs = append(p.errs, fmt.Errorf("%s%w", where, fmt.Errorf(format, args...)))
}

// place says in words where a path leads to.
func (p *profileReader) place(path jsonPath) string {
	var words []string
	for level, step := range path {
		switch level {
		case 0:
			words = append(words, fmt.Sprintf("stage %v", step))
		case 1:
			words = append(words, fmt.Sprintf("step %v", step))
		case 2:
			words = append(words, fmt.Sprintf("epoch %v", step))
		case 3:
			text := fmt.Sprintf("configuration %v", step)
			if k, ok := step.(int); ok && k < len(p.layout.Grid) {
				text += " (" + p.layout.Grid[k].String() + ")"
			}
			words = append(words, text)
		case 4:
			if k, ok := step.(int); ok && k < len(profileStatistics) {
				words = append(words, string(profileStatistics[k]))
			}
		}
	}
	return strings.Join(words, ", ")
}

// isOther reports, as the only defect, that the profile has the stages and the
// number of configurations of another workflow of the artifact and not its own.
func (p *profileReader) isOther(root *jsonNode) bool {
	if fits(root, p.layout) {
		return false
	}
	for _, other := range jolteonLayouts() {
		if fits(root, other) {
			p.defect(nil, "is a profile of workflow %s (stages %s to %s, %d configurations), not of %s (%s to %s, %d)",
				other.Workflow, other.Stages[0], other.Stages[len(other.Stages)-1], len(other.Grid),
				p.layout.Workflow, p.layout.Stages[0], p.layout.Stages[len(p.layout.Stages)-1], len(p.layout.Grid))
			return true
		}
	}
	return false
}

// fits reports whether a profile has exactly the stages of a layout and, in
// every list, its number of configurations.
func fits(root *jsonNode, layout ProfileLayout) bool {
	if len(root.keys) != len(layout.Stages) {
		return false
	}
	for _, stage := range layout.Stages {
		node := root.member(stage)
		if node == nil || len(node.keys) == 0 {
			return false
		}
		for _, step := range node.items {
			for _, epoch := range step.items {
				if len(epoch.items) != len(layout.Grid) {
					return false
				}
			}
		}
	}
	return true
}

// workflow reads all stages into times.
func (p *profileReader) workflow(root *jsonNode) {
	if root.kind != jsonObject {
		p.defect(nil, "%s: a profile is an object of stages, this is %v", position(p.data, root.at), root.kind)
		return
	}
	if !slices.ContainsFunc(root.keys, func(key string) bool { return slices.Contains(p.layout.Stages, key) }) {
		p.defect(nil, "is no profile of workflow %s: it has none of the stages %s to %s", p.layout.Workflow, p.layout.Stages[0], p.layout.Stages[len(p.layout.Stages)-1])
		return
	}
	for i, key := range root.keys {
		if !slices.Contains(p.layout.Stages, key) {
			p.defect(nil, "%s: workflow %s has no stage %q", position(p.data, root.items[i].at), p.layout.Workflow, key)
		}
	}
	for _, stage := range p.layout.Stages {
		node := root.member(stage)
		if node == nil {
			p.defect(nil, "stage %s is missing", stage)
		} else {
			p.times = append(p.times, p.stage(jsonPath{stage}, node))
		}
	}
}

func (p *profileReader) stage(path jsonPath, node *jsonNode) (times [][][][2]float64) {
	if node.kind != jsonObject {
		p.defect(path, "%s: should be an object of steps, is %v", position(p.data, node.at), node.kind)
		return nil
	}
	for i, key := range node.keys {
		if !slices.Contains(profileSteps, key) {
			p.defect(path, "%s: %q is none of the steps %q", position(p.data, node.items[i].at), key, profileSteps)
		}
	}
	for _, step := range profileSteps {
		item := node.member(step)
		if item == nil {
			p.defect(path, "step %s is missing", step)
			continue
		}
		var epochs [][][2]float64
		path := slices.Concat(path, jsonPath{step})
		if p.list(path, item, p.layout.Epochs, "epochs") {
			for e, list := range item.items {
				epochs = append(epochs, p.epoch(slices.Concat(path, jsonPath{e}), list, step))
			}
		}
		times = append(times, epochs)
	}
	return times
}

func (p *profileReader) epoch(path jsonPath, node *jsonNode, step string) (times [][2]float64) {
	if !p.list(path, node, len(p.layout.Grid), "configurations") {
		return nil
	}
	for k, pair := range node.items {
		path := slices.Concat(path, jsonPath{k})
		var values [2]float64
		if p.list(path, pair, len(profileStatistics), "numbers, mean and p95") {
			for s, item := range pair.items {
				residual := step == "cold" && profileStatistics[s] == P95
				values[s] = p.seconds(slices.Concat(path, jsonPath{s}), item, residual)
			}
		}
		times = append(times, values)
	}
	return times
}

// list reports whether the node is a list of n items.
func (p *profileReader) list(path jsonPath, node *jsonNode, n int, what string) bool {
	switch {
	case node.kind != jsonArray:
		p.defect(path, "%s: should be a list of %d %s, is %v", position(p.data, node.at), n, what, node.kind)
	case len(node.items) != n:
		p.defect(path, "%s: should be %d %s, not %d", position(p.data, node.at), n, what, len(node.items))
	default:
		return true
	}
	return false
}

func (p *profileReader) seconds(path jsonPath, node *jsonNode, residual bool) float64 {
	if node.kind != jsonNumber {
		p.defect(path, "%s: should be a number, is %v", position(p.data, node.at), node.kind)
		return 0
	}
	v, err := strconv.ParseFloat(node.text, 64)
	switch {
	case err != nil || math.IsInf(v, 0):
		p.defect(path, "%s: %s is not a finite number", position(p.data, node.at), node.text)
	case v < 0 && !residual:
		p.defect(path, "%s: negative: %s", position(p.data, node.at), node.text)
	}
	return v
}

// records returns the rows of a profile without defects.
func (p *profileReader) records() []Record {
	w := p.layout
	rows := make([]Record, 0, len(w.Stages)*w.Epochs*len(w.Grid)*len(profileStatistics))
	for i, stage := range w.Stages {
		for e := range w.Epochs {
			for k, config := range w.Grid {
				for s, statistic := range profileStatistics {
					epoch, d := int32(e), config.Parallelism
					if slices.Contains(w.Unsplit, stage) {
						d = 1
					}
					at := func(step int) *float64 { return &p.times[i][step][e][k][s] }
					rows = append(rows, Record{
						Workflow:  w.Workflow,
						Execution: fmt.Sprintf("%s/epoch%d/%v", w.Workflow, e, config),
						Stage:     stage, Epoch: &epoch, Statistic: statistic,
						MemoryMB: config.MemoryMB, Parallelism: &d,
						Cold: at(0), Read: at(1), Compute: at(2), Write: at(3),
						Source: Recorded,
					})
				}
			}
		}
	}
	return rows
}
