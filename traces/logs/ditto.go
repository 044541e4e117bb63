package logs

import (
	"fmt"
	"io"
	"strings"

	"eevee/traces"
)

// dittoSteps are the lines of one block of a profile of the Ditto artifact, in
// ms, and the step of the trace that each is a part of. The time after writing
// (tpost) is in none, as in the artifact.
var dittoSteps = []struct {
	key  string
	step func(*traces.Record) **float64
}{
	{"PreTime.tpre", func(r *traces.Record) **float64 { return &r.Cold }},
	{"PreTime.tread", func(r *traces.Record) **float64 { return &r.Read }},
	{"PreTime.tcomp", func(r *traces.Record) **float64 { return &r.Compute }},
	{"EffectTime.tread1", func(r *traces.Record) **float64 { return &r.Read }},
	{"EffectTime.tread2", func(r *traces.Record) **float64 { return &r.Read }},
	{"EffectTime.tcomp", func(r *traces.Record) **float64 { return &r.Compute }},
	{"EffectTime.twrite", func(r *traces.Record) **float64 { return &r.Write }},
	{"EffectTime.tpost", nil},
}

// dittoFormat reads a profile of the Ditto artifact: the times of one stage at
// each of several parallelisms, which the file does not name.
func dittoFormat() Format {
	return Format{
		Name:        "ditto-profile",
		Description: "profile of a stage of the Ditto artifact, one block of times for each --parallelism",
		detect:      func(head string) bool { return strings.HasPrefix(trimBlanks(head), "PreTime.tpre ") },
		read:        readDitto,
	}
}

func readDitto(in *input, out *sink) error {
	degrees := out.options.Parallelism
	n := 0
	var r *traces.Record
	lines := newLineReader(in)
	for {
		line, err := lines.next()
		if err == io.EOF {
			break
		}
		if err != nil {
			return readError(in.name, err)
		}
		words := strings.Fields(line)
		if len(words) == 0 {
			continue
		}
		step, block := dittoSteps[n%len(dittoSteps)], n/len(dittoSteps)
		if len(words) != 2 || words[0] != step.key {
			return fmt.Errorf("logs: %s: line %d: %.40q where %q and a number are expected", in.name, lines.line, line, step.key)
		}
		us, err := scaled(words[1], 3, 1)
		if err != nil || us < 0 {
			return fmt.Errorf("logs: %s: line %d: %q is no time in ms", in.name, lines.line, words[1])
		}
		if n%len(dittoSteps) == 0 {
			if r, err = out.row(); err != nil {
				return err
			}
			r.Statistic, r.SourceLine = traces.Mean, out.arena.int64(lines.line)
			if block < len(degrees) {
				r.Parallelism = out.arena.int32(int32(degrees[block]))
				r.Execution = fmt.Sprintf("%s/%d", r.Stage, degrees[block])
			}
		}
		n++
		out.saw(step.key)
		if step.step == nil {
			continue
		}
		seconds := float64(us) / 1e6
		if at := step.step(r); *at == nil {
			*at = &seconds
		} else {
			**at += seconds
		}
	}
	blocks := n / len(dittoSteps)
	switch {
	case n%len(dittoSteps) != 0 || n == 0:
		return fmt.Errorf("logs: %s: %d lines are no whole blocks of %d", in.name, n, len(dittoSteps))
	case len(degrees) > 0 && blocks != len(degrees) && blocks != 1:
		return fmt.Errorf("logs: %s: %d blocks of times, %d parallelisms named", in.name, blocks, len(degrees))
	case blocks == 1 && len(degrees) != 1:
		// A stage that cannot be split has one block and runs as one instance.
		r.Parallelism = out.arena.int32(1)
		r.Execution = r.Stage + "/1"
	case len(degrees) == 0:
		return fmt.Errorf("logs: %s: %d blocks of times, but for which parallelisms? name them with --parallelism", in.name, blocks)
	}
	return nil
}
