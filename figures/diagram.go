package figures

import (
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"eevee/models"
	"eevee/models/asl"
)

// Diagram is a graph as text: for a terminal, for Graphviz or for Mermaid.
// Unlike Graph it may have cycles and groups.
type Diagram struct {
	Title  string
	Nodes  []DiagramNode
	Edges  []DiagramEdge
	Groups []DiagramGroup
}

// DiagramNode is a node of a Diagram.
type DiagramNode struct {
	Label   string
	Note    string // second line; empty: none
	Outline Outline
	Group   int // index of the group it is in; -1: none
}

// DiagramEdge leads from one node to another, by index.
type DiagramEdge struct {
	From, To int
	Label    string
	Aside    bool // after an error; drawn with dashes
}

// DiagramGroup is a frame around nodes, as a branch or what a map does with
// every item.
type DiagramGroup struct {
	Label  string
	Within int // index of the group around it; -1: none
}

// Outline is the outline of a node.
type Outline int

// The outlines of nodes.
const (
	BoxOutline     Outline = iota // work
	DiamondOutline                // a decision
	RoundOutline                  // passes through, waits or ends
)

// WorkflowDiagram returns the stages of a workflow.
func WorkflowDiagram(w *models.Workflow) Diagram {
	d := Diagram{Title: w.Name()}
	for i := range w.Len() {
		note := ""
		if n := w.Stage(i).MaxParallelism; n > 1 {
			note = fmt.Sprintf("up to %d side by side", n)
		}
		d.Nodes = append(d.Nodes, DiagramNode{Label: w.Stage(i).Name, Note: note, Group: -1})
		for _, p := range w.Parents(i) {
			d.Edges = append(d.Edges, DiagramEdge{From: p, To: i})
		}
	}
	return d
}

// MachineDiagram returns the states of a state machine. Odds of choices and
// widths of maps stand beside them where the behaviour, which may be nil, has
// them.
func MachineDiagram(m *asl.Machine, b *asl.Behaviour) Diagram {
	if b == nil {
		b = &asl.Behaviour{}
	}
	d := Diagram{Title: m.Name}
	d.machine(&m.Graph, b, -1)
	return d
}

// machine adds the states of a graph and returns its first node and those that
// it may end with.
func (d *Diagram) machine(g *asl.Graph, b *asl.Behaviour, group int) (first int, ends []int) {
	at := make(map[*asl.State]int)
	last := make(map[*asl.State][]int) // the nodes that lead on from a state
	for _, s := range g.Nodes {
		at[s] = len(d.Nodes)
		last[s] = []int{at[s]}
		d.Nodes = append(d.Nodes, DiagramNode{Label: s.Name, Note: stateNote(s, b), Outline: outlineOf(s.Type), Group: group})
		var inner []int
		for i, graph := range s.Graphs() {
			label := fmt.Sprintf("%s, branch %d", s.Name, i+1)
			if s.Items != nil {
				label = s.Name + ", each item"
			}
			d.Groups = append(d.Groups, DiagramGroup{label, group})
			start, out := d.machine(graph, b, len(d.Groups)-1)
			d.Edges = append(d.Edges, DiagramEdge{From: at[s], To: start})
			inner = append(inner, out...)
		}
		if len(inner) > 0 {
			last[s] = inner
		}
	}
	for _, s := range g.Nodes {
		to := s.Successors(false)
		odds, known := b.Choices[s.ID]
		for _, next := range to {
			label := ""
			if known && len(to) > 1 {
				if k := slices.Index(odds.To, next.Name); k >= 0 {
					label = fmt.Sprintf("%.3g %%", 100*odds.Pooled()[k])
				}
			}
			for _, from := range last[s] {
				d.Edges = append(d.Edges, DiagramEdge{From: from, To: at[next], Label: label})
			}
		}
		for _, c := range s.Catch {
			e := DiagramEdge{From: at[s], To: at[c.To], Label: strings.Join(c.Errors, ", "), Aside: true}
			if !slices.Contains(d.Edges, e) {
				d.Edges = append(d.Edges, e)
			}
		}
		if len(to) == 0 && s.Type != asl.Fail {
			ends = append(ends, last[s]...)
		}
	}
	return at[g.Start], ends
}

func outlineOf(t asl.Type) Outline {
	switch t {
	case asl.Choice:
		return DiamondOutline
	case asl.Pass, asl.Wait, asl.Succeed, asl.Fail:
		return RoundOutline
	}
	return BoxOutline
}

