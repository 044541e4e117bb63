package models

import (
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"math"
	"os"
	"path"
	"slices"
	"strings"

	"eevee/internal/spelling"

	"github.com/goccy/go-yaml"
)

//go:embed data
var data embed.FS

// Definition is a workflow together with its spaces, as a workflow file
// describes it.
type Definition struct {
	Workflow  *Workflow
	SHA256    string // of the text of the workflow file, in hexadecimal
	Title     string
	Source    string  // where the workflow and its spaces come from
	MBPerVCPU float64 // MB of memory that buy one vCPU
	Price     string  // price book to use where none is asked for
	Spaces    []NamedSpace
}

// NamedSpace is one of the spaces of a Definition.
type NamedSpace struct {
	Name   string
	Source string
	*Space
}

// Space returns the named space, the first one for an empty name.
func (d *Definition) Space(name string) (*Space, error) {
	var names []string
	for _, s := range d.Spaces {
		if name == "" || s.Name == name {
			return s.Space, nil
		}
		names = append(names, s.Name)
	}
	return nil, fmt.Errorf("workflow %s: %w", d.Workflow.Name(), spelling.Unknown("space", name, names))
}

// StageConfig returns the configuration of one stage, its CPU share following
// from the memory in MB.
func (d *Definition) StageConfig(memory, parallelism int) StageConfig {
	return StageConfig{Memory: memory, VCPU: float64(memory) / d.MBPerVCPU, Parallelism: parallelism}
}

// Bundled returns the names of the bundled workflows, sorted.
func Bundled() []string { return bundled("data/workflows") }

func bundled(dir string) []string {
	files, err := fs.ReadDir(data, dir)
	if err != nil {
		panic(err) // the folder is part of the program
	}
	var names []string
	for _, f := range files {
		names = append(names, strings.TrimSuffix(f.Name(), ".yaml"))
	}
	return names
}

// Load returns a bundled workflow by its name, or the workflow in a YAML file.
func Load(nameOrPath string) (*Definition, error) {
	text, from, err := read("workflow", "data/workflows", nameOrPath)
	if err != nil {
		return nil, err
	}
	return ParseDefinition(from, text)
}

