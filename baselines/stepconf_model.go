package baselines

import (
	"fmt"
	"math"

	"gonum.org/v1/gonum/mat"

	"eevee/models"
)

// StepConfModel is the performance model of StepConf (INFOCOM'22, section III;
// algorithms.md 6.1). A step, which we call a stage, takes
//
//	t = t_map(p) + t^(m, p, q)
//
// with t_map(p) the delay until the p-th instance runs, and the time of an
// instance piecewise in u = min(m/m_s, q), m_s being the memory of one vCPU:
//
//	t^ = (a*g + b) * exp(-k*u) + c    a stage that uses many cores, m >= m_s
//	t^ = a*g / (u + b) + c            else; a stage of one thread has u <= 1
//
// g = 1/p is the share of the stage's input that an instance gets: profiles do
// not count jobs. The speed of a core is part of a, and the two cases have
// parameters of their own, though the paper calls one of each alpha_2.
//
// Published profiles do not vary q. Where Processes is 0 a function runs as it
// was recorded, on all the cores that its memory buys: u = m/m_s.
type StepConfModel struct {
	workflow *models.Workflow
	stages   []stepConfStage
}

// stepConfStage is the fit of one stage.
type stepConfStage struct {
	StepConfCurve
	delay []float64 // of t_map: constant, per instance, per instance beyond stepConfKnee; s
	cold  float64   // s; by how much the first epoch, whose instances were started for it, is delayed beyond t_map on average
}

// StepConfCurve is the time of an instance, t^.
type StepConfCurve struct {
	many   *stepConfFit
	few    stepConfFit
	oneCPU bool    // a stage of one thread
	least  float64 // s; the shortest recorded time, for a fit that is not positive
}

// StepConfPoint is a recorded time of an instance.
type StepConfPoint struct {
	Jobs    float64 // g, in any unit
	VCPU    float64 // u, of the instance; what a profile does not say runs on all of them
	Seconds float64
}

// stepConfFit is one case of the piecewise fit: three or four parameters, one
// of which, shape, is not linear.
type stepConfFit struct {
	shape    float64
	params   []float64
	variance float64 // of the residuals; +Inf where the observations do not determine the fit
}

// stepConfKnee is the parallelism from which on the mapping delay rises
// faster: it is said to be low up to about 30 instances (INFOCOM'22, Fig. 5).
const stepConfKnee = 30

// FitStepConf fits the model to the mean times of the warm runs of a profile.
// A stage counts as one that uses many cores where that explains its recorded
// times better.
func FitStepConf(p *models.Profile) (*StepConfModel, error) {
	m := &StepConfModel{workflow: p.Workflow}
	for i := range p.Workflow.Len() {
		var obs []models.Observation
		for _, o := range p.Warm(i) {
			if !math.IsNaN(o.Mean.Cold + o.Mean.Exec()) {
				obs = append(obs, o)
			}
		}
		if len(obs) == 0 {
			return nil, fmt.Errorf("stepconf: stage %q has no warm run with the mean times of all its steps", p.Workflow.Stage(i).Name)
		}
		s := fitStepConfStage(obs)
		if s.few.params == nil {
			return nil, fmt.Errorf("stepconf: stage %q: %d warm runs do not tell what memory and parallelism do; record at least two sizes", p.Workflow.Stage(i).Name, len(obs))
		}
		m.stages = append(m.stages, s)
		m.stages[i].cold = m.coldDelay(i, p)
	}
	return m, nil
}

func fitStepConfStage(obs []models.Observation) stepConfStage {
	var points []StepConfPoint
	for _, o := range obs {
		points = append(points, StepConfPoint{1 / float64(o.Config.Parallelism), o.Config.VCPU, o.Mean.Exec()})
	}
	return stepConfStage{StepConfCurve: fitStepConfCurve(points), delay: fitMappingDelay(obs)}
}

// FitStepConfCurve fits the time of an instance to recorded times. A function
// counts as one that uses many cores where that explains its times better.
func FitStepConfCurve(points []StepConfPoint) (*StepConfCurve, error) {
	for k, p := range points {
		for _, v := range []float64{p.Jobs, p.VCPU, p.Seconds} {
			if !(v > 0) || math.IsInf(v, 0) {
				return nil, fmt.Errorf("stepconf: point %d, %+v: jobs, vCPU and seconds are positive numbers", k, p)
			}
		}
	}
	c := fitStepConfCurve(points)
	if c.few.params == nil {
		return nil, fmt.Errorf("stepconf: %d points do not tell what memory and jobs do; give at least two sizes", len(points))
	}
	return &c, nil
}

