package models

import (
	"bytes"
	"fmt"
	"io"

	"github.com/goccy/go-yaml"
)

// Write writes the definition as a workflow file, which ParseDefinition reads
// back as the same definition.
func (d *Definition) Write(w io.Writer) error {
	f := file{Name: d.Workflow.Name(), Title: d.Title, Source: d.Source, MBPerVCPU: d.MBPerVCPU, Price: d.Price}
	for i := range d.Workflow.Len() {
		f.Stages = append(f.Stages, fileStage(d.Workflow.Stage(i)))
	}
	for _, s := range d.Spaces {
		fs := fileSpace{Name: s.Name, Source: s.Source}
		for i := range d.Workflow.Len() {
			fs.Stages = append(fs.Stages, fileChoices{Stage: d.Workflow.Stage(i).Name, Choices: grids(s.Choices(i), d.MBPerVCPU)})
		}
		for _, r := range s.Rules() {
			rule := fileRule{Stage: d.Workflow.Stage(r.Stage).Name, Times: r.Times}
			if of := d.Workflow.Stage(r.Of).Name; r.Equal {
				rule.Equals = of
			} else {
				rule.AtMost = of
			}
			fs.Rules = append(fs.Rules, rule)
		}
		f.Spaces = append(f.Spaces, fs)
	}
	text, err := yaml.MarshalWithOptions(f, yaml.IndentSequence(true))
	if err != nil {
		return fmt.Errorf("workflow %s: %w", d.Workflow.Name(), err)
	}
	_, err = w.Write(text)
	return err
}

// grids puts choices, sorted by parallelism and memory, into grids of levels of
// parallelism that offer the same sizes. Sizes are given as memory where that
// determines the CPU share, else as vCPU.
func grids(choices []StageConfig, mbPerVCPU float64) []fileGrid {
	var all []fileGrid
	same := func(a, b fileGrid) bool {
		return fmt.Sprint(a.VCPU, a.MemoryMB) == fmt.Sprint(b.VCPU, b.MemoryMB)
	}
	for first := 0; first < len(choices); {
		level := fileGrid{Parallelism: []int{choices[first].Parallelism}}
		exact := true
		last := first
		for ; last < len(choices) && choices[last].Parallelism == choices[first].Parallelism; last++ {
			exact = exact && choices[last].VCPU == float64(choices[last].Memory)/mbPerVCPU
		}
		for _, c := range choices[first:last] {
			if exact {
				level.MemoryMB = append(level.MemoryMB, c.Memory)
			} else {
				level.VCPU = append(level.VCPU, c.VCPU)
			}
		}
		first = last
		if n := len(all); n > 0 && same(all[n-1], level) {
			all[n-1].Parallelism = append(all[n-1].Parallelism, level.Parallelism...)
		} else {
			all = append(all, level)
		}
	}
	return all
}

// Text returns the definition as Write writes it.
func (d *Definition) Text() ([]byte, error) {
	var b bytes.Buffer
	err := d.Write(&b)
	return b.Bytes(), err
}
