package lint

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// modulePath is the import path of the module.
const modulePath = "eevee"

// file is one text file of the module.
type file struct {
	path string // relative to the root, with slashes
	text string
	ast  *ast.File // nil unless it is a Go file outside testdata
}

func (f *file) dir() string  { return path.Dir(f.path) }
func (f *file) test() bool   { return strings.HasSuffix(f.path, "_test.go") }
func (f *file) inMain() bool { return f.ast.Name.Name == "main" }

// module is the sources that rules look at, sorted by path.
type module struct {
	fset  *token.FileSet
	files []*file
	dirs  []string // every folder, also those without text files
}

// goFiles returns the Go files outside testdata.
func (m *module) goFiles() []*file {
	return slices.DeleteFunc(slices.Clone(m.files), func(f *file) bool { return f.ast == nil })
}

func (m *module) line(pos token.Pos) int { return m.fset.Position(pos).Line }

func (m *module) add(name, text string) error {
	f := &file{path: name, text: text}
	if strings.HasSuffix(name, ".go") && !strings.Contains("/"+name, "/testdata/") {
		parsed, err := parser.ParseFile(m.fset, name, text, parser.ParseComments)
		if err != nil {
			return err
		}
		f.ast = parsed
	}
	m.files = append(m.files, f)
	return nil
}

// isText reports whether rules about text look at a file: what people write by
// hand.
func isText(name string) bool {
	switch path.Ext(name) {
	case ".go", ".md", ".sh", ".yaml", ".yml", ".mod", ".json", ".golden":
		return true
	}
	return slices.Contains([]string{"Makefile", ".ci/run", ".gitignore"}, name)
}

// skipped are the folders that hold no sources: what git keeps, and what the
// Makefile's targets write.
var skipped = []string{".git", "bin", "out"}

// load reads the module once; the rules share it.
var load = sync.OnceValues(func() (*module, error) {
	root, err := filepath.Abs("../..")
	if err != nil {
		return nil, err
	}
	m := &module{fset: token.NewFileSet()}
	err = filepath.WalkDir(root, func(p string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		rel, err := filepath.Rel(root, p)
		if err != nil {
			return err
		}
		name := filepath.ToSlash(rel)
		if d.IsDir() {
			if slices.Contains(skipped, name) {
				return filepath.SkipDir
			}
			if name != "." {
				m.dirs = append(m.dirs, name)
			}
			return nil
		}
		if !d.Type().IsRegular() || !isText(name) {
			return nil
		}
		text, err := os.ReadFile(p)
		if err != nil {
			return err
		}
		return m.add(name, string(text))
	})
	return m, err
})

// sources returns the sources of this module.
func sources(t *testing.T) *module {
	t.Helper()
	m, err := load()
	if err != nil {
		t.Fatal(err)
	}
	if n := len(m.goFiles()); n < 10 {
		t.Fatalf("found %d Go files; the rules look at the wrong folder", n)
	}
	return m
}

// offending returns a module made of the given files, path and text by turns.
func offending(t *testing.T, pathsAndTexts ...string) *module {
	t.Helper()
	m := &module{fset: token.NewFileSet()}
	for i := 0; i < len(pathsAndTexts); i += 2 {
		name := pathsAndTexts[i]
		if err := m.add(name, pathsAndTexts[i+1]); err != nil {
			t.Fatal(err)
		}
		for d := path.Dir(name); d != "."; d = path.Dir(d) {
			if !slices.Contains(m.dirs, d) {
				m.dirs = append(m.dirs, d)
			}
		}
	}
	slices.SortFunc(m.files, func(a, b *file) int { return strings.Compare(a.path, b.path) })
	slices.Sort(m.dirs)
	return m
}

// rule finds what is wrong with a module, one line per complaint.
type rule func(*module) []string

// holds fails the test for every complaint of the rule about this module.
func (r rule) holds(t *testing.T) {
	t.Helper()
	for _, complaint := range r(sources(t)) {
		t.Error(complaint)
	}
}

// catches fails the test unless the rule complains about exactly the given
// things, in this order.
func (r rule) catches(t *testing.T, m *module, want ...string) {
	t.Helper()
	if diff := cmp.Diff(want, r(m)); diff != "" {
		t.Errorf("complaints about the offending module (-want +got):\n%s", diff)
	}
}

// imports returns the import paths of a file with the names they go by.
func imports(f *file) map[string]string {
	named := make(map[string]string, len(f.ast.Imports))
	for _, spec := range f.ast.Imports {
		p, err := strconv.Unquote(spec.Path.Value)
		if err != nil {
			panic(err) // the parser accepted it
		}
		name := path.Base(p)
		if strings.HasPrefix(name, "v") && strings.Trim(name[1:], "0123456789") == "" {
			name = path.Base(path.Dir(p)) // a major version suffix
		}
		if spec.Name != nil {
			name = spec.Name.Name
		}
		named[p] = name
	}
	return named
}
