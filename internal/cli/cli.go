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

// description is what --help says beyond the summary.
func (v verb) description() string {
	if len(v.shown) == 0 {
		return v.detail
	}
	examples := "Examples:\n  eevee " + strings.Join(v.shown, "\n  eevee ")
	if v.detail == "" {
		return examples
	}
	return v.detail + "\n\n" + examples
}

// Run runs the program with the given arguments, without its name, and returns
// the exit code: 0 done, 1 failed, 2 wrong usage, 3 infeasible or nothing
// found, 130 interrupted, which is what the end of ctx means. Results go to
// stdout, everything else to stderr.
func Run(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	return run(ctx, verbs(), args, stdout, stderr)
}

func run(ctx context.Context, verbs []verb, args []string, stdout, stderr io.Writer) (code int) {
	out := &results{Writer: stdout}
	c := &call{ctx: ctx, stdout: out, stderr: stderr, seed: 1}
	defer func() {
		// A broken contract inside the program is not wrong usage, which is
		// what the exit code of a panic would say.
		if broken := recover(); broken != nil {
			fmt.Fprintf(stderr, "eevee: internal error, please report: %v\n%s", broken, debug.Stack())
			code = exitFailed
		}
	}()
	var err error
	if len(args) > 0 && args[0] == completeWord {
		err = complete(out, commonFlags(c), verbs, args[1:])
	} else {
		err = dispatch(c, verbs, args)
	}
	c.endProgress()
	if err == nil && out.err != nil {
		err = fmt.Errorf("cannot print the result: %w", out.err)
	}
	return exitCode(ctx, stderr, strings.Join(c.path, " "), err)
}

// results is where results go. It keeps the first error: urfave/cli, which prints
// the help, looks at none.
type results struct {
	io.Writer
	err error
}

// Write implements io.Writer.
func (r *results) Write(text []byte) (int, error) {
	n, err := r.Writer.Write(text)
	if r.err == nil {
		r.err = err
	}
	return n, err
}

// dispatch finds the verb and hands its arguments to urfave/cli in the order
// that it can read: flags first.
func dispatch(c *call, verbs []verb, args []string) error {
	l, err := parseLine(commonFlags(c), verbs, args)
	c.path = l.path
	if err != nil {
		return err
	}
	app := &ucli.App{
		Name:                  "eevee",
		Usage:                 "choose memory and parallelism for every stage of a serverless workflow",
		Writer:                c.stdout,
		ErrWriter:             c.stderr,
		Flags:                 commonFlags(c),
		HideHelp:              true,
		HideVersion:           true,
		CustomAppHelpTemplate: programHelp,
		ExitErrHandler:        func(*ucli.Context, error) {}, // report turns errors into exit codes
	}
	for _, v := range verbs {
		app.Commands = append(app.Commands, v.command(c))
	}
	return app.RunContext(c.ctx, l.arguments())
}

// command returns the verb as urfave/cli wants it.
func (v verb) command(c *call) *ucli.Command {
	cmd := &ucli.Command{
		Name:               v.name,
		Usage:              v.summary,
		Description:        v.description(),
		ArgsUsage:          v.args,
		Flags:              append(v.flags[:len(v.flags):len(v.flags)], commonFlags(c)...),
		HideHelp:           true,
		CustomHelpTemplate: verbHelp,
	}
	cmd.OnUsageError = func(_ *ucli.Context, err error, _ bool) error { return flagError(cmd.Flags, err) }
	for _, sub := range v.verbs {
		cmd.Subcommands = append(cmd.Subcommands, sub.command(c))
	}
	if v.run == nil {
		cmd.CustomHelpTemplate = groupHelp
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
