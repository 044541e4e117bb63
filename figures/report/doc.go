// Package report draws what package experiments/papers finds, and writes the
// report on it: report.html for people, report.md beside the files, claims.json
// and timings.json for programs. It runs nothing.
package report
