package baselines_test

import (
	"math"
	"testing"

	"pgregory.net/rapid"

	"eevee/baselines"
	"eevee/models"
)

// prewarmed is a pre-warming with the stage and the time of the decision that
// asked for it.
type prewarmed struct {
	models.Prewarm
	by int
	at float64
}

// listener notes down what a policy pre-warms.
type listener struct {
	models.Policy
	heard *[]prewarmed
}

func (l listener) Begin() models.Decider { return listening{l.Policy.Begin(), l.heard} }

type listening struct {
	models.Decider
	heard *[]prewarmed
}

func (l listening) Decide(stage int, p models.Progress) models.Decision {
	d := l.Decider.Decide(stage, p)
	for _, w := range d.Prewarm {
		*l.heard = append(*l.heard, prewarmed{w, stage, p.Now})
	}
	return d
}

// In a chain that does what the model expects, every stage but the first is
// pre-warmed once, by the stage before it, in the configuration that it then
// gets, and so early that its instances have just started when it is ready.
func TestStepConfPrewarmsWhatComes(t *testing.T) {
	const delay = 2.5
	def := stepDefinition(t, nil, []int{0}, []int{1}, []int{2})
	m, err := baselines.FitStepConf(profileOf(t, def, append(stepRows(def, stepLaws, 0, delay), stepRows(def, stepLaws, 1, 0)...)))
	if err != nil {
		t.Fatal(err)
	}
	for _, limit := range []float64{15, 25, 60} {
		for _, cost := range []models.DecisionCost{{}, {Latency: 0.4, USD: 1e-6}} {
			policy, err := baselines.StepConf{Limit: limit, Price: models.MustPrice(models.PriceAWS), Prewarm: true, Cost: cost}.Policy(m, stepSpace(t, def, 1, 4, 16))
			if err != nil {
				t.Fatal(err)
			}
			var heard []prewarmed
			_, _, chosen, ready := runPolicy(t, stepWorld{workflow: def.Workflow, model: m}, listener{policy, &heard})
			if len(heard) != 3 {
				t.Fatalf("%d pre-warmings in a chain of 4", len(heard))
			}
			for k, w := range heard {
				if w.Stage != k+1 || w.by != k || w.Memory != chosen[w.Stage].Memory || w.Parallelism != chosen[w.Stage].Parallelism {
					t.Errorf("limit %v s: stage %d pre-warms stage %d as %v, which then gets %v", limit, w.by, w.Stage, w.StageConfig, chosen[w.Stage])
				}
				lead := stepMapping(w.Parallelism) + delay
				if want := math.Max(w.at+cost.Latency, ready[w.Stage]+cost.Latency-lead); math.Abs(w.At-want) > 1e-6 {
					t.Errorf("limit %v s: stage %d is pre-warmed at %v s, want %v s: it is decided at %v s and cold instances take %v s", limit, w.Stage, w.At, want, ready[w.Stage], lead)
				}
			}
		}
	}
}

// On workflows of any form pre-warming changes no decision, and every stage
// that waits for others is pre-warmed once, when the last of them is decided.
func TestStepConfPrewarmingOnlyAdds(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		def := stepDefinition(t, randomSteps(r, 8)...)
		m, space := fitSteps(t, def), stepSpace(t, def, 1, 4, 16)
		s := baselines.StepConf{Limit: rapid.Float64Range(3, 60).Draw(r, "limit"), Price: models.MustPrice(models.PriceAWS)}
		world := stepWorld{workflow: def.Workflow, model: m, slower: make([]float64, def.Workflow.Len())}
		for i := range world.slower {
			world.slower[i] = rapid.Float64Range(0, 5).Draw(r, "slower")
		}
		plain, err := s.Policy(m, space)
		if err != nil {
			t.Fatal(err)
		}
		s.Prewarm = true
		warming, err := s.Policy(m, space)
		if err != nil {
			t.Fatal(err)
		}
		_, _, before, _ := runPolicy(t, world, plain)
		var heard []prewarmed
		_, _, after, ready := runPolicy(t, world, listener{warming, &heard})
		for i := range before {
			if before[i] != after[i] {
				r.Fatalf("stage %d is decided as %v, without pre-warming as %v", i, after[i], before[i])
			}
		}
		times := map[int]int{}
		for _, w := range heard {
			times[w.Stage]++
			if w.At < w.at {
				r.Fatalf("stage %d is to be pre-warmed at %v s, which is asked for at %v s", w.Stage, w.At, w.at)
			}
			last := 0.0
			for _, p := range def.Workflow.Parents(w.Stage) {
				last = math.Max(last, ready[p])
			}
			if last != w.at {
				r.Fatalf("stage %d is pre-warmed at a decision at %v s, the last stage that it waits for is decided at %v s", w.Stage, w.at, last)
			}
		}
		for i := range before {
			if want := min(1, len(def.Workflow.Parents(i))); times[i] != want {
				r.Fatalf("stage %d is pre-warmed %d times, want %d", i, times[i], want)
			}
		}
	})
}
