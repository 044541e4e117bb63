package models_test

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"eevee/models"
)

// sameCard compares cards but for the definitions, which are not in the file.
var sameCard = cmpopts.IgnoreFields(models.Card{}, "Definition")

func mlCard(t testing.TB) (string, *models.Definition) {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("data", "cards", "ml.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	return string(text), load(t, "ml")
}

func TestCardTextIsRead(t *testing.T) {
	for _, workflow := range models.Cards() {
		def := load(t, workflow)
		card, err := models.LoadCard(workflow, def)
		if err != nil {
			t.Fatal(err)
		}
		text, err := card.Text()
		if err != nil {
			t.Fatal(err)
		}
		again, err := models.ParseCard("card.yaml", text, def)
		if d := cmp.Diff(card, again, sameCard); err != nil || d != "" {
			t.Errorf("%s: other card (-written +read), error %v:\n%s", workflow, err, d)
		}
	}
	if got, want := models.Cards(), models.Bundled(); !slices.Equal(got, want) {
		t.Errorf("cards of %q, workflows are %q", got, want)
	}
}

func TestCardDefects(t *testing.T) {
	text, def := mlCard(t)
	quantiles := `\[0\.6801, 0\.7003`
	for _, c := range []struct{ name, old, new, want string }{
		{"unknown key", `run_sd: 0\.1412`, "run_sigma: 0.1412", `card.yaml: [LINE:7] unknown field "run_sigma"`},
		{"key twice", `epochs: 3`, "epochs: 3\nepochs: 3", `card.yaml: [LINE:1] mapping key "epochs" already defined`},
		{"no YAML", `grid:\n  -`, "grid:\n  ]", "card.yaml: ["},
		{"text for a number", `run_sd: 0\.1412`, "run_sd: wide", "card.yaml: [LINE:15] "},
		{"schema", `eevee\.card/1`, "eevee.card/7", `card.yaml: schema: is "eevee.card/7", this eevee reads "eevee.card/1"`},
		{"workflow", `workflow: ml`, "workflow: video", `card.yaml: workflow: is "video", want "ml"`},
		{"no provenance", `text: first run.*`, `text: ""`, "card.yaml: provenance of first_epoch: has no text"},
		{"date", `date: "[^"]*"`, `date: yesterday`, `card.yaml: provenance of grid: date "yesterday" is not YYYY-MM-DD`},
		{"epochs", `epochs: 3`, "epochs: 1", "card.yaml: epochs: 1, need a first and at least one warm one"},
		{"levels", `levels: \[0\.0, 0\.02`, "levels: [0.02, 0.0", "card.yaml: quantile_levels: [0.02 0 "},
		{"empty grid", `(?s)grid:\n  - .*?stages:`, "grid: []\nstages:", "card.yaml: grid: is empty"},
		{"small grid", `(?s)      - 32\n  - memory_mb: 1792.*?stages:`, "stages:", `card.yaml: stage "stage0": compute: 4 parameters for 4 warm runs; the grid needs more`},
		{"no memory", `memory_mb: 1024`, "memory_mb: 0", "card.yaml: grid: entry 1: memory_mb is 0"},
		{"twice in the grid", `memory_mb: 1792`, "memory_mb: 1024", "card.yaml: grid: entry 2: 1024MBx8 is there twice"},
		{"parallelism", `- 4\n`, "- -4\n", "card.yaml: grid: entry 2: parallelism is -4"},
		{"missing stage", `(?s)  - stage: stage2.*?  - stage: stage3`, "  - stage: stage3", `card.yaml: stage "stage2" is missing`},
		{"unknown stage", `stage: stage2`, "stage: stage9", `card.yaml: workflow ml has no stage "stage9"`},
		{"stage twice", `stage: stage2`, "stage: stage1", `card.yaml: stage "stage1" is there twice`},
		{"negative dispersion", `run_sd: 0\.1412`, "run_sd: -0.1412", `card.yaml: stage "stage0": read: run_sd is -0.1412, must not be negative`},
		{"dispersion", `configuration_sd: 0\.09\d*`, "configuration_sd: .nan", `card.yaml: stage "stage0": read: configuration_sd is NaN`},
		{"delay", `least_s: 0\.1134`, "least_s: -0.1", `card.yaml: stage "stage0": delay: least_s is -0.1, must be positive`},
		{"least", `least_s: 0\.208`, "least_s: 0", `card.yaml: stage "stage0": read: least_s is 0, must be positive`},
		{"trend", `intercept: 0\.1953`, "intercept: .inf", `card.yaml: stage "stage0": delay: warm_s: the line +Inf + 0 x is not finite`},
		{"falling quantiles", quantiles, "[0.9801, 0.7003", `card.yaml: stage "stage0": read: first_epoch: quantile 2 is 0.7003, below the one before it`},
		{"number of quantiles", quantiles, "[0.7003", `card.yaml: stage "stage0": read: first_epoch: 8 quantiles for 9 quantile_levels`},
		{"first epoch", quantiles, "[-0.1, 0.7003", `card.yaml: stage "stage0": read: first_epoch: quantile 1 is -0.1, must be positive`},
		{"basis", `basis: kd`, "basis: k", `card.yaml: stage "stage1": read: basis is "k", want one of ["kd" "d"]`},
		{"parameters", `params_s: \[`, "params_s: [1.5, ", `card.yaml: stage "stage0": read: params_s: 3 numbers, a read step on "k" has 2`},
		{"parameter", `params_s: \[`, "params_s: [.inf] #", `card.yaml: stage "stage0": read: params_s: 1 numbers, a read step on "k" has 2`},
		{"no instances", `(?s)      instances:\n.*?    compute:`, "    compute:", `card.yaml: stage "stage1": read: instances are missing`},
		{"instances of one", `      run_sd: 0\.1412`, "      instances: {intercept: 0, slope: 0, deviation: [0, 0, 0, 0, 0, 0, 0, 0, 0]}\n      run_sd: 0.1412", `card.yaml: stage "stage0": read: has instances, but the stage cannot be split`},
		{"zero step", `params_s: \[0\.0, 0\.0\]`, "params_s: [0.0, 0.0]\n      run_sd: 0.1", `card.yaml: stage "stage3": write: takes no time (params_s are 0), but has more`},
	} {
		at := regexp.MustCompile(c.old).FindStringIndex(text)
		if at == nil {
			t.Fatalf("%s: the card has no %s", c.name, c.old)
		}
		upTo := text[:at[0]] + c.new
		c.want = strings.Replace(c.want, "LINE", fmt.Sprint(1+strings.Count(upTo, "\n")), 1)
		_, err := models.ParseCard("card.yaml", []byte(upTo+text[at[1]:]), def)
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: error %v, want one that says %s", c.name, err, c.want)
			continue
		}
		for line := range strings.Lines(err.Error()) {
			if !strings.HasPrefix(line, "card.yaml: ") || len(line) > 200 {
				t.Errorf("%s: a line that does not name the file, or is long: %s", c.name, line)
			}
		}
	}
	if _, err := models.LoadCard("tea", def); err == nil || !strings.Contains(err.Error(), `card "tea" is neither bundled (ml, tpcds, video) nor a file`) {
		t.Errorf("error %v for a card that does not exist", err)
	}
	if _, err := models.LoadCard("ml", load(t, "video")); err == nil {
		t.Error("the card of ml was read for video")
	}
}

