package papers

import (
	"bytes"
	"context"
	"math"
	"os"
	"path/filepath"
	"reflect"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"eevee/experiments"
)

// awkward is a finding with everything that encodings lose: numbers that are
// none, zeros behind pointers, lists that are empty and lists that are not there.
func awkward() Finding {
	zero, third := 0.0, 1.0/3
	return Finding{
		Statement: Statement{ID: "awkward"},
		Claims: []Claim{{
			ID: "a", Timed: true, Verdict: Shape, Reported: []Value{{At: "x", Value: &zero}, {At: "y"}, {Value: &third}},
			Reproduced: []Value{},
		}},
		Notes: []string{}, Elapsed: 3 * time.Second, Machine: Machine{At: "2026-01-02T03:04:05Z", Cores: 2, Load: "1 2 3"}, Traces: []TraceUsed{{"ml", experiments.OriginBundled, "abc"}},
		Rows: Frontier{Panels: []FrontierPanel{{
			Name: "n", Recorded: true, Reported: []FrontierPoint{{LatencyS: math.NaN(), CostUSD: math.Inf(1)}, {LatencyS: math.Copysign(0, -1), CostUSD: 5e-324}},
			Answers: []MethodAnswers{{Results: []CellResult{nothingFound(), {}}}},
		}}},
	}
}

func nothingFound() CellResult {
	r := CellResult{Status: "not-found", Warnings: []string{"none"}}
	r.Cell = Cell{"ml", "latency", 40, "exact"}
	return r
}

