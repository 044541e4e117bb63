package models

import (
	"errors"
	"fmt"
	"math"
	"slices"

	"eevee/traces"
)

// Origin says what a card was measured on.
type Origin struct {
	Source string // the recordings
	Date   string // day of the measurement, YYYY-MM-DD
}

// MeasureCard measures a profile: mean and p95 rows of every stage, in at
// least three epochs of which the first started the instances, over one grid
// of memory and parallelism that all stages share. Numbers are rounded to the
// digits that the card prints.
func MeasureCard(def *Definition, rows []traces.Record, origin Origin) (Card, error) {
	p, err := NewProfile(def, rows)
	if err != nil {
		return Card{}, err
	}
	fail := func(err error) (Card, error) {
		return Card{}, fmt.Errorf("card of workflow %s: %w", def.Workflow.Name(), err)
	}
	t, err := tabulate(def, p)
	if err != nil {
		return fail(err)
	}
	m, err := FitJolteon(p, JolteonOptions{})
	if err != nil {
		return Card{}, err
	}
	c := Card{
		Schema: CardSchema, Workflow: def.Workflow.Name(), Source: origin.Source, Provenance: measured(origin.Date),
		Epochs: len(t.cells[0]), Levels: slices.Clone(cardLevels), Definition: def,
	}
	for k, point := range t.points {
		if k == 0 || t.points[k-1].memory != point.memory {
			c.Grid = append(c.Grid, CardGrid{MemoryMB: point.memory})
		}
		g := &c.Grid[len(c.Grid)-1]
		g.Parallelism = append(g.Parallelism, point.parallelism)
	}
	for i, s := range m.Stages() {
		stage, err := t.stage(i, s)
		if err != nil {
			return fail(fmt.Errorf("stage %q: %w", s.Name, err))
		}
		c.Stages = append(c.Stages, stage)
	}
	if err := c.check("card of workflow " + c.Workflow); err != nil {
		return Card{}, err
	}
	return c, nil
}

// measured says how MeasureCard comes to its numbers.
func measured(date string) CardProvenance {
	of := func(text string) Provenance { return Provenance{text, date} }
	return CardProvenance{
		Grid:       of("configurations of the source, in its order; stages that cannot be split ran as one instance"),
		Curves:     of("exact least squares over the mean rows of the warm epochs; least_s: smallest of these rows"),
		Dispersion: of("run_sd from the difference of the warm runs of a configuration, configuration_sd from the rest of the sum of squared residuals, relative to the curve"),
		FirstEpoch: of("first run of a configuration over the mean of its warm runs"),
		Instances:  of("ln(p95/mean - 1) over ln(parallelism) in all epochs where p95 is above the mean, line of least absolute deviations"),
		Delay:      of("cold values of the p95 rows over the parallelism, line of least absolute deviations; least_s: smallest cold value of the mean rows"),
	}
}

// cardTable is a profile by stage, epoch and configuration.
type cardTable struct {
	def    *Definition
	points []cardPoint
	cells  [][][]Observation
}

// tabulate checks that a profile has the form of a card: every configuration
// once in every epoch, in every stage.
func tabulate(def *Definition, p *Profile) (*cardTable, error) {
	w := def.Workflow
	points := make(map[string]cardPoint) // of executions
	for i := range w.Len() {
		for _, o := range p.Stage(i) {
			point, known := points[o.Execution]
			if !known {
				point = cardPoint{o.Config.Memory, 0}
			}
			d := o.Config.Parallelism
			switch {
			case point.memory != o.Config.Memory:
				return nil, fmt.Errorf("execution %q: stages with %d and with %d MB; a card describes profiles in which all stages have the same memory", o.Execution, point.memory, o.Config.Memory)
			case !w.Stage(i).Splittable() && d != 1:
				return nil, fmt.Errorf("execution %q: stage %q ran as %d instances, but it cannot be split", o.Execution, w.Stage(i).Name, d)
			case w.Stage(i).Splittable() && point.parallelism != 0 && point.parallelism != d:
				return nil, fmt.Errorf("execution %q: stages with parallelism %d and %d; a card describes profiles in which all stages have the same", o.Execution, point.parallelism, d)
			case w.Stage(i).Splittable():
				point.parallelism = d
			}
			points[o.Execution] = point
		}
	}
	t := &cardTable{def: def}
	for _, o := range p.Stage(0) {
		if point := points[o.Execution]; o.Epoch == 0 {
			if slices.Contains(t.points, point) {
				return nil, fmt.Errorf("execution %q: epoch 0 holds %v twice", o.Execution, point)
			}
			t.points = append(t.points, point)
		}
	}
	for i := range w.Len() {
		epochs, err := t.epochs(p.Stage(i), points)
		if err == nil && i > 0 && len(epochs) != len(t.cells[0]) {
			err = fmt.Errorf("%d epochs, stage %q has %d", len(epochs), w.Stage(0).Name, len(t.cells[0]))
		}
		if err != nil {
			return nil, fmt.Errorf("stage %q: %w", w.Stage(i).Name, err)
		}
		t.cells = append(t.cells, epochs)
	}
	for k, point := range t.points {
		t.points[k].parallelism = max(1, point.parallelism) // no stage can be split
	}
	return t, nil
}

