package traces

import (
	"cmp"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"slices"
	"strconv"
	"strings"
	"text/tabwriter"
)

// Summary says what is in a trace.
type Summary struct {
	Meta       Meta            `json:"meta"`
	Rows       int             `json:"rows"`
	Executions int             `json:"executions"` // runs of a workflow
	Workflows  []Count         `json:"workflows"`  // in the order of the trace
	Sources    []Count         `json:"sources"`    // in the order of the trace
	Statistics []Count         `json:"statistics"` // in the order of the trace
	Epochs     []Count         `json:"epochs"`     // ascending; "" for rows without one
	Stages     []StageSummary  `json:"stages"`     // in the order of the trace
	Configs    []ConfigCount   `json:"configs"`    // over all stages, by memory and parallelism
	Columns    []ColumnSummary `json:"columns"`    // in the order of the file

	// NegativeCold are the p95 rows whose cold step, a residual, is below 0.
	NegativeCold NegativeCold `json:"negative_cold_residuals"`
}

// Count is how many rows have a value.
type Count struct {
	Value string `json:"value"`
	Rows  int    `json:"rows"`
}

// StageSummary says what is in the rows of one stage.
type StageSummary struct {
	Workflow   string        `json:"workflow"`
	Stage      string        `json:"stage"`
	Rows       int           `json:"rows"`
	Statistics []Count       `json:"statistics"`
	Configs    []ConfigCount `json:"configs"` // by memory and parallelism
}

// ConfigCount is how many rows ran under a configuration.
type ConfigCount struct {
	MemoryMB    int32  `json:"memory_mb"`
	Parallelism *int32 `json:"parallelism"` // null: not known
	Rows        int    `json:"rows"`
}

// ColumnSummary says what is in one column. The unit is in its name.
type ColumnSummary struct {
	Column    string `json:"column"`
	Known     int    `json:"known_rows"`
	Missing   int    `json:"missing_rows"`
	NotFinite int    `json:"not_finite_rows,omitempty"` // NaN or infinite, of the known ones
	Range     *Range `json:"range,omitempty"`           // of the finite ones
}

// Range is the smallest and the largest number of a column, exactly.
type Range struct {
	Min json.Number `json:"min"`
	Max json.Number `json:"max"`
}

// NegativeCold counts the cold residuals below 0.
type NegativeCold struct {
	Rows int      `json:"rows"`
	Min  *float64 `json:"min_s,omitempty"`
}

// Inspect summarises rows that are in memory.
func Inspect(rows []Record, meta Meta) Summary {
	in := newInspection()
	in.add(rows)
	return in.summary(meta)
}

// InspectFile summarises a trace of any size.
func InspectFile(path string) (Summary, error) {
	in := newInspection()
	meta, err := Scan(path, nil, func(rows []Record) error {
		in.add(rows)
		return nil
	})
	if err != nil {
		return Summary{}, err
	}
	return in.summary(meta), nil
}

// inspection gathers a Summary row by row.
type inspection struct {
	rows       int
	executions map[[2]string]struct{}
	workflows  counter
	sources    counter
	statistics counter
	epochs     map[int64]int
	configs    configCounter
	stageAt    map[[2]string]int
	stages     []*stageInspection
	tallies    []tally
	cold       NegativeCold
}

type stageInspection struct {
	workflow, stage string
	rows            int
	statistics      counter
	configs         configCounter
}

// unknown stands for an int32 that is null; it sorts before all others.
const unknown = -1 << 32

func newInspection() *inspection {
	in := &inspection{
		executions: make(map[[2]string]struct{}),
		epochs:     make(map[int64]int),
		configs:    make(configCounter),
		stageAt:    make(map[[2]string]int),
	}
	for _, c := range columns {
		in.tallies = append(in.tallies, c.tally())
	}
	return in
}

func (in *inspection) add(rows []Record) {
	in.rows += len(rows)
	for i := range rows {
		r := &rows[i]
		if r.Execution != "" {
			in.executions[[2]string{r.Workflow, r.Execution}] = struct{}{}
		}
		in.workflows.add(r.Workflow)
		in.sources.add(r.Source)
		in.statistics.add(string(r.Statistic))
		epoch := int64(unknown)
		if r.Epoch != nil {
			epoch = int64(*r.Epoch)
		}
		in.epochs[epoch]++
		in.configs.add(r)
		s := in.stage(r)
		s.rows++
		s.statistics.add(string(r.Statistic))
		s.configs.add(r)
		for _, t := range in.tallies {
			t.add(r)
		}
		if r.Statistic == P95 && r.Cold != nil && *r.Cold < 0 {
			in.cold.Rows++
			if in.cold.Min == nil || *r.Cold < *in.cold.Min {
				least := *r.Cold
				in.cold.Min = &least
			}
		}
	}
}

func (in *inspection) stage(r *Record) *stageInspection {
	key := [2]string{r.Workflow, r.Stage}
	i, ok := in.stageAt[key]
	if !ok {
		i = len(in.stages)
		in.stageAt[key] = i
		in.stages = append(in.stages, &stageInspection{workflow: r.Workflow, stage: r.Stage, configs: make(configCounter)})
	}
	return in.stages[i]
}