func fitStepConfCurve(points []StepConfPoint) StepConfCurve {
	s := StepConfCurve{least: math.Inf(1)}
	var low, one, high []StepConfPoint
	for _, p := range points {
		s.least = min(s.least, p.Seconds)
		switch {
		case p.VCPU < 1:
			low = append(low, p)
			continue
		case p.VCPU == 1:
			one = append(one, p)
		}
		high = append(high, p)
	}
	// One thread: more than one core changes nothing. Many cores: either the
	// second case serves below one core and the first above, or the recorded
	// sizes are too few to tell the cases apart and the second serves all.
	s.few, s.oneCPU = fitStepConf(points, fewColumns(true)), true
	if wide := fitStepConf(points, fewColumns(false)); wide.variance < s.few.variance {
		s.few, s.oneCPU = wide, false
	}
	many := fitStepConf(high, manyColumns)
	below := fitStepConf(low, fewColumns(false))
	if math.IsInf(below.variance, 0) { // a single size below one core
		below = fitStepConf(append(low, one...), fewColumns(false))
	}
	if math.IsInf(below.variance, 0) {
		below = s.few
	}
	if n := float64(len(low) + len(high)); !math.IsInf(many.variance, 0) &&
		(below.variance*float64(len(low))+many.variance*float64(len(high)))/n < s.few.variance {
		s.few, s.many, s.oneCPU = below, &many, false
	}
	return s
}

// OneThread reports whether more than one core changes nothing.
func (s *StepConfCurve) OneThread() bool { return s.oneCPU }

// Seconds returns the time of an instance that works on so many jobs with so many
// vCPU, or with q processes on as many of them.
func (s *StepConfCurve) Seconds(jobs, vcpu float64) float64 {
	var t float64
	if s.many != nil && vcpu >= 1 {
		t = inner(s.many.params, manyColumns(s.many.shape, jobs, vcpu))
	} else {
		t = inner(s.few.params, fewColumns(s.oneCPU)(s.few.shape, jobs, vcpu))
	}
	if !(t > 0) {
		return s.least
	}
	return t
}

// cores returns u.
func stepConfCores(c models.StageConfig) float64 {
	if c.Processes == 0 {
		return c.VCPU
	}
	return min(c.VCPU, float64(c.Processes))
}

// fewColumns and manyColumns return what the linear parameters multiply.
func fewColumns(oneCPU bool) func(shape, jobs, u float64) []float64 {
	return func(shape, jobs, u float64) []float64 {
		if oneCPU {
			u = min(u, 1)
		}
		return []float64{jobs / (u + shape), 1}
	}
}

func manyColumns(shape, jobs, u float64) []float64 {
	e := math.Exp(-shape * u)
	return []float64{e * jobs, e, 1}
}

// fitStepConf searches the one parameter that is not linear and solves for the
// others.
func fitStepConf(points []StepConfPoint, columns func(shape, jobs, u float64) []float64) stepConfFit {
	best := stepConfFit{variance: math.Inf(1)}
	sizes := map[float64]bool{}
	for _, p := range points {
		sizes[p.VCPU] = true
	}
	if len(sizes) < 2 {
		return best
	}
	y := make([]float64, len(points))
	for k, p := range points {
		y[k] = p.Seconds
	}
	try := func(shape float64) float64 {
		rows := make([][]float64, len(points))
		for k, p := range points {
			rows[k] = columns(shape, p.Jobs, p.VCPU)
		}
		params, rank, ssr := leastSquares(rows, y)
		free := len(points) - rank - 1
		if rank < 2 || free < 1 || len(params) == 3 && len(sizes) < 3 {
			return math.Inf(1)
		}
		variance := ssr / float64(free)
		if variance < best.variance {
			best = stepConfFit{shape, params, variance}
		}
		return variance
	}
	// The residual over the logarithm of the parameter is searched on a grid,
	// and then by golden section around the best place (Kiefer 1953).
	const steps = 60
	low, high := math.Log(1e-3), math.Log(20)
	at := func(k int) float64 { return low + (high-low)*float64(k)/steps }
	least, where := math.Inf(1), 0
	for k := range steps + 1 {
		if v := try(math.Exp(at(k))); v < least {
			least, where = v, k
		}
	}
	if math.IsInf(least, 0) {
		return best
	}
	a, b := at(max(0, where-1)), at(min(steps, where+1))
	const golden = 0.6180339887498949
	c, d := b-golden*(b-a), a+golden*(b-a)
	atC, atD := try(math.Exp(c)), try(math.Exp(d))
	for range 40 {
		if atC < atD {
			b, d, atD = d, c, atC
			c = b - golden*(b-a)
			atC = try(math.Exp(c))
		} else {
			a, c, atC = c, d, atD
			d = a + golden*(b-a)
			atD = try(math.Exp(d))
		}
	}
	return best
}

