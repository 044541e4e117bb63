// Package emulator is a server on loopback that speaks the wire of the AWS
// services that live uses, so that the unmodified SDK can be tested against it:
// Lambda (REST-JSON, 2015-03-31), STS (query, 2011-06-15), CloudWatch Logs (JSON
// 1.1, Logs_20140328) and Step Functions (JSON 1.0, AWSStepFunctions). It is
// written from the published API references and imports no code of AWS.
//
// The contents, in the order in which a request passes through:
//
//   - options.go, emulator.go: Options, Start, Emulator; one URL for all
//     services.
//   - route.go: which service and operation a request is for; wire.go: requests,
//     replies and errors in the three protocols; sigv4: signatures.
//   - call.go, fault.go: the journal of calls, and faults that tests inject.
//   - function.go: functions, versions and aliases, whose changes take time;
//     lambda_function.go, lambda_version.go, lambda_alias.go, lambda_tag.go: the
//     operations on them.
//   - lambda_invoke.go: Invoke; environment.go: execution environments; handler.go:
//     functions in this process; process.go: real programs, in package sandbox; report.go: what Lambda
//     writes into the log; bill.go: what AWS would have charged.
//   - states_machine.go, states_execution.go: state machines, which package
//     states runs.
//   - sts.go, logs.go: the other services.
//
// A program can also be deployed from inside the process (deploy.go), and the
// settings of all functions be looked at (snapshot.go). Folder functions has three
// programs, store an object store for them, and serve runs it all by hand.
//
// What it does not do is refused with UnknownOperationException or an error that
// says so, never answered with something made up. What differs from AWS without
// being refused: asynchronous invocations are not queued when there is no
// concurrency left, and not tried again when they fail; new environments are not
// limited to 1,000 in 10 seconds; an environment costs the start of its program
// and no more, at the share of a CPU that it has later; histories and logs are
// complete at once; permissions are refused by injected faults only.
//
// None of it has been compared with AWS itself, only with its documentation, its
// SDK and recorded logs.
package emulator
