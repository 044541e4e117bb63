package sweep

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"runtime"
	"slices"
	"strings"
	"time"

	"github.com/goccy/go-yaml"

	"eevee/experiments"
	"eevee/models"
	"eevee/sim"
	"eevee/solvers"
)

// Plan is a sweep that is ready to run: its cells in the order in which they
// are answered, and the chunks that they are claimed and stored in.
type Plan struct {
	Grid   Grid
	Cells  []Cell
	Chunks []Chunk

	benches   map[subject]*bench
	platforms map[string]*sim.Platform
	hashes    map[string]string // of the platforms
	of        []*bench          // per cell
}

// Chunk is a run of cells about the same subject that one process answers and
// that share a file.
type Chunk struct {
	ID         string // hash of the names of its cells
	From, Upto int    // indices of the cells
}

// chunkSize is how many cells a chunk has at most. A chunk is what two
// processes cannot work on at once, and what a corrupted file costs.
const chunkSize = 32

// NewPlan loads what the grid names, fits the models and lists the cells.
func NewPlan(ctx context.Context, g Grid, sources experiments.Sources) (*Plan, error) {
	p := &Plan{Grid: g, benches: map[subject]*bench{}}
	if err := p.loadPlatforms(); err != nil {
		return nil, err
	}
	var errs []error
	used := map[string]bool{}
	for _, workflow := range g.Workflows {
		def, err := models.Load(workflow)
		if err != nil {
			errs = append(errs, fmt.Errorf("workflows: %w", err))
			continue
		}
		found := false
		for _, trace := range g.Traces {
			ok, err := traceOf(trace, def.Workflow.Name())
			if err != nil {
				return nil, err
			}
			if !ok {
				continue
			}
			found, used[trace] = true, true
			for _, model := range g.Models {
				if err := p.add(ctx, subject{workflow, trace, model}, sources); err != nil {
					errs = append(errs, err)
				}
			}
		}
		if !found {
			errs = append(errs, fmt.Errorf("traces: none is of workflow %s; name one, or default", def.Workflow.Name()))
		}
	}
	for _, trace := range g.Traces {
		if !used[trace] && len(errs) == 0 {
			errs = append(errs, fmt.Errorf("traces: %s is of none of the workflows %s", trace, strings.Join(g.Workflows, ", ")))
		}
	}
	if err := errors.Join(errs...); err != nil {
		return nil, err
	}
	p.chunk()
	return p, nil
}

// add lists the cells of a subject.
func (p *Plan) add(ctx context.Context, s subject, sources experiments.Sources) error {
	b, err := newBench(s, sources)
	if err != nil {
		return err
	}
	p.benches[s] = b
	b.platforms = p.platforms
	g := p.Grid
	base := Cell{
		Workflow: b.Definition.Workflow.Name(), Definition: b.Definition.SHA256,
		Trace: b.Trace.SHA256, Origin: string(b.Trace.Origin), Space: b.SpaceName, Model: s.model, Deadline: g.DeadlineS,
	}
	from := len(p.Cells)
	for _, bounded := range []struct {
		metric solvers.Metric
		limits Limits
	}{{solvers.Latency, g.LatencyS}, {solvers.Cost, g.CostUSD}} {
		if bounded.limits.empty() {
			continue
		}
		limits, err := b.resolve(ctx, bounded.limits, bounded.metric, slices.Max(g.Percentiles), g.Seeds[0])
		if err != nil {
			return err
		}
		c := base
		c.Metric = bounded.metric
		for _, c.Seed = range g.Seeds {
			for _, c.Limit = range limits {
				for _, c.Percentile = range g.Percentiles {
					for _, c.Confidence = range g.Confidences {
						for _, c.Rule = range g.Rules {
							for _, samples := range g.Samples {
								c.Samples = samples
								if samples == 0 {
									c.Samples = c.Bound().DefaultSamples(b.Size)
								}
								for _, c.Replications = range g.Replications {
									for _, c.Platform = range g.Platforms {
										c.PlatformHash = p.hashes[c.Platform]
										for _, c.Method = range g.Methods {
											p.Cells = append(p.Cells, c)
										}
									}
								}
							}
						}
					}
				}
			}
		}
	}
	// Cells that need the same sample come one after the other.
	slices.SortStableFunc(p.Cells[from:], func(a, b Cell) int {
		return cmp.Or(cmp.Compare(a.Seed, b.Seed), cmp.Compare(a.Samples, b.Samples))
	})
	for range p.Cells[from:] {
		p.of = append(p.of, b)
	}
	return nil
}

