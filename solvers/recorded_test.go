package solvers_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"eevee/internal/recordings"
	"eevee/models"
	"eevee/traces"
)

type refCase struct {
	Args      string   `json:"args"`
	Sections  []string `json:"sections"`
	Workflow  string   `json:"workflow"`
	Scheduler string   `json:"scheduler"`
	BoundType string   `json:"bound_type"`
	Bound     float64  `json:"bound"`
	Final     struct {
		Objective float64 `json:"objective_mean_params"`
	} `json:"final"`
}

type refFile struct {
	Params map[string]struct {
		ConfigPairs [][2]int `json:"config_pairs"`
	} `json:"params"`
	Cases []refCase `json:"cases"`
}

func loadRef(t testing.TB) refFile {
	text, err := os.ReadFile(filepath.Join(recordings.Reference(t), "jolteon_reference.json"))
	if err != nil {
		t.Fatal(err)
	}
	var r refFile
	if err := json.Unmarshal(bytes.ReplaceAll(text, []byte("NaN"), []byte("null")), &r); err != nil {
		t.Fatal(err)
	}
	return r
}

func cases(t testing.TB) []refCase {
	var out []refCase
	for _, c := range loadRef(t).Cases {
		if c.Scheduler != "jolteon" {
			continue
		}
		for _, s := range c.Sections {
			if s == "overall" || s == "guarantee" || s == "sensitiveness" {
				out = append(out, c)
				break
			}
		}
	}
	return out
}

func fitted(t testing.TB, workflow string) (*models.Definition, *models.Jolteon) {
	file := map[string]string{"ml": "ML-Pipeline", "video": "Video-Analytics", "tpcds": "tpcds-dsq95"}
	def, err := models.Load(workflow)
	if err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(filepath.Join(recordings.Dir(t), "jolteon", file[workflow]+"_profile.json"))
	if err != nil {
		t.Fatal(err)
	}
	var p map[string]map[string][][][2]float64
	if err := json.Unmarshal(text, &p); err != nil {
		t.Fatal(err)
	}
	ref := loadRef(t)
	var rows []traces.Record
	for i := range def.Workflow.Len() {
		s := def.Workflow.Stage(i)
		for e := range 3 {
			for c, pair := range ref.Params[workflow].ConfigPairs {
				d := pair[1]
				if !s.Splittable() {
					d = 1
				}
				v := func(step string) *float64 { return &p[s.Name][step][e][c][0] }
				rows = append(rows, traces.Record{
					Workflow: workflow, Execution: fmt.Sprintf("%d/%v", e, pair), Stage: s.Name, Epoch: new(int32(e)),
					Statistic: traces.Mean, MemoryMB: int32(pair[0]), Parallelism: new(int32(d)),
					Cold: v("cold"), Read: v("read"), Compute: v("compute"), Write: v("write"),
				})
			}
		}
	}
	profile, err := models.NewProfile(def, rows)
	if err != nil {
		t.Fatal(err)
	}
	m, err := models.FitJolteon(profile, models.JolteonOptions{})
	if err != nil {
		t.Fatal(err)
	}
	return def, m
}
