package lint

import (
	"fmt"
	"path"
	"slices"
	"strings"
	"testing"
)

// topLevel are the folders of the root.
var topLevel = []string{
	"traces", "models", "sim", "solvers", "baselines", "experiments", "figures", // the house
	"live",     // AWS
	"internal", // cli, spelling, lint, recordings, browser
	".ci",
}

// vagueNames are the names of packages that would collect what has no place.
var vagueNames = []string{"util", "utils", "common", "types", "pkg", "helper", "helpers", "misc"}

var folders rule = func(m *module) []string {
	var complaints []string
	for _, d := range m.dirs {
		if !strings.Contains(d, "/") && !slices.Contains(topLevel, d) {
			complaints = append(complaints, fmt.Sprintf("%s: the top level is fixed: %s", d, strings.Join(topLevel, " ")))
		}
		if slices.Contains(vagueNames, path.Base(d)) {
			complaints = append(complaints, fmt.Sprintf("%s: the name says nothing about what is inside", d))
		}
	}
	for _, f := range m.goFiles() {
		name := strings.TrimSuffix(f.ast.Name.Name, "_test")
		if slices.Contains(vagueNames, name) && path.Base(f.dir()) != name {
			complaints = append(complaints, fmt.Sprintf("%s: package %s says nothing about what is inside", f.path, name))
		}
	}
	return complaints
}

func TestFolders(t *testing.T) { folders.holds(t) }

func TestFoldersCanFail(t *testing.T) {
	folders.catches(t, offending(t,
		"models/a.go", "package models",
		"models/data/a.yaml", "",
		"sim/helpers/a.go", "package helpers",
		"sim/b/a.go", "package utils",
		"cmd/eevee/main.go", "package main",
	),
		"cmd: the top level is fixed: "+strings.Join(topLevel, " "),
		"sim/helpers: the name says nothing about what is inside",
		"sim/b/a.go: package utils says nothing about what is inside",
	)
}

// maxLines is the length beyond which a file is no longer one noun.
const maxLines = 600

// longFiles are the files that are longer, with the reason.
var longFiles = map[string]string{}

var fileLength rule = func(m *module) []string {
	var complaints []string
	for _, f := range m.files {
		if n := strings.Count(f.text, "\n"); f.ast != nil && n > maxLines && longFiles[f.path] == "" {
			complaints = append(complaints, fmt.Sprintf("%s: %d lines, more than %d; it holds more than one thing", f.path, n, maxLines))
		}
	}
	return complaints
}

func TestFileLength(t *testing.T) { fileLength.holds(t) }

func TestFileLengthCanFail(t *testing.T) {
	lines := func(n int) string { return "package a" + strings.Repeat("\n", n) }
	fileLength.catches(t, offending(t,
		"sim/short.go", lines(maxLines),
		"sim/long.go", lines(maxLines+1),
		"sim/table.yaml", lines(maxLines+1),
	),
		"sim/long.go: 601 lines, more than 600; it holds more than one thing",
	)
}

// An exception has a reason, and goes when its file goes. A room that has not
// been built yet may have exceptions already.
func TestExceptionsAreCurrent(t *testing.T) {
	m := sources(t)
	tables := map[string]map[string]string{"longFiles": longFiles, "clocks": clocks}
	for table, entries := range tables {
		for name, why := range entries {
			if why == "" {
				t.Errorf("%s: %s: no reason given", table, name)
			}
			top, _, _ := strings.Cut(name, "/")
			built := slices.ContainsFunc(m.goFiles(), func(f *file) bool { return strings.HasPrefix(f.path, top+"/") })
			if built && !slices.Contains(m.dirs, name) && !slices.ContainsFunc(m.files, func(f *file) bool { return f.path == name }) {
				t.Errorf("%s: %s: no such file or folder", table, name)
			}
		}
	}
}
