package papers

import (
	"context"
	"fmt"
	"math"
)

// stepConfFig19 compares costs over bounds.
type stepConfFig19 struct {
	About        Statement `yaml:",inline"`
	Factors      []float64 `yaml:"factors,flow"`
	AboveOptimum float64   `yaml:"above_optimum_at_most"`
	Equal        float64   `yaml:"equal"`
	Saved        struct {
		Share     float64 `yaml:"share"`
		Tolerance float64 `yaml:"tolerance"`
	} `yaml:"saved_over_static"`
}

func newStepConfFig19() *stepConfFig19 {
	return mustFacts[stepConfFig19]("data/stepconf-fig19.yaml")
}

func (f *stepConfFig19) Statement() Statement { return f.About }

func (f *stepConfFig19) Cells(bool) []Cell { return nil }

// costMethods are the methods of Figures 19 to 21, in the order of the legend. Where
// processes are not known StepConf is the variant without them.
var costMethods = map[string][]string{
	"synthetic": {stepConf, stepConfInter, stepConfIntra, stepConfStatic, stepConfOptimal},
	"video":     {stepConf, stepConfIntra, stepConfStatic, stepConfOptimal},
}

func (f *stepConfFig19) Find(ctx context.Context, lab *Lab) (Finding, error) {
	workloads, err := lab.stepWorkloads()
	if err != nil {
		return Finding{}, err
	}
	found := Finding{Notes: []string{
		fmt.Sprintf("deciding is charged with %v s and %v USD per step, which the paper does not give", newStepConfFacts().Decision.Latency, newStepConfFacts().Decision.USD),
		"a method that misses the bound may cost less than one that keeps it; how often each keeps it is in the figures on durations (stepconf-fig14)",
	}}
	var rows Panels
	for i, p := range []struct{ id, figures string }{{"synthetic", "Figures 19 and 20"}, {"video", "Figure 21"}} {
		w := workloads[i]
		name := f.About.ID + "-" + p.id
		var o stepConfOutcomes
		if w != nil {
			if o, err = w.under(ctx, costMethods[p.id], f.Factors, lab.stepConfRuns()/2, lab.options.Seed); err != nil {
				return found, err
			}
			rows = append(rows, f.panel(w, name, o))
		}
		cheapest, advantage, optimum := f.features(costMethods[p.id], o)
		base := func(id, title, tolerance string) Claim {
			c := Claim{ID: name + "." + id, Title: p.figures + ": " + title, Unit: "1", Tolerance: tolerance, Data: name + ".csv"}
			if w != nil {
				c.Figure = name + ".png"
			}
			return c
		}
		for _, c := range []struct {
			shape
			claim Claim
			cause string
		}{
			{cheapest, base("cheapest", "StepConf costs least of the online variants, deciding included", "at most "+digits(100*f.Equal)+" % above"),
				o.missedInstead(f.Equal)},
			{advantage, base("advantage", "the advantage over static is largest under the tightest bound and vanishes under the loosest", "±"+digits(100*f.Equal)+" % of the cost"),
				"under the tightest bounds hardly a configuration is fast enough, so that both choose nearly the same (by how the method works; not examined apart)"},
			{f.saved(o), base("saved", "Abstract: up to 40.9 % cheaper than static", "±"+digits(100*f.Saved.Tolerance)+" %"),
				"static, too, takes the cheapest size that is fast enough for its share, so that what deciding at run time wins is the slack of earlier stages only (by how the methods work; not examined apart)"},
			{optimum, base("optimum", "cost above the offline optimum", "at most "+digits(100*f.AboveOptimum)+" % above"),
				"the time that is left is divided in proportion to the most cost-effective configurations, not to what a step needs (by how the method works; not examined apart)"},
		} {
			if w == nil {
				found.Claims = append(found.Claims, c.missing(c.claim, chunkFuncMissing))
				continue
			}
			found.Claims = append(found.Claims, w.judged(c.shape, c.claim, c.cause))
		}
	}
	found.Rows = rows
	return found, nil
}

// features are what is claimed of costs; without outcomes their numbers are NaN.
func (f *stepConfFig19) features(methods []string, o stepConfOutcomes) (cheapest, advantage, optimum shape) {
	relative := func(k int, to string) float64 {
		if o.of == nil {
			return math.NaN()
		}
		return o.of[stepConf][k].cost/o.of[to][k].cost - 1
	}
	for k, factor := range f.Factors {
		at := fmt.Sprintf("%v times the fastest", factor)
		for _, m := range methods {
			if id, ok := variantIDs[m]; ok {
				cheapest.atMost(at, "cost_above_"+id, relative(k, m), f.Equal)
			}
		}
		optimum.atMost(at, "cost_above_optimum", relative(k, stepConfOptimal), f.AboveOptimum)
	}
	last := len(f.Factors) - 1
	first := -relative(0, stepConfStatic)
	for k := 1; k <= last; k++ {
		advantage.atMost(fmt.Sprintf("%v times the fastest", f.Factors[k]), "share_saved_beyond_that_under_the_tightest", -relative(k, stepConfStatic)-first, f.Equal)
	}
	advantage.atLeast("the tightest bound", "share_saved", first, 0)
	advantage.near("the loosest bound", "share_saved", -relative(last, stepConfStatic), 0, f.Equal)
	return cheapest, advantage, optimum
}

// saved is the largest share of the cost of static that StepConf saves under any bound.
func (f *stepConfFig19) saved(o stepConfOutcomes) shape {
	most := math.NaN()
	if o.of != nil {
		most = math.Inf(-1)
		for k := range f.Factors {
			most = max(most, 1-o.of[stepConf][k].cost/o.of[stepConfStatic][k].cost)
		}
	}
	var s shape
	s.near("the best of all bounds", "share_saved_over_static", most, f.Saved.Share, f.Saved.Tolerance*f.Saved.Share)
	return s
}

// variantIDs are the online variants that StepConf is compared with.
var variantIDs = map[string]string{stepConfInter: "inter", stepConfIntra: "intra"}

// missedInstead says how often a variant that is cheaper than StepConf pays for that
// by missing the bound more often.
func (o stepConfOutcomes) missedInstead(equal float64) string {
	cheaper, missed := 0, 0
	for k, limit := range o.limits {
		ours := o.of[stepConf][k]
		for m := range variantIDs {
			if o.of[m] == nil {
				continue
			}
			if other := o.of[m][k]; ours.cost > (1+equal)*other.cost {
				cheaper++
				if other.kept(limit) < ours.kept(limit) {
					missed++
				}
			}
		}
	}
	if cheaper == 0 {
		return ""
	}
	return fmt.Sprintf("in %d of the %d cases in which a variant is cheaper it misses the bound more often; in the others the fitted model takes cores for faster than they are", missed, cheaper)
}

func (f *stepConfFig19) panel(w *stepWorkload, name string, o stepConfOutcomes) Panel {
	c := Curves{X: Quantity{Label: "bound on the latency", Unit: "s", Log: true}, Y: Quantity{Label: "cost per run, mean", Unit: "¢", Log: true}}
	for _, m := range costMethods[w.id] {
		curve := Curve{Name: m, Line: true, Marker: true}
		for k, one := range o.of[m] {
			curve.Points = append(curve.Points, CurvePoint{X: o.limits[k], Y: 100 * one.cost})
		}
		c.Curves = append(c.Curves, curve)
	}
	return Panel{Name: name, Title: w.titled(), Curves: &c, Caption: w.title + ": mean cost over the bound, with what deciding costs"}
}
