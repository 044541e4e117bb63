package papers

import (
	"context"
	"fmt"
	"math"
	"slices"

	"eevee/baselines"
	"eevee/models"
	"eevee/sim"
)

// janusSweep compares early and late binding.
type janusSweep struct {
	About     Statement `yaml:",inline"`
	Functions []struct {
		Name  string  `yaml:"name"`
		Work  float64 `yaml:"work_s"`
		Ratio float64 `yaml:"ratio"`
	} `yaml:"functions"`
	LeastVCPU  float64   `yaml:"least_vcpu"`
	MostVCPU   float64   `yaml:"most_vcpu"`
	VCPUStep   float64   `yaml:"vcpu_step"`
	CVs        []float64 `yaml:"cvs,flow"`
	SLOFactors []float64 `yaml:"slo_factors,flow"`
	CV         float64   `yaml:"cv"`
	SLOFactor  float64   `yaml:"slo_factor"`
	Profile    int       `yaml:"profile"`
	Reported   struct {
		Saved float64 `yaml:"saved"`
	} `yaml:"reported"`
	Tolerance  float64 `yaml:"tolerance"`
	MissAtMost float64 `yaml:"miss_at_most"`
}

func newJanus() *janusSweep { return mustFacts[janusSweep]("data/janus.yaml") }

func (j *janusSweep) Statement() Statement { return j.About }

func (j *janusSweep) Cells(bool) []Cell { return nil }

// The ways to bind sizes.
const (
	bindEarly  = "early binding"               // by the percentile of the whole workflow
	bindApart  = "early binding, per function" // by the sum of the functions' percentiles
	bindLate   = "janus"
	bindWorst  = "janus:worst" // late, but planned at the worst percentile only
	bindOracle = "oracle"
)

var bindings = []string{bindEarly, bindApart, bindWorst, bindLate, bindOracle}

// bindingOutcome is how runs fared under a binding.
type bindingOutcome struct {
	cpu float64 // vCPU-seconds, mean
	p99 float64 // s
}

