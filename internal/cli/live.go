package cli

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"slices"
	"strings"
	"syscall"

	"golang.org/x/term"

	"eevee/experiments"
	"eevee/live"
	"eevee/models"
)

func liveVerb() verb {
	return verb{
		name:    "live",
		summary: "profile and validate functions on AWS",
		detail: "These verbs run real functions, which costs money. They do nothing without --live,\n" +
			"--max-spend and --account; they print what they are going to do and ask, unless\n" +
			"--yes is given; they end before the spend can exceed the cap; and they undo every\n" +
			"change in the end, also after Ctrl-C. After a crash, \"eevee live restore\" does that.\n\n" +
			"Credentials come from the default chain of the AWS SDK. None of this has been run\n" +
			"against AWS itself so far, only against an emulator of its wire.",
		verbs: []verb{liveProfileVerb(), liveValidateVerb(), liveRestoreVerb(), livePolicyVerb()},
	}
}

// liveFlags are the flags of the verbs that run functions.
type liveFlags struct {
	account, region, price, journals, name string
	functions, machine, input, role        string
	live, yes, inPlace, dryRun             bool
	maxSpend, timeout                      float64
	concurrency                            int
}

func (l *liveFlags) flags() flags {
	return flags{
		switchFlag(&l.live, "live", "really run functions on AWS"),
		usdFlag(&l.maxSpend, "max-spend", "", "cap on the spend in `USD`; it holds even if every function runs into its timeout"),
		textFlag(&l.account, "account", "", "`ID` of the account that the credentials must be of"),
		switchFlag(&l.yes, "yes", "do not ask"),
		switchFlag(&l.dryRun, "dry-run", "print the plan and end; needs no --live, --max-spend and --account, and changes nothing"),
		textFlag(&l.region, "region", "", "`REGION`; default: that of the AWS configuration"),
		textFlag(&l.functions, "functions", "", "which function is behind which stage: `FILE` (YAML)"),
		textFlag(&l.machine, "state-machine", "", "`ARN` of the state machine that executes the workflow, in place of --functions"),
		textFlag(&l.input, "input", "", "input of the state machine's executions: `FILE` (JSON), with ${execution} and ${parallelism.STAGE}"),
		textFlag(&l.role, "state-machine-role", "", "`ARN` of the role of the state machine's copies; default: that of the state machine"),
		switchFlag(&l.inPlace, "in-place", "change the memory of the functions themselves, publish versions of them, and set it back in the end; default: of copies"),
		secondsFlag(&l.timeout, "timeout", "", "timeout of the copies, as a `TIME` in whole seconds; default: that of the functions"),
		countFlag(&l.concurrency, "concurrency", "100", "`N` invocations in flight at a time, at most"),
		priceFlag(&l.price, "", "; default: by the functions' instruction set, us-east-1"),
		textFlag(&l.journals, "journal", "", "`FOLDER` for the journal of changes; default: $XDG_STATE_HOME/eevee/live"),
		textFlag(&l.name, "name", "", "`NAME` that marks what is created: at most 16 small letters and digits; default: random"),
	}
}

// check says what is wrong with the flags before anything is done.
func (l *liveFlags) check() error {
	switch {
	case (l.functions == "") == (l.machine == ""):
		return usagef("give one of --functions and --state-machine")
	case l.machine == "" && (l.input != "" || l.role != ""):
		return usagef("--input and --state-machine-role are for a --state-machine")
	case l.timeout != float64(int(l.timeout)) || l.timeout > 900:
		return usagef("--timeout: AWS Lambda takes whole seconds up to 900, not %v", l.timeout)
	case l.timeout > 0 && l.inPlace:
		return usagef("--timeout is that of copies, and --in-place makes none; leave out one of them")
	case len(l.name) > 16 || strings.Trim(l.name, "abcdefghijklmnopqrstuvwxyz0123456789") != "":
		return usagef("--name: %q is not made of at most 16 small letters and digits", l.name)
	case l.dryRun:
		return nil
	}
	for _, missing := range []struct {
		is   bool
		flag string
		why  string
	}{
		{!l.live, "live", "this runs functions on AWS and costs money"},
		{l.maxSpend == 0, "max-spend", "the cap on the spend in USD"},
		{l.account == "", "account", "the account that this may be done in"},
	} {
		if missing.is {
			return usagef("--%s is missing: %s (--dry-run shows the plan)", missing.flag, missing.why)
		}
	}
	return nil
}

