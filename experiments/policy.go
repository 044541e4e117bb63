package experiments

import (
	"context"
	"fmt"
	"slices"

	"eevee/baselines"
	"eevee/internal/spelling"
	"eevee/models"
	"eevee/solvers"
	"eevee/traces"
)

// PolicySetting is what a policy is made from: the rows it may learn from, the
// configurations it may choose, and the limit it is to keep.
type PolicySetting struct {
	Definition *models.Definition
	Rows       []traces.Record
	Space      *models.Space
	Price      models.PriceBook
	Limit      float64 // s, on the latency of the workflow
	Cost       models.DecisionCost
	Seed       uint64
}

// policies makes policies by name, in the order in which they are listed.
var policies = []struct {
	name string
	make func(context.Context, PolicySetting) (models.Policy, error)
}{
	{"stepconf", stepConf(baselines.StepConf{}, false)},
	{"stepconf:prewarm", stepConf(baselines.StepConf{Prewarm: true}, false)},
	{"stepconf:literal", stepConf(baselines.StepConf{Literal: true}, false)},
	{"stepconf:inter", stepConf(baselines.StepConf{Vary: baselines.VaryInter}, false)},
	{"stepconf:intra", stepConf(baselines.StepConf{Vary: baselines.VaryIntra}, false)},
	{"stepconf:static", stepConf(baselines.StepConf{}, true)},
	{"stepconf:no-no", stepConf(baselines.StepConf{Vary: baselines.VaryNone}, true)},
	{"stepconf:optimal", stepConfOptimal},
	{"janus", janus(baselines.Janus{})},
	{"janus:worst", janus(baselines.Janus{Percentiles: []float64{}})},
}

// PolicyNames returns the names of the policies.
func PolicyNames() []string {
	var names []string
	for _, p := range policies {
		names = append(names, p.name)
	}
	return names
}

// isPolicy reports whether a policy has the name.
func isPolicy(name string) bool { return slices.Contains(PolicyNames(), name) }

// NewPolicy returns the policy of a name.
func NewPolicy(ctx context.Context, name string, s PolicySetting) (models.Policy, error) {
	for _, p := range policies {
		if p.name == name {
			return p.make(ctx, s)
		}
	}
	return nil, spelling.Unknown("policy", name, PolicyNames())
}

// stepConf makes a variant of StepConf, decided online or once before the run.
func stepConf(options baselines.StepConf, static bool) func(context.Context, PolicySetting) (models.Policy, error) {
	return func(_ context.Context, s PolicySetting) (models.Policy, error) {
		m, err := s.stepConfModel()
		if err != nil {
			return nil, err
		}
		options := options
		options.Limit, options.Price, options.Cost = s.Limit, s.Price, s.Cost
		if static {
			return options.Static(m, s.Space)
		}
		return options.Policy(m, s.Space)
	}
}

func stepConfOptimal(ctx context.Context, s PolicySetting) (models.Policy, error) {
	m, err := s.stepConfModel()
	if err != nil {
		return nil, err
	}
	return baselines.StepConf{Limit: s.Limit, Price: s.Price}.Optimal(ctx, m, s.Space)
}

// janusScenarios is the size of the sample that Janus takes percentiles of.
const janusScenarios = 2000

// janus makes a variant of Janus. Its profile is a sample of the fitted model;
// the number of instances is that of the configuration chosen for the worst
// percentile before any run.
func janus(options baselines.Janus) func(context.Context, PolicySetting) (models.Policy, error) {
	return func(ctx context.Context, s PolicySetting) (models.Policy, error) {
		profile, err := models.NewProfile(s.Definition, s.Rows)
		if err != nil {
			return nil, err
		}
		model, err := models.FitJolteon(profile, models.JolteonOptions{})
		if err != nil {
			return nil, err
		}
		scenarios, err := model.Sample(janusScenarios, s.Price, SampleStreams(s.Seed))
		if err != nil {
			return nil, err
		}
		options := options
		options.Limit, options.Cost = s.Limit, s.Cost
		if options.Base, err = baselines.EarlyBinding(ctx, s.Space, scenarios, s.Limit, baselines.JanusWorst); err != nil {
			return nil, err
		}
		policy, err := options.Synthesise(s.Space, scenarios)
		if err != nil {
			return nil, err
		}
		latency, _ := scenarios.Outcomes(options.Base)
		if early := solvers.OrderStatistic(latency, janusScenarios*(100-baselines.JanusWorst)/100); early > s.Limit {
			return reserved{policy, fmt.Sprintf("no configuration keeps %v s at p%d; the number of instances is that of the closest one, which keeps %.4g s", s.Limit, baselines.JanusWorst, early)}, nil
		}
		return policy, nil
	}
}

// reserved is a policy with a reservation about how it was made.
type reserved struct {
	models.Policy
	reservation string
}

// Warnings returns the reservation and what the policy itself warns of.
func (r reserved) Warnings() []string {
	list := []string{r.reservation}
	if p, ok := r.Policy.(interface{ Warnings() []string }); ok {
		list = append(list, p.Warnings()...)
	}
	return list
}

func (s PolicySetting) stepConfModel() (*baselines.StepConfModel, error) {
	profile, err := models.NewProfile(s.Definition, s.Rows)
	if err != nil {
		return nil, err
	}
	return baselines.FitStepConf(profile)
}
