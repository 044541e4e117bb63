package models_test

import (
	"bytes"
	"errors"
	"io"
	"math"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"eevee/models"
	"eevee/traces"
)

var someTrace = models.ModelMeta{Trace: models.TraceRef{Source: "recorded", SHA256: strings.Repeat("0123456789abcdef", 4)}}

func load(t interface{ Fatal(...any) }, workflow string) *models.Definition {
	def, err := models.Load(workflow)
	if err != nil {
		t.Fatal(err)
	}
	return def
}

// drawnModel fits a model to a profile of random times.
func drawnModel(t *rapid.T) (*models.Jolteon, *models.Definition) {
	def := load(t, rapid.SampledFrom(models.Bundled()).Draw(t, "workflow"))
	seconds := rapid.OneOf(rapid.Just(0.0), rapid.Float64Range(1e-6, 1e3))
	var rows []traces.Record
	for i := range def.Workflow.Len() {
		s := def.Workflow.Stage(i)
		for run, memory := range rapid.SliceOfN(rapid.Int32Range(128, 10_240), 6, 12).Draw(t, "memory") {
			d := int32(1)
			if s.Splittable() {
				d = rapid.Int32Range(1, 64).Draw(t, "parallelism")
			}
			v := func(step string) *float64 { return new(seconds.Draw(t, step)) }
			rows = append(rows, traces.Record{
				Workflow: def.Workflow.Name(), Execution: string(rune('a' + run)), Stage: s.Name, Epoch: new(int32(1)),
				Statistic: traces.Mean, MemoryMB: memory, Parallelism: &d,
				Cold: v("cold"), Read: v("read"), Compute: v("compute"), Write: v("write"),
			})
		}
	}
	profile, err := models.NewProfile(def, rows)
	if err != nil {
		t.Fatal(err)
	}
	m, err := models.FitJolteon(profile, models.JolteonOptions{
		DropConstants: rapid.Bool().Draw(t, "drop"), ShareDraws: rapid.Bool().Draw(t, "share"),
	})
	if err != nil {
		t.Fatal(err)
	}
	return m, def
}

// outcomes are the latencies and costs, as bits, of some configurations in
// sampled scenarios.
func outcomes(t interface{ Fatal(...any) }, m models.Model, def *models.Definition, seed uint64) (bits []uint64) {
	s, err := m.Sample(20, models.MustPrice(models.PriceJolteon), models.Streams{Seed: seed})
	if err != nil {
		t.Fatal(err)
	}
	space, err := def.Space("")
	if err != nil {
		t.Fatal(err)
	}
	pick := models.Streams{Seed: seed}.New("configurations")
	for range 5 {
		at := make([]int, def.Workflow.Len())
		for i := range at {
			at[i] = pick.IntN(len(space.Choices(i)))
		}
		latency, cost := s.Outcomes(space.Config(at))
		for k := range latency {
			bits = append(bits, math.Float64bits(latency[k]), math.Float64bits(cost[k]))
		}
	}
	return bits
}

func TestLoadedModelIsTheSavedOne(t *testing.T) {
	path := filepath.Join(t.TempDir(), "model.json")
	rapid.Check(t, func(t *rapid.T) {
		m, def := drawnModel(t)
		if err := m.Save(path, someTrace); err != nil {
			t.Fatal(err)
		}
		loaded, meta, err := models.LoadModel(path, def)
		if err != nil {
			t.Fatal(err)
		}
		if meta != someTrace {
			t.Fatalf("meta %+v, saved %+v", meta, someTrace)
		}
		got := loaded.(*models.Jolteon)
		if d := cmp.Diff(m.Stages(), got.Stages()); d != "" {
			t.Fatalf("other stages (-saved +loaded):\n%s", d)
		}
		if d := cmp.Diff(m.Warnings(), got.Warnings()); d != "" {
			t.Fatalf("other warnings (-saved +loaded):\n%s", d)
		}
		seed := rapid.Uint64().Draw(t, "seed")
		if d := cmp.Diff(outcomes(t, m, def, seed), outcomes(t, loaded, def, seed)); d != "" {
			t.Fatalf("other scenarios (-saved +loaded):\n%s", d)
		}
		var again bytes.Buffer
		if err := got.Write(&again, meta); err != nil {
			t.Fatal(err)
		}
		if text, err := os.ReadFile(path); err != nil || !bytes.Equal(text, again.Bytes()) {
			t.Fatalf("a loaded model is written differently (%v)", err)
		}
	})
}

