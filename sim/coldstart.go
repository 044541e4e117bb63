package sim

import (
	"fmt"
	"slices"
	"strings"
	"sync"

	"github.com/goccy/go-yaml"
)

// initFile is the YAML form of the measured initialisations, data/inits.yaml.
type initFile struct {
	Source string         `yaml:"source"`
	From   string         `yaml:"from"` // first and last day of the measurements
	To     string         `yaml:"to"`
	Inits  []initMeasured `yaml:"inits"`
}

// initMeasured is one line of the file: the mixture of one to three components
// that fits the initialisations of a runtime best.
type initMeasured struct {
	Runtime string  `yaml:"runtime"`
	Arch    Arch    `yaml:"arch"`
	Package string  `yaml:"package"`
	N       int     `yaml:"cold_starts"` // that were measured
	Init    Mixture `yaml:"init,flow"`
}

// measuredInits reads the measurements that are part of the program.
var measuredInits = sync.OnceValue(func() (f initFile) {
	text, err := data.ReadFile("data/inits.yaml")
	if err == nil {
		err = yaml.UnmarshalWithOptions(text, &f, yaml.Strict())
	}
	if err != nil {
		panic(err) // the file is part of the program
	}
	return f
})

// MeasuredInit returns the distribution of the time that an empty function
// takes to initialise on AWS Lambda, as maxday/lambda-perf measured it twice a
// month in 2026 (ten cold starts each of functions of 128, 256, 512 and 1024
// MB; the memory does not matter to it). The runtime is named as there
// ("python3.13", "nodejs22.x", "rust (prov.al2023)"), the package is "zip" or
// "image". What a function initialises itself comes on top.
func MeasuredInit(runtime string, arch Arch, pkg string) (Mixture, error) {
	var known []string
	for _, m := range measuredInits().Inits {
		if m.Runtime == runtime && m.Arch == arch && m.Package == pkg {
			return slices.Clone(m.Init), nil
		}
		if !slices.Contains(known, m.Runtime) {
			known = append(known, m.Runtime)
		}
	}
	return nil, fmt.Errorf("no measurement of runtime %q, arch %q, package %q; runtimes are %s; arch is %s or %s, package is zip or image",
		runtime, arch, pkg, strings.Join(known, ", "), X86, ARM)
}
