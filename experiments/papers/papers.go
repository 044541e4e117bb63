package papers

import (
	"context"
	"time"

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
	// the results of Cells. Other experiments may be at work beside it, unless
	// the statement says that this one measures times.
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

	// MeasuresTime says that the experiment runs after all others, alone. A
	// Cache keeps what it measures for machines like this one.
	MeasuresTime bool `yaml:"measures_time"`
}

// Finding is what an experiment found: the claims with their verdicts and the
// rows they rest on.
type Finding struct {
	Statement Statement
	Claims    []Claim
	Rows      Rows
	Notes     []string // what the reader must know

	Traces  []TraceUsed   // one per workflow, by its name
	Elapsed time.Duration // what it took, with those answers that no experiment before it asked for
	Machine Machine       // where that was, and when
	Cached  bool          // taken from a Cache: Elapsed and Machine are those of the run that found it
}

// Rows are the data of a finding. Their type says what can be drawn of them, and
// is one of kindsOfRows. Their fields are exported, so that a Cache can keep them.
type Rows interface{ rows() }

// kindsOfRows has a value of every type of rows.
var kindsOfRows = []Rows{
	Frontier{},
	Panels{},
	BaselinePanels{},
	ScheduledQueries{},
	Tightness{},
	SolveTimes{},
	StageErrors{},
	WorkflowErrors{},
	FitTimes{},
	Timelines{},
	LoadTimeline{},
	ColdStarts{},
	SideBySide{},
	WorkflowGraphs{},
	StepBands{},
	ListedAnswers{},
	SampleSizes{},
	FeasibleSets{},
	MissingItems{},
	Explorer{},
	BoundsKept{},
	ProvedFrontiers{},
	RegretFields{},
	ModelCoverages{},
	LaunchGains{},
	OrionSearches{},
	UnbuiltItems{},
}

// Findings is the outcome of a set of experiments.
type Findings struct {
	Seed     uint64
	Quick    bool
	Traces   []TraceUsed // one per workflow, by its name
	Findings []Finding
	Warnings []string // about the cache
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
