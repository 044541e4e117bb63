// Package sweep answers many questions: every combination of workflows,
// traces, models, methods, bounds, percentiles, confidences, sample sizes and
// seeds of a grid, on one machine or on many, in any number of attempts.
//
// The contents, in the order in which a sweep passes through them:
//
//   - grid.go: Grid, what a grid file says.
//   - cell.go: Cell, one question for one method, named by the hash of its
//     inputs; expand, the cells of a grid in their order.
//   - limits.go: the attainable range of a bound, for grids that ask for a
//     number of points in it.
//   - plan.go: Plan, the cells and what they are expected to take, from a
//     pilot; Chunk, the cells that are claimed and stored together.
//   - shard.go: Shard, which of several processes takes which chunks.
//   - bench.go: what cells share: fitted models, scenarios, holdout, world.
//   - answer.go: how one cell becomes one Row.
//   - row.go: Row, the inputs and the result of a cell, a row of the result.
//   - store.go: the folder of a sweep: journals, parts, manifest.
//   - run.go: Run, which answers what is still open.
//   - merge.go: Merge and Status.
//   - submit.go: job files for Slurm, Kubernetes and AWS Batch.
//
// A cell does not depend on which other cells are computed with it, nor on
// when or where: rows hold no times, and the same cells give the same bytes.
// How long cells took is kept apart.
package sweep