// loadPlatforms reads the platforms of the grid.
func (p *Plan) loadPlatforms() error {
	p.platforms, p.hashes = map[string]*sim.Platform{}, map[string]string{}
	for _, name := range p.Grid.Platforms {
		if name == replayOnly {
			continue
		}
		platform, err := sim.LoadPlatform(name)
		if err != nil {
			return err
		}
		text, err := yaml.Marshal(platform)
		if err != nil {
			return fmt.Errorf("platform %s: %w", name, err)
		}
		p.platforms[name] = platform
		p.hashes[name] = hash(fmt.Sprintf("%s\n%+v\n%+v", text, platform.Price, platform.Services))
	}
	return nil
}

// chunk cuts the cells into chunks.
func (p *Plan) chunk() {
	for from := 0; from < len(p.Cells); {
		upto := from
		var names strings.Builder
		for upto < len(p.Cells) && upto-from < chunkSize && p.of[upto] == p.of[from] {
			names.WriteString(p.Cells[upto].Key())
			upto++
		}
		p.Chunks = append(p.Chunks, Chunk{ID: hash(names.String()), From: from, Upto: upto})
		from = upto
	}
}

// Estimate is what a sweep is expected to take.
type Estimate struct {
	Cells    int     `json:"cells"`     // in all
	Open     int     `json:"open"`      // not answered yet, in this shard
	Chunks   int     `json:"chunks"`    // in this shard
	Workers  int     `json:"workers"`   // cells that are answered at the same time
	Pilot    int     `json:"pilot"`     // cells that the time was measured on
	Seconds  float64 `json:"seconds"`   // of wall time, for the open cells
	MemoryMB float64 `json:"memory_mb"` // at the peak
	DiskMB   float64 `json:"disk_mb"`   // of the results
}

// pilotKind is what cells that take about the same time have in common.
type pilotKind struct {
	bench   *bench
	method  string
	metric  solvers.Metric
	samples int
}

// Pilot answers one open cell of every kind, in the middle of its bounds, and
// says what the open cells of a shard will take. The answers are kept in the
// folder, like any other. A nil folder counts every cell as open and keeps
// nothing. now is time.Now.
func (p *Plan) Pilot(ctx context.Context, s *Store, shard Shard, now func() time.Time) (Estimate, error) {
	e := Estimate{Cells: len(p.Cells), Workers: runtime.GOMAXPROCS(0), MemoryMB: p.memory() / 1e6}
	open := map[pilotKind][]int{}
	var kinds []pilotKind
	for k, c := range p.Chunks {
		if !shard.has(k) {
			continue
		}
		e.Chunks++
		for i := c.From; i < c.Upto; i++ {
			if s != nil && s.has(p.Cells[i].Key()) {
				continue
			}
			e.Open++
			kind := pilotKind{p.of[i], p.Cells[i].Method, p.Cells[i].Metric, p.Cells[i].Samples}
			if open[kind] == nil {
				kinds = append(kinds, kind)
			}
			open[kind] = append(open[kind], i)
		}
	}
	work := 0.0
	for _, kind := range kinds {
		list := open[kind]
		i := list[len(list)/2]
		// The first cell of a kind also makes what the others share.
		if _, err := p.of[i].sample(p.Cells[i].Samples, p.Cells[i].Seed); err != nil {
			return e, err
		}
		start := now()
		row, err := p.of[i].answer(ctx, p.Cells[i])
		if err != nil {
			return e, err
		}
		took := now().Sub(start).Seconds()
		e.Pilot++
		work += took * float64(len(list))
		if s != nil {
			s.keep(row, took)
		}
	}
	e.Seconds = work / float64(e.Workers)
	e.DiskMB = bytesPerRow * float64(e.Cells) / 1e6
	return e, nil
}

// Measured sizes, in bytes, that the plan is made with.
const (
	bytesPerRow   = 600         // of a part, at 32 rows each
	bytesPerDraw  = 8 * 6       // of a stage in a scenario: six coefficients
	bytesPerValue = 4           // of a stage under a choice in a scenario, in the tables of exact
	bytesResident = 120_000_000 // of the program itself, with all models fitted
)

// memory returns the bytes that are expected to be in use at the peak: samples
// and holdouts that are kept, and the tables of every worker.
func (p *Plan) memory() float64 {
	peak := 0.0
	for _, b := range p.benches {
		stages, choices := 0, 0
		for i := range b.Definition.Workflow.Len() {
			stages++
			choices += len(b.Space.Choices(i))
		}
		samples := 0
		for i, c := range p.Cells {
			if p.of[i] == b {
				samples = max(samples, c.Samples)
			}
		}
		workers := float64(runtime.GOMAXPROCS(0))
		kept := float64(keptSamples) * bytesPerDraw * float64(stages) * float64(samples+solvers.HoldoutSize)
		tables := workers * 2 * bytesPerValue * float64(choices) * float64(samples)
		peak = max(peak, kept+tables)
	}
	return bytesResident + peak
}
