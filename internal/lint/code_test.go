package lint

import (
	"fmt"
	"go/ast"
	"slices"
	"strings"
	"testing"
)

// bannedImports are imports that no file may have, with the reason.
var bannedImports = map[string]string{
	"math/rand": "its sources are seeded by accident; use math/rand/v2 through models.Streams",
	"io/ioutil": "io and os have taken its place",
}

// loggers may be imported by package main and by tests (examples end with
// log.Fatal) only: a package reports through errors and results, and the
// command decides what is printed.
var loggers = []string{"log", "log/slog"}

var allowedImports rule = func(m *module) []string {
	var complaints []string
	for _, f := range m.goFiles() {
		for _, spec := range f.ast.Imports {
			p := strings.Trim(spec.Path.Value, "\"`")
			if why, banned := bannedImports[p]; banned {
				complaints = append(complaints, fmt.Sprintf("%s:%d: imports %s: %s", f.path, m.line(spec.Pos()), p, why))
			}
			if slices.Contains(loggers, p) && !f.inMain() && !f.test() {
				complaints = append(complaints, fmt.Sprintf("%s:%d: imports %s: return an error or a warning instead", f.path, m.line(spec.Pos()), p))
			}
		}
	}
	return complaints
}

func TestAllowedImports(t *testing.T) { allowedImports.holds(t) }

func TestAllowedImportsCanFail(t *testing.T) {
	allowedImports.catches(t, offending(t,
		"main.go", "package main\n\nimport \"log\"\n",
		"sim/a.go", "package sim\n\nimport (\n\t\"log\"\n\t\"math/rand\"\n)\n",
		"sim/b_test.go", "package sim\n\nimport (\n\told \"io/ioutil\"\n\t\"log\"\n\t\"math/rand/v2\"\n)\n",
	),
		"sim/a.go:4: imports log: return an error or a warning instead",
		"sim/a.go:5: imports math/rand: its sources are seeded by accident; use math/rand/v2 through models.Streams",
		"sim/b_test.go:4: imports io/ioutil: io and os have taken its place",
	)
}

// uses calls found for every use of a top-level name of the given package in f.
func uses(f *file, importPath string, found func(name string, at *ast.SelectorExpr)) {
	name, ok := imports(f)[importPath]
	if !ok {
		return
	}
	ast.Inspect(f.ast, func(n ast.Node) bool {
		if s, ok := n.(*ast.SelectorExpr); ok {
			// An identifier that the file declares itself hides the package.
			if x, ok := s.X.(*ast.Ident); ok && x.Name == name && x.Obj == nil {
				found(s.Sel.Name, s)
			}
		}
		return true
	})
}

// ownSource are the names of math/rand/v2 that do not draw from the global
// generator.
var ownSource = []string{"New", "NewPCG", "NewChaCha8", "NewZipf", "Rand", "Source", "PCG", "ChaCha8", "Zipf"}

var noGlobalRandomness rule = func(m *module) []string {
	var complaints []string
	for _, f := range m.goFiles() {
		if f.test() {
			continue
		}
		uses(f, "math/rand/v2", func(name string, at *ast.SelectorExpr) {
			if !slices.Contains(ownSource, name) {
				complaints = append(complaints, fmt.Sprintf("%s:%d: rand.%s draws from the global generator; randomness is an argument", f.path, m.line(at.Pos()), name))
			}
		})
	}
	return complaints
}

func TestNoGlobalRandomness(t *testing.T) { noGlobalRandomness.holds(t) }

func TestNoGlobalRandomnessCanFail(t *testing.T) {
	noGlobalRandomness.catches(t, offending(t,
		"sim/a.go", `package sim

import "math/rand/v2"

var a = rand.IntN(3)

func f(r *rand.Rand) float64 { return r.Float64() }

func g(rand interface{ Perm(int) []int }) []int { return rand.Perm(2) }
`,
		"sim/b.go", `package sim

import random "math/rand/v2"

var b = random.New(random.NewPCG(1, 2)).IntN(3)

func h() { random.Shuffle(1, nil) }
`,
		"sim/a_test.go", "package sim\n\nimport \"math/rand/v2\"\n\nvar c = rand.IntN(3)\n",
	),
		"sim/a.go:5: rand.IntN draws from the global generator; randomness is an argument",
		"sim/b.go:7: rand.Shuffle draws from the global generator; randomness is an argument",
	)
}

// clocks are the folders and files that may look at the clock, with the
// reason. Everywhere else time is simulated, recorded or passed in, so that
// the same seed gives the same bytes.
var clocks = map[string]string{
	"internal/cli":                  "run times on stdout, progress",
	"live":                          "times of real executions are what it measures",
	"live/emulator":                 "a server whose state changes take real time, which measures what it runs",
	"live/emulator/sandbox":         "it gives processes a share of the real CPU",
	"live/emulator/functions/stage": "functions measure the steps that they report",
	"experiments/setup.go":          "run times of fit, sampling and search, which are kept apart from the data",
}

var noClock rule = func(m *module) []string {
	var complaints []string
	for _, f := range m.goFiles() {
		if f.test() || clocks[f.path] != "" || clocks[f.dir()] != "" {
			continue
		}
		uses(f, "time", func(name string, at *ast.SelectorExpr) {
			if slices.Contains([]string{"Now", "Since", "Until"}, name) {
				complaints = append(complaints, fmt.Sprintf("%s:%d: time.%s looks at the clock; pass time in, or say in the table clocks of internal/lint why not", f.path, m.line(at.Pos()), name))
			}
		})
	}
	return complaints
}

func TestNoClock(t *testing.T) { noClock.holds(t) }

func TestNoClockCanFail(t *testing.T) {
	noClock.catches(t, offending(t,
		"sim/a.go", "package sim\n\nimport \"time\"\n\nvar a, b = time.Now(), time.Second\n\nvar c = time.Since(a)\n",
		"sim/a_test.go", "package sim\n\nimport \"time\"\n\nvar d = time.Now()\n",
		"internal/cli/a.go", "package cli\n\nimport \"time\"\n\nvar e = time.Now()\n",
	),
		"sim/a.go:5: time.Now looks at the clock; pass time in, or say in the table clocks of internal/lint why not",
		"sim/a.go:7: time.Since looks at the clock; pass time in, or say in the table clocks of internal/lint why not",
	)
}
