package figures

import (
	"fmt"
	"math"
	"slices"

	"eevee/experiments"
)

// drawing is anything that saves itself as files NAME.* into a folder, as Chart,
// Bars, Gantt, Graph and Table do.
type drawing interface {
	Save(dir, name string) ([]string, error)
}

// picture is a drawing with its place in the report.
type picture struct {
	name    string // of the files
	caption string
	drawing drawing
}

// pictures returns what is drawn of a finding, in the order of the report.
func pictures(f experiments.Finding) []picture {
	switch rows := f.Rows.(type) {
	case experiments.Frontier:
		return frontier(f.Statement.ID, rows)
	case experiments.BaselinePanels:
		return baselinePoints(rows)
	case experiments.ScheduledQueries:
		return scheduledQueries(rows)
	case experiments.Tightness:
		return tightness(f.Statement.ID, rows)
	case experiments.SolveTimes:
		return solveTimes(rows)
	case experiments.StageErrors:
		return stageErrors(rows)
	case experiments.WorkflowErrors:
		return workflowErrors(rows)
	case experiments.FitTimes:
		return fitTimes(rows)
	case experiments.Timelines:
		return timelines(rows)
	case experiments.LoadTimeline:
		return loadTimeline(rows)
	case experiments.ColdStarts:
		return coldStarts(rows)
	}
	panic(fmt.Sprintf("figures: nothing is drawn of %T", f.Rows))
}

// methods fixes the looks of everything that answers a bound, in every picture.
// Answers that often coincide have markers that can be told apart on top of each
// other: a plus on a disc, a cross on a triangle.
var methods = Cast{
	"exact", "orion", "jolteon:compat", reportedName, artifactName, compatBreaks, "jolteon",
	"parrotfish", "slam", "ditto:latency", "ditto:cost", "caerus", "prcp", "grandslam",
	"cose", "uniform", "random", "powertuning:cost", "exhaustive", "stepconf", "janus",
}

// drawn is the order in which methods are drawn, the latter ones on top.
var drawn = []string{"exact", "jolteon", "jolteon:compat", experiments.MethodArtifact}

// inDrawingOrder returns the answers in the order in which they are drawn.
func inDrawingOrder(answers []experiments.MethodAnswers) []experiments.MethodAnswers {
	place := func(a experiments.MethodAnswers) int { return slices.Index(drawn, a.Method) }
	return slices.SortedStableFunc(slices.Values(answers), func(a, b experiments.MethodAnswers) int { return place(a) - place(b) })
}

// What series are called that are no method's answers as they are.
const (
	reportedName = "Jolteon, reported"
	artifactName = "artifact's configurations"
	compatBreaks = "jolteon:compat, breaks its bound and says so"
)

// methodSeries returns the series of a method without its points. The optimum is
// a line, so that it is seen where other answers coincide with it.
func methodSeries(method string) Series {
	switch method {
	case experiments.MethodArtifact:
		return Series{Name: artifactName}
	case "exact":
		return Series{Name: method, Line: true, Marker: true}
	}
	return Series{Name: method}
}

// onTrace adds to a title what a reader must not miss.
func onTrace(title string, recorded bool) string {
	if recorded {
		return title
	}
	return title + " (generated trace, not recorded)"
}

// cents is the unit of costs in pictures; rows hold USD.
const cents = 100

// listing is a table that is saved as CSV only.
type listing struct{ Table }

// Save writes the table as NAME.csv into dir and returns its path.
func (l listing) Save(dir, name string) ([]string, error) {
	return saveAll(dir, name, []format{{"csv", buffered(l.WriteCSV)}})
}

// known returns v, or nil where it is not a number.
func known(v float64) any {
	if math.IsNaN(v) {
		return nil
	}
	return v
}
