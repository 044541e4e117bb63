package figures

import (
	"context"
	"fmt"
	"slices"

	"eevee/experiments"
	"eevee/models"
)

// Forecasters fixes the looks of the models that are validated.
var Forecasters = Cast{"calibrated", "empirical", "jolteon", "orion", "stepconf", "ditto"}

// SaveValidation draws a validation into dir, which it makes if need be: how
// often recorded times stay below the predicted percentiles, what was predicted
// against what was recorded, the residuals by configuration, and the tables; and
// learning curves, unless they are nil. Recorded says that the trace is no
// generated one. The same numbers give the same bytes.
func SaveValidation(ctx context.Context, dir string, v experiments.Validation, l *experiments.Learning, recorded bool) error {
	var all []Picture
	if len(v.Models) > 0 {
		all = validation(v, recorded)
	}
	if l != nil {
		all = append(all, learning(*l, recorded)...)
	}
	for _, p := range all {
		if err := ctx.Err(); err != nil {
			return err
		}
		if _, err := p.Save(dir, Print); err != nil {
			return err
		}
	}
	return nil
}

// validation returns the pictures and tables of a validation.
func validation(v experiments.Validation, recorded bool) []Picture {
	all := []Picture{
		{"validation-reliability", "share of recorded times below the predicted percentiles, for configurations that the models never saw", reliability(v, recorded)},
		{"validation-width", "coverage of the predicted 95th percentile over the width of the bound, with 95 % intervals", coverageOverWidth(v, recorded)},
		{"validation", "coverage at every level", Listing{validationRows(v, v.Rows)}},
		{"validation-p95", "coverage at 95 %", validationRows(v, rowsAt(v, 0.95))},
	}
	for _, model := range v.Models {
		all = append(all,
			Picture{"validation-predicted-" + model, "predicted against recorded times", predictedAgainstRecorded(v, model, recorded)},
			Picture{"validation-residuals-" + model, "residuals by configuration", residuals(v, model, recorded)},
		)
	}
	return all
}

func rowsAt(v experiments.Validation, level float64) []experiments.ValidationRow {
	return slices.DeleteFunc(slices.Clone(v.Rows), func(r experiments.ValidationRow) bool { return r.Level != level })
}

// reliability is the reliability diagram: on the diagonal a model covers what it
// says. The bars are the intervals at the levels of the table.
func reliability(v experiments.Validation, recorded bool) Chart {
	c := Chart{
		Title: OnTrace(v.Workflow+", held-out configurations", recorded), Cast: Forecasters,
		X:          Axis{Label: "predicted percentile", Unit: "%", Min: new(0.0), Max: new(100.0)},
		Y:          Axis{Label: "recorded times below it", Unit: "%", Min: new(0.0), Max: new(100.0)},
		References: []Reference{{Kind: Diagonal, Text: "as stated"}},
	}
	pooled := pooledStage(v)
	for _, model := range v.Models {
		var shares []float64
		for _, p := range v.Points {
			if p.Model == model && p.Stage != experiments.EndToEnd {
				shares = append(shares, p.Share)
			}
		}
		slices.Sort(shares)
		s := Series{Name: model, Line: true}
		for percent := 1; percent < 100; percent++ {
			s.Points = append(s.Points, Point{X: float64(percent), Y: 100 * shareBelow(shares, float64(percent)/100)})
		}
		c.Series = append(c.Series, s)
	}
	// The intervals of the model that the reader is to trust, else of all would
	// hide each other.
	best := Series{Name: v.Models[len(v.Models)-1] + ", 95 % interval"}
	if slices.Contains(v.Models, Forecasters[0]) {
		best.Name = Forecasters[0] + ", 95 % interval"
	}
	for _, r := range v.Rows {
		if r.Stage == pooled && r.Model+", 95 % interval" == best.Name {
			best.Points = append(best.Points, Point{X: 100 * r.Level, Y: 100 * r.Coverage, YLo: 100 * r.CoverageLo, YHi: 100 * r.CoverageHi})
		}
	}
	c.Series = append(c.Series, best)
	return c
}

// coverageOverWidth draws what the 95th percentile of every model covers over how
// wide it is: a bound can always be kept by a wide one.
func coverageOverWidth(v experiments.Validation, recorded bool) Chart {
	c := Chart{
		Title: OnTrace(v.Workflow+", held-out configurations", recorded), Cast: Forecasters,
		X:          Axis{Label: "predicted p95 over p50, median"},
		Y:          Axis{Label: "recorded times below the predicted p95", Unit: "%"},
		References: []Reference{{Kind: Horizontal, Value: 95, Text: "as stated"}},
	}
	pooled := pooledStage(v)
	for _, r := range rowsAt(v, 0.95) {
		if r.Stage == pooled {
			c.Series = append(c.Series, Series{Name: r.Model, Points: []Point{{X: r.WidthRatio, Y: 100 * r.Coverage, YLo: 100 * r.CoverageLo, YHi: 100 * r.CoverageHi}}})
		}
	}
	// What the reader looks for is drawn on top of what may coincide with it.
	slices.SortStableFunc(c.Series, func(a, b Series) int {
		switch Forecasters[0] {
		case a.Name:
			return 1
		case b.Name:
			return -1
		}
		return 0
	})
	return c
}

// pooledStage returns what the rows of all stages together are called.
func pooledStage(v experiments.Validation) string {
	for _, r := range v.Rows {
		if r.Stage == experiments.AllStages {
			return r.Stage
		}
	}
	return v.Rows[0].Stage
}

