package solvers

import "context"

// Progress is how far a search has come.
type Progress struct {
	Objective  float64 // of the best configuration found; +Inf before the first
	LowerBound float64 // that is proved; -Inf before the first
	Nodes      int     // that were looked at
}

type progressKey struct{}

// WithProgress returns a context under which methods that search tell show of
// their progress, from the goroutine that searches, some hundred times a
// second at most.
func WithProgress(ctx context.Context, show func(Progress)) context.Context {
	return context.WithValue(ctx, progressKey{}, show)
}

// progressOf returns the function that progress is told, nil for none.
func progressOf(ctx context.Context) func(Progress) {
	show, _ := ctx.Value(progressKey{}).(func(Progress))
	return show
}
