package papers

import (
	"context"
	"fmt"
	"runtime"
	"slices"
	"strings"
	"time"

	"golang.org/x/sync/errgroup"

	"eevee/experiments"
)

// Experiment is one experiment that reproduces a figure or a table of a
// paper. What it claims, what would refute that, the data it uses and the
// tolerance are fixed before it runs, in its file under data.
type Experiment interface {
	// Statement is what the experiment is about.
	Statement() Statement

	// Cells are the answers that Find looks at. Cells that several experiments
	// look at are solved and executed once.
	Cells(quick bool) []Cell

	// Find compares what was reported with what the lab finds. The lab has
	// the results of Cells.
	Find(ctx context.Context, lab *Lab) (Finding, error)
}

// Statement is what an experiment says about itself before it runs.
type Statement struct {
	ID        string `yaml:"id"` // selects the experiment on the command line
	Paper     string `yaml:"paper"`
	Title     string `yaml:"title"`
	Claim     string `yaml:"claim"`      // what was published
	RefutedBy string `yaml:"refuted_by"` // what would refute it
	Data      string `yaml:"data"`       // what the experiment uses, and what it compares
}

// Finding is what an experiment found: the claims with their verdicts and the
// rows they rest on.
type Finding struct {
	Statement Statement
	Claims    []Claim
	Rows      Rows
	Notes     []string // what the reader must know
	Elapsed   time.Duration
}

// Rows are the data of a finding. Their type says what can be drawn of them:
// Frontier, BaselinePanels, ScheduledQueries, Tightness, SolveTimes, StageErrors, WorkflowErrors, FitTimes,
// Timelines, LoadTimeline or ColdStarts.
type Rows interface{ rows() }

// Findings is the outcome of a set of experiments.
type Findings struct {
	Seed     uint64
	Quick    bool
	Traces   []TraceUsed // one per workflow, by its name
	Machine  Machine
	Findings []Finding
}

// TraceUsed says what stood behind the results of a workflow.
type TraceUsed struct {
	Workflow string             `json:"workflow"`
	Source   experiments.Origin `json:"source"`
	SHA256   string             `json:"sha256"`
}

// Claims returns all claims in the form that "eevee reproduce --json" prints.
func (f Findings) Claims() ClaimList {
	list := ClaimList{Schema: claimsSchema, Claims: []Claim{}}
	for _, one := range f.Findings {
		list.Claims = append(list.Claims, one.Claims...)
	}
	return list
}

// All returns the experiments, in the order in which they run and are
// reported. Those that measure times are last, so that nothing runs beside them.
func All() []Experiment {
	return []Experiment{
		newFig9(),
		newBaselines(),
		newTightness("data/fig10.yaml"),
		newTightness("data/fig11.yaml"),
		newTable3(),
		newTable5(),
		newDitto(),
		newGantt(),
		newGanttLoad(),
		newWarmChoice(),
		newFig13(),
		newTable6(),
	}
}

// IDs returns the ids of the experiments, in their order.
func IDs() []string {
	var ids []string
	for _, r := range All() {
		ids = append(ids, r.Statement().ID)
	}
	return ids
}

// Select returns the experiments with the given ids, in the order
// of All; no ids select all of them. The error of an unknown id lists
// those that there are.
func Select(ids []string) ([]Experiment, error) {
	all := All()
	if len(ids) == 0 {
		return all, nil
	}
	known := IDs()
	for _, id := range ids {
		if !slices.Contains(known, id) {
			return nil, fmt.Errorf("there is no figure or table %q; choose from %s", id, strings.Join(known, ", "))
		}
	}
	return slices.DeleteFunc(all, func(r Experiment) bool { return !slices.Contains(ids, r.Statement().ID) }), nil
}

// Options are the options of Reproduce.
type Options struct {
	Sources experiments.Sources
	Seed    uint64 // of everything that is random
	Quick   bool   // fewer bounds, fewer runs in the simulator, fewer and smaller timings

	// Clock measures durations, which end in timings only. It must be set.
	Clock Clock

	// Progress is told how many of all parts are done, by one goroutine at a
	// time; nil: nobody is.
	Progress func(done, total int)
}

// Reproduce runs experiments. The same seed gives the same findings but for
// what is marked as measured in time, whatever the number of cores.
func Reproduce(ctx context.Context, experiments []Experiment, o Options) (Findings, error) {
	lab := newLab(o)
	var cells []Cell
	planned := map[Cell]bool{}
	for _, e := range experiments {
		for _, c := range e.Cells(o.Quick) {
			if !planned[c] {
				planned[c] = true
				cells = append(cells, c)
			}
		}
	}
	lab.total = len(cells) + len(experiments)
	results := make([]CellResult, len(cells))
	group, inner := errgroup.WithContext(ctx)
	group.SetLimit(runtime.GOMAXPROCS(0))
	for i, c := range cells {
		group.Go(func() (err error) {
			results[i], err = lab.answer(inner, c)
			lab.step()
			return err
		})
	}
	if err := group.Wait(); err != nil {
		return Findings{}, err
	}
	for i, c := range cells {
		lab.results[c] = results[i]
	}

	found := Findings{Seed: o.Seed, Quick: o.Quick, Machine: ThisMachine()}
	for _, e := range experiments {
		start := o.Clock.Wall()
		f, err := e.Find(ctx, lab)
		if err == nil {
			err = ctx.Err()
		}
		if err != nil {
			return Findings{}, fmt.Errorf("%s: %w", e.Statement().ID, err)
		}
		f.Statement = e.Statement()
		for i := range f.Claims {
			f.Claims[i].Experiment, f.Claims[i].Paper = f.Statement.ID, f.Statement.Paper
		}
		f.Elapsed = o.Clock.Wall().Sub(start)
		found.Findings = append(found.Findings, f)
		lab.step()
	}
	found.Traces = lab.traces()
	return found, nil
}
