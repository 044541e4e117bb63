package sweep

import (
	"math"
	"testing"
)

func answered(method string, percentile, confidence, cost float64) Row {
	limit, yes := 10.0, true
	status := "done"
	if method == "exact" {
		status = "optimal"
	}
	return Row{
		Workflow: "w", Metric: "latency", LimitS: &limit, Percentile: percentile, Confidence: confidence,
		Method: method, Status: status, Keeps: &yes, ObjectiveMeanUSD: &cost,
	}
}

func TestDerivedColumns(t *testing.T) {
	holdout, over, lo, no := int32(1000), int32(60), 0.052, false
	breaks := answered("orion", 95, 99, 1.5)
	breaks.Holdout, breaks.HoldoutExceed, breaks.HoldoutRiskLo = &holdout, &over, &lo
	miss := answered("orion", 50, 50, 0.5)
	miss.Keeps = &no
	alone := answered("orion", 75, 50, 2)
	r := NewResult([]Row{answered("exact", 50, 50, 1), answered("exact", 95, 99, 1.2), breaks, miss, alone})
	for _, c := range []struct {
		column string
		row    int
		want   float64 // NaN: no value
	}{
		{"regret", 0, 0}, {"regret", 2, 25}, {"regret", 3, math.NaN()}, {"regret", 4, math.NaN()},
		{"premium", 0, 0}, {"premium", 1, 20}, {"premium", 4, 0}, {"premium", 2, -25},
		{"risk", 2, 6}, {"risk", 0, math.NaN()},
		{"violation", 2, 100}, {"violation", 0, math.NaN()},
		{"limit", 0, 10}, {"objective", 2, 1.5}, {"limit_usd", 0, math.NaN()}, {"percentile", 1, 95},
	} {
		column, err := FindColumn(c.column)
		if err != nil {
			t.Fatal(err)
		}
		got, _, ok := r.Value(column, c.row)
		if ok == math.IsNaN(c.want) || ok && math.Abs(got-c.want) > 1e-9 {
			t.Errorf("%s of row %d is %v (%v), want %v", c.column, c.row, got, ok, c.want)
		}
	}
}

func TestWhere(t *testing.T) {
	r := NewResult([]Row{answered("exact", 50, 50, 1), answered("orion", 95, 50, 1)})
	method, _ := FindColumn("method")
	percentile, _ := FindColumn("percentile")
	if got, err := r.Where(method, "orion"); err != nil || len(got.Rows) != 1 || got.Rows[0].Percentile != 95 {
		t.Errorf("method orion: %v, %v", got, err)
	}
	if got, err := r.Where(percentile, "50.0"); err != nil || len(got.Rows) != 1 {
		t.Errorf("percentile 50.0: %v, %v", got, err)
	}
	if _, err := r.Where(percentile, "99"); err == nil {
		t.Error("no row has percentile 99, and nobody says so")
	}
	if _, err := r.Where(percentile, "high"); err == nil {
		t.Error("percentile high is accepted")
	}
}
