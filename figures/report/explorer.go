package report

import (
	"encoding/json"
	"fmt"
	"html/template"
	"math"
	"strconv"
	"strings"

	"eevee/experiments/papers"
	"eevee/figures"
)

// explorerTables are, per workflow and bounded metric, a table of who keeps which
// bound, and lists of the frontier and of all answers. A page makes more of them.
func explorerTables(rows papers.Explorer) []figures.Picture {
	var all []figures.Picture
	for _, t := range rows.Trades {
		name := fmt.Sprintf("explorer-%s-%s", t.Workflow, t.Metric)
		unit, scale := shownIn(string(t.Metric))
		of := fmt.Sprintf("%s, bound on the 95th percentile of the %s", t.Title, t.Metric)
		all = append(all,
			figures.Picture{Name: name + "-methods", Caption: figures.OnTrace(of, t.Recorded) + fmt.Sprintf(": who keeps it, and the mean %s beyond that of the proved optimum", t.Metric.Other()), Drawing: whoKeeps(rows, t, unit, scale)},
			figures.Picture{Name: name + "-answers", Caption: of + ": every answer, judged on its sample, on unseen scenarios and in the replay world", Drawing: figures.Listing{Table: explorerAnswers(rows, t)}},
			figures.Picture{Name: name + "-frontier", Caption: of + ": the frontier, every point proved", Drawing: figures.Listing{Table: explorerFrontier(t)}},
		)
	}
	return all
}

// whoKeeps has a row per method and a column per bound.
func whoKeeps(rows papers.Explorer, t papers.ExplorerTrade, unit string, scale float64) figures.Table {
	table := figures.Table{Columns: []figures.Column{{Name: "method"}}}
	for _, b := range t.Bounds {
		table.Columns = append(table.Columns, figures.Column{Name: strconv.FormatFloat(b.Limit*scale, 'g', 6, 64) + " " + unit})
	}
	if len(t.Bounds) == 0 {
		return table
	}
	for k, first := range t.Bounds[0].Answers {
		row := []any{first.Method}
		for _, b := range t.Bounds {
			row = append(row, standing(b.Answers[k], rows.Risk, b.Limit))
		}
		table.Rows = append(table.Rows, row)
	}
	return table
}

// standing says in a few words how an answer fares under its bound.
func standing(a papers.ExplorerAnswer, risk, limit float64) string {
	switch {
	case a.Unsupported != "":
		return "does not take this bound"
	case a.Infeasible():
		return "proves that nothing keeps it"
	case !a.Answered:
		return "finds nothing"
	}
	var breaks, unclear []string
	for _, where := range []struct {
		name string
		papers.Judged
	}{{"sample", a.OnSample()}, {"unseen", a.OnUnseen(risk)}, {"replay", a.InReplay(limit)}} {
		switch where.Judged {
		case papers.Breaks:
			breaks = append(breaks, where.name)
		case papers.Unclear:
			unclear = append(unclear, where.name)
		}
	}
	text := "keeps"
	if len(breaks) > 0 {
		text = "breaks (" + strings.Join(breaks, ", ") + ")"
	} else if len(unclear) > 0 {
		text = "unclear (" + strings.Join(unclear, ", ") + ")"
	}
	if a.Admits() {
		text += ", and says so"
	}
	if !math.IsNaN(a.Excess) {
		text += fmt.Sprintf("; %+.1f %%", 100*a.Excess)
	}
	return text
}

