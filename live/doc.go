// Package live runs a workflow on AWS and returns what it did as rows of a
// trace. It is the only package that talks to a cloud, and it is careful about
// it: the account is left as it was found, and never billed more than was
// allowed.
//
// The contents, in the order in which a session goes through them:
//
//   - client.go: Client, one account in one region, through the default chain
//     of credentials; retry.go: which calls are made again, and when;
//     fault.go: what the failure of a call means.
//   - targets.go: Targets, the functions behind the stages, and what they are
//     sent; payload.go: Template, a payload with places for the configuration.
//   - grid.go: Cover, configurations that try every choice of a space.
//   - session.go: Request and Session, which reads the account and plans;
//     plan.go: Plan, what will be done, and what it will cost at most;
//     machine.go: the state machine, where there is one.
//   - bill.go: Bill, a cap on the spend that holds even if everything in
//     flight runs into its timeout.
//   - journal.go: the journal, what is changed, on disk before it is changed;
//     stand.go: the copies of functions and machines, or the changes in place;
//     undo.go, restore.go: how all of it is undone.
//   - run.go: executions along the graph of the workflow; invoke.go: one
//     invocation; execution.go, history.go: executions of a state machine.
//   - recording.go: the trace, written after every configuration.
//   - policy.go: Policy, the permissions that all this takes.
//
// Nothing here has been run against AWS itself: the tests run the unmodified SDK
// against package live/emulator.
package live
