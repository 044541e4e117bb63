package solvers

// Schedule is what a method decides about time, beside the configuration: when
// the functions of every stage are invoked and when instances are started for
// them. Times are seconds after the start of the run. A nil list, and NaN in
// one, leave it to the platform: a stage is invoked once all its parents have
// ended, and its instances are started when it is invoked.
type Schedule struct {
	Launch  []float64 // per stage: its functions are invoked at this time and wait, billed, for their input
	Prewarm []float64 // per stage: its instances are started at this time and wait for the invocation
}
