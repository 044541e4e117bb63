#!/bin/sh
# Prints the packages whose own sources (tests left out) start goroutines or
# synchronise them: the ones worth a run under the race detector.
set -eu
# go list prints one line per file: the package, the file.
go list -f '{{$p := .}}{{range .GoFiles}}{{$p.ImportPath}} {{$p.Dir}}/{{.}}{{"\n"}}{{end}}' ./... |
while read -r package file; do
	if [ -n "$package" ] && grep -qE '(^|[[:space:]])go (func|[A-Za-z_.]+)\(|"sync(/atomic)?"|/errgroup"' "$file"; then
		echo "$package"
	fi
done | sort -u
