package papers

import (
	"context"
	"fmt"
	"runtime"
	"slices"

	"golang.org/x/sync/errgroup"

	"eevee/experiments"
	"eevee/models"
	"eevee/solvers"
)

// FeasibleSets say how many configurations count as feasible over the number of
// samples.
type FeasibleSets struct {
	Name     string // of the pictures
	Workflow string // title
	Recorded bool
	Bound    string // as BoundText
	Space    int    // admissible configurations that were looked at
	True     int    // whose risk on scenarios of their own is at most the bound's
	Rules    []FeasibleSetRule
}

func (FeasibleSets) rows() {}

// FeasibleSetRule is one way to judge a configuration on a sample.
type FeasibleSetRule struct {
	Rule  string
	Sizes []FeasibleSetSize
}

// FeasibleSetSize is the share of the space that is feasible with so many
// samples, and the share of those whose true risk is above the bound's: the mean
// over disjoint samples, and the least and the most.
type FeasibleSetSize struct {
	Samples                    int
	Feasible, Lo, Hi           float64
	TooRisky, RiskyLo, RiskyHi float64
}

// sampling judges a whole space with samples of different sizes.
type sampling struct {
	About    Statement `yaml:",inline"`
	Workflow string    `yaml:"workflow"`
	Bound    boundFact `yaml:",inline"`
	Samples  []int     `yaml:"samples,flow"`
	Blocks   int       `yaml:"blocks"` // at most so many samples of one size
}

func newSampling() Experiment { return mustFacts[sampling]("data/sampling.yaml") }

func (s *sampling) Statement() Statement { return s.About }

func (s *sampling) Cells(bool) []Cell { return nil }

// One configuration out of so many is looked at.
const (
	thinned      = 16
	quickThinned = 256
)

// riskScenarios is the number of scenarios that true risks are estimated with.
const riskScenarios = 5000

func (s *sampling) Find(ctx context.Context, lab *Lab) (Finding, error) {
	b, err := lab.bench(s.Workflow)
	if err != nil {
		return Finding{}, err
	}
	every := thinned
	if lab.options.Quick {
		every = quickThinned
	}
	configs := everyConfig(b.setup.Space, every)
	cell := s.Bound.cell(s.Workflow, "")
	most := slices.Max(s.Samples)
	sample, err := b.setup.Scenarios(most, lab.options.Seed)
	if err != nil {
		return Finding{}, err
	}
	unseen, err := b.setup.Model.Sample(riskScenarios, b.setup.Price, experiments.HoldoutStreams(lab.options.Seed))
	if err != nil {
		return Finding{}, err
	}
	// Of every configuration the number of violations in every part of the
	// sample: samples are made of whole parts.
	part := slices.Min(s.Samples)
	violations := make([][]int, len(configs))
	safe := make([]bool, len(configs))
	group, inner := errgroup.WithContext(ctx)
	workers := runtime.GOMAXPROCS(0)
	for k := range workers {
		group.Go(func() error {
			for i := k; i < len(configs); i += workers {
				if err := inner.Err(); err != nil {
					return err
				}
				latency, _ := sample.Outcomes(configs[i])
				violations[i] = countAbove(latency, cell.Limit, part)
				latency, _ = unseen.Outcomes(configs[i])
				safe[i] = float64(countAbove(latency, cell.Limit, len(latency))[0]) <= publishedRisk*riskScenarios
			}
			return nil
		})
	}
	if err := group.Wait(); err != nil {
		return Finding{}, err
	}
	rows := FeasibleSets{
		Name: s.About.ID, Workflow: shortTitle(b.setup.Definition), Recorded: b.recorded(), Bound: cell.BoundText(), Space: len(configs),
	}
	for _, ok := range safe {
		if ok {
			rows.True++
		}
	}
	for _, rule := range s.rules(b) {
		curve := FeasibleSetRule{Rule: rule.name}
		for _, n := range s.Samples {
			if allowed := rule.allowed(n); allowed >= 0 {
				curve.Sizes = append(curve.Sizes, s.size(n, n/part, allowed, violations, safe))
			}
		}
		rows.Rules = append(rows.Rules, curve)
	}
	return Finding{Rows: rows, Claims: []Claim{s.claim(rows)}, Notes: []string{
		fmt.Sprintf("of %d configurations %d have a risk of at most %v, on %d scenarios of their own", rows.Space, rows.True, publishedRisk, riskScenarios),
		"more samples make the set tighter only where no sample may be violated; with a share that may be, the set comes closer to the true one, from both sides",
	}}, nil
}

