package cli

import (
	"slices"
	"strings"
	"testing"

	"eevee/experiments"
	"eevee/experiments/papers"
	"eevee/models"
)

// Words are given as Bash gives them, taken apart at : and =.
func TestCompletion(t *testing.T) {
	for line, want := range map[string][]string{
		"so":                                  {"solve"},
		"traces|i":                            {"import", "inspect"},
		"help|traces|f":                       {"fetch"},
		"solve|--me":                          {"--memory", "--method"},
		"-":                                   {"--json", "--seed", "--quiet", "--help"},
		"solve|--workflow|":                   models.Bundled(),
		"solve|--workflow|v":                  {"video"},
		"solve|--workflow|=|v":                {"video"},
		"solve|--model|":                      experiments.ModelNames(),
		"solve|--method|exh":                  {"exhaustive"},
		"solve|--method|jolteon|:":            {"compat"},
		"solve|--method|ditto|:|c":            {"cost"},
		"solve|--method|=|ditto|:|":           {"latency", "cost"},
		"solve|--quiet|--rule|p":              {"plugin"},
		"compare|--methods|exact,jan":         {"exact,janus", "exact,janus:worst"},
		"compare|--methods|exact,janus|:":     {"worst"},
		"solve|--latency|":                    nil,
		"solve|--frobnicate|":                 nil,
		"solve|--frobnicate|=|":               nil,
		"figures|sweep.parquet|--x|percentil": {"percentile"},
		"figures|sweep.parquet|--where|w":     nil,
		"reproduce|fig8|fig1":                 {"fig10", "fig11", "fig12", "fig13"},
		"reproduce|--only|fig8,fig1":          {"fig8,fig10", "fig8,fig11", "fig8,fig12", "fig8,fig13"},
		"workflows|show|t":                    {"tpcds"},
		"sweep|p":                             {"p99-over-p95"},
		"sweep|m":                             {"merge"},
		"sweep|grid.yaml|m":                   nil,
		"completion|":                         {"bash"},
		"nonsense|":                           nil,
	} {
		code, stdout, stderr := runProgram(append([]string{completeWord}, strings.Split(line, "|")...)...)
		got := strings.Fields(stdout)
		if line == "nonsense|" || line == "reproduce|fig8|fig1" || line == "reproduce|--only|fig8,fig1" {
			// what there is beside is not this test's business
			got = slices.DeleteFunc(got, func(w string) bool { return !slices.Contains(want, w) })
		}
		if code != exitDone || stderr != "" || !slices.Equal(got, want) {
			t.Errorf("%s: exit %d, %q, want %q; %s", line, code, got, want, stderr)
		}
	}
	// Without a word everything that may come first is there.
	_, stdout, _ := runProgram(completeWord)
	for _, v := range append(verbs(), verb{name: "help"}) {
		if !slices.Contains(strings.Fields(stdout), v.name) {
			t.Errorf("%s is not offered", v.name)
		}
	}
}

// What is offered is what the verbs take.
func TestWhatIsOfferedIsTaken(t *testing.T) {
	for _, name := range experiments.Methods() {
		if _, err := experiments.NewMethod(name); err != nil {
			t.Error(err)
		}
	}
	for _, name := range append(experiments.ForecasterNames(), "all", "ablation") {
		if _, err := experiments.Forecasters(name); err != nil {
			t.Error(err)
		}
	}
	if _, err := experiments.ContenderNames(strings.Join(append(experiments.Contenders(), "all"), ",")); err != nil {
		t.Error(err)
	}
	if _, err := papers.Select(papers.IDs(), nil); err != nil {
		t.Error(err)
	}
}

func TestCompletionOfAnUnknownShell(t *testing.T) {
	code, _, stderr := runProgram("completion", "bsh")
	if want := "eevee: completion: unknown shell \"bsh\"; did you mean \"bash\"? there is only bash\n"; code != exitUsage || stderr != want {
		t.Errorf("exit %d, %q, want %q", code, stderr, want)
	}
}
