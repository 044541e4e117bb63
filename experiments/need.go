package experiments

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"runtime"
	"slices"
	"strconv"
	"strings"

	"golang.org/x/sync/errgroup"

	"eevee/models"
)

// Need says which further recordings would tighten the predicted 95th percentile
// of the latency under a configuration most.
type Need struct {
	Workflow string    `json:"workflow"`
	Model    string    `json:"model"`
	Config   string    `json:"config"`  // whose bound is to be tightened
	P50      float64   `json:"p50_s"`   // predicted as it is
	P95      float64   `json:"p95_s"`   // predicted as it is
	Width    float64   `json:"width_s"` // P95 - P50
	Rows     []NeedRow `json:"rows"`    // the configuration that helps most first
	Runs     []NeedRow `json:"runs"`    // more and more runs of the first one
}

// NeedRow is what further runs of a configuration are expected to do.
type NeedRow struct {
	Configuration string  `json:"configuration"`
	Runs          int     `json:"runs"`
	Width         float64 `json:"width_s"` // expected, mean over futures
	WidthSE       float64 `json:"width_se_s"`
	Reduction     float64 `json:"reduction"` // of the width, relative
	Tied          bool    `json:"tied"`      // over the same futures it cannot be told apart from the best, at two standard errors
}

// needFutures is the number of futures that an expectation is taken over, and
// needRuns are the numbers of runs that are tried.
const needFutures = 16

func needRuns() []int { return []int{2, 5, 10, 20} }

// FindNeed computes, for every recorded configuration and the given one, what
// two further runs of it would do to the width of the bound, and for the best of
// them what more runs would. The model is fitted again to every future: recorded
// runs and, under the configuration in question, new ones that deviate from the
// published step terms as the runs of one randomly chosen configuration did, so
// that runs of a configuration stay alike. All candidates share the same
// futures.
func FindNeed(ctx context.Context, p *models.Profile, model Forecaster, config models.Config, seed uint64, progress func(done, total int)) (Need, error) {
	streams := models.Streams{Seed: seed}.Sub("need")
	future, err := newFuture(p)
	if err != nil {
		return Need{}, fmt.Errorf("need of workflow %s: %w", p.Workflow.Name(), err)
	}
	predict := func(p *models.Profile) (p50, p95 float64, err error) {
		fitted, err := model.Fit(p, streams)
		if err != nil {
			return 0, 0, err
		}
		sample, err := fitted.Latency(config)
		if err != nil {
			return 0, 0, err
		}
		return models.QuantileR7(sample, 0.50), models.QuantileR7(sample, 0.95), nil
	}
	n := Need{Workflow: p.Workflow.Name(), Model: model.Name, Config: config.String()}
	if n.P50, n.P95, err = predict(p); err != nil {
		return Need{}, err
	}
	n.Width = n.P95 - n.P50

	candidates := []models.Config{config}
	for _, run := range jointRuns(p) {
		if c := run.config(); !slices.ContainsFunc(candidates, func(known models.Config) bool { return known.String() == c.String() }) {
			candidates = append(candidates, c)
		}
	}
	first := needRuns()[0]
	step := counter((len(candidates)+len(needRuns())-1)*needFutures, progress)
	expect := func(list []models.Config, runs []int) ([]NeedRow, [][]float64, error) {
		widths := make([][]float64, len(list))
		work, ctx := errgroup.WithContext(ctx)
		work.SetLimit(runtime.GOMAXPROCS(0))
		for k := range list {
			widths[k] = make([]float64, needFutures)
			for f := range needFutures {
				work.Go(func() error {
					if err := ctx.Err(); err != nil {
						return err
					}
					more := future.runs(list[k], runs[k], streams.New("future/"+strconv.Itoa(f)))
					p50, p95, err := predict(p.With(more...))
					widths[k][f] = p95 - p50
					step()
					return err
				})
			}
		}
		if err := work.Wait(); err != nil {
			return nil, nil, err
		}
		rows := make([]NeedRow, len(list))
		for k := range list {
			mean, se := meanError(widths[k])
			rows[k] = NeedRow{Configuration: list[k].String(), Runs: runs[k], Width: mean, WidthSE: se, Reduction: 1 - mean/n.Width}
		}
		return rows, widths, nil
	}
	rows, widths, err := expect(candidates, slices.Repeat([]int{first}, len(candidates)))
	if err != nil {
		return Need{}, err
	}
	order := make([]int, len(candidates))
	for k := range order {
		order[k] = k
	}
	slices.SortStableFunc(order, func(a, b int) int { return cmp.Compare(rows[a].Width, rows[b].Width) })
	best := order[0]
	for _, k := range order {
		behind := make([]float64, needFutures)
		for f := range behind {
			behind[f] = widths[k][f] - widths[best][f]
		}
		mean, se := meanError(behind)
		rows[k].Tied = k != best && mean <= 2*se
		n.Rows = append(n.Rows, rows[k])
	}
	more := needRuns()[1:]
	n.Runs, _, err = expect(slices.Repeat([]models.Config{candidates[best]}, len(more)), more)
	n.Runs = append([]NeedRow{n.Rows[0]}, n.Runs...)
	return n, err
}

