package models

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"slices"

	"github.com/goccy/go-yaml"
)

// CardSchema names the version of the workload cards that this package writes
// and reads.
const CardSchema = "eevee.card/1"

// Card is a workload card: what was measured on the recordings of a workflow,
// in so few numbers that none of the recorded rows is among them. Record makes
// a synthetic trace of it.
//
// Over the instances of a stage, the time of a step has the mean
//
//	curve(configuration) * C * R      in a warm epoch
//	mean of the warm epochs * F       in epoch 0
//
// with C a factor of the configuration, R one of the run and F one of the
// first run, and the 95th percentile mean * (1 + X). The delay from the stage
// being ready to its instances running is the time that the stage takes beyond
// the 95th percentiles of its steps, plus the spread of the instances, which
// is the sum over steps of 95th percentile minus mean. That is how profiles
// count, not an assumption.
type Card struct {
	Schema     string         `yaml:"schema"`
	Workflow   string         `yaml:"workflow"`
	Source     string         `yaml:"source"` // the recordings that were measured
	Provenance CardProvenance `yaml:"provenance"`
	Epochs     int            `yaml:"epochs"` // repetitions of the grid; epoch 0 starts its instances
	// Levels are the probabilities that all lists of quantiles are for, from
	// 0 to 1. Between them quantiles are interpolated.
	Levels []float64   `yaml:"quantile_levels,flow"`
	Grid   []CardGrid  `yaml:"grid"`
	Stages []CardStage `yaml:"stages"`

	// Definition is the workflow that the card belongs to. It is not part of
	// the file.
	Definition *Definition `yaml:"-"`
}

// CardProvenance says how each kind of numbers came about.
type CardProvenance struct {
	Grid       Provenance `yaml:"grid"`
	Curves     Provenance `yaml:"curves"`
	Dispersion Provenance `yaml:"dispersion"`
	FirstEpoch Provenance `yaml:"first_epoch"`
	Instances  Provenance `yaml:"instances"`
	Delay      Provenance `yaml:"delay"`
}

// Provenance says where numbers come from.
type Provenance struct {
	Text string `yaml:"text"`
	Date string `yaml:"date"` // day of the measurement, YYYY-MM-DD
}

// CardGrid are recorded configurations: one memory with every parallelism. A
// stage that cannot be split runs as one instance instead.
type CardGrid struct {
	MemoryMB    int   `yaml:"memory_mb"`
	Parallelism []int `yaml:"parallelism"`
}

// CardStage is one stage of a card.
type CardStage struct {
	Stage   string    `yaml:"stage"`
	Delay   CardDelay `yaml:"delay"`
	Read    CardStep  `yaml:"read"`
	Compute CardStep  `yaml:"compute"`
	Write   CardStep  `yaml:"write"`
}

// CardStep is one step of a stage. A step whose parameters are all 0 takes no
// time, and has nothing but its basis and parameters.
type CardStep struct {
	Basis  Basis     `yaml:"basis"`
	Params []float64 `yaml:"params_s,flow"` // as StepFit.Params, s
	// Least is the shortest mean time of a warm epoch, s. It stands in for
	// the curve where that is not positive.
	Least float64 `yaml:"least_s,omitempty"`
	// Configuration and Run are the standard deviations of the factors C and
	// R, whose mean is 1 and whose logarithm is normal.
	Configuration float64    `yaml:"configuration_sd,omitempty"`
	Run           float64    `yaml:"run_sd,omitempty"`
	FirstEpoch    []float64  `yaml:"first_epoch,flow,omitempty"` // quantiles of F
	Instances     *CardTrend `yaml:"instances,omitempty"`        // ln X over ln parallelism; nil for a stage of one instance
}

// CardDelay is the time in seconds that a stage takes beyond the 95th
// percentiles of its steps, the cold value of the p95 rows of a profile: over
// the parallelism, in warm epochs and in the first.
type CardDelay struct {
	// Least is the shortest time between the stage being ready and its
	// instances running, s.
	Least float64   `yaml:"least_s"`
	Warm  CardTrend `yaml:"warm_s"`
	First CardTrend `yaml:"first_epoch_s"`
}

