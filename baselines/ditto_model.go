package baselines

import "eevee/models"

// DittoModel is the performance model that Ditto and NIMBLE have of a workflow
// of functions (SIGCOMM'23, section 4.1; algorithms.md 1.5): every step of a
// stage takes a/x + b, x the vCPU of all its instances. It knows means only.
type DittoModel struct {
	job *lambdaJob
}

// FitDitto fits the model to the mean times of the warm runs of a profile.
func FitDitto(profile *models.Profile) (*DittoModel, error) {
	job, err := newLambdaJob(profile)
	if err != nil {
		return nil, err
	}
	return &DittoModel{job}, nil
}

// InstanceTime returns the time in s that an instance of stage i runs under c.
// A step that was fitted below zero takes no time.
func (m *DittoModel) InstanceTime(i int, c models.StageConfig) float64 {
	s, x := m.job.stages[i], c.VCPU*float64(c.Parallelism)
	return max(0, s.read.At(x)) + max(0, s.compute.At(x)) + max(0, s.write.At(x))
}

// Time returns the time in s that stage i takes under c: that of an instance
// after the mean recorded delay of its start.
func (m *DittoModel) Time(i int, c models.StageConfig) float64 {
	return max(0, m.job.stages[i].cold) + m.InstanceTime(i, c)
}
