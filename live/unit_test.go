package live

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"eevee/models"
)

// Every choice of a stage that any configuration can hold occurs, and every
// configuration keeps the rules, on random spaces; which choices can occur is
// found by trying all configurations.
func TestCoverCovers(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.IntRange(1, 4).Draw(t, "stages")
		var stages []models.Stage
		var choices [][]models.StageConfig
		for i := range n {
			s := models.Stage{Name: string(rune('a' + i))}
			if i > 0 {
				s.After = []string{stages[i-1].Name}
			}
			stages = append(stages, s)
			var list []models.StageConfig
			for _, d := range rapid.SliceOfNDistinct(rapid.IntRange(1, 6), 1, 3, rapid.ID).Draw(t, "parallelism") {
				for _, mb := range rapid.SliceOfNDistinct(rapid.IntRange(1, 4), 1, 3, rapid.ID).Draw(t, "memory") {
					list = append(list, models.StageConfig{Memory: 128 * mb, VCPU: 1, Parallelism: d})
				}
			}
			choices = append(choices, list)
		}
		w, err := models.NewWorkflow("w", stages)
		if err != nil {
			t.Fatal(err)
		}
		var rules []models.Rule
		for i := 1; i < n; i++ {
			if rapid.Bool().Draw(t, "rule") {
				rules = append(rules, models.Rule{Stage: i, Of: rapid.IntRange(0, i-1).Draw(t, "of"), Times: 1, Equal: rapid.Bool().Draw(t, "equal")})
			}
		}
		space, err := models.NewSpace(w, choices, rules)
		if err != nil {
			t.Fatal(err)
		}
		possible := make([]map[models.StageConfig]bool, n)
		for i := range possible {
			possible[i] = make(map[models.StageConfig]bool)
		}
		pick, admissible := make([]int, n), 0
		for {
			c := space.Config(pick)
			if _, err := space.Locate(c); err == nil {
				admissible++
				for i, x := range c {
					possible[i][x] = true
				}
			}
			k := 0
			for ; k < n; k++ {
				if pick[k]++; pick[k] < len(space.Choices(k)) {
					break
				}
				pick[k] = 0
			}
			if k == n {
				break
			}
		}
		configs, err := Cover(space, Limits{})
		if (err != nil) != (admissible == 0) {
			t.Fatalf("%d admissible configurations, error %v", admissible, err)
		}
		most := 0
		for _, c := range configs {
			if _, err := space.Locate(c); err != nil {
				t.Fatal(err)
			}
			for i, x := range c {
				delete(possible[i], x)
			}
		}
		for i := range possible {
			most += len(space.Choices(i))
			if len(possible[i]) > 0 {
				t.Fatalf("stage %d: %v does not occur in %v", i, possible[i], configs)
			}
		}
		if len(configs) > most {
			t.Fatalf("%d configurations for %d choices", len(configs), most)
		}
	})
}

func TestCoverOfBundledSpaces(t *testing.T) {
	if testing.Short() {
		t.Skip("looks at spaces of billions of configurations")
	}
	for _, name := range models.Bundled() {
		def, err := models.Load(name)
		if err != nil {
			t.Fatal(err)
		}
		configs, err := Cover(def.Spaces[0].Space, Limits{})
		if err != nil {
			t.Fatal(err)
		}
		largest := 0
		for i := range def.Workflow.Len() {
			largest = max(largest, len(def.Spaces[0].Choices(i)))
		}
		if len(configs) < largest || len(configs) > 2*largest {
			t.Errorf("%s: %d configurations, the largest stage has %d choices", name, len(configs), largest)
		}
		few, err := Cover(def.Spaces[0].Space, Limits{Parallelism: []int{8}})
		if err != nil {
			t.Fatal(err)
		}
		for _, c := range few {
			for i, x := range c {
				if def.Workflow.Stage(i).Splittable() && x.Parallelism != 8 {
					t.Errorf("%s: %v", name, c)
				}
			}
		}
	}
}

const twoStages = "name: two\nstages: [{name: a}, {name: b, after: [a]}]\nspaces: [{name: s, stages: [{stage: a, choices: [{parallelism: [1], memory_mb: [128]}]}, {stage: b, choices: [{parallelism: [1], memory_mb: [128]}]}]}]\n"