// CardTrend is a quantity that follows a line, intercept + slope * x, up to
// deviations from it.
type CardTrend struct {
	Intercept float64   `yaml:"intercept"`
	Slope     float64   `yaml:"slope"`
	Deviation []float64 `yaml:"deviation,flow"` // quantiles
}

// step returns the named step.
func (s *CardStage) step(name string) *CardStep {
	switch name {
	case "read":
		return &s.Read
	case "compute":
		return &s.Compute
	}
	return &s.Write
}

// stepNames are the steps of a stage that a function runs and is billed for.
var stepNames = []string{"read", "compute", "write"}

// zero reports whether the step takes no time.
func (s CardStep) zero() bool {
	return !slices.ContainsFunc(s.Params, func(v float64) bool { return v != 0 })
}

// level returns the time in seconds that the step takes under c but for the
// factors.
func (s CardStep) level(c StageConfig, inputParallelism int) float64 {
	f := StepFit{Basis: s.Basis, Params: s.Params}
	if v := f.At(inTenths(c), inputParallelism); v > 0 {
		return v
	}
	return s.Least
}

// cardPoint is one recorded configuration of a whole workflow.
type cardPoint struct{ memory, parallelism int }

// String gives the configuration as "1792MBx8", as importers name it.
func (p cardPoint) String() string { return fmt.Sprintf("%dMBx%d", p.memory, p.parallelism) }

// points returns the configurations of the grid in their order.
func (c Card) points() (points []cardPoint) {
	for _, g := range c.Grid {
		for _, d := range g.Parallelism {
			points = append(points, cardPoint{g.MemoryMB, d})
		}
	}
	return points
}

// at returns the configuration of stage i at a point of a grid, and the
// parallelism of its input parent.
func (p cardPoint) at(def *Definition, i int) (c StageConfig, inputParallelism int) {
	parallelism := func(i int) int {
		if def.Workflow.Stage(i).Splittable() {
			return p.parallelism
		}
		return 1
	}
	if parent := def.Workflow.InputParent(i); parent >= 0 {
		inputParallelism = parallelism(parent)
	}
	return def.StageConfig(p.memory, parallelism(i)), inputParallelism
}

// Cards returns the names of the bundled workload cards, sorted: those of the
// workflows they belong to.
func Cards() []string { return bundled("data/cards") }

// LoadCard returns a bundled card by its name, or the card in a YAML file, for
// the given workflow.
func LoadCard(nameOrPath string, def *Definition) (Card, error) {
	text, from, err := read("card", "data/cards", nameOrPath)
	if err != nil {
		return Card{}, err
	}
	return ParseCard(from, text, def)
}

// ParseCard reads a card of the given workflow. Unknown keys are errors, and
// every defect is reported at once. The name from is used in errors.
func ParseCard(from string, text []byte, def *Definition) (Card, error) {
	var c Card
	if err := yaml.UnmarshalWithOptions(text, &c, yaml.Strict()); err != nil {
		return Card{}, fmt.Errorf("%s: %s", from, oneLine(err))
	}
	c.Definition = def
	c.inOrder()
	if err := c.check(from); err != nil {
		return Card{}, err
	}
	return c, nil
}

// inOrder brings the stages that the workflow knows into its order.
func (c *Card) inOrder() {
	position := func(s CardStage) int {
		if i, ok := c.Definition.Workflow.Index(s.Stage); ok {
			return i
		}
		return len(c.Stages)
	}
	slices.SortStableFunc(c.Stages, func(a, b CardStage) int { return position(a) - position(b) })
}

// Text returns the YAML form of the card, which ParseCard reads.
func (c Card) Text() ([]byte, error) {
	return yaml.MarshalWithOptions(c, yaml.IndentSequence(true))
}

// SHA256 returns the checksum of Text in lower-case hexadecimal.
func (c Card) SHA256() (string, error) {
	text, err := c.Text()
	sum := sha256.Sum256(text)
	return hex.EncodeToString(sum[:]), err
}