// A card whose stages are in another order is the same card.
func TestCardStagesInAnyOrder(t *testing.T) {
	text, def := mlCard(t)
	cut := strings.Index(text, "  - stage: stage1")
	start := strings.Index(text, "  - stage: stage0")
	mixed := text[:start] + strings.TrimSuffix(text[cut:], "\n") + "\n" + text[start:cut]
	got, err := models.ParseCard("card.yaml", []byte(mixed), def)
	if err != nil {
		t.Fatal(err)
	}
	want, err := models.ParseCard("card.yaml", []byte(text), def)
	if d := cmp.Diff(want, got, sameCard); err != nil || d != "" {
		t.Errorf("other card (-in order +mixed), error %v:\n%s", err, d)
	}
}

func FuzzParseCard(f *testing.F) {
	text, def := mlCard(f)
	f.Add([]byte(text))
	f.Add([]byte("schema: eevee.card/1\nworkflow: ml\n"))
	f.Add([]byte("stages: [{stage: a, read: {params_s: [.nan]}}]"))
	f.Fuzz(func(t *testing.T, b []byte) {
		card, err := models.ParseCard("card.yaml", b, def)
		if err != nil {
			return
		}
		written, err := card.Text()
		if err != nil {
			t.Fatalf("a card that was read cannot be written: %v", err)
		}
		again, err := models.ParseCard("card.yaml", written, def)
		if d := cmp.Diff(card, again, sameCard, cmpopts.EquateEmpty()); err != nil || d != "" {
			t.Fatalf("a card that was written is read differently (%v):\n%s\n%s", err, d, bytes.TrimSpace(written))
		}
	})
}
