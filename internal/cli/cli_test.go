package cli

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

// runVerb runs a program with one verb.
func runVerb(ctx context.Context, v verb, args ...string) (code int, stdout, stderr string) {
	var out, err bytes.Buffer
	code = run(ctx, []verb{v}, append([]string{v.name}, args...), &out, &err)
	return code, out.String(), err.String()
}

func TestExitCodes(t *testing.T) {
	answer := func(c *call) error {
		return c.result(map[string]float64{"x": 1}, func(w io.Writer) error {
			_, err := fmt.Fprintln(w, "x = 1")
			return err
		})
	}
	for name, tc := range map[string]struct {
		run            func(c *call) error
		code           int
		stdout, stderr string
	}{
		"done":    {answer, exitDone, "x = 1\n", ""},
		"failed":  {func(*call) error { return errors.New("traces: t.parquet: row 3: no") }, exitFailed, "", "eevee: traces: t.parquet: row 3: no\n"},
		"defects": {func(*call) error { return errors.Join(errors.New("a"), errors.New("b\n\n c ")) }, exitFailed, "", "eevee: a\neevee: b\neevee: c\n"},
		"usage":   {func(*call) error { return usagef("one of --latency and --cost is needed") }, exitUsage, "", "eevee: do: one of --latency and --cost is needed\n"},
		"wrapped": {func(*call) error { return fmt.Errorf("model: %w", usagef("bad")) }, exitUsage, "", "eevee: do: model: bad\n"},
		"nothing": {
			func(c *call) error {
				return errors.Join(answer(c), nothingf("no configuration keeps 1 s; the best reachable is 21.5 s"))
			},
			exitNothing, "x = 1\n", "eevee: do: no configuration keeps 1 s; the best reachable is 21.5 s\n",
		},
		"text fails": {
			func(c *call) error {
				return c.result(nil, func(w io.Writer) error { fmt.Fprint(w, "half"); return errors.New("no") })
			},
			exitFailed, "", "eevee: no\n",
		},
	} {
		code, stdout, stderr := runVerb(context.Background(), verb{name: "do", run: tc.run})
		if code != tc.code || stdout != tc.stdout || stderr != tc.stderr {
			t.Errorf("%s: exit %d, stdout %q, stderr %q; want %d, %q, %q", name, code, stdout, stderr, tc.code, tc.stdout, tc.stderr)
		}
	}
}

func TestPanicIsNotWrongUsage(t *testing.T) {
	code, stdout, stderr := runVerb(context.Background(), verb{name: "do", run: func(*call) error { panic("broken contract") }})
	if code != exitFailed || stdout != "" || !strings.HasPrefix(stderr, "eevee: internal error, please report: broken contract\n") {
		t.Errorf("exit %d, stdout %q, stderr %q", code, stdout, stderr)
	}
}

func TestInterrupted(t *testing.T) {
	const line = "eevee: interrupted\n"
	ctx, cancel := context.WithCancel(context.Background())
	wait := verb{name: "wait", run: func(c *call) error {
		cancel() // as Ctrl-C does
		<-c.ctx.Done()
		return fmt.Errorf("wait: %w", c.ctx.Err())
	}}
	if code, stdout, stderr := runVerb(ctx, wait); code != exitInterrupted || stdout != "" || stderr != line {
		t.Errorf("in the middle: exit %d, stdout %q, stderr %q", code, stdout, stderr)
	}

	unreached := verb{name: "wait", run: func(*call) error { panic("was run") }}
	if code, stdout, stderr := runVerb(ctx, unreached); code != exitInterrupted || stdout != "" || stderr != line {
		t.Errorf("before it began: exit %d, stdout %q, stderr %q", code, stdout, stderr)
	}

	// What a search has when it is interrupted is printed.
	ctx, cancel = context.WithCancel(context.Background())
	incumbent := verb{name: "wait", run: func(c *call) error {
		cancel()
		<-c.ctx.Done()
		return c.result("incumbent", nil)
	}}
	if code, stdout, stderr := runVerb(ctx, incumbent, "--json"); code != exitInterrupted || stdout != "\"incumbent\"\n" || stderr != line {
		t.Errorf("with a result: exit %d, stdout %q, stderr %q", code, stdout, stderr)
	}

	// So is what went wrong beside the interruption.
	ctx, cancel = context.WithCancel(context.Background())
	full := verb{name: "wait", run: func(c *call) error {
		cancel()
		return errors.New("config.json: no space left on device")
	}}
	if code, _, stderr := runVerb(ctx, full); code != exitInterrupted || stderr != "eevee: config.json: no space left on device\n"+line {
		t.Errorf("with another error: exit %d, stderr %q", code, stderr)
	}

	// A deadline of the verb's own is no interruption.
	deadline := verb{name: "wait", run: func(c *call) error {
		ctx, cancel := context.WithTimeout(c.ctx, time.Millisecond)
		defer cancel()
		<-ctx.Done()
		return c.result("incumbent", nil)
	}}
	if code, _, stderr := runVerb(context.Background(), deadline, "--json"); code != exitDone || stderr != "" {
		t.Errorf("deadline: exit %d, stderr %q", code, stderr)
	}
}

