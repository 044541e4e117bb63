// Package papers reproduces the figures and tables of the papers. An Experiment
// says what was published, what would refute it, which data it takes and how far
// off a value may be before it runs; all of that stands in its file under data.
// Reproduce runs experiments and returns Findings: claims with their verdicts,
// and the rows behind them, which package figures/report draws.
package papers