func explorerAnswers(rows papers.Explorer, t papers.ExplorerTrade) figures.Table {
	table := figures.Table{Columns: []figures.Column{
		{Name: "bound_" + unitName(string(t.Metric))}, {Name: "method"}, {Name: "decides"}, {Name: "status"}, {Name: "config"},
		{Name: "violations"}, {Name: "allowed_violations"}, {Name: "on_sample"},
		{Name: "unseen"}, {Name: "risk"}, {Name: "risk_lo"}, {Name: "risk_hi"}, {Name: "on_unseen"},
		{Name: "executed_p95_" + unitName(string(t.Metric))}, {Name: "executed_p95_lo"}, {Name: "executed_p95_hi"}, {Name: "in_replay"},
		{Name: "mean_" + unitName(string(t.Metric.Other()))}, {Name: "excess"}, {Name: "unsupported"},
	}}
	for _, b := range t.Bounds {
		for _, a := range b.Answers {
			row := []any{b.Limit, a.Method, string(a.Decides), string(a.Says)}
			if !a.Answered {
				for len(row) < len(table.Columns)-1 {
					row = append(row, nil)
				}
				table.Rows = append(table.Rows, append(row, a.Unsupported))
				continue
			}
			config := ""
			if a.Config != nil {
				config = a.Config.String()
			}
			e := a.Executed
			table.Rows = append(table.Rows, append(row, config,
				a.Violations, a.Allowed, string(a.OnSample()),
				a.Unseen, a.Risk, a.RiskLo, a.RiskHi, string(a.OnUnseen(rows.Risk)),
				e.P95, e.P95Lo, e.P95Hi, string(a.InReplay(b.Limit)), known(a.Mean), known(a.Excess), ""))
		}
	}
	return table
}

func explorerFrontier(t papers.ExplorerTrade) figures.Table {
	bounded, other := unitName(string(t.Metric)), unitName(string(t.Metric.Other()))
	table := figures.Table{Columns: []figures.Column{
		{Name: "config"}, {Name: "percentile_" + bounded}, {Name: "mean_" + other}, {Name: "lower_bound_" + other},
		{Name: "unseen_risk"}, {Name: "unseen_risk_lo"}, {Name: "unseen_risk_hi"},
		{Name: "unseen_p50_latency_s"}, {Name: "unseen_p95_latency_s"}, {Name: "unseen_mean_cost_usd"}, {Name: "unseen_p95_cost_usd"},
	}}
	for _, p := range t.Points {
		table.Rows = append(table.Rows, []any{
			p.Config.String(), p.Percentile, p.Mean, p.LowerBound, p.Risk, p.RiskLo, p.RiskHi, p.Latency.P50, p.Latency.P95, p.Cost.Mean, p.Cost.P95,
		})
	}
	return table
}

// unitName is a metric with its unit, as columns are called.
func unitName(metric string) string {
	if metric == "latency" {
		return "latency_s"
	}
	return "cost_usd"
}

// shownIn returns the unit that pictures show a metric in, and how many of it are
// in one of the base unit.
func shownIn(metric string) (unit string, scale float64) {
	if metric == "latency" {
		return "s", 1
	}
	return "¢", figures.Cents
}

// explored is what the page's explorer knows. Numbers are in s, US cents and
// percent, with as many digits as anybody can see.
type explored struct {
	Percentile float64         `json:"percentile"`
	Risk       float64         `json:"risk"`
	Levels     []number        `json:"levels"`
	Trades     []exploredTrade `json:"trades"`
}

type exploredTrade struct {
	Name      string          `json:"name"`
	Metric    string          `json:"metric"`
	Unit      string          `json:"unit"`  // of the bounded metric
	Other     string          `json:"other"` // the other metric
	OtherUnit string          `json:"otherUnit"`
	Stages    []string        `json:"stages"`
	Samples   int             `json:"samples"`
	Tolerance number          `json:"tolerance"`
	Points    []exploredPoint `json:"points"`
	Bounds    []exploredBound `json:"bounds"`
}

type exploredPoint struct {
	Config    [][3]number `json:"config"` // per stage: instances, MB, vCPU
	At        number      `json:"at"`
	Mean      number      `json:"mean"`
	Least     number      `json:"least"` // what is proved of the mean
	Risk      [3]number   `json:"risk"`
	Cost      [2]number   `json:"cost"` // mean, p95
	Latency   [2]number   `json:"latency"`
	Quantiles []number    `json:"quantiles"`
}

type exploredBound struct {
	Limit   number           `json:"limit"`
	Methods []exploredMethod `json:"methods"`
}