func (j *janusSweep) Find(ctx context.Context, lab *Lab) (Finding, error) {
	runs := 4000
	if lab.options.Quick {
		runs = 500
	}
	var saves, apart, oracle, keeps shape
	best := map[string]float64{}
	sweep := func(name, label string, values []float64, at func(v float64) (cv, factor float64)) (Panels, error) {
		saved := Curves{X: Quantity{Label: label}, Y: Quantity{Label: "CPU saved, relative to early binding", Unit: "%"}}
		p99 := Curves{X: Quantity{Label: label}, Y: Quantity{Label: "p99 of the latency relative to the SLO"}, Marks: []CurveMark{{At: 1, Text: "SLO"}}}
		all := map[string][2][]CurvePoint{}
		for k, v := range values {
			if lab.options.Quick && k%2 == 1 {
				continue
			}
			cv, factor := at(v)
			o, slo, err := j.outcomes(ctx, cv, factor, runs, lab.options.Seed)
			if err != nil {
				return nil, err
			}
			for _, b := range bindings {
				points := all[b]
				points[0] = append(points[0], CurvePoint{X: v, Y: 100 * (1 - o[b].cpu/o[bindEarly].cpu)})
				points[1] = append(points[1], CurvePoint{X: v, Y: o[b].p99 / slo})
				all[b] = points
			}
			where := fmt.Sprintf("CV %v, SLO %v times the fastest p99", cv, factor)
			gain := func(over string) float64 {
				g := 1 - o[bindLate].cpu/o[over].cpu
				best[over] = max(best[over], g)
				return g
			}
			saves.atLeast(where, "share_of_cpu_saved", gain(bindEarly), 0)
			apart.atLeast(where, "share_of_cpu_saved", gain(bindApart), 0)
			oracle.atMost(where, "cpu_of_oracle_relative_to_late_binding", o[bindOracle].cpu/o[bindLate].cpu, 1)
			keeps.atMost(where, "p99_relative_to_slo", o[bindLate].p99/slo, 1+j.MissAtMost)
		}
		for _, b := range bindings {
			if b != bindEarly {
				saved.Curves = append(saved.Curves, Curve{Name: b, Line: true, Marker: true, Points: all[b][0]})
			}
			p99.Curves = append(p99.Curves, Curve{Name: b, Line: true, Marker: true, Points: all[b][1]})
		}
		return Panels{
			{Name: name + "-cpu", Title: "CPU saved by late binding", Curves: &saved, Caption: "generated chain: share of the CPU of early binding that is saved, over the " + label},
			{Name: name + "-p99", Title: "Latency by time of binding", Curves: &p99, Caption: "generated chain: 99th percentile of the latency relative to the SLO, over the " + label},
		}, nil
	}
	id := j.About.ID
	overCV, err := sweep(id+"-cv", "coefficient of variation", j.CVs, func(v float64) (float64, float64) { return v, j.SLOFactor })
	if err != nil {
		return Finding{}, err
	}
	overSLO, err := sweep(id+"-slo", "SLO relative to the fastest p99", j.SLOFactors, func(v float64) (float64, float64) { return j.CV, v })
	if err != nil {
		return Finding{}, err
	}
	var headline shape
	for _, over := range []string{bindEarly, bindApart} {
		headline.near("the best of both sweeps, against "+over, "share_of_cpu_saved", best[over], j.Reported.Saved, j.Tolerance*j.Reported.Saved)
	}
	base := func(of, title, tolerance, figure string) Claim {
		return Claim{ID: id + "." + of, Title: title, Unit: "1", Tolerance: tolerance, Figure: figure + ".png", Data: figure + ".csv"}
	}
	return Finding{
		Rows: slices.Concat(overCV, overSLO),
		Claims: []Claim{
			saves.claim(base("saves", "Late binding takes no more CPU than early binding", "at least 0", id+"-cv-cpu"),
				"hints provide for the worst case of every function by itself, the sum of which is more than the worst case of their sum that early binding looks at"),
			apart.claim(base("apart", "nor than early binding function by function", "at least 0", id+"-slo-cpu"), ""),
			oracle.claim(base("oracle", "and no less than an oracle", "at most 1", id+"-slo-cpu"), "runs that late binding lets miss the SLO are ones on which the oracle spends CPU"),
			keeps.claim(base("keeps", "and keeps the SLO at p99", "at most "+digits(100*j.MissAtMost)+" % above", id+"-cv-p99"), "percentiles are those of a profile, not of the runs (by how the method works; not examined apart)"),
			headline.claim(base("headline", "Abstract: up to 34.7 % less CPU", "±"+digits(100*j.Tolerance)+" %", id+"-slo-cpu"),
				"what is saved depends on how wide the times are, on how much faster more CPU is and on the SLO; the paper's functions are not public"),
		},
		Notes: []string{
			"the algorithm is a reconstruction from the abstract (baselines.Janus); only the headline is a number of the paper",
			fmt.Sprintf("%d runs per point; the same runs under every binding", runs),
		},
	}, nil
}

// janusChain is the generated chain with the variation of every function in every
// run, relative to its mean.
type janusChain struct {
	*janusSweep
	workflow *models.Workflow
	varies   [][]float64 // per function, per run
}

func (j *janusSweep) chain(cv float64, runs int, streams models.Streams) (*janusChain, error) {
	var stages []models.Stage
	c := &janusChain{janusSweep: j}
	sigma := math.Sqrt(math.Log(1 + cv*cv)) // of a log-normal variable with that CV
	for i, f := range j.Functions {
		s := models.Stage{Name: f.Name, MaxParallelism: 1}
		if i > 0 {
			s.After = []string{j.Functions[i-1].Name}
		}
		stages = append(stages, s)
		stream := streams.New(f.Name)
		x := make([]float64, runs)
		for k := range x {
			x[k] = math.Exp(sigma*stream.NormFloat64() - sigma*sigma/2)
		}
		c.varies = append(c.varies, x)
	}
	var err error
	c.workflow, err = models.NewWorkflow("janus-chain", stages)
	return c, err
}

// mean is the mean time of function i on so many vCPU, s.
func (j *janusSweep) mean(i int, vcpu float64) float64 {
	return j.Functions[i].Work * amdahl(vcpu, j.Functions[i].Ratio)
}

