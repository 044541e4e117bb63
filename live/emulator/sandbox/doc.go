// Package sandbox runs the program of a Lambda function as an execution
// environment does: one process, one invocation at a time, driven through the
// Lambda Runtime API (developer guide, "Using the Lambda runtime API"), with a
// share of a CPU that follows from the memory, and frozen between invocations.
//
//   - sandbox.go: Sandbox, the life of a process.
//   - runtime.go: the Runtime API as the process sees it.
//   - share.go: the share of a CPU, by stopping and continuing the process.
//   - process_linux.go, process_other.go: what the kernel says of a process.
//
// The share is kept by a token bucket over the CPU time that the kernel accounts
// to the process: it runs until it has used what it may, is stopped (SIGSTOP)
// until it has earned the next quantum (what it may use in 20 ms), and so on. What it used too much is
// earned back first, so that over time the share is exact however late a stop
// comes; time that it waits earns at most two quanta. This is how the CPU quota
// of a control group works, at a longer period, and needs no privilege. Only
// Linux tells the CPU time of another process: elsewhere no program is run.
//
// What differs from Lambda: the file system is the machine's own (TMPDIR is the
// sandbox's), the network too, and a start that fails is not tried again.
package sandbox
