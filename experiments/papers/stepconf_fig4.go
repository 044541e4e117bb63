package papers

import (
	"context"
	"fmt"
	"maps"
	"math"
	"math/rand/v2"
	"slices"

	"eevee/models"
)

// stepConfFig4 looks at what instances and processes gain.
type stepConfFig4 struct {
	About Statement `yaml:",inline"`
	Delay struct {
		Workflow     string  `yaml:"workflow"`
		Few          int     `yaml:"few"` // instances
		GrowsAtLeast float64 `yaml:"grows_at_least"`
	} `yaml:"delay"`
	Instances struct {
		Workflow string `yaml:"workflow"`
		Memory   []int  `yaml:"memory_mb,flow"`
		Drawn    string `yaml:"drawn"`
	} `yaml:"instances"`
	Processes processFacts `yaml:"processes"`
}

// processFacts describe generated jobs.
type processFacts struct {
	Jobs   int     `yaml:"jobs"`
	Job    float64 `yaml:"job_s"` // mean, on one vCPU
	Sigma  float64 `yaml:"sigma"`
	Start  float64 `yaml:"start_s"` // of a process, on one vCPU
	Within float64 `yaml:"within"`  // powers of two
}

func newStepConfFig4() *stepConfFig4 { return mustFacts[stepConfFig4]("data/stepconf-fig4.yaml") }

func (f *stepConfFig4) Statement() Statement { return f.About }

func (f *stepConfFig4) Cells(bool) []Cell { return nil }

func (f *stepConfFig4) Find(_ context.Context, lab *Lab) (Finding, error) {
	found := Finding{Notes: []string{"the paper's delays are those of a map of Step Functions; its own numbers are not published"}}
	var rows Panels
	for _, of := range []func(*Lab) (Claim, Panel, error){f.delays, f.instances, f.processes} {
		c, p, err := of(lab)
		if err != nil {
			return found, err
		}
		found.Claims, rows = append(found.Claims, c), append(rows, p)
	}
	found.Rows = rows
	return found, nil
}

func (f *stepConfFig4) claim(id, title, unit, tolerance string) Claim {
	name := f.About.ID + "-" + id
	return Claim{ID: name, Title: title, Unit: unit, Tolerance: tolerance, Figure: name + ".png", Data: name + ".csv"}
}

// judgedOn takes a claim back that rests on a trace that is not recorded.
func (s *shape) judgedOn(b *bench, base Claim, cause string) Claim {
	c := s.claim(base, cause)
	if !b.recorded() {
		c = c.withoutRecordings()
	}
	return c
}

// byParallelism returns the means of a figure of a stage's warm runs, over those with a
// memory, or with any for 0, by their parallelism.
func (b *bench) byParallelism(stage, memory int, of func(models.Observation) float64) (parallelism []int, means []float64) {
	sum, n := map[int]float64{}, map[int]float64{}
	for _, o := range b.setup.Profile.Warm(stage) {
		if v := of(o); !math.IsNaN(v) && (memory == 0 || o.Config.Memory == memory) {
			sum[o.Config.Parallelism] += v
			n[o.Config.Parallelism]++
		}
	}
	parallelism = slices.Sorted(maps.Keys(sum))
	for _, p := range parallelism {
		means = append(means, sum[p]/n[p])
	}
	return parallelism, means
}

// delays is Figure 4.
func (f *stepConfFig4) delays(lab *Lab) (Claim, Panel, error) {
	b, err := lab.bench(f.Delay.Workflow)
	if err != nil {
		return Claim{}, Panel{}, err
	}
	w := b.setup.Definition.Workflow
	curves := Curves{X: Quantity{Label: "instances"}, Y: Quantity{Label: "delay until all of them run", Unit: "s"}, Cast: []string{}}
	var s shape
	for i := range w.Len() {
		if !w.Stage(i).Splittable() {
			continue
		}
		parallelism, delay := b.byParallelism(i, 0, func(o models.Observation) float64 { return o.Mean.Cold })
		_, busy := b.byParallelism(i, 0, func(o models.Observation) float64 { return o.Mean.Exec() })
		curve := Curve{Name: fmt.Sprintf("%s, about %s s", w.Stage(i).Name, digits(math.Round(models.QuantileR7(busy, 0.5)))), Line: true, Marker: true}
		var x [2][]float64 // parallelism: up to few, and from few on
		var y [2][]float64
		for k, p := range parallelism {
			curve.Points = append(curve.Points, CurvePoint{X: float64(p), Y: delay[k]})
			if p <= f.Delay.Few {
				x[0], y[0] = append(x[0], float64(p)), append(y[0], delay[k])
			}
			if p >= f.Delay.Few {
				x[1], y[1] = append(x[1], float64(p)), append(y[1], delay[k])
			}
		}
		curves.Curves = append(curves.Curves, curve)
		few, many := line(x[0], y[0]), line(x[1], y[1])
		// A delay that does not grow at all before counts as one of a millisecond per instance.
		s.atLeast(w.Stage(i).Name, "growth_beyond_relative_to_before", many/max(few, 1e-3), f.Delay.GrowsAtLeast)
	}
	c := f.claim("delay", "Figure 4: the mapping delay grows faster beyond 32 instances", "1", "at least "+digits(f.Delay.GrowsAtLeast)+" times as fast")
	return s.judgedOn(b, c, "Jolteon's orchestrator invokes functions itself, and not by a map of Step Functions, whose items start more slowly beyond 40"),
		Panel{Name: c.ID, Title: shortTitle(b.setup.Definition), Curves: &curves, Caption: "mean delay of the warm runs over the number of instances, by stage and the time its instances run"}, nil
}