func TestRecordedModelsAreSavedExactly(t *testing.T) {
	for _, workflow := range models.Bundled() {
		def, profile := loadProfile(t, workflow)
		m, err := models.FitJolteon(profile, models.JolteonOptions{})
		if err != nil {
			t.Fatal(err)
		}
		path := filepath.Join(t.TempDir(), "model.json")
		if err := m.Save(path, someTrace); err != nil {
			t.Fatal(err)
		}
		loaded, _, err := models.LoadModel(path, def)
		if err != nil {
			t.Fatal(err)
		}
		if d := cmp.Diff(outcomes(t, m, def, 1), outcomes(t, loaded, def, 1)); d != "" {
			t.Errorf("%s: other scenarios (-saved +loaded):\n%s", workflow, d)
		}
		for other := range strings.FieldsSeq("ml video tpcds") {
			if _, _, err := models.LoadModel(path, load(t, other)); (err == nil) != (other == workflow) {
				t.Errorf("model of %s loaded for %s: %v", workflow, other, err)
			}
		}
	}
}

// mlModel returns the text of a model file of ml, fitted to made-up times.
func mlModel(t testing.TB) (string, *models.Definition) {
	t.Helper()
	def := load(t, "ml")
	var rows []traces.Record
	for i := range def.Workflow.Len() {
		s := def.Workflow.Stage(i)
		for run, memory := range []int32{512, 1024, 1792, 2048, 3584, 7168} {
			d := int32(1)
			if s.Splittable() {
				d = []int32{16, 4, 32, 8, 4, 16}[run]
			}
			x := 1792 / float64(memory) / float64(d)
			rows = append(rows, traces.Record{
				Execution: string(rune('a' + run)), Stage: s.Name, Epoch: new(int32(1)), Statistic: traces.Mean, MemoryMB: memory, Parallelism: &d,
				Cold: new(0.25 + x/8), Read: new(x * x), Compute: new(3*x + x*x*x), Write: new(math.Sqrt(x)),
			})
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
	var text bytes.Buffer
	if err := m.Write(&text, someTrace); err != nil {
		t.Fatal(err)
	}
	return text.String(), def
}

// modelDefect is a change to a model file, the first match of old becoming
// new, and what the error must say.
type modelDefect struct{ name, old, new, want string }

func (c modelDefect) apply(t testing.TB, text string) string {
	t.Helper()
	at := regexp.MustCompile(c.old).FindStringIndex(text)
	if at == nil {
		t.Fatalf("%s: the file has no %s", c.name, c.old)
	}
	return text[:at[0]] + c.new + text[at[1]:]
}

// structural defects are those that a JSON Schema can see.
var structuralDefects = []modelDefect{
	{"schema", `"eevee.model/1"`, `"eevee.model/2"`, `m.json: schema: is "eevee.model/2", this eevee reads "eevee.model/1"`},
	{"kind", `"kind":"jolteon"`, `"kind":"tea leaves"`, `m.json: kind: is "tea leaves"`},
	{"unknown field", `"options":\{`, `"options":{"colour":{"a":[1,2]},`, `m.json: options.colour: unknown field`},
	{"other case", `"trace"`, `"Trace"`, `m.json: Trace: unknown field`},
	{"missing field", `"singular":false,"discarded"`, `"discarded"`, `m.json: stages[1].read.singular: is missing`},
	{"wrong type", `"cold_s":\[`, `"cold_s":["soon",`, `m.json: stages[0].cold_s[0]: is a text, want a number`},
	{"null", `"cold_s":\[`, `"cold_s":[null,`, `m.json: stages[0].cold_s[0]: is null, want a number`},
	{"no list", `"params_s":\[`, `"params_s":{"a":1},"x":[`, `m.json: stages[0].read.params_s: is an object, want a list`},
	{"fraction", `"n":6`, `"n":6.5`, `m.json: stages[0].read.n: 6.5 is not a whole number`},
	{"few observations", `"n":6`, `"n":2`, `m.json: stages[0].read.n: is 2, a fit of 2 parameters needs more than 2 observations`},
	{"negative", `"ssr_s2":\d`, `"ssr_s2":-1`, `m.json: stages[0].read.ssr_s2: is -1`},
	{"basis", `"basis":"k"`, `"basis":"memory"`, `m.json: stages[0].read.basis: is "memory", want one of ["k"]`},
	{"no cold", `"cold_s":\[[^]]*`, `"cold_s":[`, `m.json: stages[0].cold_s: is empty`},
	{"no source", `"recorded"`, `" "`, `m.json: trace.source: is empty`},
	{"checksum", `"sha256":"0123`, `"sha256":"012`, `is not 64 hexadecimal digits`},
}

// otherDefects are those that only the workflow, or the JSON itself, shows.
var otherDefects = []modelDefect{
	{"not finite", `"ssr_s2":`, `"ssr_s2":1e999,"old":`, `m.json: stages[0].read.ssr_s2: 1e999 is not a finite number`},
	{"workflow", `"workflow":"ml"`, `"workflow":"video"`, `m.json: workflow: is "video", want "ml"`},
	{"stage name", `"name":"stage2"`, `"name":"stage5"`, `m.json: stages[2].name: is "stage5", stage 2 of workflow ml is "stage2"`},
	{"splittable", `"splittable":false`, `"splittable":true`, `m.json: stages[0].splittable: is true, for workflow ml it is false`},
	{"foreign basis", `"basis":"k"`, `"basis":"kd"`, `m.json: stages[0].read.basis: is "kd", want one of ["k"]`},
	{"twice", `"options":\{`, `"options":{"share_draws":false,`, `m.json: options.share_draws: is there twice`},
	{"parameters", `"params_s":\[`, `"params_s":[1,`, `m.json: stages[0].read.params_s: 3 numbers, a read step on "k" has 2`},
	{"rows", `"factor_s":\[`, `"factor_s":[[1,2],`, `m.json: stages[0].read.factor_s: 3 rows, want 2`},
	{"columns", `"factor_s":\[\[`, `"factor_s":[[0,`, `m.json: stages[0].read.factor_s[0]: 3 numbers, want 2`},
	{"NaN", `"cold_s":\[`, `"cold_s":[NaN,`, `m.json: stages[0].cold_s[0]: byte `},
	{"trailing garbage", `}\]}\n`, "}]}\n{}", `m.json: goes on after the end`},
	{"brace", `}\]}\n`, "}]}}", `m.json: goes on after the end`},
	{"unclosed", `}\]}\n`, "}]", `m.json: the file ends here`},
	{"nested", `"factor_s":\[\[`, `"factor_s":[` + strings.Repeat("[", 100) + strings.Repeat("]", 100) + `,[`, `m.json: stages[0].read.factor_s[0][0]: is a list, want a number`},
}

func TestModelFileDefects(t *testing.T) {
	text, def := mlModel(t)
	if _, _, err := models.ReadModel(strings.NewReader(text), "m.json", def); err != nil {
		t.Fatal(err)
	}
	for _, c := range append(otherDefects, structuralDefects...) {
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
	four := strings.Replace(text, `},{"name":"stage3"`, `}],"more":[{"name":"stage3"`, 1)
	if _, _, err := models.ReadModel(strings.NewReader(four), "m.json", def); err == nil || !strings.Contains(err.Error(), "more: unknown field") {
		t.Errorf("error %v for a file with another list", err)
	}
	three := text[:strings.Index(text, `,{"name":"stage3"`)] + "]}"
	if _, _, err := models.ReadModel(strings.NewReader(three), "m.json", def); err == nil || !strings.Contains(err.Error(), "stages: 3 stages, workflow ml has 4") {
		t.Errorf("error %v for a file of three stages", err)
	}
}

// No part of a model file is a model file, of whatever kind, and that it is cut is
// all that is said of it.
func TestTruncatedModelFile(t *testing.T) {
	text, def := mlModel(t)
	for _, text := range []string{text, calibratedFile(t, def)} {
		rapid.Check(t, func(t *rapid.T) {
			n := rapid.IntRange(0, len(text)-3).Draw(t, "bytes")
			_, _, err := models.ReadModel(strings.NewReader(text[:n]), "m.json", def)
			if err == nil || !strings.HasPrefix(err.Error(), "m.json: ") || !strings.Contains(err.Error(), "the file ends here") || strings.Contains(err.Error(), "\n") {
				t.Fatalf("error %v for the first %d bytes of %d", err, n, len(text))
			}
		})
	}
}

func TestSaveRefusesWhatLoadWould(t *testing.T) {
	text, def := mlModel(t)
	path := filepath.Join(t.TempDir(), "model.json")
	for _, c := range []struct {
		spoil func(s []models.JolteonStage)
		meta  models.ModelMeta
		want  string
	}{
		{func(s []models.JolteonStage) { s[1].Cold[2] = math.NaN() }, someTrace, "stages[1].cold_s[2]: is NaN"},
		{func(s []models.JolteonStage) { s[3].Write.Params[1] = math.Inf(1) }, someTrace, "stages[3].write.params_s[1]: is +Inf"},
		{func(s []models.JolteonStage) { s[2].Read.Discarded.Factor[0][1] = math.NaN() }, someTrace, "stages[2].read.discarded.factor_s[0][1]: is NaN"},
		{func([]models.JolteonStage) {}, models.ModelMeta{}, "trace.source: is empty"},
	} {
		m, _, err := models.ReadModel(strings.NewReader(text), "m.json", def)
		if err != nil {
			t.Fatal(err)
		}
		c.spoil(m.(*models.Jolteon).Stages())
		if err := m.(*models.Jolteon).Save(path, c.meta); err == nil || !strings.Contains(err.Error(), path+": "+c.want) {
			t.Errorf("error %v, want one that says %s", err, c.want)
		}
		if _, err := os.Stat(path); !errors.Is(err, os.ErrNotExist) {
			t.Errorf("a file was written although %s", c.want)
		}
	}
}

// Save replaces a file as a whole, leaves nothing else behind, and keeps the
// old file where it cannot.
func TestSaveReplacesTheFile(t *testing.T) {
	text, def := mlModel(t)
	m, _, err := models.ReadModel(strings.NewReader(text), "m.json", def)
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	path := filepath.Join(dir, "model.json")
	if err := os.WriteFile(path, []byte(strings.Repeat("old", 100_000)), 0o644); err != nil {
		t.Fatal(err)
	}
	if err := m.(*models.Jolteon).Save(path, someTrace); err != nil {
		t.Fatal(err)
	}
	if got, err := os.ReadFile(path); err != nil || string(got) != text {
		t.Errorf("the file holds something else (%v)", err)
	}
	if files, err := os.ReadDir(dir); err != nil || len(files) != 1 {
		t.Errorf("%d files in the folder, want 1 (%v)", len(files), err)
	}
	if err := m.(*models.Jolteon).Save(dir, someTrace); err == nil || !strings.Contains(err.Error(), dir) {
		t.Errorf("error %v for a folder in place of a file", err)
	}
	if err := m.(*models.Jolteon).Save(filepath.Join(dir, "missing", "model.json"), someTrace); err == nil {
		t.Error("saved into a folder that does not exist")
	}
	if _, _, err := models.LoadModel(filepath.Join(dir, "other.json"), def); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("error %v for a missing file", err)
	}
}

func FuzzReadModel(f *testing.F) {
	text, def := mlModel(f)
	f.Add([]byte(text))
	for _, c := range append(otherDefects, structuralDefects...) {
		f.Add([]byte(c.apply(f, text)))
	}
	f.Add([]byte(calibratedFile(f, def)))
	f.Fuzz(func(t *testing.T, b []byte) {
		m, meta, err := models.ReadModel(bytes.NewReader(b), "m.json", def)
		if err != nil {
			return
		}
		var again bytes.Buffer
		if err := m.(interface {
			Write(io.Writer, models.ModelMeta) error
		}).Write(&again, meta); err != nil {
			t.Fatalf("a model that was read cannot be written: %v", err)
		}
		if _, _, err := models.ReadModel(&again, "m.json", def); err != nil {
			t.Fatalf("a model that was written cannot be read: %v", err)
		}
	})
}
