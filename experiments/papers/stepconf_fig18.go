package papers

import (
	"context"
	"fmt"
	"math"
)

// stepConfFig18 compares what the kinds of parallelism gain.
type stepConfFig18 struct {
	About       Statement `yaml:",inline"`
	LeastFactor float64   `yaml:"least_factor"`
	FactorBy    float64   `yaml:"factor_by"`
	Bounds      int       `yaml:"bounds"`
	Reported    struct {
		Faster  float64 `yaml:"faster"`
		Cheaper float64 `yaml:"cheaper"`
	} `yaml:"reported"`
	Tolerance float64 `yaml:"tolerance"`
}

func newStepConfFig18() *stepConfFig18 {
	return mustFacts[stepConfFig18]("data/stepconf-fig18.yaml")
}

func (f *stepConfFig18) Statement() Statement { return f.About }

func (f *stepConfFig18) Cells(bool) []Cell { return nil }

// variantGain is what a variant gains over No-No at most.
type variantGain struct {
	faster  float64 // latency of No-No over ours, at a cost that is not higher
	cheaper float64 // share of No-No's cost that is saved, at a latency that is not higher
}

// gainOver compares mean latencies and costs. A variant that never comes within the
// cost or the latency of the other gains nothing: 1 and 0.
func gainOver(ours, theirs []stepOutcome) variantGain {
	g := variantGain{faster: 1}
	for _, t := range theirs {
		for _, o := range ours {
			if o.cost <= t.cost {
				g.faster = max(g.faster, t.mean/o.mean)
			}
			if o.mean <= t.mean {
				g.cheaper = max(g.cheaper, 1-o.cost/t.cost)
			}
		}
	}
	return g
}

func (f *stepConfFig18) Find(ctx context.Context, lab *Lab) (Finding, error) {
	w, err := lab.generated()
	if err != nil {
		return Finding{}, err
	}
	variants := []string{stepConfNoNo, stepConfIntra, stepConfInter, stepConf}
	gains := map[string]variantGain{}
	var rows Panels
	for _, v := range variants {
		gains[v] = variantGain{math.NaN(), math.NaN()}
	}
	if w != nil {
		var factors []float64
		for k := range f.Bounds {
			if lab.options.Quick && k%2 == 1 {
				continue
			}
			factors = append(factors, f.LeastFactor*math.Pow(f.FactorBy, float64(k)))
		}
		o, err := w.under(ctx, variants, factors, lab.stepConfRuns()/2, lab.options.Seed)
		if err != nil {
			return Finding{}, err
		}
		for _, v := range variants {
			gains[v] = gainOver(o.of[v], o.of[stepConfNoNo])
		}
		rows = f.panels(w, variants, gains, o)
	}
	var order, headline shape
	both := gains[stepConf]
	for _, v := range []string{stepConfIntra, stepConfInter} {
		order.atLeast(v, "times_faster_than_no_no", gains[v].faster, 1)
		order.atLeast(v, "times_faster_of_both_relative_to_one", both.faster/gains[v].faster, 1)
		order.atLeast(v, "cost_saved_by_both_beyond_one", both.cheaper-gains[v].cheaper, 0)
	}
	headline.near("equal budget", "times_faster", both.faster, f.Reported.Faster, f.Tolerance*f.Reported.Faster)
	headline.near("equal performance", "cost_saved", both.cheaper, f.Reported.Cheaper, f.Tolerance*f.Reported.Cheaper)
	name := f.About.ID
	base := func(id, title, tolerance string) Claim {
		c := Claim{ID: name + "." + id, Title: title, Unit: "1", Tolerance: tolerance, Data: name + ".csv"}
		if w != nil {
			c.Figure = name + ".png"
		}
		return c
	}
	found := Finding{Rows: rows, Notes: []string{"the paper's budget, performance and workflow are not published: gains depend on all three"}}
	for _, c := range []struct {
		shape
		claim Claim
		cause string
	}{
		{order, base("order", "Figure 18: both kinds of parallelism gain most", "at least as much as one kind"),
			"the recorded functions gain from cores at most in proportion to what these cost, so that processes save nothing that more instances do not save"},
		{headline, base("headline", "Abstract: 5.32 times faster at an equal budget, 40.9 % cheaper at equal performance", "±"+digits(100*f.Tolerance)+" %"),
			fmt.Sprintf("gains over No-No follow from how far the steps can be split, here into %d instances, and from how No-No's memory was chosen, which the paper does not say (by how the method works; not examined apart)", 32)},
	} {
		if w == nil {
			found.Claims = append(found.Claims, c.missing(c.claim, chunkFuncMissing))
			continue
		}
		found.Claims = append(found.Claims, c.shape.claim(c.claim, c.cause))
	}
	return found, nil
}

func (f *stepConfFig18) panels(w *stepWorkload, variants []string, gains map[string]variantGain, o stepConfOutcomes) Panels {
	faster := Levels{Groups: []string{"at equal budget"}, Y: Quantity{Label: "times faster than No-No"}}
	cheaper := Levels{Groups: []string{"at equal performance"}, Y: Quantity{Label: "cost relative to No-No"}}
	frontier := Curves{X: Quantity{Label: "latency, mean", Unit: "s", Log: true}, Y: Quantity{Label: "cost per run, mean", Unit: "¢", Log: true}}
	for _, v := range variants {
		faster.Series = append(faster.Series, LevelSeries{Name: v, Values: []float64{gains[v].faster}})
		cheaper.Series = append(cheaper.Series, LevelSeries{Name: v, Values: []float64{1 - gains[v].cheaper}})
		curve := Curve{Name: v, Marker: true}
		for _, one := range o.of[v] {
			curve.Points = append(curve.Points, CurvePoint{X: one.mean, Y: 100 * one.cost})
		}
		frontier.Curves = append(frontier.Curves, curve)
	}
	name := f.About.ID
	return Panels{
		{Name: name, Title: "Performance at an equal budget", Levels: &faster, Caption: w.title + ": how much faster than No-No each variant is within its cost, at most"},
		{Name: name + "-cost", Title: "Cost at equal performance", Levels: &cheaper, Caption: w.title + ": cost relative to No-No within its latency, at least"},
		{Name: name + "-frontier", Title: w.titled(), Curves: &frontier, Caption: w.title + ": mean latency and cost of every variant under bounds that grow by equal factors"},
	}
}