func stateNote(s *asl.State, b *asl.Behaviour) string {
	switch {
	case s.Lambda && s.Function != s.Name:
		return s.Function
	case s.Lambda:
		return ""
	case s.Type == asl.Task:
		parts := strings.Split(s.Resource, ":::")
		return parts[len(parts)-1]
	case s.Type == asl.Map:
		if w, ok := b.Widths[s.ID]; ok {
			return fmt.Sprintf("Map, %.3g items", w.Mean())
		}
		return "Map"
	case s.Type == asl.Wait && !s.Dynamic:
		return fmt.Sprintf("Wait %g s", s.WaitS)
	}
	return string(s.Type)
}

func (d Diagram) check() error {
	for _, e := range d.Edges {
		if min(e.From, e.To) < 0 || max(e.From, e.To) >= len(d.Nodes) {
			return fmt.Errorf("figures: the edge from %d to %d is not between two of %d nodes", e.From, e.To, len(d.Nodes))
		}
	}
	if len(d.Nodes) == 0 {
		return errors.New("figures: the diagram has no nodes")
	}
	return nil
}

// WriteDOT writes the diagram for Graphviz.
func (d Diagram) WriteDOT(w io.Writer) error {
	if err := d.check(); err != nil {
		return err
	}
	quote := func(text string) string {
		return `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`, "\n", `\n`).Replace(text) + `"`
	}
	var b strings.Builder
	fmt.Fprintf(&b, "digraph %s {\n  rankdir=TB;\n  node [fontname=\"Helvetica\", style=filled, fillcolor=\"#e9f2f8\"];\n  edge [fontname=\"Helvetica\"];\n", quote(d.Title))
	d.nest(-1, "  ", func(indent string, g DiagramGroup, k int) {
		fmt.Fprintf(&b, "%ssubgraph cluster_%d {\n%s  label=%s;\n", indent, k, indent, quote(g.Label))
	}, func(indent string, n DiagramNode, k int) {
		label := n.Label
		if n.Note != "" {
			label += "\n" + n.Note
		}
		fmt.Fprintf(&b, "%sn%d [label=%s, shape=%s];\n", indent, k, quote(label), [...]string{"box", "diamond", "ellipse"}[n.Outline])
	}, func(indent string) { fmt.Fprintf(&b, "%s}\n", indent) })
	for _, e := range d.Edges {
		var attributes []string
		if e.Label != "" {
			attributes = append(attributes, "label="+quote(e.Label))
		}
		if e.Aside {
			attributes = append(attributes, "style=dashed")
		}
		fmt.Fprintf(&b, "  n%d -> n%d", e.From, e.To)
		if len(attributes) > 0 {
			fmt.Fprintf(&b, " [%s]", strings.Join(attributes, ", "))
		}
		b.WriteString(";\n")
	}
	b.WriteString("}\n")
	_, err := io.WriteString(w, b.String())
	return err
}

// WriteMermaid writes the diagram as a Mermaid flowchart.
func (d Diagram) WriteMermaid(w io.Writer) error {
	if err := d.check(); err != nil {
		return err
	}
	// In quotes only quotes and entities mean something to Mermaid.
	quote := func(text string) string {
		return `"` + strings.NewReplacer(`"`, "#quot;", "#", "#35;", "<", "#lt;", ">", "#gt;", "\n", "<br/>").Replace(text) + `"`
	}
	var b strings.Builder
	b.WriteString("flowchart TB\n")
	d.nest(-1, "  ", func(indent string, g DiagramGroup, k int) {
		fmt.Fprintf(&b, "%ssubgraph g%d[%s]\n", indent, k, quote(g.Label))
	}, func(indent string, n DiagramNode, k int) {
		label := n.Label
		if n.Note != "" {
			label += "\n" + n.Note
		}
		shape := [...][2]string{{"[", "]"}, {"{", "}"}, {"([", "])"}}[n.Outline]
		fmt.Fprintf(&b, "%sn%d%s%s%s\n", indent, k, shape[0], quote(label), shape[1])
	}, func(indent string) { fmt.Fprintf(&b, "%send\n", indent) })
	for _, e := range d.Edges {
		arrow := "-->"
		if e.Aside {
			arrow = "-.->"
		}
		if e.Label != "" {
			arrow += "|" + quote(e.Label) + "|"
		}
		fmt.Fprintf(&b, "  n%d %s n%d\n", e.From, arrow, e.To)
	}
	_, err := io.WriteString(w, b.String())
	return err
}