// line is the slope of the least-squares line.
func line(x, y []float64) float64 {
	var n, sx, sy, sxx, sxy float64
	for i := range x {
		n, sx, sy, sxx, sxy = n+1, sx+x[i], sy+y[i], sxx+x[i]*x[i], sxy+x[i]*y[i]
	}
	return (n*sxy - sx*sy) / (n*sxx - sx*sx)
}

// instances is Figure 5.
func (f *stepConfFig4) instances(lab *Lab) (Claim, Panel, error) {
	b, err := lab.bench(f.Instances.Workflow)
	if err != nil {
		return Claim{}, Panel{}, err
	}
	w := b.setup.Definition.Workflow
	curves := Curves{X: Quantity{Label: "instances", Log: true}, Y: Quantity{Label: "stage time", Unit: "s", Log: true}, Cast: []string{}}
	var s shape
	for i := range w.Len() {
		for _, memory := range f.Instances.Memory {
			parallelism, time := b.byParallelism(i, memory, func(o models.Observation) float64 { return o.Mean.Cold + o.Mean.Exec() })
			if len(parallelism) < 4 {
				return Claim{}, Panel{}, fmt.Errorf("%s, stage %s: %d recorded parallelisms of %d MB, need 4", f.Instances.Workflow, w.Stage(i).Name, len(parallelism), memory)
			}
			last := len(time) - 1
			s.atMost(fmt.Sprintf("%s, %d MB", w.Stage(i).Name, memory), "gain_of_last_doubling_relative_to_first", (time[last-1]/time[last])/(time[0]/time[1]), 1)
			if w.Stage(i).Name == f.Instances.Drawn {
				curve := Curve{Name: fmt.Sprintf("%d MB", memory), Line: true, Marker: true}
				for k, p := range parallelism {
					curve.Points = append(curve.Points, CurvePoint{X: float64(p), Y: time[k]})
				}
				curves.Curves = append(curves.Curves, curve)
			}
		}
	}
	c := f.claim("instances", "Figure 5: more instances stop helping", "1", "the last doubling gains at most what the first does")
	return s.judgedOn(b, c, "two warm runs per configuration, whose delays scatter by seconds"),
		Panel{Name: c.ID, Title: shortTitle(b.setup.Definition) + ", " + f.Instances.Drawn, Curves: &curves, Caption: "recorded mean time of a stage over its instances, by memory"}, nil
}

// processes is Figure 6.
func (f *stepConfFig4) processes(lab *Lab) (Claim, Panel, error) {
	facts, jobs := newStepConfFacts(), f.Processes.draw(models.Streams{Seed: lab.options.Seed}.New("stepconf processes"))
	curves := Curves{X: Quantity{Label: "processes", Log: true}, Y: Quantity{Label: "step time", Unit: "s", Log: true}, Cast: []string{}}
	var s shape
	for _, memory := range facts.Memory {
		vcpu := float64(memory) / models.AWSMBPerVCPU
		curve := Curve{Name: fmt.Sprintf("%d MB, %s vCPU", memory, digits(math.Round(10*vcpu)/10)), Line: true, Marker: true}
		fastest, least := 0, math.Inf(1)
		for _, q := range facts.Processes {
			t := f.Processes.time(jobs, q, vcpu)
			curve.Points = append(curve.Points, CurvePoint{X: float64(q), Y: t})
			if t < least {
				fastest, least = q, t
			}
		}
		curves.Curves = append(curves.Curves, curve)
		s.near(fmt.Sprintf("%d MB", memory), "powers_of_two_of_the_fastest_processes_above_vcpu", math.Log2(float64(fastest)/max(1, vcpu)), 0, f.Processes.Within)
	}
	c := f.claim("processes", "Figure 6: the fastest number of processes matches the vCPU", "1", "±"+digits(f.Processes.Within)+" powers of two, the grid having all whole ones")
	return s.claim(c, "equal shares of jobs of different length leave vCPU idle at the end, which more processes than vCPU make up for"),
		Panel{Name: c.ID, Title: "Generated jobs", Curves: &curves, Caption: "time of generated jobs over the number of processes in one instance, by memory"}, nil
}

// draw returns the lengths of the jobs on one vCPU, s.
func (f processFacts) draw(stream *rand.Rand) []float64 {
	jobs := make([]float64, f.Jobs)
	for k := range jobs {
		jobs[k] = f.Job * math.Exp(f.Sigma*stream.NormFloat64()-f.Sigma*f.Sigma/2)
	}
	return jobs
}

// time is how long q processes take that get the jobs by turns and share the vCPU
// equally, at most one each: whenever one has ended, the others share anew.
func (f processFacts) time(jobs []float64, q int, vcpu float64) float64 {
	left := make([]float64, q)
	for p := range left {
		left[p] = f.Start
	}
	for k, j := range jobs {
		left[k%q] += j
	}
	slices.Sort(left)
	now, done := 0.0, 0.0 // done is the work of every process that still runs
	for p, work := range left {
		speed := min(1, vcpu/float64(q-p))
		now, done = now+(work-done)/speed, work
	}
	return now
}