// meanError returns the mean of values and its standard error.
func meanError(values []float64) (mean, se float64) {
	n := float64(len(values))
	for _, v := range values {
		mean += v / n
	}
	for _, v := range values {
		se += (v - mean) * (v - mean) / (n - 1)
	}
	return mean, math.Sqrt(se / n)
}

// future makes up runs that were not recorded.
type future struct {
	workflow *models.Workflow
	stages   []models.JolteonStage
	recorded [][]jointRun // by configuration
	least    [][]float64  // per stage and step: the shortest recorded time, s
}

func newFuture(p *models.Profile) (*future, error) {
	m, err := models.FitJolteon(p, models.JolteonOptions{})
	if err != nil {
		return nil, err
	}
	f := &future{workflow: p.Workflow, stages: m.Stages()}
	at := map[string]int{}
	for _, run := range jointRuns(p) {
		c := run.config().String()
		k, ok := at[c]
		if !ok {
			k = len(f.recorded)
			at[c] = k
			f.recorded = append(f.recorded, nil)
		}
		f.recorded[k] = append(f.recorded[k], run)
	}
	if len(f.recorded) == 0 {
		return nil, fmt.Errorf("no recorded run has all stages")
	}
	for i := range p.Workflow.Len() {
		least := []float64{math.Inf(1), math.Inf(1), math.Inf(1)}
		for _, o := range p.Warm(i) {
			for j, v := range stepTimes(o.Mean) {
				least[j] = min(least[j], v)
			}
		}
		f.least = append(f.least, least)
	}
	return f, nil
}

// stepTimes are the times of read, compute and write.
func stepTimes(s models.Steps) [3]float64 { return [3]float64{s.Read, s.Compute, s.Write} }

// runs makes up n runs under a configuration. No step takes less than half of
// the shortest time that was recorded.
func (f *future) runs(c models.Config, n int, source *rand.Rand) [][]models.Observation {
	alike := f.recorded[source.IntN(len(f.recorded))]
	made := make([][]models.Observation, n)
	for k := range made {
		like := alike[source.IntN(len(alike))]
		for i, o := range like {
			input := f.workflow.InputParallelism(c, i)
			before := stepTimes(o.Mean)
			var scale [3]float64
			for j, step := range f.stages[i].Steps() {
				v := step.At(c[i], input) + before[j] - step.At(o.Config, o.InputParallelism)
				v = max(v, f.least[i][j]/2)
				if scale[j] = 1; before[j] > 0 {
					scale[j] = v / before[j]
				}
			}
			of := models.Observation{
				Execution: "future" + strconv.Itoa(k), Epoch: 1, Config: c[i], InputParallelism: input,
				Mean: scaled(o.Mean, scale), P95: scaled(o.P95, scale),
			}
			if o.Config.Parallelism == c[i].Parallelism {
				for _, s := range o.Invocations {
					of.Invocations = append(of.Invocations, scaled(s, scale))
				}
			}
			made[k] = append(made[k], of)
		}
	}
	return made
}

func scaled(s models.Steps, by [3]float64) models.Steps {
	s.Read, s.Compute, s.Write = s.Read*by[0], s.Compute*by[1], s.Write*by[2]
	return s
}

// needed are the rows of a Need that are worth recording: the one that helps
// most, and those that cannot be told apart from it.
func (n Need) needed() []NeedRow {
	var rows []NeedRow
	for k, r := range n.Rows {
		if k == 0 || r.Tied {
			rows = append(rows, r)
		}
	}
	return rows
}

// ReadNeed reads the configurations to record out of what "eevee fit --need
// --json" printed: the one that helps most, and those that cannot be told apart
// from it.
func ReadNeed(path string, def *models.Definition) ([]models.Config, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	var file struct {
		Workflow string `json:"workflow"`
		Need     *Need  `json:"need"`
	}
	if err := json.Unmarshal(text, &file); err != nil {
		return nil, fmt.Errorf("%s: not what \"eevee fit --need --json\" prints: %w", path, err)
	}
	w := def.Workflow
	switch {
	case file.Need == nil:
		return nil, fmt.Errorf("%s: has no \"need\"; give what \"eevee fit --need --json\" printed", path)
	case file.Workflow != w.Name():
		return nil, fmt.Errorf("%s: is about workflow %q, not %q", path, file.Workflow, w.Name())
	}
	var configs []models.Config
	for _, r := range file.Need.needed() {
		c, err := parseConfig(r.Configuration, def)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", path, err)
		}
		configs = append(configs, c)
	}
	if len(configs) == 0 {
		return nil, fmt.Errorf("%s: asks for no configuration", path)
	}
	return configs, nil
}

// parseConfig reads what Config.String writes.
func parseConfig(text string, def *models.Definition) (models.Config, error) {
	parts := strings.Fields(text)
	if len(parts) != def.Workflow.Len() {
		return nil, fmt.Errorf("configuration %q has %d stages, workflow %s has %d", text, len(parts), def.Workflow.Name(), def.Workflow.Len())
	}
	var c models.Config
	for _, part := range parts {
		var parallelism, memory int
		if n, err := fmt.Sscanf(part, "%dx%dMB", &parallelism, &memory); n != 2 || err != nil || parallelism < 1 || memory < 1 {
			return nil, fmt.Errorf("configuration %q: %q is not of the form 4x1769MB", text, part)
		}
		c = append(c, def.StageConfig(memory, parallelism))
	}
	return c, nil
}