// Every defect of a file of functions is named with its stage.
func TestTargetsThatAreWrong(t *testing.T) {
	def, err := models.ParseDefinition("two", []byte(twoStages))
	if err != nil {
		t.Fatal(err)
	}
	read := func(text string) (Targets, error) {
		path := filepath.Join(t.TempDir(), "functions.yaml")
		if err := os.WriteFile(path, []byte(text), 0o666); err != nil {
			t.Fatal(err)
		}
		return ReadTargets(path, def.Workflow)
	}
	targets, err := read("functions:\n  b: {function: arn:aws:lambda:eu-west-1:123456789012:function:f-2, payload: {from: \"${outputs.a}\", n: \"${parallelism.a}\"}}\n  a: {function: f_1}\n")
	if err != nil || targets[0].Function != "f_1" || !strings.HasSuffix(targets[1].Function, ":f-2") {
		t.Errorf("%+v, %v", targets, err)
	}
	for text, want := range map[string]string{
		"functions: {a: {function: f}}":                                                       `stage "b" has no function`,
		"functions: {a: {function: f}, c: {function: f}}":                                     `has no stage "c"`,
		"functions: {a: {function: f:live}, b: {function: f}}":                                "names a version or an alias",
		"functions: {a: {function: a b}, b: {function: f}}":                                   "neither the name of a function",
		"functions: {a: {function: f, payload: {x: \"${outputs.b}\"}}, b: {function: f}}":     "no such stage comes before it",
		"functions: {a: {function: f, payload: {x: \"${parallelism.z}\"}}, b: {function: f}}": "has no such stage",
		"functions: {a: {function: f, payloda: {}}, b: {function: f}}":                        "payloda",
		"functions: [": "[1:12]",
	} {
		if _, err := read(text); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: error %v, want %q", text, err, want)
		}
	}
}

// What a journal says after a crash is what was written whole, wherever the
// crash cut it off.
func TestJournalCutAnywhere(t *testing.T) {
	folder := t.TempDir()
	j, err := createJournal(folder, begin{Schema: journalSchema, Run: "r", Account: "123456789012", Region: "us-east-1"})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := openJournal(j.path); err == nil || !strings.Contains(err.Error(), "another eevee is at work") {
		t.Errorf("a journal at work was opened: %v", err)
	}
	for _, c := range []change{
		{Kind: createFunction, Function: "eevee-r-f"}, {Kind: onCopy, Function: "eevee-r-f", Alias: "mb128"},
		{Kind: setMemory, Function: "g", MemoryMB: 256, BeforeMB: 128},
	} {
		if _, err := j.record(c); err != nil {
			t.Fatal(err)
		}
	}
	if err := j.strike(2); err != nil {
		t.Fatal(err)
	}
	j.close()
	text, err := os.ReadFile(j.path)
	if err != nil {
		t.Fatal(err)
	}
	lines := strings.SplitAfter(string(text), "\n")
	for cut := range len(text) + 1 {
		whole := strings.Count(string(text[:cut]), "\n")
		path := filepath.Join(t.TempDir(), "x.journal")
		if err := os.WriteFile(path, text[:cut], 0o666); err != nil {
			t.Fatal(err)
		}
		again, err := openJournal(path)
		if err != nil {
			t.Fatalf("cut at byte %d: %v", cut, err)
		}
		var got []int
		for _, c := range again.standing() {
			got = append(got, c.Number)
		}
		want := [][]int{nil, nil, {1}, {2, 1}, {3, 2, 1}, {3, 1}}[whole]
		if diff := cmp.Diff(want, got); diff != "" || again.ended != (whole == 0) {
			t.Fatalf("cut at byte %d, ended %v (-want +got):\n%s", cut, again.ended, diff)
		}
		if whole > 0 { // what is written next stands on a line of its own
			if err := again.strike(1); err != nil {
				t.Fatal(err)
			}
		}
		again.close()
		after, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		if whole > 0 && string(after) != strings.Join(lines[:whole], "")+"{\"undone\":1}\n" {
			t.Fatalf("cut at byte %d: %q", cut, after)
		}
	}
	for name, text := range map[string]string{"no journal": "{\"a\":1}\n", "other form": `{"begin":{"schema":"eevee.live-journal/9"}}` + "\n", "garbage": "x\n"} {
		path := filepath.Join(t.TempDir(), "y.journal")
		if err := os.WriteFile(path, []byte(text), 0o666); err != nil {
			t.Fatal(err)
		}
		if _, err := openJournal(path); err == nil {
			t.Errorf("%s was opened", name)
		}
	}
}

// Names of copies are names that AWS takes, begin with what marks them, and
// differ where those of the functions do.
func TestCopyNames(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		name := rapid.StringMatching(`[A-Za-z0-9_-]{1,64}`)
		a, b := name.Draw(t, "a"), name.Draw(t, "b")
		x, y := copyName("0123456789abcdef", a), copyName("0123456789abcdef", b)
		if len(x) > 64 || !functionName.MatchString(x) || !strings.HasPrefix(x, "eevee-0123456789abcdef-") {
			t.Fatalf("%q", x)
		}
		if (a == b) != (x == y) {
			t.Fatalf("%q and %q are both %q", a, b, x)
		}
	})
}