// epochs sorts the observations of one stage by epoch and configuration.
func (t *cardTable) epochs(obs []Observation, points map[string]cardPoint) ([][]Observation, error) {
	last := 0
	for _, o := range obs {
		if o.Epoch < 0 {
			return nil, fmt.Errorf("execution %q: epoch %d", o.Execution, o.Epoch)
		}
		last = max(last, o.Epoch)
	}
	if last < 2 || last >= len(obs) {
		return nil, fmt.Errorf("epochs up to %d, need a first and two or more warm ones", last)
	}
	epochs := make([][]Observation, last+1)
	for e := range epochs {
		epochs[e] = make([]Observation, len(t.points))
	}
	for _, o := range obs {
		k := slices.Index(t.points, points[o.Execution])
		switch {
		case k < 0:
			return nil, fmt.Errorf("execution %q: epoch 0 has no %v", o.Execution, points[o.Execution])
		case epochs[o.Epoch][k].Execution != "":
			return nil, fmt.Errorf("execution %q: epoch %d holds %v twice", o.Execution, o.Epoch, t.points[k])
		}
		if err := isCardRow(o); err != nil {
			return nil, fmt.Errorf("execution %q: %w", o.Execution, err)
		}
		epochs[o.Epoch][k] = o
	}
	for e, list := range epochs {
		for k, o := range list {
			if o.Execution == "" {
				return nil, fmt.Errorf("epoch %d has no %v", e, t.points[k])
			}
		}
	}
	return epochs, nil
}

// arithmeticSlack is how far in seconds the cold value of a p95 row may be
// from what the other values of the run say: rounding in the last digits.
const arithmeticSlack = 1e-6

// isCardRow checks that the cold values of a run are what they are in a
// profile: the time of the stage without the mean times of its steps, and
// without their 95th percentiles.
func isCardRow(o Observation) error {
	apart := (o.Mean.Cold - o.P95.Cold) - (o.P95.Exec() - o.Mean.Exec())
	if math.IsNaN(apart) {
		return errors.New("lacks a value of its mean or p95 row")
	}
	if math.Abs(apart) > arithmeticSlack {
		return fmt.Errorf("its mean and its p95 row give times of the stage that are %.3g s apart", math.Abs(apart))
	}
	return nil
}

// of returns the mean and p95 of the named step.
func (o Observation) of(step string) (mean, p95 float64) {
	switch step {
	case "read":
		return o.Mean.Read, o.P95.Read
	case "compute":
		return o.Mean.Compute, o.P95.Compute
	}
	return o.Mean.Write, o.P95.Write
}

func (t *cardTable) stage(i int, fit JolteonStage) (CardStage, error) {
	s := CardStage{Stage: fit.Name}
	for _, step := range fit.Steps() {
		measured, err := t.step(i, step)
		if err != nil {
			return s, fmt.Errorf("%s: %w", step.Name, err)
		}
		*s.step(step.Name) = measured
	}
	least := math.Inf(1)
	var d, delay [2][]float64 // first and warm epochs
	for e, epoch := range t.cells[i] {
		for _, o := range epoch {
			least = min(least, o.Mean.Cold)
			d[min(e, 1)] = append(d[min(e, 1)], float64(o.Config.Parallelism))
			delay[min(e, 1)] = append(delay[min(e, 1)], o.P95.Cold)
		}
	}
	s.Delay = CardDelay{significant(least, cardDigits), newCardTrend(d[1], delay[1]), newCardTrend(d[0], delay[0])}
	return s, nil
}

