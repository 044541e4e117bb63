// Package solvers chooses configurations under a chance constraint.
//
// A Problem joins a space, scenarios and a Bound; a Method answers it with a
// Solution, whose Status says honestly how the search ended. Solve is the one
// way to run a method: it validates the problem, and re-checks risk and
// objective of the answer on scenarios that no method saw, whatever the method
// claims.
//
// A Bound is P(metric > limit) <= risk. How many scenarios of a finite sample
// may exceed the limit is the business of its Rule.
package solvers
