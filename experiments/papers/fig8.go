package papers

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"eevee/models"
)

// WorkflowGraphs are the stages of workflows and what they wait for.
type WorkflowGraphs struct{ Panels []WorkflowGraph }

func (WorkflowGraphs) rows() {}

// WorkflowGraph is one workflow.
type WorkflowGraph struct {
	Name   string // of the picture
	Title  string
	Stages []models.Stage // in topological order
	Notes  []string       // on every stage
}

// fig8 compares the bundled workflows with those of the paper.
type fig8 struct {
	About     Statement      `yaml:",inline"`
	Workflows []workflowFact `yaml:"workflows"`
}

// workflowFact is a workflow as published.
type workflowFact struct {
	Workflow     string              `yaml:"workflow"`
	Stages       []string            `yaml:"stages,flow"`
	After        map[string][]string `yaml:"after"`
	Unsplittable []string            `yaml:"unsplittable,flow"`
	Paths        int                 `yaml:"paths"`
	CriticalPath []string            `yaml:"critical_path,flow"`
}

func newFig8() Experiment { return mustFacts[fig8]("data/fig8.yaml") }

func (f *fig8) Statement() Statement { return f.About }

func (f *fig8) Cells(bool) []Cell { return nil }

func (f *fig8) Find(context.Context, *Lab) (Finding, error) {
	found := Finding{Notes: []string{
		"the critical path is named by the user of the artifact; of tpcds it leaves out three stages, and the artifact looks at no other path (see the violations at 40 and 65 s)",
	}}
	var rows WorkflowGraphs
	for _, fact := range f.Workflows {
		def, err := models.Load(fact.Workflow)
		if err != nil {
			return found, err
		}
		w := def.Workflow
		name := f.About.ID + "-" + fact.Workflow
		graph := WorkflowGraph{Name: name, Title: shortTitle(def)}
		for i := range w.Len() {
			graph.Stages = append(graph.Stages, w.Stage(i))
			graph.Notes = append(graph.Notes, fact.note(w.Stage(i)))
		}
		rows.Panels = append(rows.Panels, graph)
		found.Claims = append(found.Claims, fact.claim(name, shortTitle(def), w))
	}
	found.Rows = rows
	return found, nil
}

// note says what is special about a stage.
func (f workflowFact) note(s models.Stage) string {
	var words []string
	if !s.Splittable() {
		words = append(words, "one instance")
	}
	if slices.Contains(f.CriticalPath, s.Name) {
		words = append(words, "critical")
	}
	return strings.Join(words, ", ")
}

// defects lists where a workflow is not the published one.
func (f workflowFact) defects(w *models.Workflow) []string {
	var defects []string
	if w.Len() != len(f.Stages) {
		defects = append(defects, fmt.Sprintf("%d stages, published are %d", w.Len(), len(f.Stages)))
	}
	for _, name := range f.Stages {
		i, ok := w.Index(name)
		if !ok {
			defects = append(defects, "no "+name)
			continue
		}
		var after []string
		for _, p := range w.Parents(i) {
			after = append(after, w.Stage(p).Name)
		}
		slices.Sort(after)
		if !slices.Equal(after, f.After[name]) {
			defects = append(defects, fmt.Sprintf("%s waits for %v, published is %v", name, after, f.After[name]))
		}
		if w.Stage(i).Splittable() == slices.Contains(f.Unsplittable, name) {
			defects = append(defects, fmt.Sprintf("%s can be split: %v", name, w.Stage(i).Splittable()))
		}
	}
	paths, _ := w.Paths()
	if len(paths) != f.Paths {
		defects = append(defects, fmt.Sprintf("%d paths, published are %d", len(paths), f.Paths))
	}
	if !slices.ContainsFunc(paths, func(path []int) bool {
		return slices.EqualFunc(path, f.CriticalPath, func(i int, name string) bool { return w.Stage(i).Name == name })
	}) {
		defects = append(defects, fmt.Sprintf("%v is no path", f.CriticalPath))
	}
	return defects
}

func (f workflowFact) claim(name, title string, w *models.Workflow) Claim {
	var c comparison
	published, ours := 0, 0
	for _, after := range f.After {
		published += len(after)
	}
	for i := range w.Len() {
		ours += len(w.Parents(i))
	}
	paths, _ := w.Paths()
	c.add(f.Workflow, "stages", float64(len(f.Stages)), float64(w.Len()), Tolerance{})
	c.add(f.Workflow, "dependencies", float64(published), float64(ours), Tolerance{})
	c.add(f.Workflow, "paths", float64(f.Paths), float64(len(paths)), Tolerance{})
	claim := Claim{
		ID: name, Title: "Figure 8, " + title + ": stages, dependencies and paths", Unit: "stages, dependencies, paths",
		Tolerance: "the same", Figure: name + ".png", Data: name + ".csv",
	}
	claim.Reported, claim.Reproduced = c.values()
	claim.Verdict, claim.Why = Reproduced, "every stage waits for the same stages, and the same ones cannot be split"
	if defects := f.defects(w); len(defects) > 0 {
		claim.Verdict, claim.Why = NotReproduced, strings.Join(defects, "; ")
	}
	return claim
}