// sizes are the admissible sizes of every function.
func (j *janusSweep) sizes() []models.StageConfig {
	var sizes []models.StageConfig
	for k := 0; ; k++ {
		v := j.LeastVCPU + float64(k)*j.VCPUStep
		if v > j.MostVCPU+1e-9 {
			return sizes
		}
		memory := int(math.Round(v * models.AWSMBPerVCPU))
		sizes = append(sizes, models.StageConfig{Memory: memory, VCPU: float64(memory) / models.AWSMBPerVCPU, Parallelism: 1})
	}
}

// Workflow returns the chain.
func (c *janusChain) Workflow() *models.Workflow { return c.workflow }

// Stage returns a function under a size.
func (c *janusChain) Stage(i int, s models.StageConfig, _ int) (sim.Behaviour, error) {
	return janusFunction{c.mean(i, s.VCPU), c.varies[i]}, nil
}

// janusFunction is one function in all runs: run k takes the k-th variation.
type janusFunction struct {
	mean   float64 // s
	varies []float64
}

// Tasks returns the one task of the run.
func (f janusFunction) Tasks(chance *sim.Chance, tasks []sim.Task) []sim.Task {
	return append(tasks, sim.Task{Compute: nanoseconds(f.mean * f.varies[chance.Run])})
}

// Origin names the law.
func (janusFunction) Origin() string { return "generated" }

// Warnings returns none.
func (janusFunction) Warnings() []string { return nil }

// janusSample is a function as a profile has it.
type janusSample struct {
	*janusChain
	function int
}

// ReadsInput returns false.
func (janusSample) ReadsInput() bool { return false }

// Times writes the times of the profile's runs.
func (s janusSample) Times(c models.StageConfig, _ int, latency, billed []float64) {
	mean := s.mean(s.function, c.VCPU)
	for _, out := range [][]float64{latency, billed} {
		for k := range out {
			out[k] = mean * s.varies[s.function][k]
		}
	}
}

// janusSteps is into how many steps hints divide the SLO.
const janusSteps = 1000

// earlyApart returns the configuration with the least CPU, on average over a
// profile, under which the percentiles of the functions add up to no more than the
// SLO, or the largest sizes.
func (c *janusChain) earlyApart(slo float64) models.Config {
	sizes := c.sizes()
	worst, mean := make([][]float64, len(c.Functions)), make([][]float64, len(c.Functions))
	for i := range worst {
		tail := models.QuantileR7(c.varies[i], baselines.JanusWorst/100.)
		for _, s := range sizes {
			worst[i] = append(worst[i], c.mean(i, s.VCPU)*tail)
			mean[i] = append(mean[i], c.mean(i, s.VCPU))
		}
	}
	best, least := make(models.Config, len(worst)), math.Inf(1)
	for i := range best {
		best[i] = sizes[len(sizes)-1]
	}
	now := make(models.Config, len(worst))
	var search func(i int, time, cpu float64)
	search = func(i int, time, cpu float64) {
		if time > slo+1e-9 || cpu >= least {
			return
		}
		if i == len(worst) {
			least = cpu
			copy(best, now)
			return
		}
		for k, s := range sizes {
			now[i] = s
			search(i+1, time+worst[i][k], cpu+s.VCPU*mean[i][k])
		}
	}
	search(0, 0, 0)
	return best
}

// janusProblem is the chain with the profile that sizes are planned on.
type janusProblem struct {
	*janusChain
	scenarios *models.Scenarios
	space     *models.Space
	price     models.PriceBook
	slo       float64
	early     models.Config // chosen before the run
}

// pose makes the profile, and plans early.
func (j *janusSweep) pose(ctx context.Context, cv, factor float64, streams models.Streams) (*janusProblem, error) {
	profile, err := j.chain(cv, j.Profile, streams.Sub("profile"))
	if err != nil {
		return nil, err
	}
	samples := make([]models.StageSample, len(j.Functions))
	choices := make([][]models.StageConfig, len(j.Functions))
	largest := make(models.Config, len(choices))
	for i := range samples {
		samples[i], choices[i] = janusSample{profile, i}, j.sizes()
		largest[i] = choices[i][len(choices[i])-1]
	}
	// The price of a second is in proportion to the vCPU, so that the cheapest
	// configuration is the one with the least CPU.
	p := &janusProblem{janusChain: profile, price: models.PriceBook{Name: "cpu", USDPerGBSecond: 1}}
	if p.scenarios, err = models.NewScenarios(profile.workflow, p.price, j.Profile, samples); err != nil {
		return nil, err
	}
	if p.space, err = models.NewSpace(profile.workflow, choices, nil); err != nil {
		return nil, err
	}
	latency, _ := p.scenarios.Outcomes(largest)
	p.slo = factor * models.QuantileR7(latency, baselines.JanusWorst/100.)
	p.early, err = baselines.EarlyBinding(ctx, p.space, p.scenarios, p.slo, baselines.JanusWorst)
	return p, err
}

