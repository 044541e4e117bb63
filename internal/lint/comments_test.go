package lint

import (
	"fmt"
	"go/ast"
	"go/token"
	"maps"
	"slices"
	"strings"
	"testing"
)

var packageComments rule = func(m *module) []string {
	documented := make(map[string][]string)
	for _, f := range m.goFiles() {
		if f.test() {
			continue
		}
		files := documented[f.dir()]
		if f.ast.Doc != nil {
			files = append(files, f.path)
		}
		documented[f.dir()] = files
	}
	var complaints []string
	for _, dir := range slices.Sorted(maps.Keys(documented)) {
		switch files := documented[dir]; len(files) {
		case 0:
			complaints = append(complaints, fmt.Sprintf("%s: no file has a package comment", dir))
		case 1:
		default:
			complaints = append(complaints, fmt.Sprintf("%s: package comments in %s; one is enough", dir, strings.Join(files, " and ")))
		}
	}
	return complaints
}

func TestPackageComments(t *testing.T) { packageComments.holds(t) }

func TestPackageCommentsCanFail(t *testing.T) {
	packageComments.catches(t, offending(t,
		"sim/a.go", "package sim\n",
		"sim/a_test.go", "// Package sim is commented in a test only.\npackage sim\n",
		"models/a.go", "// Package models is commented.\npackage models\n",
		"models/b.go", "package models\n",
		"traces/a.go", "// Package traces is commented.\npackage traces\n",
		"traces/b.go", "// Package traces is commented again.\npackage traces\n",
	),
		"sim: no file has a package comment",
		"traces: package comments in traces/a.go and traces/b.go; one is enough",
	)
}

var docComments rule = func(m *module) []string {
	var complaints []string
	for _, f := range m.goFiles() {
		if f.test() || f.inMain() {
			continue
		}
		complain := func(name *ast.Ident, what string) {
			complaints = append(complaints, fmt.Sprintf("%s:%d: exported %s %s has no doc comment", f.path, m.line(name.Pos()), what, name.Name))
		}
		for _, d := range f.ast.Decls {
			switch d := d.(type) {
			case *ast.FuncDecl:
				if d.Doc == nil && d.Name.IsExported() && ast.IsExported(receiver(d)) {
					complain(d.Name, "function")
				}
			case *ast.GenDecl:
				for _, spec := range d.Specs {
					for _, name := range undocumented(d, spec) {
						complain(name, d.Tok.String())
					}
				}
			}
		}
	}
	return complaints
}

// receiver returns the name of the type that a method is of. For a plain
// function it returns the function's own name.
func receiver(d *ast.FuncDecl) string {
	if d.Recv == nil {
		return d.Name.Name
	}
	t := d.Recv.List[0].Type
	for {
		switch x := t.(type) {
		case *ast.StarExpr:
			t = x.X
		case *ast.IndexExpr:
			t = x.X
		case *ast.IndexListExpr:
			t = x.X
		case *ast.Ident:
			return x.Name
		default:
			return ""
		}
	}
}

// undocumented returns the exported names of a specification that have no
// comment. In a group of constants or variables the comment of the group, or
// one at the end of the line, is enough; a type needs its own, be it in a
// group or not.
func undocumented(d *ast.GenDecl, spec ast.Spec) []*ast.Ident {
	var names []*ast.Ident
	switch s := spec.(type) {
	case *ast.TypeSpec:
		if s.Doc == nil && (d.Doc == nil || d.Lparen != token.NoPos) {
			names = append(names, s.Name)
		}
	case *ast.ValueSpec:
		if s.Doc == nil && s.Comment == nil && d.Doc == nil {
			names = append(names, s.Names...)
		}
	}
	return slices.DeleteFunc(names, func(n *ast.Ident) bool { return !n.IsExported() })
}

func TestDocComments(t *testing.T) { docComments.holds(t) }

func TestDocCommentsCanFail(t *testing.T) {
	docComments.catches(t, offending(t,
		"sim/a.go", `package sim

// A is commented.
type A struct{}

type B[T any] struct{}

// C is commented.
func (A) C() {}

func (*B[T]) D() {}

type e struct{}

func (e) Error() string { return "" }

func F() {}

// A group of constants.
const (
	G = 1
	H = 2
)

var (
	I = 1 // commented
	J = 2
	k = 3
)

// A group of types.
type (
	L int
	// M is commented.
	M int
)
`,
		"sim/a_test.go", "package sim\n\nfunc N() {}\n",
		"main.go", "package main\n\nfunc O() {}\n",
	),
		"sim/a.go:6: exported type B has no doc comment",
		"sim/a.go:11: exported function D has no doc comment",
		"sim/a.go:17: exported function F has no doc comment",
		"sim/a.go:27: exported var J has no doc comment",
		"sim/a.go:33: exported type L has no doc comment",
	)
}
