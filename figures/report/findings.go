package report

import (
	"fmt"
	"math"
	"slices"

	"eevee/experiments/papers"
	"eevee/figures"
)

// pictures returns what is drawn of a finding, in the order of the report.
func pictures(f papers.Finding) []figures.Picture {
	switch rows := f.Rows.(type) {
	case papers.Frontier:
		return frontier(f.Statement.ID, rows)
	case papers.BaselinePanels:
		return baselinePoints(rows)
	case papers.ScheduledQueries:
		return scheduledQueries(rows)
	case papers.Tightness:
		return tightness(f.Statement.ID, rows)
	case papers.SolveTimes:
		return solveTimes(rows)
	case papers.StageErrors:
		return stageErrors(rows)
	case papers.WorkflowErrors:
		return workflowErrors(rows)
	case papers.FitTimes:
		return fitTimes(rows)
	case papers.Timelines:
		return timelines(rows)
	case papers.LoadTimeline:
		return loadTimeline(rows)
	case papers.SideBySide:
		return sideBySide(rows)
	case papers.WorkflowGraphs:
		return workflowGraphs(rows)
	case papers.StepBands:
		return stepBands(rows)
	case papers.ListedAnswers:
		return listedAnswers(rows)
	case papers.SampleSizes:
		return sampleSizes(rows)
	case papers.FeasibleSets:
		return feasibleSets(rows)
	case papers.MissingItems:
		return missingItems(rows)
	case papers.LaunchGains:
		return launchGains(rows)
	case papers.OrionSearches:
		return orionSearches(rows)
	case papers.UnbuiltItems:
		return unbuiltItems(rows)
	case papers.BoundsKept:
		return boundsKept(rows)
	case papers.ProvedFrontiers:
		return provedFrontiers(rows)
	case papers.RegretFields:
		return regretFields(rows)
	case papers.ModelCoverages:
		return modelCoverages(rows)
	case papers.ColdStarts:
		return coldStarts(rows)
	case papers.Panels:
		return panels(rows)
	case papers.Explorer:
		return explorerTables(rows)
	}
	panic(fmt.Sprintf("report: nothing is drawn of %T", f.Rows))
}

// drawn is the order in which methods are drawn, the latter ones on top.
var drawn = []string{"exact", "jolteon", "jolteon:compat", papers.MethodArtifact}

// inDrawingOrder returns the answers in the order in which they are drawn.
func inDrawingOrder(answers []papers.MethodAnswers) []papers.MethodAnswers {
	place := func(a papers.MethodAnswers) int { return slices.Index(drawn, a.Method) }
	return slices.SortedStableFunc(slices.Values(answers), func(a, b papers.MethodAnswers) int { return place(a) - place(b) })
}

// methodSeries returns the series of a method without its points. The optimum is
// a line, so that it is seen where other answers coincide with it.
func methodSeries(method string) figures.Series {
	switch method {
	case papers.MethodArtifact:
		return figures.Series{Name: figures.ArtifactName}
	case "exact":
		return figures.Series{Name: method, Line: true, Marker: true}
	}
	return figures.Series{Name: method}
}

// known returns v, or nil where it is not a number.
func known(v float64) any {
	if math.IsNaN(v) {
		return nil
	}
	return v
}
