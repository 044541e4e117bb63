package papers

import (
	"context"
	"fmt"
	"slices"

	"eevee/models"
)

// stepConfFig3 compares how functions gain from memory.
type stepConfFig3 struct {
	About        Statement `yaml:",inline"`
	OneThread    []string  `yaml:"one_thread,flow"`
	ManyCores    []string  `yaml:"many_cores,flow"`
	Drawn        []string  `yaml:"drawn,flow"`
	Ratios       []float64 `yaml:"ratios,flow"`
	Flat         float64   `yaml:"flat"`
	Proportional float64   `yaml:"proportional"`
}

func newStepConfFig3() *stepConfFig3 { return mustFacts[stepConfFig3]("data/stepconf-fig3.yaml") }

func (f *stepConfFig3) Statement() Statement { return f.About }

func (f *stepConfFig3) Cells(bool) []Cell { return nil }

func (f *stepConfFig3) Find(_ context.Context, lab *Lab) (Finding, error) {
	all, err := lab.functions()
	if err != nil {
		return Finding{}, err
	}
	var single, many, cores, below shape
	for _, name := range f.OneThread {
		e, err := elasticitiesOf(all, name)
		if err != nil {
			return Finding{}, err
		}
		single.near(name, "elasticity_in_memory", e.beyond, 0, f.Flat)
	}
	for _, name := range f.ManyCores {
		e, err := elasticitiesOf(all, name)
		if err != nil {
			return Finding{}, err
		}
		many.near(name, "elasticity_in_memory", e.beyond, -1, f.Proportional)
		cores.near(name, "elasticity_in_vcpu", e.cores, -1, f.Proportional)
		below.near(name, "elasticity_in_memory", e.below, -1, f.Proportional)
	}
	name := f.About.ID
	base := func(id, title string, tolerance float64) Claim {
		return Claim{
			ID: name + "." + id, Title: "Figure 3: " + title, Unit: "1", Tolerance: "±" + digits(tolerance) + " of the elasticity",
			Figure: name + ".png", Data: name + ".csv",
		}
	}
	found := Finding{Rows: f.panel(all)}
	add := func(s shape, c Claim, cause string) {
		if all == nil {
			found.Claims = append(found.Claims, s.missing(c, chunkFuncMissing))
			return
		}
		found.Claims = append(found.Claims, s.claim(c, cause))
	}
	add(single, base("one-thread", "a function of one thread is flat beyond one vCPU", f.Flat), "")
	add(many, base("many-cores", "the time of a function that uses many cores is inverse to memory beyond one vCPU", f.Proportional),
		"ChunkFunc's profiles were recorded with whole vCPU, so that a size between two steps of the staircase pays for memory that buys nothing")
	add(cores, base("vcpu", "and inverse to the vCPU that it got", f.Proportional), "")
	add(below, base("below", "the time is inverse to memory below one vCPU", f.Proportional),
		"ChunkFunc's profiles were recorded with one whole vCPU up to 1728 MB, where AWS Lambda gives a share of it")
	found.Notes = []string{
		"the paper's figure has no values in its text; the functions are ChunkFunc's, not the paper's test of prime numbers",
		"cut-video-segment-b has the times of cut-video-segment-a and is left out",
	}
	return found, nil
}

// elasticities are slopes of log time over log memory or vCPU.
type elasticities struct {
	beyond float64 // in memory, from the largest size with one vCPU on
	cores  float64 // in the vCPU of these sizes
	below  float64 // in memory, up to that size
}

func elasticitiesOf(all []recordedFunction, name string) (e elasticities, err error) {
	if all == nil {
		return e, nil
	}
	list, err := pick(all, []string{name})
	if err != nil {
		return e, err
	}
	sizes := list[0].sizes
	one := 0 // the first size with more than one vCPU
	for one < len(sizes) && sizes[one].vcpu <= 1 {
		one++
	}
	if one < 2 || one == len(sizes) {
		return e, fmt.Errorf("%s: the profile has no sizes on both sides of one vCPU", name)
	}
	var memory, vcpu []float64
	for _, s := range sizes {
		memory, vcpu = append(memory, float64(s.memory)), append(vcpu, s.vcpu)
	}
	time := list[0].relative(sizes)
	e.beyond, e.cores = slope(memory[one-1:], time[one-1:]), slope(vcpu[one-1:], time[one-1:])
	e.below = slope(memory[:one], time[:one])
	return e, nil
}

// panel draws the recorded times of some functions between generated lines.
func (f *stepConfFig3) panel(all []recordedFunction) Panels {
	c := Curves{
		X: Quantity{Label: "memory", Unit: "MB", Log: true}, Y: Quantity{Label: "duration relative to one vCPU", Log: true},
		Marks: []CurveMark{{Vertical: true, At: models.AWSMBPerVCPU, Text: "one vCPU"}},
		Cast:  slices.Clone(f.Drawn),
	}
	title := "Duration over memory"
	if all == nil {
		title += " (generated lines only)"
	}
	if list, err := pick(all, f.Drawn); err == nil {
		for _, r := range list {
			curve := Curve{Name: r.name, Marker: true}
			for i, v := range r.relative(r.sizes) {
				if v > 0 {
					curve.Points = append(curve.Points, CurvePoint{X: float64(r.sizes[i].memory), Y: v})
				}
			}
			c.Curves = append(c.Curves, curve)
		}
	}
	for _, ratio := range f.Ratios {
		curve := Curve{Name: fmt.Sprintf("generated, ratio %v", ratio), Line: true}
		c.Cast = append(c.Cast, curve.Name)
		for _, m := range []float64{256, 512, 1024, 1769, 2560, 3584, 5120, 7168, 10240} {
			curve.Points = append(curve.Points, CurvePoint{X: m, Y: amdahl(m/models.AWSMBPerVCPU, ratio)})
		}
		c.Curves = append(c.Curves, curve)
	}
	return Panels{{Name: f.About.ID, Title: title, Curves: &c,
		Caption: "duration over memory, relative to one vCPU: recorded by ChunkFunc, and Amdahl's law for the multi-core ratios of the generated workflows"}}
}

// amdahl is the time on u vCPU relative to that on one, with a share ratio of the
// work that any number of them can do (Amdahl 1967). Below one vCPU all work slows
// down alike.
func amdahl(u, ratio float64) float64 {
	if u < 1 {
		return 1 / u
	}
	return 1 - ratio + ratio/u
}