// samplingRule says how many of n scenarios may violate the bound, -1: none is
// enough.
type samplingRule struct {
	name    string
	allowed func(n int) int
}

func (s *sampling) rules(b *bench) []samplingRule {
	bound := s.Bound.cell(s.Workflow, "").bound()
	of := func(rule solvers.Rule) func(int) int {
		bound := bound
		bound.Rule = rule
		return func(n int) int {
			k, err := bound.Allowed(n, b.setup.Size)
			if err != nil {
				return -1
			}
			return k
		}
	}
	return []samplingRule{
		{"none violated (paper)", func(int) int { return 0 }},
		{"5 % violated (artifact's probe)", of(solvers.Plugin)},
		{"certified", of(solvers.Certified)},
	}
}

// size judges the space with samples of so many parts.
func (s *sampling) size(n, parts, allowed int, violations [][]int, safe []bool) FeasibleSetSize {
	var feasible, risky []float64
	for block := range min(s.Blocks, len(violations[0])/parts) {
		count, unsafe := 0, 0
		for i, v := range violations {
			sum := 0
			for _, part := range v[block*parts : (block+1)*parts] {
				sum += part
			}
			if sum <= allowed {
				count++
				if !safe[i] {
					unsafe++
				}
			}
		}
		feasible = append(feasible, float64(count)/float64(len(violations)))
		if count > 0 {
			risky = append(risky, float64(unsafe)/float64(count))
		}
	}
	size := FeasibleSetSize{Samples: n}
	size.Feasible, size.Lo, size.Hi = meanRange(feasible)
	if len(risky) > 0 {
		size.TooRisky, size.RiskyLo, size.RiskyHi = meanRange(risky)
	}
	return size
}

// claim is about the paper's program, in which no sample may be violated.
func (s *sampling) claim(rows FeasibleSets) Claim {
	sizes := rows.Rules[0].Sizes
	few, many := sizes[0], sizes[len(sizes)-1]
	claim := Claim{
		ID: s.About.ID, Title: fmt.Sprintf("Feasible set of %s under %s with %d and %d samples", rows.Workflow, rows.Bound, few.Samples, many.Samples), Unit: "share of the space",
		Tolerance: "fewer with more samples, and no larger share of them too risky", Figure: s.About.ID + ".png", Data: s.About.ID + ".csv",
	}
	for _, size := range []FeasibleSetSize{few, many} {
		at := fmt.Sprintf("%d samples", size.Samples)
		claim.Reported = append(claim.Reported, Value{At: at, Of: "feasible_share"}, Value{At: at, Of: "too_risky_share"})
		claim.Reproduced = append(claim.Reproduced, valueOf(at, "feasible_share", size.Feasible), valueOf(at, "too_risky_share", size.TooRisky))
	}
	claim.Verdict = Shape
	if !(many.Hi < few.Lo && many.TooRisky <= few.TooRisky) {
		claim.Verdict = NotReproduced
	}
	claim.Why = fmt.Sprintf("the picture carries no numbers. With %d samples that may not be violated %s %% of the space are feasible (%s to %s over samples), with %d %s %%; of them %s %% and %s %% have a risk above %v",
		few.Samples, digits(100*few.Feasible), digits(100*few.Lo), digits(100*few.Hi), many.Samples, digits(100*many.Feasible), digits(100*few.TooRisky), digits(100*many.TooRisky), publishedRisk)
	if !rows.Recorded {
		claim = claim.withoutRecordings()
	}
	return claim
}

// countAbove counts the values above a limit in every part of so many values.
func countAbove(values []float64, limit float64, part int) []int {
	counts := make([]int, len(values)/part)
	for i, v := range values[:len(counts)*part] {
		if !(v <= limit) {
			counts[i/part]++
		}
	}
	return counts
}

// everyConfig lists every nth configuration of a space, in the order of
// its choices.
func everyConfig(space *models.Space, nth int) []models.Config {
	var all []models.Config
	admitted := 0
	pick := make([]int, space.Workflow.Len())
	var from func(stage int)
	from = func(stage int) {
		if stage == len(pick) {
			if c := space.Config(pick); admits(space, c) {
				if admitted%nth == 0 {
					all = append(all, c)
				}
				admitted++
			}
			return
		}
		for k := range space.Choices(stage) {
			pick[stage] = k
			from(stage + 1)
		}
	}
	from(0)
	return all
}

func admits(space *models.Space, c models.Config) bool {
	_, err := space.Locate(c)
	return err == nil
}