func (in *inspection) summary(meta Meta) Summary {
	s := Summary{
		Meta: meta, Rows: in.rows, Executions: len(in.executions),
		Workflows: in.workflows.counts, Sources: in.sources.counts, Statistics: in.statistics.counts,
		Configs: in.configs.counts(), NegativeCold: in.cold,
	}
	for _, epoch := range slices.Sorted(maps.Keys(in.epochs)) {
		value := ""
		if epoch != unknown {
			value = strconv.FormatInt(epoch, 10)
		}
		s.Epochs = append(s.Epochs, Count{value, in.epochs[epoch]})
	}
	for _, stage := range in.stages {
		s.Stages = append(s.Stages, StageSummary{
			Workflow: stage.workflow, Stage: stage.stage, Rows: stage.rows,
			Statistics: stage.statistics.counts, Configs: stage.configs.counts(),
		})
	}
	for _, t := range in.tallies {
		s.Columns = append(s.Columns, t.summary())
	}
	return s
}

// counter counts values in the order in which they appear.
type counter struct {
	counts []Count
	at     map[string]int // in counts
	last   int            // in counts, of the previous value: values come in runs
}

func (c *counter) add(value string) {
	if len(c.counts) == 0 || c.counts[c.last].Value != value {
		i, ok := c.at[value]
		if !ok {
			if c.at == nil {
				c.at = make(map[string]int)
			}
			i = len(c.counts)
			c.at[value] = i
			c.counts = append(c.counts, Count{Value: value})
		}
		c.last = i
	}
	c.counts[c.last].Rows++
}

// configCounter counts rows by memory and parallelism, unknown where it is not
// known.
type configCounter map[[2]int64]int

func (c configCounter) add(r *Record) {
	key := [2]int64{int64(r.MemoryMB), unknown}
	if r.Parallelism != nil {
		key[1] = int64(*r.Parallelism)
	}
	c[key]++
}

func (c configCounter) counts() []ConfigCount {
	keys := slices.SortedFunc(maps.Keys(c), func(a, b [2]int64) int {
		return cmp.Or(cmp.Compare(a[0], b[0]), cmp.Compare(a[1], b[1]))
	})
	counts := make([]ConfigCount, len(keys))
	for i, key := range keys {
		counts[i] = ConfigCount{MemoryMB: int32(key[0]), Rows: c[key]}
		if key[1] != unknown {
			d := int32(key[1])
			counts[i].Parallelism = &d
		}
	}
	return counts
}

// WriteText writes the summary for people to read.
func (s Summary) WriteText(w io.Writer) error {
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	line := func(format string, args ...any) { fmt.Fprintf(t, format+"\n", args...) }

	line("schema version\t%d", s.Meta.SchemaVersion)
	for _, pair := range [][2]string{
		{"source", s.Meta.Source}, {"workflow", s.Meta.Workflow}, {"generator", s.Meta.Generator}, {"input SHA-256", s.Meta.InputSHA256},
	} {
		if pair[1] != "" {
			line("%s\t%s", pair[0], pair[1])
		}
	}
	for _, key := range slices.Sorted(maps.Keys(s.Meta.Extra)) {
		line("%s\t%s", key, s.Meta.Extra[key])
	}
	line("rows\t%d", s.Rows)
	line("executions\t%d", s.Executions)
	for _, list := range []struct {
		title  string
		counts []Count
	}{{"rows by workflow", s.Workflows}, {"rows by source", s.Sources}, {"rows by statistic", s.Statistics}, {"rows by epoch", s.Epochs}} {
		line("%s\t%s", list.title, listCounts(list.counts))
	}
	line("configurations\t%d", len(s.Configs))
	if s.NegativeCold.Rows > 0 {
		line("negative cold residuals\t%d, down to %.4g s", s.NegativeCold.Rows, *s.NegativeCold.Min)
	}
	if err := t.Flush(); err != nil {
		return err
	}

	line("")
	line("stage\trows\tby statistic\tconfigurations\tmemory MB\tparallelism")
	for _, stage := range s.Stages {
		memory, parallelism := levels(stage.Configs)
		line("%s\t%d\t%s\t%d\t%s\t%s", named(stage.Stage), stage.Rows, listCounts(stage.Statistics), len(stage.Configs), memory, parallelism)
	}
	if err := t.Flush(); err != nil {
		return err
	}

	line("")
	line("column\tknown\tmissing\tmin\tmax")
	for _, c := range s.Columns {
		low, high := "", ""
		if c.Range != nil {
			low, high = c.Range.Min.String(), c.Range.Max.String()
		}
		line("%s\t%d\t%d\t%s\t%s", c.Column, c.Known, c.Missing, low, high)
		if c.NotFinite > 0 {
			line("%s, not finite\t%d\t\t\t", c.Column, c.NotFinite)
		}
	}
	return t.Flush()
}

func listCounts(counts []Count) string {
	parts := make([]string, len(counts))
	for i, c := range counts {
		parts[i] = fmt.Sprintf("%s %d", named(c.Value), c.Rows)
	}
	return strings.Join(parts, ", ")
}

// named makes an empty value visible.
func named(value string) string {
	if value == "" {
		return "(none)"
	}
	return value
}

// levels lists the values of memory and of parallelism among configurations.
func levels(configs []ConfigCount) (memory, parallelism string) {
	sizes, degrees := make(map[int32]bool), make(map[int32]bool)
	gap := false
	for _, c := range configs {
		sizes[c.MemoryMB] = true
		if c.Parallelism == nil {
			gap = true
		} else {
			degrees[*c.Parallelism] = true
		}
	}
	list := func(set map[int32]bool) []string {
		var values []string
		for _, v := range slices.Sorted(maps.Keys(set)) {
			values = append(values, strconv.Itoa(int(v)))
		}
		return values
	}
	d := list(degrees)
	if gap {
		d = append(d, named(""))
	}
	return strings.Join(list(sizes), " "), strings.Join(d, " ")
}