// nest visits the nodes and groups of a group, in their order.
func (d Diagram) nest(group int, indent string, open func(string, DiagramGroup, int), node func(string, DiagramNode, int), shut func(string)) {
	for k, n := range d.Nodes {
		if n.Group == group {
			node(indent, n, k)
		}
	}
	for k, g := range d.Groups {
		if g.Within == group {
			open(indent, g, k)
			d.nest(k, indent+"  ", open, node, shut)
			shut(indent)
		}
	}
}

// WriteText writes the diagram as an indented tree: under every node what
// comes after it. A node that stands further up already is only named.
func (d Diagram) WriteText(w io.Writer) error {
	if err := d.check(); err != nil {
		return err
	}
	var b strings.Builder
	out := make([][]DiagramEdge, len(d.Nodes))
	entered := make([]bool, len(d.Nodes))
	for _, e := range d.Edges {
		out[e.From] = append(out[e.From], e)
		entered[e.To] = entered[e.To] || e.From != e.To
	}
	done := make([]bool, len(d.Nodes))
	var walk func(k int, before, lead, follow string)
	walk = func(k int, before, lead, follow string) {
		n := d.Nodes[k]
		b.WriteString(lead + before + n.Label)
		if done[k] {
			b.WriteString(" (above)\n")
			return
		}
		done[k] = true
		if n.Note != "" {
			b.WriteString("  [" + n.Note + "]")
		}
		b.WriteString("\n")
		for i, e := range out[k] {
			before := ""
			switch {
			case e.Aside:
				before = "after " + e.Label + ": "
			case e.Label != "":
				before = e.Label + ": "
			}
			if i == len(out[k])-1 {
				walk(e.To, before, follow+"└─ ", follow+"   ")
			} else {
				walk(e.To, before, follow+"├─ ", follow+"│  ")
			}
		}
	}
	for k := range d.Nodes {
		if !entered[k] {
			walk(k, "", "", "")
		}
	}
	for k := range d.Nodes { // cycles that nothing leads into
		if !done[k] {
			walk(k, "", "", "")
		}
	}
	_, err := io.WriteString(w, b.String())
	return err
}

// Graph returns the diagram as a Graph that can be drawn: edges that lead back,
// and those after errors, are named in the note of the node they come from.
func (d Diagram) Graph() (Graph, error) {
	if err := d.check(); err != nil {
		return Graph{}, err
	}
	names := make([]string, len(d.Nodes))
	used := make(map[string]bool)
	notes := make([]string, len(d.Nodes))
	for k, n := range d.Nodes {
		names[k], notes[k] = n.Label, n.Note
		for i := 2; used[names[k]]; i++ {
			names[k] = fmt.Sprintf("%s (%d)", n.Label, i)
		}
		used[names[k]] = true
	}
	out := make([][]DiagramEdge, len(d.Nodes))
	for _, e := range d.Edges {
		out[e.From] = append(out[e.From], e)
	}
	stages := make([]models.Stage, len(d.Nodes))
	for k := range stages {
		stages[k].Name = names[k]
	}
	add := func(k int, note string) {
		if notes[k] != "" {
			notes[k] += ", "
		}
		notes[k] += note
	}
	status := make([]int, len(d.Nodes))
	var walk func(k int)
	walk = func(k int) {
		status[k] = 1
		for _, e := range out[k] {
			switch {
			case e.Aside:
			case status[e.To] == 1:
				add(k, "or back to "+names[e.To])
			default:
				if !slices.Contains(stages[e.To].After, names[k]) {
					stages[e.To].After = append(stages[e.To].After, names[k])
				}
				if status[e.To] == 0 {
					walk(e.To)
				}
			}
		}
		status[k] = 2
	}
	for k := range d.Nodes {
		if status[k] == 0 {
			walk(k)
		}
	}
	w, err := models.NewWorkflow(d.Title, stages)
	if err != nil {
		return Graph{}, err
	}
	g := Graph{Workflow: w, Notes: make([]string, w.Len())}
	for k, name := range names {
		i, _ := w.Index(name)
		g.Notes[i] = notes[k]
	}
	return g, nil
}