// shareBelow returns the share of ascending values that are at most x.
func shareBelow(ascending []float64, x float64) float64 {
	k, _ := slices.BinarySearchFunc(ascending, x, func(v, x float64) int {
		if v <= x {
			return -1
		}
		return 1
	})
	return float64(k) / float64(len(ascending))
}

// foreseen is what was recorded and predicted at one configuration of a stage.
type foreseen struct {
	memory, parallelism int
	recorded            []float64 // s
	median, p95         float64   // s
}

// foreseenBy returns the configurations of every stage in the order of the
// validation.
func foreseenBy(v experiments.Validation, model string) (stages []string, at map[string][]foreseen) {
	at = map[string][]foreseen{}
	last := map[string]string{}
	for _, p := range v.Points {
		if p.Model != model || p.Stage == experiments.EndToEnd {
			continue
		}
		if _, ok := at[p.Stage]; !ok {
			stages = append(stages, p.Stage)
		}
		list := at[p.Stage]
		if last[p.Stage] != p.Configuration {
			list = append(list, foreseen{memory: p.Memory, parallelism: p.Parallelism, median: p.Predicted[0], p95: p.Predicted[2]})
			last[p.Stage] = p.Configuration
		}
		list[len(list)-1].recorded = append(list[len(list)-1].recorded, p.Recorded)
		at[p.Stage] = list
	}
	return stages, at
}

// predictedAgainstRecorded draws the predicted median, with a bar up to the 95th
// percentile, over the recorded median of every stage and configuration.
func predictedAgainstRecorded(v experiments.Validation, model string, recorded bool) Chart {
	c := Chart{
		Title:      OnTrace(fmt.Sprintf("%s, model %s, held-out configurations", v.Workflow, model), recorded),
		X:          Axis{Label: "recorded median", Unit: "s", Log: true},
		Y:          Axis{Label: "predicted median, bar up to p95", Unit: "s", Log: true},
		References: []Reference{{Kind: Diagonal, Text: "as recorded"}},
	}
	stages, at := foreseenBy(v, model)
	for _, stage := range stages {
		s, absurd := Series{Name: stage}, 0 // a step term may extrapolate below zero
		for _, f := range at[stage] {
			p := Point{X: models.QuantileR7(f.recorded, 0.5), Y: f.median}
			if f.p95 > f.median {
				p.YLo, p.YHi = f.median, f.p95
			}
			if !(p.X > 0 && p.Y > 0) {
				absurd++
				continue
			}
			s.Points = append(s.Points, p)
		}
		if absurd > 0 {
			s.Name += fmt.Sprintf(" (%d below 0 s)", absurd)
		}
		c.Series = append(c.Series, s)
	}
	return c
}

// residuals draws how far recorded times lie from the predicted median, over the
// memory of all instances together.
func residuals(v experiments.Validation, model string, recorded bool) Chart {
	c := Chart{
		Title:      OnTrace(fmt.Sprintf("%s, model %s, held-out configurations", v.Workflow, model), recorded),
		X:          Axis{Label: "memory of all instances", Unit: "GB", Log: true},
		Y:          Axis{Label: "recorded above predicted median", Unit: "%"},
		References: []Reference{{Kind: Horizontal, Value: 0, Text: "as predicted"}},
	}
	stages, at := foreseenBy(v, model)
	for _, stage := range stages {
		s := Series{Name: stage}
		for _, f := range at[stage] {
			lo, hi := slices.Min(f.recorded), slices.Max(f.recorded)
			percent := func(x float64) float64 { return 100 * (x/f.median - 1) }
			p := Point{X: float64(f.memory*f.parallelism) / 1024, Y: percent(models.QuantileR7(f.recorded, 0.5))}
			if lo < hi {
				p.YLo, p.YHi = min(percent(lo), percent(hi)), max(percent(lo), percent(hi))
			}
			s.Points = append(s.Points, p)
		}
		c.Series = append(c.Series, s)
	}
	return c
}

// validationRows is the table of rows of a validation.
func validationRows(v experiments.Validation, rows []experiments.ValidationRow) Table {
	t := Table{Title: v.Workflow + ", held-out configurations", Columns: []Column{
		{Name: "model"}, {Name: "stage"}, {Name: "level", Unit: "%"}, {Name: "runs"}, {Name: "configurations"},
		{Name: "covered", Unit: "%", Decimals: 1}, {Name: "from", Unit: "%", Decimals: 1}, {Name: "to", Unit: "%", Decimals: 1},
		{Name: "width ratio", Decimals: 2}, {Name: "MAPE", Unit: "%", Decimals: 1},
		{Name: "MAPE p50", Unit: "%", Decimals: 1}, {Name: "MAPE p95", Unit: "%", Decimals: 1},
		{Name: "CRPS", Unit: "s", Decimals: 3}, {Name: "pinball", Unit: "s", Decimals: 4},
	}}
	for _, r := range rows {
		t.Rows = append(t.Rows, []any{
			r.Model, r.Stage, int(100*r.Level + 0.5), r.N, r.Held, 100 * r.Coverage, 100 * r.CoverageLo, 100 * r.CoverageHi,
			r.WidthRatio, 100 * r.MAPE, 100 * r.MAPE50, 100 * r.MAPE95, r.CRPS, r.Pinball,
		})
	}
	return t
}
