package sweep

import (
	"fmt"
	"math"
	"reflect"
	"slices"
	"strconv"
	"strings"

	"eevee/internal/spelling"
)

// Column is one figure or name of every row of a result: a column of the file,
// or derived from several.
type Column struct {
	Name string
	Unit string // as it stands in a label; empty: none
	Text bool   // the values are names

	value func(r Row, all *index) (number float64, text string, ok bool)
}

// Value returns the column's value in row i, as a number or as a name, and
// whether there is one.
func (t *Result) Value(c Column, i int) (number float64, text string, ok bool) {
	return c.value(t.Rows[i], t.index)
}

// Result is the rows of a sweep, and what is derived from several of them.
type Result struct {
	Rows  []Row
	index *index
}

// NewResult makes rows ready to be looked at.
func NewResult(rows []Row) *Result { return &Result{Rows: rows, index: newIndex(rows)} }

// index finds the rows that a row is compared with.
type index struct {
	exact map[string]Row // by everything but the method
	least map[string]Row // by everything but percentile and confidence, at the smallest of these
}

func newIndex(rows []Row) *index {
	x := &index{exact: map[string]Row{}, least: map[string]Row{}}
	for _, r := range rows {
		if r.Method == "exact" {
			x.exact[r.but("method")] = r
		}
		if _, ok := r.Objective(); !ok || r.Keeps == nil || !*r.Keeps {
			continue
		}
		key := r.but("percentile", "confidence")
		if old, ok := x.least[key]; !ok || r.Percentile < old.Percentile || r.Percentile == old.Percentile && r.Confidence < old.Confidence {
			x.least[key] = r
		}
	}
	return x
}

// but returns a text of all inputs but the named ones.
func (r Row) but(left ...string) string {
	r.Cell = ""
	if slices.Contains(left, "method") {
		r.Method = ""
	}
	if slices.Contains(left, "percentile") {
		r.Percentile, r.Confidence, r.Samples = 0, 0, 0
	}
	return fmt.Sprintf("%q %q %q %q %d %q %v %v %v %q %d %d %q %v %q", r.Workflow, r.Trace, r.Space, r.Model, r.Seed,
		r.Metric, r.Limit(), r.Percentile, r.Confidence, r.Rule, r.Samples, r.Replications, r.Platform, r.DeadlineS, r.Method)
}

// derived are the columns that are not in the file.
var derived = []Column{
	{"limit", "s or USD", false, func(r Row, _ *index) (float64, string, bool) { return r.Limit(), "", true }},
	{"objective", "USD or s", false, func(r Row, _ *index) (float64, string, bool) {
		v, ok := r.Objective()
		return v, "", ok
	}},
	// How far the objective is above the proved optimum of the same problem.
	{"regret", "%", false, func(r Row, all *index) (float64, string, bool) {
		best, ok := all.exact[r.but("method")]
		if !ok || best.Status != "optimal" || r.Keeps == nil || !*r.Keeps {
			return 0, "", false
		}
		a, okA := r.Objective()
		b, okB := best.Objective()
		return 100 * (a/b - 1), "", okA && okB && b > 0
	}},
	// What the objective costs over that at the smallest percentile and
	// confidence of the sweep.
	{"premium", "%", false, func(r Row, all *index) (float64, string, bool) {
		base, ok := all.least[r.but("percentile", "confidence")]
		a, okA := r.Objective()
		b, okB := base.Objective()
		return 100 * (a/b - 1), "", ok && okA && okB && b > 0 && r.Keeps != nil && *r.Keeps
	}},
	// The share of holdout scenarios that exceed the limit.
	{"risk", "%", false, func(r Row, _ *index) (float64, string, bool) {
		if r.Holdout == nil || *r.Holdout == 0 {
			return 0, "", false
		}
		return 100 * float64(*r.HoldoutExceed) / float64(*r.Holdout), "", true
	}},
	// 100 where the exact interval of the risk lies above what the bound
	// allows, else 0: the mean is the share of answers that break the bound.
	{"violation", "%", false, func(r Row, _ *index) (float64, string, bool) {
		if r.HoldoutRiskLo == nil || r.Status == "infeasible" || r.Status == "not-found" {
			return 0, "", false
		}
		if *r.HoldoutRiskLo > (100-r.Percentile)/100 {
			return 100, "", true
		}
		return 0, "", true
	}},
	// The share of simulated runs in the world of the trace that exceed it.
	{"simulated_risk", "%", false, func(r Row, _ *index) (float64, string, bool) {
		if r.SimulatedExceed == nil || r.Replications == 0 {
			return 0, "", false
		}
		return 100 * float64(*r.SimulatedExceed) / float64(r.Replications), "", true
	}},
	{"cost", "¢", false, func(r Row, _ *index) (float64, string, bool) { return scaled(r.CostMeanUSD, 100) }},
	{"latency", "s", false, func(r Row, _ *index) (float64, string, bool) { return scaled(r.LatencyP95S, 1) }},
}

