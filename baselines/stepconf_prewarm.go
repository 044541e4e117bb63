package baselines

import (
	"cmp"
	"math"
	"slices"

	"eevee/models"
)

// prewarm is the configuration-aware pre-warming of StepConf's extension
// (TPDS'24), called when a stage was decided. Of it only the abstract is known:
// the configurations of subsequent steps are predicted, and instances of these
// configurations are started ahead. Inferred is how:
//
//   - a stage is predicted once, when the last of the stages that it waits for
//     is decided;
//   - it is predicted to be ready when the model expects all of them to have
//     ended, and to get what Algorithm 2 would decide then; what is cached for
//     the run is not changed by that;
//   - its instances are started so early that they run by then, at the time that
//     cold instances take (StepConfModel.StartTime).
//
// A wrong prediction costs what its instances cost, and the stage starts cold.
func (d *stepConfDecider) prewarm(stage int, now float64, p models.Progress, c models.StageConfig) []models.Prewarm {
	w := d.space.Workflow
	d.expected[stage] = now + d.model.Time(stage, c)
	ahead := *d
	ahead.parts = slices.Clone(d.parts)
	progress := models.Progress{Config: p.Config.Clone()}
	progress.Config[stage] = c
	type next struct {
		stage int
		ready float64
	}
	var stages []next
	for _, child := range w.Children(stage) {
		ready := d.expected[stage]
		for _, parent := range w.Parents(child) {
			switch {
			case parent == stage:
			case progress.Config[parent].Parallelism == 0:
				ready = math.NaN()
			case !math.IsNaN(p.End[parent]):
				ready = max(ready, p.End[parent])
			default:
				ready = max(ready, d.expected[parent])
			}
		}
		if !math.IsNaN(ready) {
			stages = append(stages, next{child, ready})
		}
	}
	slices.SortStableFunc(stages, func(a, b next) int { return cmp.Compare(a.ready, b.ready) })
	var list []models.Prewarm
	for _, n := range stages {
		config := ahead.decide(n.stage, n.ready+d.Cost.Latency, progress.Config)
		progress.Config[n.stage] = config
		list = append(list, models.Prewarm{
			Stage: n.stage, StageConfig: config,
			At: max(now, n.ready+d.Cost.Latency-d.model.StartTime(n.stage, config.Parallelism)),
		})
	}
	return list
}
