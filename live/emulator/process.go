package emulator

import "context"

// newProcess makes the environment of an uploaded program.
func (e *Emulator) newProcess(*environment) worker { return noProgram{} }

// noProgram is the environment of a program: none can be run yet.
type noProgram struct{}

func (noProgram) close() {}

func (noProgram) serve(context.Context, job) outcome {
	return outcome{failure: exited, detail: "programs are not run yet", maxMemory: 1, gone: true}
}
