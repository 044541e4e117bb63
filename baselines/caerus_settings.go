package baselines

import (
	_ "embed"
	"fmt"
	"math"
	"slices"
	"sync"

	"github.com/goccy/go-yaml"

	"eevee/models"
)

//go:embed data/jolteon_baselines.yaml
var jolteonBaselines []byte

// uniform is a number of instances to divide among the stages of a workflow,
// and the size of every one of them.
type uniform struct {
	Total int     `yaml:"total"`
	VCPU  float64 `yaml:"vcpu"`
}

// published is how the Jolteon artifact runs Ditto and Caerus on a workflow.
type published struct {
	Workflow     string             `yaml:"workflow"`
	DittoLatency uniform            `yaml:"ditto_latency"`
	DittoCost    uniform            `yaml:"ditto_cost"`
	Caerus       uniform            `yaml:"caerus"`
	InputMB      map[string]float64 `yaml:"input_mb"` // by stage; none for stages that cannot be split
	InputSource  string             `yaml:"input_source"`
	Own          ownSpace           `yaml:"own"`
}

// publishedSettings are those of all workflows.
var publishedSettings = sync.OnceValue(func() (list []published) {
	if err := yaml.UnmarshalWithOptions(jolteonBaselines, &list, yaml.Strict()); err != nil {
		panic(err) // the file is part of the program
	}
	return list
})

// publishedFor returns the published settings of a workflow, which are those
// of the bundled workflow of that name and stages. They are shared.
func publishedFor(w *models.Workflow) (published, bool) {
	list := publishedSettings()
	i := slices.IndexFunc(list, func(p published) bool { return p.Workflow == w.Name() })
	if i < 0 {
		return published{}, false
	}
	for stage := range list[i].InputMB {
		if _, ok := w.Index(stage); !ok {
			return published{}, false // a user's workflow of the same name
		}
	}
	return list[i], true
}

// inputBytes returns the inferred input sizes of the workflow's stages.
func (p published) inputBytes(w *models.Workflow) []float64 {
	sizes := make([]float64, w.Len())
	for i := range sizes {
		sizes[i] = p.InputMB[w.Stage(i).Name] * 1e6
	}
	return sizes
}

// or returns u with what is zero taken from the published settings, and where
// there are none from the space: the given quantile of what it admits, the
// smallest for 0 and the largest for 1, added up for the total.
func (u uniform) or(published uniform, known bool, space *models.Space, quantile float64) (uniform, error) {
	if u.Total < 0 || u.VCPU < 0 || math.IsNaN(u.VCPU) || math.IsInf(u.VCPU, 0) {
		return uniform{}, fmt.Errorf("%d instances of %v vCPU are nothing to divide", u.Total, u.VCPU)
	}
	at := func(list []float64) float64 {
		slices.Sort(list)
		list = slices.Compact(list)
		return list[int(quantile*float64(len(list)-1))]
	}
	var sizes []float64
	var total float64
	for i := range space.Workflow.Len() {
		var d []float64
		for _, c := range space.Choices(i) {
			d, sizes = append(d, float64(c.Parallelism)), append(sizes, c.VCPU)
		}
		total += at(d)
	}
	if u.Total == 0 {
		u.Total = int(total)
		if known {
			u.Total = published.Total
		}
	}
	if u.VCPU == 0 {
		u.VCPU = at(sizes)
		if known {
			u.VCPU = published.VCPU
		}
	}
	return u, nil
}
