package models

import "math"

// CalibratedStep is one fitted step of a stage, and how well it fits the runs
// of a profile.
type CalibratedStep struct {
	Name    string // read, compute or write
	Terms   []FeatureTerm
	RMSE    float64 // s
	MeanAbs float64 // mean |relative error| over runs in which the step took time
	N       int     // runs
}

// Steps returns the fitted steps of every stage, with their errors on the warm
// runs of a profile: the one that the model was fitted to, or a later one. The
// errors are those of the terms alone, without the smooth part, which is not
// told apart by steps.
func (m *Calibrated) Steps(p *Profile) [][]CalibratedStep {
	list := make([][]CalibratedStep, len(m.stages))
	for i := range m.stages {
		r := m.stages[i].response
		for j, name := range []string{"read", "compute", "write"} {
			step := CalibratedStep{Name: name, Terms: r.steps[j].terms()}
			counted := 0
			for _, o := range p.Warm(i) {
				recorded := []float64{o.Mean.Read, o.Mean.Compute, o.Mean.Write}[j]
				if math.IsNaN(recorded) {
					continue
				}
				e := r.steps[j].at(siteOf(o.Config, o.InputParallelism).reduce(r.axes)) - recorded
				step.RMSE += e * e
				step.N++
				if recorded > 0 {
					step.MeanAbs += math.Abs(e) / recorded
					counted++
				}
			}
			if step.N == 0 {
				continue // the step was not recorded
			}
			step.RMSE = math.Sqrt(step.RMSE / float64(step.N))
			if counted > 0 {
				step.MeanAbs /= float64(counted)
			}
			list[i] = append(list[i], step)
		}
	}
	return list
}
