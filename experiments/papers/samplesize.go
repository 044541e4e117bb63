package papers

import (
	"context"
	"fmt"

	"eevee/models"
	"eevee/solvers"
)

// SampleSizes are numbers of samples that a guarantee asks for.
type SampleSizes struct {
	Name string // of the table
	Rows []SampleSize
}

func (SampleSizes) rows() {}

// SampleSize is the number of samples for one workflow.
type SampleSize struct {
	Workflow  string // title
	Space     string // number of admissible configurations
	Published int    // by the paper's formula, with the artifact's count of configurations
	TrueSize  int    // by the same formula, with the true one
	Certified int    // for which the rule certified has a configuration to admit
}

// samplesize computes sample sizes.
type samplesize struct {
	About  Statement `yaml:",inline"`
	Stages []struct {
		Stages  int `yaml:"stages"`
		Samples int `yaml:"samples"`
	} `yaml:"stages"`
	Workflows []string `yaml:"workflows,flow"`
}

func newSampleSize() Experiment { return mustFacts[samplesize]("data/samplesize.yaml") }

func (s *samplesize) Statement() Statement { return s.About }

func (s *samplesize) Cells(bool) []Cell { return nil }

func (s *samplesize) Find(context.Context, *Lab) (Finding, error) {
	var c comparison
	for _, r := range s.Stages {
		n := solvers.SampleSize(r.Stages, publishedRisk, 0, publishedConfErr)
		c.add(fmt.Sprintf("%d stages", r.Stages), "samples", float64(r.Samples), float64(n), Tolerance{})
	}
	rows := SampleSizes{Name: s.About.ID}
	for _, name := range s.Workflows {
		def, err := models.Load(name)
		if err != nil {
			return Finding{}, err
		}
		space, err := def.Space("")
		if err != nil {
			return Finding{}, err
		}
		size := space.Size()
		bound := solvers.Bound{Metric: solvers.Latency, Limit: 1, Percentile: publishedPercentile, Confidence: publishedConfidence, Rule: solvers.Certified}
		rows.Rows = append(rows.Rows, SampleSize{
			Workflow: shortTitle(def), Space: size.String(),
			Published: solvers.SampleSize(def.Workflow.Len(), publishedRisk, 0, publishedConfErr),
			TrueSize:  solvers.HoeffdingSize(size, publishedRisk, 0, publishedConfErr),
			Certified: bound.Needed(size),
		})
	}
	claim := c.claim(Claim{
		ID: s.About.ID, Title: "Number of samples for 4, 6 and 8 stages", Unit: "samples", Tolerance: "the same", Data: rows.Name + ".csv",
	}, true)
	return Finding{Rows: rows, Claims: []Claim{claim}, Notes: []string{
		"the formula guarantees something about configurations that no sample violates; the artifact accepts those that 5 % of the samples violate, for which it says nothing",
		"the artifact counts 28 configurations for half of the stages; the true number is another one",
	}}, nil
}
