package lint

import (
	"fmt"
	"go/format"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// complainPerLine applies a pattern to every line of every text file but the
// exempt ones.
func complainPerLine(m *module, pattern *regexp.Regexp, complaint string, exempt func(f *file) bool) []string {
	var complaints []string
	for _, f := range m.files {
		if exempt(f) {
			continue
		}
		for i, line := range strings.Split(f.text, "\n") {
			if found := pattern.FindString(line); found != "" {
				complaints = append(complaints, fmt.Sprintf("%s:%d: %s", f.path, i+1, fmt.Sprintf(complaint, strings.TrimSpace(found))))
			}
		}
	}
	return complaints
}

// The patterns are put together from parts so that this file does not match
// them.
var (
	unfinishedMark = regexp.MustCompile(`\b(TO` + `DO|FIX` + `ME|XX` + `X|HA` + `CK)\b`)
	machinePath    = regexp.MustCompile(`(^|[\s"'` + "`" + `(=:,])(/(wo` + `rk|ro` + `ot|ho` + `me|Us` + `ers|t` + `mp)/|[A-Z]:\\)[\w.-]*`)
	sharedFolder   = regexp.MustCompile(`\.\./sha` + `red\b[\w/]*|"sha` + `red"`)
)

var unfinished rule = func(m *module) []string {
	return complainPerLine(m, unfinishedMark, "%q: finish it or open an issue", func(f *file) bool { return false })
}

func TestNothingUnfinished(t *testing.T) { unfinished.holds(t) }

func TestNothingUnfinishedCanFail(t *testing.T) {
	unfinished.catches(t, offending(t,
		"sim/a.go", "package sim\n\n// TO"+"DO: the rest\n",
		"README.md", "FIX"+"ME later\n",
		"sim/todos.go", "package sim // TO"+"DOS is another word\n",
	),
		`README.md:1: "FIX`+`ME": finish it or open an issue`,
		`sim/a.go:3: "TO`+`DO": finish it or open an issue`,
	)
}

var noMachinePaths rule = func(m *module) []string {
	return complainPerLine(m, machinePath, "%s: a path of one machine", func(f *file) bool { return false })
}

func TestNoMachinePaths(t *testing.T) { noMachinePaths.holds(t) }

func TestNoMachinePathsCanFail(t *testing.T) {
	noMachinePaths.catches(t, offending(t,
		"sim/a.go", "package sim\n\nconst a = \"/ho"+"me/alice/traces\"\n",
		"README.md", "see https://example.org/wo"+"rk/a or cd /wo"+"rk/checkout\n",
		".ci/run", "cp out/wo"+"rk/a b\ncp a /t"+"mp/b\n",
	),
		".ci/run:2: /t"+"mp/b: a path of one machine",
		"README.md:1: /wo"+"rk/checkout: a path of one machine",
		"sim/a.go:3: \"/ho"+"me/alice: a path of one machine",
	)
}

// The recordings belong to nobody's checkout: tests ask internal/recordings
// for them, and a fresh machine has none.
var recordingsByName rule = func(m *module) []string {
	return complainPerLine(m, sharedFolder, "%s: only the Makefile, .ci/run and internal/recordings know where recordings lie", func(f *file) bool {
		return f.path == "Makefile" || f.path == ".ci/run" || f.dir() == "internal/recordings"
	})
}

func TestRecordingsByName(t *testing.T) { recordingsByName.holds(t) }

func TestRecordingsByNameCanFail(t *testing.T) {
	folder := "../sha" + "red"
	recordingsByName.catches(t, offending(t,
		"Makefile", "R = "+folder+"/recordings\n",
		".ci/run", folder+"\n",
		"internal/recordings/a.go", "package recordings // "+folder+"\n",
		"sim/a_test.go", "package sim\n\nvar dir = \"../"+folder+"/recordings\"\n",
		"sim/b_test.go", "package sim\n\nvar dir = join(\"..\", \"sha"+"red\")\n",
	),
		"sim/a_test.go:3: "+folder+"/recordings: only the Makefile, .ci/run and internal/recordings know where recordings lie",
		"sim/b_test.go:3: \"sha"+"red\": only the Makefile, .ci/run and internal/recordings know where recordings lie",
	)
}

var formatted rule = func(m *module) []string {
	var complaints []string
	for _, f := range m.goFiles() {
		clean, err := format.Source([]byte(f.text))
		if err != nil {
			panic(err) // the parser accepted it
		}
		if string(clean) != f.text {
			was, is := strings.Split(f.text, "\n"), strings.Split(string(clean), "\n")
			line := 0
			for line < min(len(was), len(is)) && was[line] == is[line] {
				line++
			}
			complaints = append(complaints, fmt.Sprintf("%s:%d: gofmt writes it differently", f.path, line+1))
		}
	}
	return complaints
}

func TestFormatted(t *testing.T) { formatted.holds(t) }

func TestFormattedCanFail(t *testing.T) {
	formatted.catches(t, offending(t,
		"sim/a.go", "package sim\n\nvar a = 1\n",
		"sim/b.go", "package sim\n\nvar  b = 1\n",
		"sim/c.go", "package sim\n\nvar c = 1",
	),
		"sim/b.go:3: gofmt writes it differently",
		"sim/c.go:4: gofmt writes it differently",
	)
}

// The rules about text must see every kind of file that people write.
func TestTextFilesAreSeen(t *testing.T) {
	m := sources(t)
	for _, name := range []string{"go.mod", "Makefile", ".ci/run", ".gitignore", "internal/lint/concurrent.sh", "internal/lint/text_test.go"} {
		if !slices.ContainsFunc(m.files, func(f *file) bool { return f.path == name }) {
			t.Errorf("%s is not looked at", name)
		}
	}
}
