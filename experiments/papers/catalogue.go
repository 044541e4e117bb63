package papers

import (
	"fmt"
	"slices"

	"eevee/internal/spelling"
)

// catalogue lists the experiments by their ids, in the order in which they run and
// are reported; those that measure times run last. An experiment reads its file
// when it is created; no other verb waits for that.
var catalogue = []listing{
	listed("headlines", newHeadlines),
	listed("fig8", newFig8),
	listed("fig9", newFig9),
	listed("baselines", newBaselines),
	listed("fig10", func() Experiment { return newTightness("data/fig10.yaml") }),
	listed("fig11", func() Experiment { return newTightness("data/fig11.yaml") }),
	listed("fig12", newFig12),
	listed("table3", newTable3),
	listed("table4", newTable4),
	listed("table5", newTable5),
	listed("sampling", newSampling),
	listed("samplesize", newSampleSize),
	listed("sensitivity", newSensitivity),
	listed("ditto", newDitto),
	listed("stepconf-fig3", newStepConfFig3),
	listed("stepconf-fig4", newStepConfFig4),
	listed("stepconf-fig10", newStepConfFig10),
	listed("stepconf-fig14", newStepConfFig14),
	listed("stepconf-fig18", newStepConfFig18),
	listed("stepconf-fig19", newStepConfFig19),
	listed("stepconf-prewarm", newStepConfPrewarming),
	listed("chunkfunc", newChunkFunc),
	listed("janus", newJanus),
	listed("ditto-redis", newDittoRedis),
	listed("ditto-ablation", newDittoAblation),
	listed("ditto-steps", newDittoSteps),
	listed("gantt", newGantt),
	listed("gantt-load", newGanttLoad),
	listed("caerus", newCaerus),
	listed("orion", newOrion),
	listed("orion-bundling", newOrionBundling),
	listed("orion-starts", newOrionStarts),
	listed("violations", newViolations),
	listed("frontier", newFrontier),
	listed("regret", newRegret),
	listed("coverage", newCoverage),
	listed("warm-choice", newWarmChoice),
	listed("missing", newMissing),
	listed("explorer", newExplorer),
	listed("jointlambda", newJointlambda),
	listed("fig13", newFig13),
	listed("overhead", newOverhead),
	listed("table6", newTable6),
	listed("stepconf-scaling", newStepConfScaling),
	listed("janus-overhead", newJanusOverhead),
	listed("ditto-overhead", newDittoOverhead),
}

// listing is one experiment of the catalogue.
type listing struct {
	id     string // that of its statement
	create func() Experiment
}

func listed[E Experiment](id string, create func() E) listing {
	return listing{id, func() Experiment { return create() }}
}

// All returns the experiments, in the order in which they run and are reported.
func All() []Experiment {
	var all []Experiment
	for _, e := range catalogue {
		all = append(all, e.create())
	}
	return all
}

// IDs returns the ids of the experiments, in their order.
func IDs() []string {
	var ids []string
	for _, e := range catalogue {
		ids = append(ids, e.id)
	}
	return ids
}

// Select returns the experiments with the ids of only, in the order of All,
// without those of skip; no ids in only select all of them. The error of an
// unknown id lists those that there are.
func Select(only, skip []string) ([]Experiment, error) {
	known := IDs()
	for _, id := range slices.Concat(only, skip) {
		if !slices.Contains(known, id) {
			return nil, spelling.Unknown("figure or table", id, known)
		}
	}
	var left []Experiment
	for _, e := range catalogue {
		if (len(only) == 0 || slices.Contains(only, e.id)) && !slices.Contains(skip, e.id) {
			left = append(left, e.create())
		}
	}
	if len(left) == 0 {
		return nil, fmt.Errorf("nothing is left to do: all that is selected is skipped, too")
	}
	return left, nil
}
