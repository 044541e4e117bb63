package models

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"
)

// cardDefects collects what is wrong with a card.
type cardDefects struct {
	from string
	errs []error
}

func (d *cardDefects) add(format string, args ...any) {
	if len(d.errs) < maxDefects {
		d.errs = append(d.errs, fmt.Errorf("%s: "+format, append([]any{d.from}, args...)...))
	}
}

// check reports every reason why no trace can be made of the card.
func (c Card) check(from string) error {
	d := &cardDefects{from: from}
	if c.Schema != CardSchema {
		d.add("schema: is %q, this eevee reads %q", c.Schema, CardSchema)
		return errors.Join(d.errs...)
	}
	w := c.Definition.Workflow
	if c.Workflow != w.Name() {
		d.add("workflow: is %q, want %q", c.Workflow, w.Name())
		return errors.Join(d.errs...)
	}
	for _, p := range []struct {
		name string
		Provenance
	}{
		{"grid", c.Provenance.Grid}, {"curves", c.Provenance.Curves}, {"dispersion", c.Provenance.Dispersion},
		{"first_epoch", c.Provenance.FirstEpoch}, {"instances", c.Provenance.Instances}, {"delay", c.Provenance.Delay},
	} {
		if strings.TrimSpace(p.Text) == "" {
			d.add("provenance of %s: has no text", p.name)
		}
		if _, err := time.Parse(time.DateOnly, p.Date); err != nil {
			d.add("provenance of %s: date %q is not YYYY-MM-DD", p.name, p.Date)
		}
	}
	switch {
	case c.Epochs < 2:
		d.add("epochs: %d, need a first and at least one warm one", c.Epochs)
	case c.Epochs > maxCount:
		d.add("epochs: %d, more than %d", c.Epochs, maxCount)
	}
	c.checkLevels(d)
	c.checkGrid(d)
	for i := range w.Len() {
		name := w.Stage(i).Name
		k := slices.IndexFunc(c.Stages, func(s CardStage) bool { return s.Stage == name })
		if k < 0 {
			d.add("stage %q is missing", name)
			continue
		}
		c.checkStage(d, i, &c.Stages[k])
	}
	for k, s := range c.Stages {
		if _, ok := w.Index(s.Stage); !ok {
			d.add("workflow %s has no stage %q", w.Name(), s.Stage)
		}
		if k > 0 && c.Stages[k-1].Stage == s.Stage {
			d.add("stage %q is there twice", s.Stage)
		}
	}
	return errors.Join(d.errs...)
}

// maxCount bounds whatever a card counts: far more than any recording has.
const maxCount = 1 << 20

func (c Card) checkLevels(d *cardDefects) {
	n := len(c.Levels)
	ok := n >= 2 && c.Levels[0] == 0 && c.Levels[n-1] == 1
	for k := 1; k < n; k++ {
		ok = ok && c.Levels[k] > c.Levels[k-1]
	}
	if !ok {
		d.add("quantile_levels: %v do not rise from 0 to 1", c.Levels)
	}
}

func (c Card) checkGrid(d *cardDefects) {
	if len(c.points()) == 0 {
		d.add("grid: is empty; list the recorded configurations")
	}
	seen := make(map[cardPoint]bool)
	for k, g := range c.Grid {
		if g.MemoryMB < 1 || g.MemoryMB > maxCount {
			d.add("grid: entry %d: memory_mb is %d", k+1, g.MemoryMB)
		}
		if len(g.Parallelism) == 0 {
			d.add("grid: entry %d: parallelism is empty", k+1)
		}
		for _, p := range g.Parallelism {
			at := cardPoint{g.MemoryMB, p}
			if p < 1 || p > maxCount {
				d.add("grid: entry %d: parallelism is %d", k+1, p)
			}
			if seen[at] {
				d.add("grid: entry %d: %v is there twice", k+1, at)
			}
			seen[at] = true
		}
	}
}

func (c Card) checkStage(d *cardDefects, i int, s *CardStage) {
	if !finite(s.Delay.Least) || s.Delay.Least <= 0 {
		d.add("stage %q: delay: least_s is %v, must be positive", s.Stage, s.Delay.Least)
	}
	c.checkTrend(d, fmt.Sprintf("stage %q: delay: warm_s", s.Stage), s.Delay.Warm)
	c.checkTrend(d, fmt.Sprintf("stage %q: delay: first_epoch_s", s.Stage), s.Delay.First)
	for _, name := range stepNames {
		c.checkStep(d, i, fmt.Sprintf("stage %q: %s", s.Stage, name), name, s.step(name))
	}
}

func (c Card) checkTrend(d *cardDefects, at string, t CardTrend) {
	if !finite(t.Intercept) || !finite(t.Slope) {
		d.add("%s: the line %v + %v x is not finite", at, t.Intercept, t.Slope)
	}
	c.checkQuantiles(d, at+": deviation", t.Deviation)
}

func (c Card) checkQuantiles(d *cardDefects, at string, q []float64) {
	if len(q) != len(c.Levels) {
		d.add("%s: %d quantiles for %d quantile_levels", at, len(q), len(c.Levels))
	}
	for k, v := range q {
		if !finite(v) {
			d.add("%s: quantile %d is %v", at, k+1, v)
		} else if k > 0 && v < q[k-1] {
			d.add("%s: quantile %d is %v, below the one before it", at, k+1, v)
		}
	}
}

func (c Card) checkStep(d *cardDefects, i int, at, name string, s *CardStep) {
	w := c.Definition.Workflow
	if bases := stepBases(w, i, name); !slices.Contains(bases, s.Basis) {
		d.add("%s: basis is %q, want one of %q", at, s.Basis, bases)
		return
	}
	if want := stepParams(name, s.Basis); len(s.Params) != want {
		d.add("%s: params_s: %d numbers, a %s step on %q has %d", at, len(s.Params), name, s.Basis, want)
		return
	}
	for k, v := range s.Params {
		if !finite(v) {
			d.add("%s: params_s: number %d is %v", at, k+1, v)
		}
	}
	if s.zero() {
		if s.Configuration != 0 || s.Run != 0 || s.Least != 0 || s.FirstEpoch != nil || s.Instances != nil {
			d.add("%s: takes no time (params_s are 0), but has more than basis and params_s", at)
		}
		return
	}
	if !finite(s.Least) || s.Least <= 0 {
		d.add("%s: least_s is %v, must be positive", at, s.Least)
	}
	if !finite(s.Configuration) || s.Configuration < 0 {
		d.add("%s: configuration_sd is %v, must not be negative", at, s.Configuration)
	}
	if !finite(s.Run) || s.Run < 0 {
		d.add("%s: run_sd is %v, must not be negative", at, s.Run)
	}
	c.checkQuantiles(d, at+": first_epoch", s.FirstEpoch)
	if len(s.FirstEpoch) > 0 && !(s.FirstEpoch[0] > 0) {
		d.add("%s: first_epoch: quantile 1 is %v, must be positive", at, s.FirstEpoch[0])
	}
	switch split := w.Stage(i).Splittable(); {
	case split && s.Instances == nil:
		d.add("%s: instances are missing", at)
	case !split && s.Instances != nil:
		d.add("%s: has instances, but the stage cannot be split", at)
	case split:
		c.checkTrend(d, at+": instances", *s.Instances)
	}
	if runs := (c.Epochs - 1) * len(c.points()); runs > 0 && runs <= len(s.Params) {
		d.add("%s: %d parameters for %d warm runs; the grid needs more configurations", at, len(s.Params), runs)
	}
}
