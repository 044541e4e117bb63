package papers

import (
	"context"
	"fmt"

	"eevee/models"
)

// janusOverhead measures what binding late takes.
type janusOverhead struct {
	About     Statement `yaml:",inline"`
	Decisions int       `yaml:"decisions"`
}

func newJanusOverhead() *janusOverhead {
	return mustFacts[janusOverhead]("data/janus-overhead.yaml")
}

func (o *janusOverhead) Statement() Statement { return o.About }

func (o *janusOverhead) Cells(bool) []Cell { return nil }

func (o *janusOverhead) Find(ctx context.Context, lab *Lab) (Finding, error) {
	j := newJanus()
	p, err := j.pose(ctx, j.CV, j.SLOFactor, models.Streams{Seed: lab.options.Seed}.Sub("janus"))
	if err != nil {
		return Finding{}, err
	}
	rows := FitTimes{Name: o.About.ID + "-timings", What: "time that late binding takes; the paper prints none"}
	var found unprinted
	functions := len(j.Functions)
	policy, err := p.late(nil)
	if err != nil {
		return Finding{}, err
	}
	synthesis, err := lab.options.Clock.measure(fitRepetitions, fitEnough, func() error {
		_, err := p.late(nil)
		return err
	})
	if err != nil {
		return Finding{}, err
	}
	rows.Rows = append(rows.Rows, FitTime{Workflow: fmt.Sprintf("hints of a chain of %d functions, %d rows", functions, policy.Rows()), TimeTaken: synthesis})
	found.add("hints", "synthesis_s", synthesis.Seconds())

	expected := func(i int, c models.StageConfig) float64 { return p.mean(i, c.VCPU) }
	runs := o.Decisions / functions
	deciding, err := lab.options.Clock.measure(fitRepetitions, fitEnough, func() error {
		for range runs {
			decideAll(policy, expected, p.workflow)
		}
		return nil
	})
	if err != nil {
		return Finding{}, err
	}
	rows.Rows = append(rows.Rows, FitTime{Workflow: fmt.Sprintf("%d decisions by them", runs*functions), TimeTaken: deciding})
	found.add("a function", "decision_s", deciding.Seconds()/float64(runs*functions))
	return Finding{
		Claims: []Claim{found.claim(Claim{
			ID: o.About.ID, Title: "Abstract: the overhead of deciding online is manageable", Unit: "s", Tolerance: "none", Data: rows.Name + ".csv",
		}, "missing: a number; the abstract gives none. Ours are the times of a reconstruction (baselines.Janus)")},
		Rows: rows,
	}, nil
}

// unprinted are times of ours where those of a paper are not known.
type unprinted struct{ ours []Value }

func (u *unprinted) add(at, of string, seconds float64) {
	u.ours = append(u.ours, valueOf(at, of, seconds))
}

// claim says that nothing can be compared.
func (u *unprinted) claim(base Claim, why string) Claim {
	for _, v := range u.ours {
		base.Reported = append(base.Reported, Value{At: v.At, Of: v.Of})
	}
	base.Reproduced, base.Verdict, base.Why, base.Timed = u.ours, NotReproducible, why, true
	return base
}
