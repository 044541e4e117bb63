package lint

import (
	"fmt"
	"maps"
	"path"
	"slices"
	"strings"
	"testing"
)

// rooms says which packages of the module each package may import. A package
// below a room (sim/kernel, say) keeps the row of the room, and may import the
// rest of it.
//
// The simulation is an independent judge of what a solver claims, so neither
// of sim and solvers sees the other; figures runs nothing, so it sees results
// only.
var rooms = map[string][]string{
	"traces":              nil,
	"models":              {"traces"},
	"sim":                 {"models", "traces"},
	"solvers":             {"models", "traces"},
	"solvers/solverstest": {"solvers", "models"},
	"baselines":           {"solvers", "models", "traces"},
	"experiments":         {"traces", "models", "sim", "solvers", "baselines"},
	"figures":             {"experiments", "models"},
	"live":                {"traces", "models"},
	"live/emulator":       {"models"},
	"internal/cli":        {"traces", "models", "sim", "solvers", "baselines", "experiments", "figures", "live"},
	"internal/spelling":   nil,
	"internal/recordings": nil,
	"internal/browser":    nil,
	"internal/lint":       nil,
	".":                   {"internal/cli"},
}

// everyRooms are the packages that every room may import.
var everyRooms = []string{"internal/spelling"}

// testsOnly are the packages that only tests may import.
var testsOnly = []string{"internal/browser", "internal/recordings", "solvers/solverstest", "live/emulator"}

// soleImporters names, for a library, the one package that may import it. The
// external tests of rooms below that package may too: the emulator knows nothing
// of the SDK, and is tested with it.
var soleImporters = map[string]string{
	"github.com/aws/aws-sdk-go-v2":      "live",          // the rest of the program never talks to a cloud
	"github.com/aws/aws-lambda-go":      "live/emulator", // functions for tests; the program itself runs none
	"github.com/johannesboyne/gofakes3": "live/emulator", // the store of those functions
	"github.com/urfave/cli":             "internal/cli",  // what a package does must not depend on how it is called
	"github.com/schollz/progressbar":    "internal/cli",
	"gonum.org/v1/plot":                 "figures",
}

// ownModules are folders that are modules of their own: what they need is no
// dependency of the program.
var ownModules = []string{"experiments/sweep/prove"}

// importer says from what kind of file an edge of the import graph comes.
type importer string

const (
	fromSource       importer = ""
	fromTest         importer = " (test)"          // a test inside the package
	fromExternalTest importer = " (external test)" // a test outside the package, package p_test
)

// edge is one edge of the import graph. Packages of the module are named by
// folder, others by import path.
type edge struct {
	from string
	kind importer
	to   string
}

// importGraph returns the edges of the module's import graph, sorted.
func importGraph(m *module) []edge {
	edges := make(map[edge]bool)
	for _, f := range m.goFiles() {
		kind := fromSource
		switch {
		case f.test() && strings.HasSuffix(f.ast.Name.Name, "_test"):
			kind = fromExternalTest
		case f.test():
			kind = fromTest
		}
		for p := range imports(f) {
			if p == modulePath {
				p = "."
			}
			edges[edge{f.dir(), kind, strings.TrimPrefix(p, modulePath+"/")}] = true
		}
	}
	return slices.SortedFunc(maps.Keys(edges), func(a, b edge) int {
		return slices.Compare([]string{a.from, string(a.kind), a.to}, []string{b.from, string(b.kind), b.to})
	})
}

// room returns the row of rooms that a folder belongs to, "" if there is none.
func room(dir string) string {
	for ; ; dir = path.Dir(dir) {
		if _, ok := rooms[dir]; ok || dir == "." {
			if !ok || dir == "." {
				return ""
			}
			return dir
		}
	}
}

// checkGraph finds the edges that the tables above forbid, and packages that
// they do not know.
func checkGraph(edges []edge) []string {
	var complaints []string
	unknown := make(map[string]bool)
	for _, e := range edges {
		from := room(e.from)
		if e.from == "." {
			from = "."
		}
		if from == "" {
			if !unknown[e.from] {
				complaints = append(complaints, fmt.Sprintf("%s: is in no room of the house; see the table rooms in internal/lint", e.from))
			}
			unknown[e.from] = true
			continue
		}
		for library, sole := range soleImporters {
			below := e.kind == fromExternalTest && strings.HasPrefix(e.from, sole+"/")
			if (e.to == library || strings.HasPrefix(e.to, library+"/")) && from != sole && !below && !slices.Contains(ownModules, e.from) {
				complaints = append(complaints, fmt.Sprintf("%s%s: imports %s, which only %s may", e.from, e.kind, e.to, sole))
			}
		}
		to := room(e.to)
		switch {
		case to == "" || to == from: // not of this module, or the same room
		case slices.Contains(everyRooms, to):
		case slices.Contains(testsOnly, to):
			if e.kind == fromSource {
				complaints = append(complaints, fmt.Sprintf("%s: imports %s, which only tests may", e.from, e.to))
			}
		case e.kind == fromExternalTest: // may import what it compares
		case !slices.Contains(rooms[from], to):
			complaints = append(complaints, fmt.Sprintf("%s%s: imports %s; it may import %s", e.from, e.kind, e.to, list(rooms[from])))
		}
	}
	return complaints
}

