package experiments

import (
	"fmt"
	"slices"
	"strings"

	"eevee/baselines"
	"eevee/internal/spelling"
	"eevee/solvers"
)

// methodEntry is a method by its name on the command line.
type methodEntry struct {
	name     string
	variants []string // options worth comparing, as "latency" in "ditto:latency"; none: only the plain method
	make     func(options ...string) (solvers.Method, error)
}

// methodTable holds every method, ours first.
var methodTable = []methodEntry{
	{"exact", nil, plain(solvers.Exact{})},
	{"jolteon", []string{"", "compat"}, newJolteon},
	{"orion", nil, with(baselines.NewOrion)},
	{"ditto", []string{"latency", "cost"}, with(baselines.NewDitto)},
	{"caerus", nil, with(baselines.NewCaerus)},
	{"prcp", nil, with(baselines.NewPRCP)},
	{"parrotfish", nil, with(baselines.NewParrotfish)},
	{"slam", nil, with(baselines.NewSLAM)},
	{"grandslam", nil, with(baselines.NewGrandSLAM)},
	{"cose", nil, with(baselines.NewCOSE)},
	{"powertuning", []string{"cost"}, with(baselines.NewPowerTuning)},
	{"uniform", nil, plain(baselines.UniformSize{})},
	{"random", nil, with(baselines.NewRandomSearch)},
	{"exhaustive", nil, plain(solvers.Exhaustive{})},
}

// plain is for a method without options.
func plain(m solvers.Method) func(...string) (solvers.Method, error) {
	return func(options ...string) (solvers.Method, error) {
		if len(options) > 0 {
			return nil, fmt.Errorf("takes no options, but is given %q", strings.Join(options, ":"))
		}
		return m, nil
	}
}

// with is for a method that reads its options itself.
func with[M solvers.Method](read func(...string) (M, error)) func(...string) (solvers.Method, error) {
	return func(options ...string) (solvers.Method, error) { return read(options...) }
}

func newJolteon(options ...string) (solvers.Method, error) {
	var j solvers.Jolteon
	for _, o := range options {
		from, starts := strings.CutPrefix(o, "from=")
		switch {
		case o == "compat":
			j.Compat = true
		case starts && from != "" && j.Compat:
			j.From = from
		default:
			return nil, fmt.Errorf("takes the option \"compat\", and after it \"from=NAME\", but is given %q", strings.Join(options, ":"))
		}
	}
	return j, nil
}

// Methods returns the names of all methods, with the variants that are worth
// comparing.
func Methods() []string {
	var names []string
	for _, e := range methodTable {
		if len(e.variants) == 0 {
			names = append(names, e.name)
		}
		for _, v := range e.variants {
			names = append(names, strings.TrimSuffix(e.name+":"+v, ":"))
		}
	}
	return names
}

// NewMethod returns the method of a name with its options after colons, as
// "jolteon:compat".
func NewMethod(name string) (solvers.Method, error) {
	words := strings.Split(name, ":")
	for _, e := range methodTable {
		if e.name != words[0] {
			continue
		}
		m, err := e.make(words[1:]...)
		if err != nil {
			return nil, fmt.Errorf("method %s: %w", e.name, err)
		}
		return m, nil
	}
	if isPolicy(name) {
		return nil, fmt.Errorf("%s is no method but a policy: it decides while the workflow runs; \"eevee simulate --policy %s\" runs it, \"eevee compare\" compares it", name, name)
	}
	return nil, spelling.Unknown("method", name, Methods())
}

// Contenders returns the names of everything that can be compared: methods, and
// policies, which decide while the workflow runs.
func Contenders() []string { return append(Methods(), PolicyNames()...) }

// MethodNames returns the methods in a comma-separated list; "all" stands for
// every method but exhaustive, which few spaces are small enough for.
func MethodNames(list string) ([]string, error) {
	return listed(list, Methods(), func(name string) error {
		_, err := NewMethod(name)
		return err
	})
}

// ContenderNames returns the methods and policies in a comma-separated list;
// "all" stands for everything but exhaustive.
func ContenderNames(list string) ([]string, error) {
	return listed(list, Contenders(), func(name string) error {
		kind, _, _ := strings.Cut(name, ":")
		switch {
		case isPolicy(name):
			return nil
		case !slices.ContainsFunc(methodTable, func(e methodEntry) bool { return e.name == kind }):
			return spelling.Unknown("method", name, Contenders())
		}
		_, err := NewMethod(name)
		return err
	})
}

// listed returns the names in a list, each of them once.
func listed(list string, all []string, check func(string) error) ([]string, error) {
	var names []string
	for name := range strings.SplitSeq(list, ",") {
		name = strings.TrimSpace(name)
		if name == "all" {
			names = append(names, slices.DeleteFunc(slices.Clone(all), func(n string) bool { return n == "exhaustive" })...)
			continue
		}
		if err := check(name); err != nil {
			return nil, err
		}
		names = append(names, name)
	}
	var once []string
	for _, n := range names {
		if !slices.Contains(once, n) {
			once = append(once, n)
		}
	}
	return once, nil
}
