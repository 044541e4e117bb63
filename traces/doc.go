// Package traces holds recorded executions of serverless workflows: the row,
// the file, and the ways in.
//
// Everything that eevee knows about a real or a simulated run is a [Record]:
// one invocation of a function, or one aggregate over the invocations of a
// stage. Profiles, simulated runs and live runs are the same rows, so one
// comparison path serves all of them.
//
// The contents, in the order in which data passes through:
//
//   - record.go: [Record], one row; a null is "not known" and never 0.
//   - column.go: the columns of a row, in the order of the file.
//   - format.go: [Formats], the logs and profiles that can be imported, and
//     [Import].
//   - jolteon.go: [ReadJolteonProfile], the published profiles of the Jolteon
//     artifact (mean and p95 of every step), and [JolteonLayout], their grids.
//   - jsontree.go: JSON whose defects can be reported with line and column.
//   - fetch.go: [Fetch], published recordings from their own repository at a
//     pinned commit, checked against their SHA-256 and cached as Parquet.
//   - meta.go: [Meta], what a file says about all of its rows.
//   - writer.go: [Write] and [Writer], Parquet with zstd, the same bytes for
//     the same rows, never half a file.
//   - pendingfile.go: files that get their name when they are complete.
//   - checksum.go: the side file that a trace is checked against, and
//     [FileSHA256].
//   - reader.go: [Read], [ReadColumns], [Scan] and [Reader], which reads any
//     number of rows in bounded memory and only the columns it is asked for.
//   - footer.go: what is checked of a file before its numbers are believed.
//   - validate.go: [Validate], every defect of the rows at once.
//   - inspect.go: [Inspect], what is in a trace: counts, ranges, gaps.
//
// The package imports no other package of eevee.
package traces
