package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
)

// The exit codes. Wrong usage is what no file could make right: a flag that is
// not known, a value that none can have, flags that exclude each other. What a
// file holds, or does not admit, is bad input, and so is a file that is not there.
const (
	exitDone        = 0   // optimal or done, or a limit was hit with an incumbent
	exitFailed      = 1   // bad input, or the outside world failed
	exitUsage       = 2   // wrong usage of the command line
	exitNothing     = 3   // infeasible, or nothing was found
	exitInterrupted = 130 // Ctrl-C or SIGTERM
)

// statusError is an error with an exit code of its own. Any other error means
// exitFailed.
type statusError struct {
	code int
	err  error
}

func (e statusError) Error() string { return e.err.Error() }
func (e statusError) Unwrap() error { return e.err }

// usagef returns the error for a command line that makes no sense. The verb is
// put in front of it.
func usagef(format string, args ...any) error {
	return statusError{exitUsage, fmt.Errorf(format, args...)}
}

// nothingf returns the error for a search that ended with nothing: the bound is
// unreachable, or no configuration was found. The result is printed before.
func nothingf(format string, args ...any) error {
	return statusError{exitNothing, fmt.Errorf(format, args...)}
}

// exitCode prints err, one line per defect, and returns the exit code. Of an
// interruption errors speak in many ways; one line says it.
func exitCode(ctx context.Context, stderr io.Writer, verb string, err error) int {
	interrupted := ctx.Err() != nil
	code := exitDone
	if err != nil && !(interrupted && errors.Is(err, context.Canceled)) {
		code = printError(stderr, verb, err)
	}
	if interrupted {
		fmt.Fprintln(stderr, "eevee: interrupted")
		return exitInterrupted
	}
	return code
}

// printError prints err, one line per defect, and returns the exit code for it.
func printError(stderr io.Writer, verb string, err error) int {
	code, prefix := exitFailed, "eevee: "
	var status statusError
	if errors.As(err, &status) {
		code = status.code
	}
	if code != exitFailed && verb != "" {
		prefix += verb + ": "
	}
	for line := range strings.Lines(err.Error()) {
		if line = strings.TrimSpace(line); line != "" {
			fmt.Fprintln(stderr, prefix+line)
		}
	}
	return code
}
