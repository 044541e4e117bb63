// Package models holds what is known about a workflow before anything is
// decided, and the words in which decisions are written down.
//
// A Workflow is a graph of stages; a Definition adds the spaces of admissible
// configurations that come with it. A Profile is a recorded trace seen stage
// by stage, and a model is fitted to it: Calibrated, whose percentiles are
// checked against configurations it was not shown, or Jolteon, the published
// one. The model draws Scenarios: a fixed joint sample of the uncertain parameters, on which every
// compared method judges every configuration. A PriceBook turns billed time
// into money.
//
// Times are seconds, money is USD, memory is MB. Randomness comes from named
// Streams that the caller passes in.
package models
