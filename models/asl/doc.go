// Package asl holds state machines written in the Amazon States Language, the
// JSON that AWS Step Functions executes (https://states-language.net; both its
// query languages, JSONPath and JSONata, are tolerated, neither is evaluated).
//
// Parse reads a Machine: states, branches, maps, loops, waits, retries and
// catches as they are. What data decides is not in the text: which way a
// Choice goes, how wide a Map is, how long a dynamic Wait takes. Behaviour
// says it, and Learn estimates it from recorded executions. Machine and
// Behaviour together can be executed by package sim.
//
// Lower turns a Machine into a models.Workflow, the acyclic graph of stages
// that solvers size, and says what is lost on the way.
package asl
