package baselines_test

import (
	"slices"
	"strings"
	"testing"

	"eevee/baselines"
	"eevee/solvers"
	"eevee/solvers/solverstest"
)

// constructors make the methods of the package from their options.
var constructors = map[string]func(...string) (solvers.Method, error){
	"random": read(baselines.NewRandomSearch), "powertuning": read(baselines.NewPowerTuning), "slam": read(baselines.NewSLAM),
	"grandslam": read(baselines.NewGrandSLAM), "prcp": read(baselines.NewPRCP), "parrotfish": read(baselines.NewParrotfish),
	"cose": read(baselines.NewCOSE), "ditto": read(baselines.NewDitto), "caerus": read(baselines.NewCaerus), "orion": read(baselines.NewOrion),
	"uniform": func(...string) (solvers.Method, error) { return baselines.UniformSize{}, nil },
}

// conforming are methods by name. Every option is in one of them.
var conforming = []string{
	"uniform",
	"random:evaluations=50",
	"powertuning:cost:ignore-bound", "powertuning:speed:ignore-bound:parallelism=1/4/4/1", "powertuning:balanced:weight=0.2:ignore-bound",
	"slam", "slam:cost", "slam:parallelism=1/4/4/1",
	"grandslam", "grandslam:mean", "grandslam:parallelism=1/4/4/1",
	"prcp:rt/c", "prcp:ert/c", "prcp:rt/m", "prcp:max:parallelism=1/4/4/1",
	"parrotfish", "parrotfish:step=64:runs=4:parallelism=1/4/4/1",
	"cose:evaluations=12", "cose:initial=3:evaluations=8:tolerance=0.05",
	"ditto", "ditto:latency:total=9:vcpu=0.7", "ditto:cost:divisible", "ditto:own:compat",
	"caerus", "caerus:lazy", "caerus:nimble:total=9:vcpu=0.7", "caerus:own:pipelined:eager",
	"orion", "orion:no-sizing:no-bundling", "orion:independent:steepest:no-prewarming", "orion:no-prewarming:parallelism=1/4/4/1",
	"orion:steps=1000-10240/512:no-prewarming", "orion:own-steps:steepest:no-prewarming", "orion:compat",
}

// ownSpace are the options with which a method answers outside of the space.
var ownSpace = []string{"own", "own-steps", "steps"}

// Every published system, with every option that it has, passes the suite of
// solvers.Methods.
func TestConformance(t *testing.T) {
	seen := map[string]bool{}
	for _, name := range conforming {
		method, options, _ := strings.Cut(name, ":")
		if testing.Short() && seen[method] {
			continue // one form of every method shows what runs beside the test
		}
		seen[method] = true
		t.Run(name, func(t *testing.T) {
			var list []string
			own := name == "orion:compat"
			if options != "" {
				list = strings.Split(options, ":")
			}
			for _, o := range list {
				word, _, _ := strings.Cut(o, "=")
				own = own || slices.Contains(ownSpace, word)
			}
			solverstest.Run(t, func() solvers.Method {
				m, err := constructors[method](list...)
				if err != nil {
					t.Fatal(err)
				}
				return m
			}, solverstest.Traits{OwnSpace: own})
		})
	}
}

// No option is left out of the list above.
func TestConformanceIsComplete(t *testing.T) {
	for method, forms := range baselines.OptionForms() {
		for _, form := range forms {
			word, _, _ := strings.Cut(form, "=")
			if !slices.ContainsFunc(conforming, func(name string) bool {
				parts := strings.Split(name, ":")
				return parts[0] == method && slices.ContainsFunc(parts[1:], func(o string) bool {
					w, _, _ := strings.Cut(o, "=")
					return w == word
				})
			}) {
				t.Errorf("no conformance test has the option %s of %s", word, method)
			}
		}
	}
	for method := range constructors {
		if !slices.ContainsFunc(conforming, func(name string) bool { return strings.Split(name, ":")[0] == method }) {
			t.Errorf("no conformance test of %s", method)
		}
	}
}
