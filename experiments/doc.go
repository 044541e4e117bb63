// Package experiments runs designed experiments on workflows: it finds a trace,
// fits a model, poses problems to methods, replays their answers in the
// simulator, and returns rows. What it returns is data; package figures draws
// it.
package experiments
