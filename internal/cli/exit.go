package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
)

// The exit codes.
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

// exitCode prints err, one line per defect, and returns the exit code.
func exitCode(ctx context.Context, stderr io.Writer, verb string, err error) int {
	if ctx.Err() != nil {
		fmt.Fprintln(stderr, "eevee: interrupted")
		return exitInterrupted
	}
	if err == nil {
		return exitDone
	}
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