// open opens the account that the credentials are of.
func (l *liveFlags) open(c *call) (*live.Client, error) {
	client, err := live.Open(c.ctx, live.Settings{Region: l.region, Concurrency: l.concurrency, Streams: c.streams()})
	if err != nil {
		return nil, err
	}
	if l.account != "" {
		if err := client.CheckAccount(l.account); err != nil {
			client.Close()
			return nil, err
		}
	}
	return client, nil
}

// request returns a session as the flags describe it.
func (l *liveFlags) request(w *models.Workflow) (live.Request, error) {
	r := live.Request{
		Workflow: w, InPlace: l.inPlace, TimeoutS: int(l.timeout), MaxSpendUSD: l.maxSpend, Price: l.price, Journals: l.journals, Run: l.name,
	}
	var err error
	if l.functions != "" {
		r.Targets, err = live.ReadTargets(l.functions, w)
		return r, err
	}
	r.Machine = &live.Machine{ARN: l.machine, Role: l.role}
	var input []byte
	if l.input != "" {
		if input, err = os.ReadFile(l.input); err != nil {
			return r, err
		}
	}
	if r.Machine.Input, err = live.ParseTemplate(input); err != nil {
		return r, fmt.Errorf("%s: %w", l.input, err)
	}
	return r, nil
}

// liveRun is what a session did, as the verbs print it.
type liveRun struct {
	Plan *live.Plan `json:"plan"`
	*live.Outcome
	Output string `json:"output,omitempty"`
}

// execute plans a session, asks, and runs it. done is nil with --dry-run.
func (l *liveFlags) execute(c *call, client *live.Client, r live.Request) (done *liveRun, s *live.Session, err error) {
	// Whoever reads what is printed may go away, as "| head" does. That must not
	// end the program before it has undone its changes.
	signal.Ignore(syscall.SIGPIPE)
	s, err = live.Prepare(c.ctx, client, r)
	if err != nil {
		return nil, nil, err
	}
	done = &liveRun{Plan: &s.Plan, Output: r.Output}
	if l.dryRun {
		return done, s, nil
	}
	var plan strings.Builder
	writePlan(&plan, s.Plan)
	c.show(plan.String())
	if err := l.confirm(c); err != nil {
		return nil, nil, err
	}
	stop := context.AfterFunc(c.ctx, func() {
		c.warn("interrupted: undoing what was changed; another Ctrl-C leaves that to \"eevee live restore\"")
	})
	defer stop()
	progress := c.track("live", s.Steps())
	out, err := s.Execute(c.ctx, func() { progress.add(1) })
	c.endProgress()
	for _, w := range out.Warnings {
		c.warn("%s", w)
	}
	done.Outcome = &out
	if errors.Is(err, context.Canceled) {
		// That it was interrupted is said in the end; this says how it ended.
		c.warn("%v", err)
	}
	return done, s, err
}

// show tells on stderr what the user must see before being asked.
func (c *call) show(text string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	io.WriteString(c.stderr, text)
}

// confirm asks whether the plan is to be carried out.
func (l *liveFlags) confirm(c *call) error {
	if l.yes {
		return nil
	}
	if !term.IsTerminal(int(os.Stdin.Fd())) {
		return usagef("nobody can be asked here; look at the plan above and give --yes")
	}
	c.show("Go ahead? [y/N] ")
	answer := make(chan string, 1)
	go func() { // ends with the program if nobody answers
		line, _ := bufio.NewReader(os.Stdin).ReadString('\n')
		answer <- strings.ToLower(strings.TrimSpace(line))
	}()
	select {
	case <-c.ctx.Done():
		return c.ctx.Err()
	case a := <-answer:
		if a == "y" || a == "yes" {
			return nil
		}
		return errors.New("not confirmed; nothing was done")
	}
}

