// Package logs turns what platforms and tools write about invocations into the
// rows of a trace.
//
// The contents, in the order in which data passes through:
//
//   - mapping.go: Mapping, what the columns of a CSV file mean, as YAML.
//   - field.go: the columns of a trace that a mapping can fill.
//   - csv.go: ReadCSV, a CSV file under a Mapping.
//   - file.go: ImportCSV, and files that may be compressed.
//   - decimal.go: decimal numbers scaled without a rounding error.
//   - billing.go: BilledRule, which rounding a platform billed by.
//
// What is missing in a log is null in the row and never 0.
package logs
