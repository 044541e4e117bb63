// Package logs turns what platforms and tools write about invocations into the
// rows of a trace.
//
// The contents, in the order in which data passes through:
//
//   - import.go: Import, any number of files and folders in bounded memory, and
//     Options.
//   - file.go: inputs, compressed or not, in UTF-8 or UTF-16.
//   - format.go: Formats, and how the format of a file is detected.
//   - lines.go, jsonwalk.go: lines and JSON of any length, piece by piece.
//
// Logs of AWS Lambda and Step Functions in CloudWatch, by what carries them:
//
//   - text.go: "aws logs tail", exports to S3, plain messages.
//   - events.go: "aws logs filter-log-events" and "get-log-events".
//   - insights.go: results of CloudWatch Logs Insights, in JSON and as a table.
//   - subscription.go: deliveries of a subscription.
//   - tail.go: answers to invocations with LogType=Tail.
//
// and what they carry:
//
//   - message.go: one event of a log group, in text or JSON.
//   - reportline.go: the REPORT line of Lambda; platform.go: its form in JSON.
//   - statelog.go: the events of Step Functions.
//
// Other sources:
//
//   - history.go: ReadHistory, GetExecutionHistory of Step Functions;
//     execution.go: Execution, what either form of a history tells.
//   - xray.go: ReadXRay, traces of AWS X-Ray; invocation.go: the invocations of
//     Lambda in them.
//   - lithops.go, ditto.go, profile.go: statistics of Lithops, profiles of the
//     artifacts of Ditto and Jolteon.
//   - mapping.go: Mapping, what the columns of a table mean, as YAML; field.go:
//     the columns of a trace that it can fill; csv.go: ReadCSV, a table under a
//     mapping.
//
// What becomes of it all:
//
//   - sink.go: rows, in batches, counted.
//   - report.go: Report, what was seen, left out and doubtful.
//   - billing.go: BilledRule, which rounding explains a bill.
//   - redact.go: account ids and network addresses are dropped.
//   - decimal.go, instant.go: numbers and instants without rounding errors.
//   - arena.go, idset.go: rows by the million.
//
// What is missing in a log is null in the row and never 0. A row is never made
// of a line that is cut, and nothing is left out without being counted.
package logs