func cacheOf(t *testing.T, dir string, s experiments.Sources) *Cache {
	t.Helper()
	c, err := OpenCache(dir, s, time.Now())
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// A finding comes out of the cache as it went in.
func TestCacheKeepsFindings(t *testing.T) {
	dir, o, want := filepath.Join(t.TempDir(), "new"), Options{Seed: 3}, awkward()
	if err := cacheOf(t, dir, o.Sources).keep(want, o); err != nil {
		t.Fatal(err)
	}
	got, ok, err := cacheOf(t, dir, o.Sources).find(awkward().Statement, o)
	if err != nil || !ok {
		t.Fatalf("found %v, %v", ok, err)
	}
	got.Statement = want.Statement
	if diff := cmp.Diff(want, got, cmp.Comparer(func(a, b float64) bool {
		return math.Float64bits(a) == math.Float64bits(b) || a != a && b != b
	})); diff != "" {
		t.Errorf("-kept +found\n%s", diff)
	}
}

// Another seed, another kind of run, another recording and another experiment
// have findings of their own.
func TestCacheTellsRunsApart(t *testing.T) {
	dir, recordings := t.TempDir(), t.TempDir()
	file := filepath.Join(recordings, "jolteon", "profile.json")
	write := func(text string) {
		t.Helper()
		if err := os.MkdirAll(filepath.Dir(file), 0o777); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, []byte(text), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	write("one")
	o := Options{Seed: 3, Sources: experiments.Sources{Recordings: recordings}}
	if err := cacheOf(t, dir, o.Sources).keep(awkward(), o); err != nil {
		t.Fatal(err)
	}
	found := func(id string, o Options) bool {
		t.Helper()
		_, ok, err := cacheOf(t, dir, o.Sources).find(Statement{ID: id}, o)
		if err != nil {
			t.Fatal(err)
		}
		return ok
	}
	if !found("awkward", o) {
		t.Error("the same run finds nothing")
	}
	for what, other := range map[string]Options{
		"another seed":        {Seed: 4, Sources: o.Sources},
		"a quick run":         {Seed: 3, Sources: o.Sources, Quick: true},
		"no recordings":       {Seed: 3},
		"a folder of fetched": {Seed: 3, Sources: experiments.Sources{Cache: recordings}},
	} {
		if found("awkward", other) {
			t.Errorf("%s is given the same", what)
		}
	}
	if found("other", o) {
		t.Error("another experiment is given the same")
	}
	write("two")
	if found("awkward", o) {
		t.Error("another recording is given the same")
	}
	write("one")
	if err := os.Rename(file, file+"x"); err != nil {
		t.Fatal(err)
	}
	if found("awkward", o) {
		t.Error("a recording of another name is given the same")
	}
}

// Another program, even one that differs in a single byte, has findings of its own.
func TestCacheTellsProgramsApart(t *testing.T) {
	dir, o := t.TempDir(), Options{Seed: 3}
	program := filepath.Join(t.TempDir(), "program")
	cacheOfProgram := func(text string) *Cache {
		t.Helper()
		if err := os.WriteFile(program, []byte(text), 0o777); err != nil {
			t.Fatal(err)
		}
		c, err := openCache(dir, program, o.Sources, time.Now())
		if err != nil {
			t.Fatal(err)
		}
		return c
	}
	if err := cacheOfProgram("one").keep(awkward(), o); err != nil {
		t.Fatal(err)
	}
	for text, want := range map[string]bool{"one": true, "onf": false} {
		if _, ok, err := cacheOfProgram(text).find(awkward().Statement, o); ok != want || err != nil {
			t.Errorf("the program %q: found %v, %v", text, ok, err)
		}
	}
}

// Times come from the cache as anything else does, with when and where they were
// measured, but on as many cores only, and not where they are to be measured anew;
// what is measured then is kept in their place.
func TestCacheKeepsTimes(t *testing.T) {
	o := quickOptions(experiments.Sources{})
	o.Cache = cacheOf(t, t.TempDir(), o.Sources)
	now := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	o.Clock.Wall = func() time.Time { return now }
	measured := 0
	list := []Experiment{watched{"timed", true, func(context.Context) error { measured++; return nil }}}
	reproduce := func() Finding {
		t.Helper()
		now = now.Add(time.Hour)
		all, err := Reproduce(context.Background(), list, o)
		if err != nil || len(all.Warnings) > 0 {
			t.Fatal(err, all.Warnings)
		}
		return all.Findings[0]
	}
	for _, step := range []struct {
		what     string
		measure  bool
		cores    int
		measured int
		at       string
	}{
		{"first", false, 2, 1, "2026-01-02T04:04:05Z"},
		{"again", false, 2, 1, "2026-01-02T04:04:05Z"},
		{"on one core", false, 1, 2, "2026-01-02T06:04:05Z"},
		{"anew", true, 2, 3, "2026-01-02T07:04:05Z"},
		{"after that", false, 2, 3, "2026-01-02T07:04:05Z"},
	} {
		o.Measure = step.measure
		before := measured
		f := func() Finding {
			defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(step.cores))
			return reproduce()
		}()
		if measured != step.measured || f.Cached != (measured == before) || f.Machine.At != step.at || f.Machine.Used != step.cores {
			t.Errorf("%s: measured %d times, cached %v, on %+v", step.what, measured, f.Cached, f.Machine)
		}
	}
}

// A file that is damaged at any place, cut or empty is ignored with a word that
// names it, and replaced.
func TestCacheIgnoresDamage(t *testing.T) {
	dir, o := t.TempDir(), Options{Seed: 3}
	c := cacheOf(t, dir, o.Sources)
	if err := c.keep(awkward(), o); err != nil {
		t.Fatal(err)
	}
	whole, err := os.ReadFile(c.path(awkward().Statement, o))
	if err != nil {
		t.Fatal(err)
	}
	damaged := [][]byte{nil, whole[:10], whole[:len(whole)-1], append(bytes.Clone(whole), 0)}
	for i := 0; i < len(whole); i += 97 {
		flipped := bytes.Clone(whole)
		flipped[i] ^= 0x10
		damaged = append(damaged, flipped)
	}
	for _, text := range damaged {
		if err := os.WriteFile(c.path(awkward().Statement, o), text, 0o666); err != nil {
			t.Fatal(err)
		}
		if _, ok, err := c.find(awkward().Statement, o); ok || err == nil || !strings.Contains(err.Error(), c.path(awkward().Statement, o)) {
			t.Fatalf("%d bytes: found %v, %v", len(text), ok, err)
		}
	}
	list := []Experiment{watched{"awkward", false, func(context.Context) error { return nil }}}
	o.Cache, o.Clock = c, Clock{Wall: time.Now}
	for _, damaged := range []bool{true, false} {
		found, err := Reproduce(context.Background(), list, o)
		if err != nil {
			t.Fatal(err)
		}
		if len(found.Warnings) > 0 != damaged || found.Findings[0].Cached == damaged {
			t.Errorf("damaged %v: warnings %v, cached %v", damaged, found.Warnings, found.Findings[0].Cached)
		}
	}
}

// A cache that cannot be written to is a warning.
func TestCacheThatCannotBeWritten(t *testing.T) {
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o666); err != nil {
		t.Fatal(err)
	}
	o := quickOptions(experiments.Sources{})
	o.Cache = cacheOf(t, filepath.Join(file, "cache"), o.Sources)
	fine := func(context.Context) error { return nil }
	found, err := Reproduce(context.Background(), []Experiment{watched{"a", false, fine}, watched{"a", false, fine}}, o)
	if err != nil || len(found.Warnings) == 0 || !strings.Contains(found.Warnings[0], file) {
		t.Errorf("%v, warnings %v", err, found.Warnings)
	}
}

