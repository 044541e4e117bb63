package models

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"fmt"
	"io"
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"eevee/internal/recordings"
)

// wfTexts returns the WfCommons instances among the recordings, unpacked, by
// file name.
func wfTexts(t *testing.T) map[string][]byte {
	t.Helper()
	texts := make(map[string][]byte)
	err := filepath.WalkDir(filepath.Join(recordings.Dir(t), "wfcommons-subset"), func(p string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || strings.Contains(p, "schema") || !strings.Contains(p, ".json") {
			return err
		}
		text, err := os.ReadFile(p)
		if err == nil && strings.HasSuffix(p, ".gz") {
			var z *gzip.Reader
			if z, err = gzip.NewReader(bytes.NewReader(text)); err == nil {
				text, err = io.ReadAll(z)
			}
		}
		texts[filepath.Base(p)] = text
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return texts
}

// asTree is an instance as plain JSON, independent of the reader.
type asTree struct {
	Name     string
	Workflow struct {
		Specification struct {
			Tasks []map[string]any
		}
		Execution struct {
			MakespanInSeconds float64
			Tasks             []map[string]any
		}
	}
}

// All published instances import with the tasks, edges and run times that are
// in the file, also when they are written in the older versions of the format.
func TestWfInstancesImportWhole(t *testing.T) {
	texts := wfTexts(t)
	if len(texts) < 30 {
		t.Fatalf("%d instances; expected 32", len(texts))
	}
	for name, text := range texts {
		var tree asTree
		if err := json.Unmarshal(text, &tree); err != nil {
			t.Fatal(err)
		}
		edges := 0
		for _, task := range tree.Workflow.Specification.Tasks {
			edges += len(task["parents"].([]any))
		}
		runtime := 0.0
		for _, task := range tree.Workflow.Execution.Tasks {
			runtime += task["runtimeInSeconds"].(float64)
		}
		for version, form := range map[string][]byte{"1.5": text, "1.4": older(t, tree, "1.4"), "1.3": older(t, tree, "1.3")} {
			w, err := ReadWfFormat(bytes.NewReader(form), name)
			if err != nil {
				t.Errorf("%s as %s: %v", name, version, err)
				continue
			}
			sum := 0.0
			for _, task := range w.Tasks {
				sum += task.RuntimeS
			}
			if len(w.Tasks) != len(tree.Workflow.Specification.Tasks) || w.Edges != edges || math.Abs(sum-runtime) > 1e-6*runtime || w.MakespanS != tree.Workflow.Execution.MakespanInSeconds {
				t.Errorf("%s as %s: %d tasks, %d edges, %v s of tasks, makespan %v s; the file has %d, %d, %v and %v",
					name, version, len(w.Tasks), w.Edges, sum, w.MakespanS, len(tree.Workflow.Specification.Tasks), edges, runtime, tree.Workflow.Execution.MakespanInSeconds)
			}
			workflow, err := w.Workflow(w.Name)
			if err != nil {
				t.Errorf("%s as %s: %v", name, version, err)
				continue
			}
			n := 0
			for i := range workflow.Len() {
				n += len(workflow.Parents(i))
			}
			if workflow.Len() != len(w.Tasks) || n != edges {
				t.Errorf("%s as %s: a workflow of %d stages and %d edges, of %d and %d", name, version, workflow.Len(), n, len(w.Tasks), edges)
			}
		}
	}
}

// older writes a 1.5 instance in an older version: tasks are flat, refer to
// each other by name, name their parents only, and have other words for run
// time and makespan (schemas of WfFormat 1.3 and 1.4).
func older(t *testing.T, tree asTree, version string) []byte {
	t.Helper()
	runtime, makespan := "runtimeInSeconds", "makespanInSeconds"
	if version == "1.3" {
		runtime, makespan = "runtime", "makespan"
	}
	executed := make(map[string]map[string]any)
	for _, task := range tree.Workflow.Execution.Tasks {
		executed[task["id"].(string)] = task
	}
	var tasks []map[string]any
	for i, task := range tree.Workflow.Specification.Tasks {
		id := task["id"].(string)
		tasks = append(tasks, map[string]any{
			"name": id, "id": fmt.Sprintf("ID%07d", i), "type": "compute", "parents": task["parents"],
			runtime: executed[id]["runtimeInSeconds"], "cores": 1,
			"files": []map[string]any{{"link": "input", "name": "in.txt", "size": 1, "sizeInBytes": 1000}},
		})
	}
	text, err := json.Marshal(map[string]any{
		"name": tree.Name, "schemaVersion": version,
		"workflow": map[string]any{"tasks": tasks, makespan: tree.Workflow.Execution.MakespanInSeconds, "executedAt": "2023-05-10"},
	})
	if err != nil {
		t.Fatal(err)
	}
	return text
}

func TestWfFormatRefusals(t *testing.T) {
	for _, c := range []struct{ text, want string }{
		{`{`, "x.json:1: not WfFormat: unexpected end of JSON input"},
		{"{\"name\":\n[1]}", "x.json:2: not WfFormat: json: cannot unmarshal array into Go struct field wfFile.name of type string"},
		{`{"StartAt":"a","States":{}}`, "x.json: not WfFormat: it has no schemaVersion or no workflow"},
		{`{"schemaVersion":"1.2","workflow":{"jobs":[]}}`, "x.json: WfFormat 1.2 is not read; 1.3, 1.4 and 1.5 are (wfcommons-migrate-instance.py of the format's repository brings others to 1.5)"},
		{`{"schemaVersion":"1.5","workflow":{}}`, "x.json: WfFormat 1.5 has its tasks under workflow.specification, which is missing"},
		{`{"schemaVersion":"1.5","workflow":{"specification":{"tasks":[]}}}`, "x.json: it has no tasks"},
		{`{"schemaVersion":"1.5","workflow":{"specification":{"tasks":[{"id":"a"},{"id":"a"}]}}}`, `x.json: task "a" is there twice`},
		{`{"schemaVersion":"1.4","workflow":{"tasks":[{"name":"a","parents":["b"],"runtimeInSeconds":-1},{"children":["c"]}]}}`,
			"x.json: task \"a\": runtimeInSeconds is -1, below 0\ntask 1 has neither id nor name\ntask \"a\" has parent \"b\", which is not a task\ntask \"\" has child \"c\", which is not a task"},
		{`{"schemaVersion":"1.5","workflow":{"specification":{"tasks":[{"id":"a"}]},"execution":{"tasks":[{"id":"a","runtimeInSeconds":"long","avgCPU":1e999,"coreCount":null}]}}}`,
			"x.json: task \"a\": runtimeInSeconds is \"long\", not a number\ntask \"a\": avgCPU is 1e999, not a number"},
		{`{"schemaVersion":"1.5","workflow":{"specification":{"tasks":[{"id":"a"}]},"execution":{"tasks":[{"id":"b"}]}}}`,
			`x.json: workflow.execution has task "b", which workflow.specification does not have`},
	} {
		_, err := ReadWfFormat(strings.NewReader(c.text), "x.json")
		if err == nil || err.Error() != c.want {
			t.Errorf("%s:\n got %v\nwant %s", c.text, err, c.want)
		}
	}
}

// An edge may be told from either end, and is one edge.
func TestWfEdgesFromEitherEnd(t *testing.T) {
	w, err := ReadWfFormat(strings.NewReader(`{"schemaVersion":"1.3","workflow":{"makespan":5,"tasks":[
		{"name":"a_1","id":"1","children":["b_2"],"runtime":1},
		{"name":"b_2","id":"2","parents":["a_1"],"runtime":2,"cores":4},
		{"name":"c_3","id":"3","parents":["2"]}]}}`), "x.json")
	if err != nil {
		t.Fatal(err)
	}
	if w.Edges != 2 || w.Tasks[1].Parents[0] != "a_1" || w.Tasks[2].Parents[0] != "b_2" || w.Tasks[1].Cores != 4 || !math.IsNaN(w.Tasks[2].RuntimeS) {
		t.Errorf("read %+v", w)
	}
}

func FuzzReadWfFormat(f *testing.F) {
	f.Add([]byte(`{"name":"n","schemaVersion":"1.5","workflow":{"specification":{"tasks":[{"id":"a","name":"a","parents":[],"children":["b"]},{"id":"b","name":"b","parents":["a"]}]},"execution":{"makespanInSeconds":3,"tasks":[{"id":"a","runtimeInSeconds":1}]}}}`))
	f.Add([]byte(`{"schemaVersion":"1.4","workflow":{"makespanInSeconds":1,"tasks":[{"name":"a","parents":["a"],"runtimeInSeconds":1e300}]}}`))
	f.Add([]byte(`{"schemaVersion":"1.3","workflow":{"tasks":[{"name":"a","id":"b"},{"name":"b","id":"a","parents":["b"],"runtime":0}]}}`))
	f.Add([]byte("\x1f\x8b\x08\x00"))
	f.Fuzz(func(t *testing.T, text []byte) {
		w, err := ReadWfFormat(bytes.NewReader(text), "x")
		if err != nil {
			return
		}
		workflow, err := w.Workflow("x")
		if err != nil {
			return
		}
		edges := 0
		for i := range workflow.Len() {
			edges += len(workflow.Parents(i))
		}
		if workflow.Len() != len(w.Tasks) || edges != w.Edges {
			t.Fatalf("%d stages and %d edges of %d tasks and %d edges", workflow.Len(), edges, len(w.Tasks), w.Edges)
		}
	})
}
