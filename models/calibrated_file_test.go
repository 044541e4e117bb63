package models_test

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"eevee/models"
)

// calibratedFile returns the text of a calibrated model of the bundled trace of
// a workflow.
func calibratedFile(t testing.TB, def *models.Definition) string {
	t.Helper()
	rows, _, err := models.BundledTrace(def.Workflow.Name())
	if err != nil {
		t.Fatal(err)
	}
	var text bytes.Buffer
	if err := fitCalibrated(t, def, rows).Write(&text, someTrace); err != nil {
		t.Fatal(err)
	}
	return text.String()
}

func TestLoadedCalibratedModelIsTheSavedOne(t *testing.T) {
	if testing.Short() {
		t.Skip("fits every bundled workflow")
	}
	for workflow, settings := range map[string]models.CalibratedSettings{
		"ml": {}, "video": {NoCalibration: true, ColdShare: 0.25}, "tpcds": {IndependentStages: true},
	} {
		def, profile := loadProfile(t, workflow)
		m, err := models.FitCalibrated(profile, settings)
		if err != nil {
			t.Fatal(err)
		}
		path := filepath.Join(t.TempDir(), "model.json")
		if err := m.Save(path, someTrace); err != nil {
			t.Fatal(err)
		}
		loaded, meta, err := models.LoadModel(path, def)
		if err != nil {
			t.Fatal(err)
		}
		if meta != someTrace || loaded.Name() != "calibrated" || loaded.(*models.Calibrated).Settings() != settings {
			t.Errorf("%s: loaded %s with %+v of %+v", workflow, loaded.Name(), loaded.(*models.Calibrated).Settings(), meta)
		}
		if d := cmp.Diff(outcomes(t, m, def, 1), outcomes(t, loaded, def, 1)); d != "" {
			t.Errorf("%s: other scenarios (-saved +loaded):\n%s", workflow, d)
		}
		if d := cmp.Diff(m.Warnings(), loaded.(*models.Calibrated).Warnings()); d != "" {
			t.Errorf("%s: other warnings (-saved +loaded):\n%s", workflow, d)
		}
		var again bytes.Buffer
		if err := loaded.(*models.Calibrated).Write(&again, meta); err != nil {
			t.Fatal(err)
		}
		if text, err := os.ReadFile(path); err != nil || !bytes.Equal(text, again.Bytes()) {
			t.Errorf("%s: a loaded model is written differently (%v)", workflow, err)
		}
	}
}

// The same rows and seed give the same bytes.
func TestCalibratedIsDeterministic(t *testing.T) {
	def := load(t, "ml")
	first := calibratedFile(t, def)
	if second := calibratedFile(t, def); first != second {
		t.Error("two fits of the same rows differ")
	}
	m, _, err := models.ReadModel(strings.NewReader(first), "m.json", def)
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(outcomes(t, m, def, 3), outcomes(t, m, def, 3)); d != "" {
		t.Errorf("the same streams give other scenarios:\n%s", d)
	}
	if cmp.Equal(outcomes(t, m, def, 3), outcomes(t, m, def, 4)) {
		t.Error("other streams give the same scenarios")
	}
}

func TestCalibratedFileSatisfiesItsSchema(t *testing.T) {
	if testing.Short() {
		t.Skip("fits every bundled workflow")
	}
	schema := newJSONSchema(t, models.CalibratedFileSchema())
	check := func(text string) error {
		var value any
		if err := json.Unmarshal([]byte(text), &value); err != nil {
			t.Fatal(err)
		}
		return schema.check(value)
	}
	for _, workflow := range models.Bundled() {
		if err := check(calibratedFile(t, load(t, workflow))); err != nil {
			t.Errorf("%s: %v", workflow, err)
		}
	}
	text := calibratedFile(t, load(t, "ml"))
	for _, c := range calibratedDefects {
		if err := check(c.apply(t, text)); err == nil && !c.hidden {
			t.Errorf("%s: the schema admits %s", c.name, c.new)
		}
	}
}

// calibratedDefects are changes to a file; hidden ones a schema cannot see.
var calibratedDefects = []struct {
	modelDefect
	hidden bool
}{
	{modelDefect{"schema", `"eevee.model/1"`, `"eevee.model/2"`, `m.json: schema: is "eevee.model/2", this eevee reads "eevee.model/1"`}, false},
	{modelDefect{"unknown field", `"settings":\{`, `"settings":{"colour":1,`, `m.json: settings.colour: unknown field`}, false},
	{modelDefect{"missing field", `"splittable":false,`, ``, `m.json: stages[0].splittable: is missing`}, false},
	{modelDefect{"cold share", `"cold_share":0`, `"cold_share":2`, `m.json: settings.cold_share: is 2, want 0 to 1`}, true},
	{modelDefect{"workflow", `"workflow":"ml"`, `"workflow":"video"`, `m.json: workflow: is "video", want "ml"`}, true},
	{modelDefect{"stage name", `"name":"stage2"`, `"name":"stage5"`, `m.json: stages[2].name: is "stage5", stage 2 of workflow ml is "stage2"`}, true},
	{modelDefect{"feature", `"feature":"1"`, `"feature":"d^9"`, `.feature: is "d^9", which is none`}, true},
	{modelDefect{"negative", `"seconds":`, `"seconds":-`, `.seconds: is -`}, false},
	{modelDefect{"no configurations", `"configurations":\[[^]]*`, `"configurations":[`, `m.json: stages[0].configurations: is empty`}, false},
	{modelDefect{"no runs", `"runs":\d+`, `"runs":0`, `m.json: stages[0].configurations[0].runs: is 0`}, false},
	{modelDefect{"variance", `"run_variance":`, `"run_variance":-`, `m.json: stages[0].smooth.run_variance: is -`}, false},
	{modelDefect{"order", `"instance_ratios":\[\]`, `"instance_ratios":[2,1]`, `m.json: stages[0].instance_ratios[1]: is less than the one before`}, true},
	{modelDefect{"diagonal", `"correlation":\[\[1`, `"correlation":[[0.5`, `m.json: correlation[0][0]: is 0.5, want 1`}, true},
	{modelDefect{"size", `"correlation":\[\[1,`, `"correlation":[[1,0,`, `m.json: correlation[0]: 9 numbers, want 8`}, true},
	{modelDefect{"no text", `"name":"stage0"`, `"name":null`, `m.json: stages[0].name: is null, want a text`}, false},
}

func TestCalibratedFileDefects(t *testing.T) {
	def := load(t, "ml")
	text := calibratedFile(t, def)
	for _, c := range calibratedDefects {
		_, _, err := models.ReadModel(strings.NewReader(c.apply(t, text)), "m.json", def)
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: error %v, want one that says %s", c.name, err, c.want)
			continue
		}
		for line := range strings.Lines(err.Error()) {
			if !strings.HasPrefix(line, "m.json: ") || len(line) > 200 {
				t.Errorf("%s: a line that does not name the file, or is long: %s", c.name, line)
			}
		}
	}
}