func (t *cardTable) step(i int, fit NamedStep) (CardStep, error) {
	s := CardStep{Basis: fit.Basis, Params: make([]float64, len(fit.Params))}
	smallest, largest := math.Inf(1), 0.0
	for _, epoch := range t.cells[i] {
		for _, o := range epoch {
			mean, _ := o.of(fit.Name)
			smallest, largest = min(smallest, mean), max(largest, mean)
		}
	}
	switch {
	case largest == 0:
		return s, nil
	case smallest <= 0:
		return s, fmt.Errorf("takes %v s in one run and %v s in another", smallest, largest)
	}
	for k, v := range fit.Params {
		s.Params[k] = significant(v, paramDigits)
	}
	t.disperse(i, fit, &s)

	warm := t.cells[i][1:]
	var ratios []float64
	for k, o := range t.cells[i][0] {
		mean := 0.0
		for _, epoch := range warm {
			y, _ := epoch[k].of(fit.Name)
			mean += y / float64(len(warm))
		}
		first, _ := o.of(fit.Name)
		ratios = append(ratios, first/mean)
	}
	s.FirstEpoch = cardQuantiles(ratios)

	if !t.def.Workflow.Stage(i).Splittable() {
		return s, nil
	}
	var x, y []float64
	for _, epoch := range t.cells[i] {
		for _, o := range epoch {
			if mean, p95 := o.of(fit.Name); p95 > mean {
				x = append(x, math.Log(float64(o.Config.Parallelism)))
				y = append(y, math.Log(p95/mean-1))
			}
		}
	}
	if len(x) == 0 {
		return s, errors.New("p95 is nowhere above the mean")
	}
	trend := newCardTrend(x, y)
	s.Instances = &trend
	return s, nil
}

// disperse sets the least time and the standard deviations of the factors of
// configuration and run.
//
// With g the level of a configuration and v, w the variances that the two
// factors give to the time in g^2, the sum of squares within configurations
// has the expectation (R-1) * sum(g^2) * w over R runs each, and the sum of
// squared residuals of the fit with leverages h has
//
//	sum(g^2 (R - R^2 h)) * v + sum(g^2 R (1-h)) * w + B
//
// with B the part that no fit of this basis explains of g itself; it is not 0
// only where a least time stands in for the curve. The variances are those
// that meet both sums (a test for lack of fit compares them); where that took
// a negative v, it is 0 and w meets the second.
func (t *cardTable) disperse(i int, fit NamedStep, s *CardStep) {
	warm := t.cells[i][1:]
	runs := float64(len(warm))
	s.Least = math.Inf(1)
	for _, epoch := range warm {
		for _, o := range epoch {
			y, _ := o.of(fit.Name)
			s.Least = min(s.Least, y)
		}
	}
	s.Least = significant(s.Least, cardDigits)

	residual := fit.SSR / float64(fit.N-len(fit.Params))
	var within, squares, byRun, byConfiguration float64
	var rows [][]float64
	var levels []float64
	for k := range t.points {
		at := gridPoint{inTenths(warm[0][k].Config), warm[0][k].InputParallelism}
		row := regressors(fit.Basis, len(fit.Params), at)
		leverage := 0.0
		for c := range fit.Factor {
			part := 0.0
			for j, v := range row {
				part += v * fit.Factor[j][c]
			}
			leverage += part * part
		}
		if residual > 0 {
			leverage /= residual
		}
		g := s.level(warm[0][k].Config, warm[0][k].InputParallelism)
		mean := 0.0
		for _, epoch := range warm {
			y, _ := epoch[k].of(fit.Name)
			mean += y / runs
			rows, levels = append(rows, row), append(levels, g)
		}
		for _, epoch := range warm {
			y, _ := epoch[k].of(fit.Name)
			within += (y - mean) * (y - mean)
		}
		squares += g * g
		byRun += g * g * runs * (1 - leverage)
		byConfiguration += g * g * (runs - runs*runs*leverage)
	}
	unexplained := 0.0
	if lf, err := fitLinear(rows, levels); err == nil {
		unexplained = lf.SSR
	}
	w := within / ((runs - 1) * squares)
	v := (fit.SSR - unexplained - w*byRun) / byConfiguration
	if v < 0 {
		v, w = 0, max(0, fit.SSR-unexplained)/byRun
	}
	// w is the variance of the product's second factor, which the first one
	// enlarges by 1+v.
	s.Configuration = significant(math.Sqrt(v), cardDigits)
	s.Run = significant(math.Sqrt(w/(1+v)), cardDigits)
}