// read returns the text of a bundled file by its name, or of a file by its path.
func read(what, dir, nameOrPath string) (text []byte, from string, err error) {
	if text, err := data.ReadFile(path.Join(dir, nameOrPath+".yaml")); err == nil {
		return text, nameOrPath, nil
	}
	text, err = os.ReadFile(nameOrPath)
	if info, statErr := os.Stat(nameOrPath); statErr == nil && info.IsDir() {
		return nil, "", fmt.Errorf("%s: is a folder; name the file of a %s", nameOrPath, what)
	}
	if err == nil && len(text) == 0 {
		return nil, "", fmt.Errorf("%s: is empty; it should hold a %s", nameOrPath, what)
	}
	if errors.Is(err, fs.ErrNotExist) && !strings.ContainsAny(nameOrPath, `./\`) {
		return nil, "", spelling.NeitherFile(what, nameOrPath, bundled(dir))
	}
	return text, nameOrPath, err
}

// file is the YAML form of a Definition.
type file struct {
	Name      string      `yaml:"name"`
	Title     string      `yaml:"title,omitempty"`
	Source    string      `yaml:"source,omitempty"`
	MBPerVCPU float64     `yaml:"mb_per_vcpu"`
	Price     string      `yaml:"price"`
	Stages    []fileStage `yaml:"stages"`
	Spaces    []fileSpace `yaml:"spaces"`
}

type fileStage struct {
	Name           string   `yaml:"name"`
	After          []string `yaml:"after,flow,omitempty"`
	MaxParallelism int      `yaml:"max_parallelism,omitempty"`
}

type fileSpace struct {
	Name   string        `yaml:"name"`
	Source string        `yaml:"source,omitempty"`
	Stages []fileChoices `yaml:"stages"`
	Rules  []fileRule    `yaml:"rules,omitempty"`
}

type fileChoices struct {
	Stage   string     `yaml:"stage"`
	Choices []fileGrid `yaml:"choices"`
}

// fileGrid is every combination of its parallelism with its sizes, which are
// given as vCPU or as memory.
type fileGrid struct {
	Parallelism []int     `yaml:"parallelism,flow"`
	VCPU        []float64 `yaml:"vcpu,flow,omitempty"`
	MemoryMB    []int     `yaml:"memory_mb,flow,omitempty"`
}

type fileRule struct {
	Stage  string `yaml:"stage"`
	AtMost string `yaml:"at_most,omitempty"`
	Equals string `yaml:"equals,omitempty"`
	Times  int    `yaml:"times"` // 0 means 1
}

// AWSMBPerVCPU is the memory that buys one vCPU on AWS Lambda (AWS Lambda
// developer guide, "Configure Lambda function memory").
const AWSMBPerVCPU = 1769

// ParseDefinition reads a workflow file. Unknown keys are errors, and every
// defect is reported at once. The name from is used in errors.
func ParseDefinition(from string, text []byte) (*Definition, error) {
	var f file
	if err := yaml.UnmarshalWithOptions(text, &f, yaml.Strict()); err != nil {
		return nil, fmt.Errorf("%s: %s", from, oneLine(err))
	}
	if f.Name == "" {
		return nil, fmt.Errorf("%s: the workflow has no name", from)
	}
	if f.MBPerVCPU == 0 {
		f.MBPerVCPU = AWSMBPerVCPU
	}
	if !(f.MBPerVCPU > 0) || math.IsInf(f.MBPerVCPU, 0) {
		return nil, fmt.Errorf("%s: mb_per_vcpu %v is not a positive number", from, f.MBPerVCPU)
	}
	var stages []Stage
	for _, s := range f.Stages {
		stages = append(stages, Stage(s))
	}
	w, err := NewWorkflow(f.Name, stages)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", from, err)
	}
	if f.Price == "" {
		f.Price = PriceAWS
	}
	sum := sha256.Sum256(text)
	d := &Definition{Workflow: w, SHA256: hex.EncodeToString(sum[:]), Title: f.Title, Source: f.Source, MBPerVCPU: f.MBPerVCPU, Price: f.Price}
	var errs []error
	for _, fs := range f.Spaces {
		s, err := fs.space(w, f.MBPerVCPU)
		if err != nil {
			errs = append(errs, fmt.Errorf("%s: space %q: %w", from, fs.Name, err))
			continue
		}
		d.Spaces = append(d.Spaces, NamedSpace{Name: fs.Name, Source: fs.Source, Space: s})
	}
	if len(f.Spaces) == 0 {
		errs = append(errs, fmt.Errorf("%s: the workflow has no space; list the admissible choices of every stage under \"spaces\"", from))
	}
	if err := errors.Join(errs...); err != nil {
		return nil, err
	}
	return d, nil
}

// oneLine returns the first line of a YAML error: position and complaint; the
// lines after it draw the source.
func oneLine(err error) string {
	line, _, _ := strings.Cut(err.Error(), "\n")
	return line
}

func (fs fileSpace) space(w *Workflow, mbPerVCPU float64) (*Space, error) {
	choices := make([][]StageConfig, w.Len())
	seen := make([]bool, w.Len())
	var errs []error
	for _, s := range fs.Stages {
		i, ok := w.Index(s.Stage)
		if !ok {
			errs = append(errs, fmt.Errorf("unknown stage %q", s.Stage))
			continue
		}
		if seen[i] {
			errs = append(errs, fmt.Errorf("stage %q is listed twice", s.Stage))
		}
		seen[i] = true
		for _, g := range s.Choices {
			list, err := g.choices(mbPerVCPU)
			if err != nil {
				errs = append(errs, fmt.Errorf("stage %q: %w", s.Stage, err))
			}
			choices[i] = append(choices[i], list...)
		}
	}
	var rules []Rule
	for k, r := range fs.Rules {
		of := r.AtMost + r.Equals
		stage, ok1 := w.Index(r.Stage)
		other, ok2 := w.Index(of)
		switch {
		case (r.AtMost == "") == (r.Equals == ""):
			errs = append(errs, fmt.Errorf("rule %d needs one of at_most and equals", k+1))
		case !ok1:
			errs = append(errs, fmt.Errorf("rule %d: unknown stage %q", k+1, r.Stage))
		case !ok2:
			errs = append(errs, fmt.Errorf("rule %d: unknown stage %q", k+1, of))
		default:
			rules = append(rules, Rule{Stage: stage, Of: other, Times: max(1, r.Times), Equal: r.Equals != ""})
		}
	}
	if err := errors.Join(errs...); err != nil {
		return nil, err
	}
	return NewSpace(w, choices, rules)
}

func (g fileGrid) choices(mbPerVCPU float64) ([]StageConfig, error) {
	if (len(g.VCPU) == 0) == (len(g.MemoryMB) == 0) {
		return nil, errors.New("choices need one of vcpu and memory_mb")
	}
	if len(g.Parallelism) == 0 {
		return nil, errors.New("choices need a parallelism")
	}
	var sizes []StageConfig
	for _, v := range g.VCPU {
		sizes = append(sizes, StageConfig{Memory: int(math.Round(v * mbPerVCPU)), VCPU: v})
	}
	for _, m := range g.MemoryMB {
		sizes = append(sizes, StageConfig{Memory: m, VCPU: float64(m) / mbPerVCPU})
	}
	var list []StageConfig
	for _, d := range g.Parallelism {
		for _, c := range slices.Clone(sizes) {
			c.Parallelism = d
			list = append(list, c)
		}
	}
	return list, nil
}