func list(names []string) string {
	if len(names) == 0 {
		return "no package of the module"
	}
	return strings.Join(names, ", ")
}

var importDirections rule = func(m *module) []string { return checkGraph(importGraph(m)) }

func TestImportDirections(t *testing.T) { importDirections.holds(t) }

func TestImportDirectionsCanFail(t *testing.T) {
	importDirections.catches(t, offending(t,
		"main.go", `package main; import (_ "eevee/internal/cli"; _ "eevee/models")`,
		"traces/a.go", `package traces; import _ "eevee/models"`,
		"solvers/a.go", `package solvers; import (_ "eevee/models"; _ "eevee/sim"; _ "eevee/solvers/inner"; _ "fmt")`,
		"solvers/a_test.go", `package solvers; import (_ "eevee/sim"; _ "eevee/internal/recordings"; _ "eevee/solvers/solverstest")`,
		"solvers/b_test.go", `package solvers_test; import (_ "eevee/sim"; _ "eevee/baselines")`,
		"solvers/inner/a.go", `package inner; import _ "eevee/sim/kernel"`,
		"sim/kernel/a.go", `package kernel; import _ "eevee/solvers"`,
		"models/a.go", `package models; import (_ "eevee/internal/recordings"; _ "eevee/internal/spelling"; _ "github.com/aws/aws-sdk-go-v2/service/lambda")`,
		"figures/a.go", `package figures; import (_ "eevee/experiments"; _ "eevee/solvers"; _ "gonum.org/v1/plot")`,
		"live/a.go", `package live; import (_ "eevee/traces"; _ "github.com/aws/aws-sdk-go-v2/config")`,
		"live/emulator/a.go", `package emulator; import (_ "eevee/models"; _ "eevee/live"; _ "github.com/aws/aws-sdk-go-v2/aws")`,
		"live/emulator/a_test.go", `package emulator; import _ "github.com/aws/aws-sdk-go-v2/aws"`,
		"live/emulator/b_test.go", `package emulator_test; import (_ "github.com/aws/aws-sdk-go-v2/aws"; _ "eevee/traces/logs")`,
		"live/b.go", `package live; import (_ "eevee/live/emulator"; _ "github.com/aws/aws-lambda-go/lambda")`,
		"experiments/a.go", `package experiments; import (_ "eevee/sim"; _ "eevee/solvers"; _ "eevee/solvers/solverstest"; _ "eevee/figures")`,
		"experiments/a_test.go", `package experiments_test; import (_ "github.com/urfave/cli/v2"; _ "eevee/live")`,
		"experiments/sweep/prove/a_test.go", `package prove; import (_ "github.com/aws/aws-sdk-go-v2/service/batch"; _ "eevee/experiments/sweep")`,
		"attic/a.go", `package attic; import (_ "eevee/models"; _ "fmt")`,
	),
		`.: imports models; it may import internal/cli`,
		`attic: is in no room of the house; see the table rooms in internal/lint`,
		`experiments: imports figures; it may import traces, models, sim, solvers, baselines`,
		`experiments: imports solvers/solverstest, which only tests may`,
		`experiments (external test): imports github.com/urfave/cli/v2, which only internal/cli may`,
		`figures: imports solvers; it may import experiments, models`,
		`live: imports github.com/aws/aws-lambda-go/lambda, which only live/emulator may`,
		`live: imports live/emulator, which only tests may`,
		`live/emulator: imports github.com/aws/aws-sdk-go-v2/aws, which only live may`,
		`live/emulator: imports live; it may import models`,
		`live/emulator (test): imports github.com/aws/aws-sdk-go-v2/aws, which only live may`,
		`models: imports github.com/aws/aws-sdk-go-v2/service/lambda, which only live may`,
		`models: imports internal/recordings, which only tests may`,
		`sim/kernel: imports solvers; it may import models, traces`,
		`solvers: imports sim; it may import models, traces`,
		`solvers (test): imports sim; it may import models, traces`,
		`solvers/inner: imports sim/kernel; it may import models, traces`,
		`traces: imports models; it may import no package of the module`,
	)
}

// The table itself must be a hierarchy; with a cycle in it, every edge could
// be allowed and the direction lost.
func TestRoomsAreLayered(t *testing.T) {
	var visit func(name string, below []string)
	visit = func(name string, below []string) {
		if slices.Contains(below, name) {
			t.Fatalf("rooms allow the cycle %v", append(below, name))
		}
		for _, to := range rooms[name] {
			visit(to, append(slices.Clone(below), name))
		}
	}
	for name := range rooms {
		visit(name, nil)
	}
	for _, name := range everyRooms {
		if below, ok := rooms[name]; !ok || len(below) > 0 {
			t.Errorf("%s is below every room, so it must be one that imports none: %v", name, below)
		}
	}
}
