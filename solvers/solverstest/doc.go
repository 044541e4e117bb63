// Package solverstest is the suite that every solvers.Method must pass,
// whoever wrote it and however well it chooses. A test says
//
//	func TestConformance(t *testing.T) {
//		solverstest.Run(t, func() solvers.Method { return solvers.Exact{} }, solverstest.Traits{Proves: true})
//	}
//
// and every check runs on every problem of the suite that the method supports:
//
//	supports    a refusal has a reason, and what is not refused is answered
//	untouched   the problem is as it was before
//	space       the answer is in the space
//	figures     objective and violations are those of the answer
//	loosening   a limit other than the problem's comes with a warning
//	status      infeasible is not not-found, and nothing is proved by guessing
//	optimum     nothing that keeps the bound beats the exact optimum of the sample
//	seed        the same seed gives the same answer
//	process     so it does in another process
//	cancel      a cancelled search ends, and says that it did
//	risk        where optimality is proved, more risk never costs more
//
// The checks see of a test only what a Recorder has, so that the tests of this
// package can show that each of them fails for a method that is wrong.
package solverstest