func scaled(p *float64, by float64) (float64, string, bool) {
	if p == nil {
		return 0, "", false
	}
	return by * *p, "", true
}

// Columns returns all columns: those of the file, and the derived ones.
func Columns() []Column {
	var all []Column
	for f := range reflect.TypeFor[Row]().Fields() {
		name, _, _ := strings.Cut(f.Tag.Get("parquet"), ",")
		kind := f.Type
		if kind.Kind() == reflect.Pointer {
			kind = kind.Elem()
		}
		unit := ""
		switch {
		case strings.HasSuffix(name, "_s"):
			unit = "s"
		case strings.HasSuffix(name, "_usd"):
			unit = "USD"
		case name == "percentile" || name == "confidence":
			unit = "%"
		}
		all = append(all, Column{name, unit, kind.Kind() == reflect.String, func(r Row, _ *index) (float64, string, bool) {
			return scalar(reflect.ValueOf(r).FieldByIndex(f.Index))
		}})
	}
	return append(all, derived...)
}

// scalar returns a field of a row as a number or a name.
func scalar(v reflect.Value) (float64, string, bool) {
	if v.Kind() == reflect.Pointer {
		if v.IsNil() {
			return 0, "", false
		}
		v = v.Elem()
	}
	switch v.Kind() {
	case reflect.String:
		return 0, v.String(), true
	case reflect.Float64:
		return v.Float(), "", !math.IsNaN(v.Float())
	case reflect.Bool:
		if v.Bool() {
			return 1, "", true
		}
		return 0, "", true
	default:
		return float64(v.Int()), "", true
	}
}

// InputColumns returns the columns that a sweep can vary, each once: the limit
// stands for both units.
func InputColumns() []Column {
	var inputs []Column
	for _, name := range []string{"workflow", "trace_sha256", "model", "seed", "bounded", "limit", "percentile", "confidence", "rule", "samples", "replications", "platform", "method"} {
		c, err := FindColumn(name)
		if err != nil {
			panic(err) // the names are those of Columns
		}
		inputs = append(inputs, c)
	}
	return inputs
}

// DerivedColumns returns the columns that are derived from those of the file.
func DerivedColumns() []Column { return slices.Clone(derived) }

// FindColumn returns the column of a name.
func FindColumn(name string) (Column, error) {
	var names []string
	for _, c := range Columns() {
		if c.Name == name {
			return c, nil
		}
		names = append(names, c.Name)
	}
	return Column{}, spelling.Unknown("column", name, names)
}

// Where returns the rows whose column has the value, which is compared as a
// number where it is one.
func (t *Result) Where(c Column, value string) (*Result, error) {
	want, err := strconv.ParseFloat(value, 64)
	if !c.Text && err != nil {
		return nil, fmt.Errorf("column %s holds numbers, and %q is none", c.Name, value)
	}
	kept := &Result{index: t.index}
	for i, r := range t.Rows {
		number, text, ok := t.Value(c, i)
		if ok && (c.Text && text == value || !c.Text && number == want) {
			kept.Rows = append(kept.Rows, r)
		}
	}
	if len(kept.Rows) == 0 {
		return nil, fmt.Errorf("no row has %s %s", c.Name, value)
	}
	return kept, nil
}

// Pick returns the rows at the given places; what is derived from others is
// derived from the whole result all the same.
func (t *Result) Pick(rows []int) *Result {
	picked := &Result{index: t.index}
	for _, i := range rows {
		picked.Rows = append(picked.Rows, t.Rows[i])
	}
	return picked
}