// full is a device that takes nothing more.
type full struct{}

func (full) Write([]byte) (int, error) { return 0, errors.New("no space left on device") }

func TestResultThatCannotBePrinted(t *testing.T) {
	for _, command := range []string{"version", "help", "solve --help", "help traces"} {
		var stderr bytes.Buffer
		code := run(context.Background(), verbs(), strings.Fields(command), full{}, &stderr)
		if want := "eevee: cannot print the result: no space left on device\n"; code != exitFailed || stderr.String() != want {
			t.Errorf("%s: exit %d, stderr %q, want %q", command, code, stderr.String(), want)
		}
	}
}

// solving is a verb with every kind of flag.
type solving struct {
	seconds, usd, percentile float64
	samples                  int
	rule, output             string
	seed                     uint64
	json                     bool
	args                     []string
}

func solvingVerb(to *solving) verb {
	return verb{
		name: "solve",
		args: "[FILE...]",
		flags: flags{
			secondsFlag(&to.seconds, "latency", "", "bound"),
			usdFlag(&to.usd, "cost", "", "bound"),
			percentFlag(&to.percentile, "percentile", "95", "of the bound"),
			countFlag(&to.samples, "samples", "10000", "scenarios"),
			choiceFlag(&to.rule, "rule", "certified", "of the bound", []string{"certified", "plugin", "verified"}),
			outputFlag(&to.output, "file"),
		},
		run: func(c *call) error {
			to.seed, to.json, to.args = c.seed, c.json, c.args
			if c.streams().Seed != c.seed {
				return errors.New("the streams do not follow from the seed")
			}
			if c.isSet("latency") == c.isSet("cost") {
				return usagef("one of --latency and --cost is needed")
			}
			return nil
		},
	}
}

func TestFlags(t *testing.T) {
	for command, want := range map[string]solving{
		"--latency 40s":                       {seconds: 40},
		"--latency 40":                        {seconds: 40},
		"--latency=1m30.5s":                   {seconds: 90.5},
		"-latency 250ms":                      {seconds: 0.25},
		"--cost 0.012":                        {usd: 0.012},
		"--cost 1e-3 --percentile 99.9":       {usd: 0.001, percentile: 99.9},
		"--cost 1 --samples 2715 --seed 0":    {usd: 1, samples: 2715},
		"--cost 1 --rule plugin --json -o -":  {usd: 1, rule: "plugin", json: true, output: "-"},
		"a --cost 1 b -o c -- --latency d -o": {usd: 1, output: "c", args: []string{"a", "b", "--latency", "d", "-o"}},
		"- --cost 1 --":                       {usd: 1, args: []string{"-"}},
		"cost --cost 1":                       {usd: 1, args: []string{"cost"}},
	} {
		var got solving
		code, _, stderr := runVerb(context.Background(), solvingVerb(&got), strings.Fields(command)...)
		if want.percentile == 0 {
			want.percentile = 95
		}
		if want.samples == 0 {
			want.samples = 10000
		}
		if want.rule == "" {
			want.rule = "certified"
		}
		if !strings.Contains(command, "--seed") {
			want.seed = 1
		}
		if want.args == nil {
			want.args = []string{}
		}
		if diff := cmp.Diff(want, got, cmp.AllowUnexported(solving{})); code != exitDone || diff != "" {
			t.Errorf("%s: exit %d, %s (-want +got):\n%s", command, code, stderr, diff)
		}
	}
}

