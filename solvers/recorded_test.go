package solvers_test

import (
	"bytes"
	"encoding/json"
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
	rows, _, err := traces.Import("jolteon-profile", workflow, filepath.Join(recordings.Dir(t), "jolteon", file[workflow]+"_profile.json"))
	if err != nil {
		t.Fatal(err)
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