// late returns the policy that binds late; nil percentiles are those of Janus.
func (p *janusProblem) late(percentiles []float64) (*baselines.JanusPolicy, error) {
	return baselines.Janus{Limit: p.slo, Base: p.early, Percentiles: percentiles, Step: p.slo / janusSteps}.Synthesise(p.space, p.scenarios)
}

// outcomes returns how the bindings fare under an SLO, which it returns too.
func (j *janusSweep) outcomes(ctx context.Context, cv, factor float64, runs int, seed uint64) (map[string]bindingOutcome, float64, error) {
	streams := models.Streams{Seed: seed}.Sub("janus")
	p, err := j.pose(ctx, cv, factor, streams)
	if err != nil {
		return nil, 0, err
	}
	policies := map[string]models.Policy{
		bindEarly: models.StaticPolicy{Name: bindEarly, Config: p.early},
		bindApart: models.StaticPolicy{Name: bindApart, Config: p.earlyApart(p.slo)},
	}
	for name, percentiles := range map[string][]float64{bindLate: nil, bindWorst: {}} {
		if policies[name], err = p.late(percentiles); err != nil {
			return nil, 0, err
		}
	}
	world, err := j.chain(cv, runs, streams.Sub("runs"))
	if err != nil {
		return nil, 0, err
	}
	out := map[string]bindingOutcome{bindOracle: world.oracle(p.slo)}
	for _, name := range bindings {
		policy, ok := policies[name]
		if !ok {
			continue
		}
		var latency []float64
		s, err := sim.SimulatePolicy(ctx, world, policy, runs, sim.Settings{Price: p.price}, func(r *sim.Run) error {
			latency = append(latency, r.Latency)
			return nil
		})
		if err != nil {
			return nil, 0, err
		}
		out[name] = bindingOutcome{cpu: s.GBSeconds * 1024 / models.AWSMBPerVCPU, p99: models.QuantileR7(latency, 0.99)}
	}
	return out, p.slo, nil
}

// oracle knows the variation of a run before it starts, and takes the sizes that
// keep the SLO with the least CPU, or the fastest.
func (c *janusChain) oracle(slo float64) bindingOutcome {
	sizes := c.sizes()
	functions := len(c.Functions)
	mean := make([][]float64, functions)
	for i := range mean {
		for _, s := range sizes {
			mean[i] = append(mean[i], c.mean(i, s.VCPU))
		}
	}
	runs := len(c.varies[0])
	latencies := make([]float64, runs)
	total := 0.0
	for run := range runs {
		// Both time and CPU of a function are monotone in its size, so that
		// the last function takes the smallest size that still fits.
		bestCPU, bestTime := math.Inf(1), 0.0
		var search func(i int, time, cpu float64)
		search = func(i int, time, cpu float64) {
			x := c.varies[i][run]
			for k, s := range sizes {
				t := mean[i][k] * x
				if cpu+s.VCPU*t >= bestCPU {
					break
				}
				if i < functions-1 {
					search(i+1, time+t, cpu+s.VCPU*t)
				} else if time+t <= slo {
					bestCPU, bestTime = cpu+s.VCPU*t, time+t
				}
			}
		}
		search(0, 0, 0)
		if math.IsInf(bestCPU, 1) {
			bestCPU, bestTime = 0, 0
			for i := range functions {
				t := mean[i][len(sizes)-1] * c.varies[i][run]
				bestCPU, bestTime = bestCPU+sizes[len(sizes)-1].VCPU*t, bestTime+t
			}
		}
		total, latencies[run] = total+bestCPU, bestTime
	}
	return bindingOutcome{cpu: total / float64(runs), p99: models.QuantileR7(latencies, 0.99)}
}
