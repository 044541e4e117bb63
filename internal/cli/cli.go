// Package cli is the command line: the flags and arguments of every verb, how
// results are printed, and what the exit code says. One file holds one verb;
// the work itself is done by the other packages.
//
// A new verb is one file with a function that returns a verb, and one line in
// the table of verbs.
package cli

import (
	"context"
	"fmt"
	"io"
	"runtime/debug"
	"strings"

	ucli "github.com/urfave/cli/v2"
)

// summary says what the program is for.
const summary = "choose memory and parallelism for every stage of a serverless workflow"

// verbs is the table of verbs, in the order of "eevee help". It is made anew
// for every run: verbs keep the values of their flags.
func verbs() []verb {
	return []verb{
		workflowsVerb(),
		tracesVerb(),
		importVerb(),
		fitVerb(),
		solveVerb(),
		explainVerb(),
		simulateVerb(),
		compareVerb(),
		sweepVerb(),
		figuresVerb(),
		reproduceVerb(),
		liveVerb(),
		completionVerb(),
		versionVerb(),
	}
}

// verb is one word of the command line: something to do (run), a group of
// further verbs, or both; the further verb then follows at once.
type verb struct {
	name    string
	summary string   // one line, for lists of verbs
	detail  string   // what --help says beyond the summary; optional
	shown   []string // examples, as they are typed behind "eevee"
	args    string   // the arguments, as "NAME", "FILE...", "[ID...]"; empty: none
	offers  []string // what a shell completes them to, beside files; optional
	flags   flags    // besides those that every verb has
	need    []string // names of flags that must be given
	run     func(c *call) error
	verbs   []verb
}

// Run runs the program with the given arguments, without its name, and returns
// the exit code: 0 done, 1 failed, 2 wrong usage, 3 infeasible or nothing
// found, 130 interrupted, which is what the end of ctx means. Results go to
// stdout, everything else to stderr.
func Run(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	return run(ctx, verbs(), args, stdout, stderr)
}

func run(ctx context.Context, verbs []verb, args []string, stdout, stderr io.Writer) (code int) {
	c := &call{ctx: ctx, stdout: stdout, stderr: stderr, seed: 1}
	defer func() {
		// A broken contract inside the program is not wrong usage, which is
		// what the exit code of a panic would say.
		if broken := recover(); broken != nil {
			fmt.Fprintf(stderr, "eevee: internal error, please report: %v\n%s", broken, debug.Stack())
			code = exitFailed
		}
	}()
	err := dispatch(c, verbs, args)
	c.endProgress()
	return exitCode(ctx, stderr, strings.Join(c.path, " "), err)
}

// dispatch finds the verb and hands its arguments to urfave/cli in the order
// that it can read: flags first.
func dispatch(c *call, verbs []verb, args []string) error {
	if len(args) > 0 && args[0] == completeWord {
		return c.print(completionText(commonFlags(c), verbs, args[1:]))
	}
	l, err := parseLine(commonFlags(c), verbs, args)
	c.path = l.path
	switch {
	case err != nil:
		return err
	case l.help && l.verb == nil:
		return c.print(programHelp(verbs))
	case l.help:
		return c.print(l.verb.help(l.path, commonFlags(c)))
	}
	app := &ucli.App{
		Name:           "eevee",
		Writer:         c.stdout,
		ErrWriter:      c.stderr,
		Flags:          commonFlags(c),
		HideHelp:       true,
		HideVersion:    true,
		ExitErrHandler: func(*ucli.Context, error) {}, // exitCode prints errors
	}
	for _, v := range verbs {
		app.Commands = append(app.Commands, v.command(c))
	}
	return app.RunContext(c.ctx, l.arguments())
}

// command returns the verb as urfave/cli wants it.
func (v verb) command(c *call) *ucli.Command {
	cmd := &ucli.Command{
		Name:     v.name,
		Flags:    append(v.flags[:len(v.flags):len(v.flags)], commonFlags(c)...),
		HideHelp: true,
	}
	cmd.OnUsageError = func(_ *ucli.Context, err error, _ bool) error { return flagError(cmd.Flags, err) }
	for _, sub := range v.verbs {
		cmd.Subcommands = append(cmd.Subcommands, sub.command(c))
	}
	if v.run == nil {
		return cmd
	}
	cmd.Action = func(u *ucli.Context) error {
		if err := checkNeeded(cmd.Flags, v.need, u.IsSet); err != nil {
			return err
		}
		c.args, c.isSet = u.Args().Slice(), u.IsSet
		if err := c.ctx.Err(); err != nil {
			return err
		}
		return v.run(c)
	}
	return cmd
}