// What was not asked for in a long time goes, and what was asked for stays.
func TestCachePrunes(t *testing.T) {
	dir, o := t.TempDir(), Options{Seed: 3}
	c := cacheOf(t, dir, o.Sources)
	if err := c.keep(awkward(), o); err != nil {
		t.Fatal(err)
	}
	old := time.Now().Add(-unusedFor + time.Hour)
	stale, killed, foreign := filepath.Join(dir, "x-0"+entrySuffix), filepath.Join(dir, ".x-0"+entrySuffix+"123"), filepath.Join(dir, "notes.txt")
	for path, age := range map[string]time.Time{c.path(awkward().Statement, o): old, stale: old.Add(-2 * time.Hour), killed: old.Add(-2 * time.Hour), foreign: old.Add(-2 * time.Hour)} {
		if path != c.path(awkward().Statement, o) {
			if err := os.WriteFile(path, nil, 0o666); err != nil {
				t.Fatal(err)
			}
		}
		if err := os.Chtimes(path, age, age); err != nil {
			t.Fatal(err)
		}
	}
	if _, ok, err := cacheOf(t, dir, o.Sources).find(awkward().Statement, o); !ok || err != nil {
		t.Errorf("found %v, %v", ok, err)
	}
	if info, err := os.Stat(c.path(awkward().Statement, o)); err != nil || time.Since(info.ModTime()) > time.Hour {
		t.Errorf("what was found is as old as before: %v", err)
	}
	for _, path := range []string{stale, killed} {
		if _, err := os.Stat(path); !os.IsNotExist(err) {
			t.Errorf("%s is still there", path)
		}
	}
	if _, err := os.Stat(foreign); err != nil {
		t.Error("a file that is none of the cache's is gone")
	}
}

// Every field of every kind of rows is exported: others would be lost.
func TestRowsCanBeKept(t *testing.T) {
	seen := map[reflect.Type]bool{}
	var check func(path string, t reflect.Type) []string
	check = func(path string, of reflect.Type) (bad []string) {
		switch of.Kind() {
		case reflect.Pointer, reflect.Slice, reflect.Array, reflect.Map:
			return check(path, of.Elem())
		case reflect.Interface, reflect.Func, reflect.Chan:
			return []string{path + " is " + of.Kind().String()}
		case reflect.Struct:
			if seen[of] {
				return nil
			}
			seen[of] = true
			for i := range of.NumField() {
				f := of.Field(i)
				if !f.IsExported() || f.Tag.Get("json") == "-" && f.Tag.Get("cbor") == "" {
					bad = append(bad, path+"."+f.Name+" is not kept")
					continue
				}
				bad = append(bad, check(path+"."+f.Name, f.Type)...)
			}
		}
		return bad
	}
	for _, r := range kindsOfRows {
		of := reflect.TypeOf(r)
		for _, what := range check(of.Name(), of) {
			t.Error(what)
		}
	}
}
