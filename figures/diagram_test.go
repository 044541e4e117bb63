package figures

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"eevee/models/asl"
)

const loopMachine = `{"StartAt": "get", "States": {
	"get": {"Type": "Task", "Resource": "arn:aws:lambda:r:1:function:Get", "Next": "both", "Catch": [{"ErrorEquals": ["States.ALL"], "Next": "lost"}]},
	"both": {"Type": "Parallel", "Next": "more?", "Branches": [
		{"StartAt": "l", "States": {"l": {"Type": "Task", "Resource": "${L}", "End": true}}},
		{"StartAt": "each", "States": {"each": {"Type": "Map", "End": true, "ItemProcessor": {"StartAt": "r", "States": {"r": {"Type": "Wait", "Seconds": 3, "End": true}}}}}}]},
	"more?": {"Type": "Choice", "Choices": [{"Next": "get"}], "Default": "say \"end\""},
	"say \"end\"": {"Type": "Succeed"}, "lost": {"Type": "Fail"}}}`

func loopDiagram(t *testing.T) Diagram {
	t.Helper()
	m, err := asl.Parse("m", []byte(loopMachine))
	if err != nil {
		t.Fatal(err)
	}
	m.Name = "loop"
	return MachineDiagram(m, &asl.Behaviour{
		Choices: map[string]asl.Odds{"more?": {To: []string{"get", `say "end"`}, P: [][]float64{{0.25, 0.75}}}},
		Widths:  map[string]asl.Widths{"each": {Items: []int{2, 3}, P: []float64{0.5, 0.5}}},
	})
}

func TestDiagramTexts(t *testing.T) {
	d := loopDiagram(t)
	var text, dot, mermaid strings.Builder
	for _, err := range []error{d.WriteText(&text), d.WriteDOT(&dot), d.WriteMermaid(&mermaid)} {
		if err != nil {
			t.Fatal(err)
		}
	}
	want := `get  [Get]
├─ both  [Parallel]
│  ├─ l  [${L}]
│  │  └─ more?  [Choice]
│  │     ├─ 25 %: get (above)
│  │     └─ 75 %: say "end"  [Succeed]
│  └─ each  [Map, 2.5 items]
│     └─ r  [Wait 3 s]
│        └─ more? (above)
└─ after States.ALL: lost  [Fail]
`
	if diff := cmp.Diff(want, text.String()); diff != "" {
		t.Errorf("text (-want +got):\n%s", diff)
	}
	want = `digraph "loop" {
  rankdir=TB;
  node [fontname="Helvetica", style=filled, fillcolor="#e9f2f8"];
  edge [fontname="Helvetica"];
  n0 [label="get\nGet", shape=box];
  n1 [label="both\nParallel", shape=box];
  n5 [label="more?\nChoice", shape=diamond];
  n6 [label="say \"end\"\nSucceed", shape=ellipse];
  n7 [label="lost\nFail", shape=ellipse];
  subgraph cluster_0 {
    label="both, branch 1";
    n2 [label="l\n${L}", shape=box];
  }
  subgraph cluster_1 {
    label="both, branch 2";
    n3 [label="each\nMap, 2.5 items", shape=box];
    subgraph cluster_2 {
      label="each, each item";
      n4 [label="r\nWait 3 s", shape=ellipse];
    }
  }
  n1 -> n2;
  n3 -> n4;
  n1 -> n3;
  n0 -> n1;
  n0 -> n7 [label="States.ALL", style=dashed];
  n2 -> n5;
  n4 -> n5;
  n5 -> n0 [label="25 %"];
  n5 -> n6 [label="75 %"];
}
`
	if diff := cmp.Diff(want, dot.String()); diff != "" {
		t.Errorf("DOT (-want +got):\n%s", diff)
	}
	want = `flowchart TB
  n0["get<br/>Get"]
  n1["both<br/>Parallel"]
  n5{"more?<br/>Choice"}
  n6(["say #quot;end#quot;<br/>Succeed"])
  n7(["lost<br/>Fail"])
  subgraph g0["both, branch 1"]
    n2["l<br/>${L}"]
  end
  subgraph g1["both, branch 2"]
    n3["each<br/>Map, 2.5 items"]
    subgraph g2["each, each item"]
      n4(["r<br/>Wait 3 s"])
    end
  end
  n1 --> n2
  n3 --> n4
  n1 --> n3
  n0 --> n1
  n0 -.->|"States.ALL"| n7
  n2 --> n5
  n4 --> n5
  n5 -->|"25 %"| n0
  n5 -->|"75 %"| n6
`
	if diff := cmp.Diff(want, mermaid.String()); diff != "" {
		t.Errorf("Mermaid (-want +got):\n%s", diff)
	}
}

// A drawing has no cycles: what leads back is named where it comes from.
func TestDiagramAsGraph(t *testing.T) {
	g, err := loopDiagram(t).Graph()
	if err != nil {
		t.Fatal(err)
	}
	i, ok := g.Workflow.Index("more?")
	if !ok || g.Notes[i] != "Choice, or back to get" || len(g.Workflow.Parents(i)) != 2 {
		t.Errorf("note %q, parents %v", g.Notes[i], g.Workflow.Parents(i))
	}
	svg, err := g.SVG()
	if err != nil || !strings.Contains(string(svg), "or back to get") {
		t.Errorf("SVG of %d bytes, error %v", len(svg), err)
	}
}

func TestDiagramRefusals(t *testing.T) {
	for _, d := range []Diagram{{}, {Nodes: []DiagramNode{{Label: "a"}}, Edges: []DiagramEdge{{To: 1}}}} {
		if err := d.WriteText(&strings.Builder{}); err == nil {
			t.Errorf("%+v was written", d)
		}
	}
}
