// Package lint holds the rules of the house as tests: which package may import
// which, what no file may contain, what every package must say about itself.
//
// A rule is a function from sources to complaints. Every rule is run over the
// sources of this module, where it must find nothing, and over a small
// offending module of its own, where it must find exactly what is wrong: a
// rule that cannot fail protects nothing.
//
// Exceptions are tables next to the rule, with a reason for each entry.
package lint