func TestFlagValuesThatAreRefused(t *testing.T) {
	for command, want := range map[string]string{
		"":                            "one of --latency and --cost is needed",
		"--latency 1 --cost 1":        "one of --latency and --cost is needed",
		"--latency 0":                 "--latency 0 is not above 0 and finite",
		"--latency 0s":                "--latency 0s is not above 0 and finite",
		"--latency -5s":               "--latency -5s is not above 0 and finite",
		"--latency NaN":               "--latency NaN is not above 0 and finite",
		"--latency Inf":               "--latency Inf is not above 0 and finite",
		"--latency 1e999":             `--latency "1e999" is not a time; write 40s, 1m30s or 40 (seconds)`,
		"--latency 40sec":             `--latency "40sec" is not a time; write 40s, 1m30s or 40 (seconds)`,
		"--latency=":                  `--latency "" is not a time; write 40s, 1m30s or 40 (seconds)`,
		"--cost 1.2c":                 `--cost "1.2c" is not an amount in USD; write 0.012`,
		"--cost 0":                    "--cost 0 is not above 0 and finite",
		"--cost -1":                   "--cost -1 is not above 0 and finite",
		"--cost nan":                  "--cost nan is not above 0 and finite",
		"--cost 1 --percentile 100":   "--percentile 100 is not above 0 and below 100",
		"--cost 1 --percentile 0":     "--percentile 0 is not above 0 and below 100",
		"--cost 1 --percentile -1":    "--percentile -1 is not above 0 and below 100",
		"--cost 1 --percentile NaN":   "--percentile NaN is not above 0 and below 100",
		"--cost 1 --percentile p95":   `--percentile "p95" is not a percentage; write 95`,
		"--cost 1 --samples 0":        "--samples 0 is not at least 1",
		"--cost 1 --samples 1.5":      `--samples "1.5" is not a whole number`,
		"--cost 1 --samples 1" + "e6": `--samples "1e6" is not a whole number`,
		"--cost 1 --samples 99999999999999999999": "--samples 99999999999999999999 is too large",
		"--cost 1 --rule certifid":                `--rule "certifid" is none of certified, plugin, verified; did you mean "certified"?`,
		"--cost 1 --rule ''":                      `--rule "''" is none of certified, plugin, verified`,
	} {
		code, stdout, stderr := runVerb(context.Background(), solvingVerb(new(solving)), strings.Fields(command)...)
		if line := "eevee: solve: " + want + "\n"; code != exitUsage || stdout != "" || stderr != line {
			t.Errorf("%s: exit %d, stdout %q, stderr\n%s want\n%s", command, code, stdout, stderr, line)
		}
	}
}

// Flags may stand anywhere among the arguments, written in any of four ways.
func TestOrderOfFlagsDoesNotMatter(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		word := rapid.StringMatching(`[a-z=./]{1,8}`)
		args := rapid.SliceOfN(word, 0, 4).Draw(t, "args")
		want := solving{
			seconds:    rapid.Float64Range(1e-6, 1e6).Draw(t, "seconds"),
			percentile: rapid.Float64Range(1, 99.9).Draw(t, "percentile"),
			samples:    rapid.IntRange(1, math.MaxInt).Draw(t, "samples"),
			rule:       rapid.SampledFrom([]string{"certified", "plugin", "verified"}).Draw(t, "rule"),
			output:     word.Draw(t, "output"),
			seed:       rapid.Uint64().Draw(t, "seed"),
			args:       args,
		}
		var pairs [][]string
		for _, f := range []struct {
			name  string
			value any
		}{
			{"latency", want.seconds}, {"percentile", want.percentile}, {"samples", want.samples},
			{"rule", want.rule}, {"output", want.output}, {"seed", want.seed},
		} {
			text := fmt.Sprint(f.value)
			pairs = append(pairs, rapid.SampledFrom([][]string{
				{"--" + f.name, text}, {"--" + f.name + "=" + text}, {"-" + f.name, text}, {"-" + f.name + "=" + text},
			}).Draw(t, f.name))
		}
		pairs = rapid.Permutation(pairs).Draw(t, "order")
		var command []string
		for len(pairs)+len(args) > 0 {
			if len(pairs) == 0 || len(args) > 0 && rapid.Bool().Draw(t, "argument next") {
				command, args = append(command, args[0]), args[1:]
			} else {
				command, pairs = append(command, pairs[0]...), pairs[1:]
			}
		}
		var got solving
		code, _, stderr := runVerb(context.Background(), solvingVerb(&got), command...)
		if diff := cmp.Diff(want, got, cmp.AllowUnexported(solving{})); code != exitDone || diff != "" {
			t.Fatalf("%q: exit %d, %s (-want +got):\n%s", command, code, stderr, diff)
		}
	})
}