// leastSquares solves min |rows*x - y| with the least norm of x, and returns
// the rank and the sum of squared residuals.
func leastSquares(rows [][]float64, y []float64) (x []float64, rank int, ssr float64) {
	n, p := len(rows), len(rows[0])
	a := mat.NewDense(n, p, nil)
	for k, row := range rows {
		a.SetRow(k, row)
	}
	var svd mat.SVD
	if !svd.Factorize(a, mat.SVDThin) {
		return nil, 0, math.Inf(1)
	}
	if rank = svd.Rank(1e-12); rank == 0 {
		return nil, 0, math.Inf(1)
	}
	var solution mat.VecDense
	svd.SolveVecTo(&solution, mat.NewVecDense(n, y), rank)
	for j := range p {
		x = append(x, solution.AtVec(j))
	}
	for k, row := range rows {
		e := y[k]
		for j, v := range row {
			e -= x[j] * v
		}
		ssr += e * e
	}
	return x, rank, ssr
}

// fitMappingDelay fits constant + a*p + b*max(0, p-knee) to the time that a
// stage takes beyond the mean of its instances. Neither slope is negative.
func fitMappingDelay(obs []models.Observation) []float64 {
	y := make([]float64, len(obs))
	for k, o := range obs {
		y[k] = o.Mean.Cold
	}
	best, least := []float64{0, 0, 0}, math.Inf(1)
	for _, use := range [][3]float64{{1, 0, 0}, {1, 1, 0}, {1, 0, 1}, {1, 1, 1}} {
		rows := make([][]float64, len(obs))
		for k, o := range obs {
			for j, v := range delayColumns(o.Config.Parallelism) {
				rows[k] = append(rows[k], use[j]*v)
			}
		}
		x, rank, ssr := leastSquares(rows, y)
		if float64(rank) == use[0]+use[1]+use[2] && x[1] >= 0 && x[2] >= 0 && ssr < least {
			best, least = x, ssr
		}
	}
	return best
}

func delayColumns(parallelism int) []float64 {
	return []float64{1, float64(parallelism), max(0, float64(parallelism-stepConfKnee))}
}

// MappingDelay returns t_map(p) of stage i in seconds.
func (m *StepConfModel) MappingDelay(i, parallelism int) float64 {
	return max(0, inner(m.stages[i].delay, delayColumns(parallelism)))
}

// StartTime returns the time in seconds until the last of so many instances of
// stage i runs when all of them are started for it. A profile without a first,
// cold epoch tells no more than t_map, which is what it then returns.
func (m *StepConfModel) StartTime(i, parallelism int) float64 {
	return m.MappingDelay(i, parallelism) + m.stages[i].cold
}

// coldDelay returns the mean delay of the first epoch of a stage beyond t_map, 0
// where there is no such epoch, or no delay.
func (m *StepConfModel) coldDelay(i int, p *models.Profile) float64 {
	sum, n := 0.0, 0
	for _, o := range p.Stage(i) {
		if o.Epoch == 0 && !math.IsNaN(o.Mean.Cold) {
			sum += o.Mean.Cold - m.MappingDelay(i, o.Config.Parallelism)
			n++
		}
	}
	return max(0, sum/float64(max(n, 1)))
}

// InstanceTime returns the time in seconds that an instance of stage i runs
// under c.
func (m *StepConfModel) InstanceTime(i int, c models.StageConfig) float64 {
	return m.stages[i].Seconds(1/float64(c.Parallelism), stepConfCores(c))
}

// Time returns the time t of stage i under c in seconds.
func (m *StepConfModel) Time(i int, c models.StageConfig) float64 {
	return m.MappingDelay(i, c.Parallelism) + m.InstanceTime(i, c)
}

// As returns the model of another workflow, whose stage i does what stage like[i] of
// this one does.
func (m *StepConfModel) As(w *models.Workflow, like []int) (*StepConfModel, error) {
	if len(like) != w.Len() {
		return nil, fmt.Errorf("stepconf: %d stages to be like for workflow %s, which has %d", len(like), w.Name(), w.Len())
	}
	other := &StepConfModel{workflow: w, stages: make([]stepConfStage, w.Len())}
	for i, k := range like {
		if k < 0 || k >= len(m.stages) {
			return nil, fmt.Errorf("stepconf: stage %q is to be like stage %d of workflow %s, which has %d", w.Stage(i).Name, k, m.workflow.Name(), len(m.stages))
		}
		other.stages[i] = m.stages[k]
	}
	return other, nil
}

func inner(a, b []float64) float64 {
	sum := 0.0
	for j, v := range a {
		sum += v * b[j]
	}
	return sum
}