func writePlan(b *strings.Builder, p live.Plan) {
	fmt.Fprintf(b, "account %s, region %s, workflow %s, run %s\n\n", p.Account, p.Region, p.Workflow, p.Run)
	var rows [][]any
	for _, f := range p.Functions {
		rows = append(rows, []any{f.Function, strings.Join(f.Stages, " "), joined(f.SizesMB), f.TimeoutS, f.Arch})
	}
	b.WriteString(textTable([]any{"function", "stages", "sizes MB", "timeout s", "arch"}, rows) + "\n")
	rows = nil
	for _, k := range p.Configurations {
		rows = append(rows, []any{k.Configuration, k.WarmUps, k.Runs, k.Invocations, short(k.ExpectedUSD), short(k.WorstUSD)})
	}
	b.WriteString(textTable([]any{"configuration", "warm-ups", "runs", "invocations", "expected USD", "at most USD"}, rows) + "\n")
	for _, change := range p.Changes {
		fmt.Fprintf(b, "will %s\n", change)
	}
	for _, w := range p.Warnings {
		fmt.Fprintf(b, "warning: %s\n", w)
	}
	fmt.Fprintf(b, "%d invocations, about %s USD by %s, at most %s USD", p.Invocations, short(p.ExpectedUSD), p.Basis, short(p.WorstUSD))
	if p.CapUSD > 0 {
		fmt.Fprintf(b, ", capped at %s USD", short(p.CapUSD))
	}
	b.WriteString("\n\n")
}

func joined(numbers []int) string {
	return strings.ReplaceAll(strings.Trim(fmt.Sprint(numbers), "[]"), " ", ", ")
}

// writeOutcome says how a session ended.
func writeOutcome(b *strings.Builder, r *liveRun) {
	o := r.Outcome
	failed := 0
	for _, e := range o.Executions {
		if e.Status != "succeeded" {
			failed++
		}
	}
	fmt.Fprintf(b, "%d executions, %d of them failed; %d invocations answered, %d lost, %d throttled attempts made again\n",
		len(o.Executions), failed, o.Invocations, o.Lost, o.Retried)
	fmt.Fprintf(b, "spent %s USD", short(o.Spend.BilledUSD))
	if o.Spend.UnknownUSD > 0 {
		fmt.Fprintf(b, ", and up to %s USD for invocations that ended without an answer", short(o.Spend.UnknownUSD))
	}
	fmt.Fprintf(b, ", of %s USD\n", short(o.Spend.CapUSD))
	writeRestored(b, o.Restored)
	if r.Output != "" {
		fmt.Fprintf(b, "%s: the executions as a trace\n", r.Output)
	}
}

func writeRestored(b *strings.Builder, r live.Restored) {
	for _, did := range r.Did {
		fmt.Fprintf(b, "%s\n", did)
	}
	for _, left := range r.Left {
		fmt.Fprintf(b, "%s\n", left)
	}
	if r.Done {
		b.WriteString("all is as it was\n")
	} else if r.Journal != "" {
		fmt.Fprintf(b, "not all is as it was: eevee live restore %s\n", r.Journal)
	}
}

// expected returns how long instances run, by a trace of the workflow: the mean
// of the executions with the same configuration, else the longest mean of the
// stage.
func expected(def *models.Definition, t experiments.Trace) (func(i int, c models.StageConfig, input int) (float64, bool), error) {
	p, err := models.NewProfile(def, t.Rows)
	if err != nil {
		return nil, err
	}
	return func(i int, c models.StageConfig, _ int) (float64, bool) {
		same, longest, n := 0.0, 0.0, 0
		for _, o := range p.Stage(i) {
			longest = max(longest, o.Mean.Exec())
			if o.Config.Same(c) {
				same, n = same+o.Mean.Exec(), n+1
			}
		}
		if n > 0 {
			return same / float64(n), true
		}
		return longest, longest > 0
	}, nil
}

// checkLiveOutput says what stands against appending to a trace.
func checkLiveOutput(c *call, output string, inputs ...string) error {
	if output == "" {
		return nil
	}
	inputs = slices.DeleteFunc(inputs, func(s string) bool { return s == output })
	appends, err := checkOutput(output, inputs...)
	if appends {
		c.remark("%s exists and is added to", output)
	}
	return err
}