// A word behind a verb that has both is a further verb only if it follows at
// once and is one; else it is an argument.
func TestVerbWithFurtherVerbs(t *testing.T) {
	for line, want := range map[string]string{
		"x":           "do [x]",
		"more":        "more []",
		"./more":      "do [./more]",
		"--fast more": "",
		"x more":      "do [x more]",
	} {
		got := ""
		fast := false
		say := func(name string) func(*call) error {
			return func(c *call) error { got = fmt.Sprint(name, " ", c.args); return nil }
		}
		v := verb{name: "do", summary: "s", args: "A [B]", flags: flags{switchFlag(&fast, "fast", "f")}, run: say("do"),
			verbs: []verb{{name: "more", summary: "m", run: say("more")}}}
		if code, _, stderr := runVerb(t.Context(), v, strings.Fields(line)...); (code == exitDone) != (want != "") || got != want {
			t.Errorf("%q: ran %q, want %q (exit %d, %s)", line, got, want, code, stderr)
		}
	}
}

// verbOf returns the verb that a command line runs, without running it; "" if
// the line is refused.
func verbOf(command string) (name string, code int, stderr string) {
	var stub func(path string, all []verb) []verb
	stub = func(path string, all []verb) []verb {
		for i := range all {
			path := strings.TrimSpace(path + " " + all[i].name)
			all[i].verbs = stub(path, all[i].verbs)
			if all[i].run != nil {
				all[i].run = func(*call) error { name = path; return nil }
			}
		}
		return all
	}
	var out, err bytes.Buffer
	code = run(context.Background(), stub("", verbs()), strings.Fields(command), &out, &err)
	return name, code, err.String()
}

// The table of verbs keeps the promises of the frame.
func TestVerbs(t *testing.T) {
	var check func(path string, all []verb)
	check = func(path string, all []verb) {
		seen := make(map[string]bool)
		for _, v := range all {
			name := strings.TrimSpace(path + " " + v.name)
			if v.name == "" || seen[v.name] {
				t.Errorf("%q: no name of its own", name)
			}
			seen[v.name] = true
			if v.summary == "" || strings.HasSuffix(v.summary, ".") || strings.Contains(v.summary, "\n") {
				t.Errorf("%s: summary %q is not one line without a full stop", name, v.summary)
			}
			if v.run == nil && v.verbs == nil {
				t.Errorf("%s: is neither a verb nor a group", name)
			}
			if v.run != nil && v.verbs != nil && len(strings.Fields(v.args)) == 0 {
				t.Errorf("%s: takes no argument, so a further verb behind it could only be meant as one", name)
			}
			known := append(slices.Clone(v.flags), commonFlags(new(call))...)
			flagSeen := make(map[string]bool)
			for _, n := range flagNames(known) {
				if flagSeen[n] {
					t.Errorf("%s: flag %s is defined twice", name, n)
				}
				flagSeen[n] = true
			}
			for _, n := range v.need {
				if !flagSeen[n] {
					t.Errorf("%s: needs flag %s, which it does not have", name, n)
				}
			}
			if v.run != nil && len(v.need) > 0 && len(v.shown) == 0 {
				t.Errorf("%s: needs flags, and shows no example", name)
			}
			for _, example := range v.shown {
				if got, _, stderr := verbOf(example); got != name {
					t.Errorf("eevee %s: is of verb %q, not %q: %s", example, got, name, stderr)
				}
			}
			if code, stdout, stderr := runProgram(append(strings.Fields(name), "--help")...); code != exitDone || !strings.Contains(stdout, v.summary) || stderr != "" {
				t.Errorf("%s --help: exit %d, stdout %q, stderr %q", name, code, stdout, stderr)
			} else {
				for line := range strings.Lines(stdout) {
					if n := utf8.RuneCountInString(line) - 1; n > tableWidth && !strings.HasPrefix(line, "  eevee ") {
						t.Errorf("%s --help has a line of %d characters: %s", name, n, line)
					}
				}
			}
			check(name, v.verbs)
		}
	}
	check("", verbs())
}