type exploredMethod struct {
	Method string    `json:"method"`
	Says   string    `json:"says"`
	Judged [3]string `json:"judged"` // on the sample, on unseen scenarios, in the replay world; empty: no answer
	Risk   [3]number `json:"risk"`
	P95    [3]number `json:"p95"`
	Excess number    `json:"excess"`
}

// number is a number in JSON with six significant digits; NaN is null.
type number float64

// MarshalJSON implements json.Marshaler.
func (n number) MarshalJSON() ([]byte, error) {
	if math.IsNaN(float64(n)) || math.IsInf(float64(n), 0) {
		return []byte("null"), nil
	}
	short, err := strconv.ParseFloat(strconv.FormatFloat(float64(n), 'g', 6, 64), 64)
	if err != nil {
		return nil, err
	}
	return json.Marshal(short)
}

// exploredOf returns the data of the page's explorer.
func exploredOf(rows papers.Explorer) explored {
	x := explored{Percentile: rows.Percentile, Risk: 100 * rows.Risk}
	for _, l := range rows.Levels {
		x.Levels = append(x.Levels, number(l))
	}
	for _, t := range rows.Trades {
		unit, scale := shownIn(string(t.Metric))
		otherUnit, other := shownIn(string(t.Metric.Other()))
		y := exploredTrade{
			Name: figures.OnTrace(t.Title, t.Recorded), Metric: string(t.Metric), Unit: unit, Other: string(t.Metric.Other()), OtherUnit: otherUnit,
			Stages: t.Stages, Samples: t.Samples, Tolerance: number(100 * t.Tolerance),
		}
		for _, p := range t.Points {
			q := exploredPoint{
				At: number(p.Percentile * scale), Mean: number(p.Mean * other), Least: number(p.LowerBound * other),
				Risk: percents(p.Risk, p.RiskLo, p.RiskHi), Cost: [2]number{number(p.Cost.Mean * figures.Cents), number(p.Cost.P95 * figures.Cents)},
				Latency: [2]number{number(p.Latency.P50), number(p.Latency.P95)},
			}
			for _, s := range p.Config {
				q.Config = append(q.Config, [3]number{number(s.Parallelism), number(s.Memory), number(s.VCPU)})
			}
			for _, v := range p.Quantiles {
				q.Quantiles = append(q.Quantiles, number(v))
			}
			y.Points = append(y.Points, q)
		}
		for _, b := range t.Bounds {
			z := exploredBound{Limit: number(b.Limit * scale)}
			for _, a := range b.Answers {
				m := exploredMethod{Method: a.Method, Says: saysOf(a), Excess: number(100 * a.Excess)}
				if a.Answered && !a.Infeasible() {
					m.Judged = [3]string{string(a.OnSample()), string(a.OnUnseen(rows.Risk)), string(a.InReplay(b.Limit))}
					m.Risk = percents(a.Risk, a.RiskLo, a.RiskHi)
					m.P95 = [3]number{number(a.Executed.P95 * scale), number(a.Executed.P95Lo * scale), number(a.Executed.P95Hi * scale)}
				}
				z.Methods = append(z.Methods, m)
			}
			y.Bounds = append(y.Bounds, z)
		}
		x.Trades = append(x.Trades, y)
	}
	return x
}

func percents(v, lo, hi float64) [3]number {
	return [3]number{number(100 * v), number(100 * lo), number(100 * hi)}
}

// saysOf is what a method says about its answer.
func saysOf(a papers.ExplorerAnswer) string {
	switch {
	case a.Unsupported != "":
		return "does not take this bound"
	case a.Infeasible():
		return "proves that no configuration keeps it"
	case !a.Answered:
		return "finds no configuration"
	case a.Admits():
		return "says that its answer breaks it"
	case a.Optimal():
		return "proves that it is optimal"
	}
	return ""
}

// explorerData returns the data as a script of JSON.
func explorerData(rows papers.Explorer) (template.JS, error) {
	text, err := json.Marshal(exploredOf(rows)) // escapes <, > and &
	return template.JS(text), err
}
