package baselines

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"slices"
	"strconv"
	"strings"
)

// The parallelism values at which the Ditto artifact profiles, in the order of
// its files, which do not name them: 1 TB on S3 and 100 GB on Redis as in
// Figure 11 of the paper, 10 GB as in the artifact's scheduler.
var (
	DittoDegreesPaper = []int{10, 20, 30, 60, 120}
	DittoDegrees10GB  = []int{2, 4, 6, 12}
)

// LoadDittoJob reads a job in the form of the Ditto artifact: dag is the file
// that describes its stages, profiles the beginning of the names of the files
// with their recorded times, which go on "_stage1.profile". Every file holds
// one block of times for each of the degrees, except that a stage that cannot
// be split may hold a single one.
//
// Every step is fitted by least squares on the inverse of the parallelism.
func LoadDittoJob(fsys fs.FS, dag, profiles string, degrees []int) (*DittoJob, error) {
	text, err := readSmall(fsys, dag)
	if err != nil {
		return nil, err
	}
	job, err := parseDittoDAG(dag, text)
	if err != nil {
		return nil, err
	}
	var errs []error
	for i := range job.Stages {
		name := fmt.Sprintf("%s_stage%s.profile", profiles, job.Stages[i].Name)
		text, err := readSmall(fsys, name)
		if err == nil {
			err = job.Stages[i].fit(name, text, degrees)
		}
		errs = append(errs, err)
	}
	if err := errors.Join(errs...); err != nil {
		return nil, err
	}
	return job, job.Check()
}

// maxDittoBytes bounds the size of one file; the published ones have about
// 1 kB.
const maxDittoBytes = 1 << 20

func readSmall(fsys fs.FS, name string) (string, error) {
	file, err := fsys.Open(name)
	if err != nil {
		return "", err
	}
	defer file.Close()
	text, err := io.ReadAll(io.LimitReader(file, maxDittoBytes+1))
	if err != nil {
		return "", fmt.Errorf("%s: %w", name, err)
	}
	if len(text) > maxDittoBytes {
		return "", fmt.Errorf("%s: is larger than %d bytes", name, maxDittoBytes)
	}
	return string(text), nil
}

// dittoLines splits a file into lines of words and calls use for each, with
// its number from 1. It joins the errors of all lines.
func dittoLines(name, text string, use func(key string, values []string) error) error {
	var errs []error
	for k, line := range strings.Split(text, "\n") {
		words := strings.Fields(line)
		if len(words) == 0 {
			continue
		}
		if err := use(words[0], words[1:]); err != nil {
			errs = append(errs, fmt.Errorf("%s: line %d: %w", name, k+1, err))
		}
	}
	return errors.Join(errs...)
}

// dittoEntry is one stage of a description, before stages are joined.
type dittoEntry struct {
	stage  DittoStage
	leaf   bool
	from   []int // ids
	early  int   // id, 0 where no input is read early
	to     int   // id, -1 at the end
	fields map[string]bool
}

// parseDittoDAG reads the description of the stages of a job. Stages are
// numbered from 1 in the order of the file.
func parseDittoDAG(name, text string) (*DittoJob, error) {
	job := &DittoJob{Name: name}
	var entries []*dittoEntry
	err := dittoLines(name, text, func(key string, values []string) error {
		switch key {
		case "Query":
			job.Name = "q" + strings.Join(values, " ")
			return nil
		case "Stage":
			id, err := one(values, strconv.Atoi)
			if err == nil && id != len(entries)+1 {
				err = fmt.Errorf("stage %d follows stage %d", id, len(entries))
			}
			entries = append(entries, &dittoEntry{to: -1, fields: map[string]bool{}, stage: DittoStage{Name: strconv.Itoa(len(entries) + 1)}})
			return err
		}
		if len(entries) == 0 {
			return fmt.Errorf("%q comes before the first stage", key)
		}
		e := entries[len(entries)-1]
		if e.fields[key] {
			return fmt.Errorf("stage %s has %q twice", e.stage.Name, key)
		}
		e.fields[key] = true
		return e.set(key, values)
	})
	if err != nil {
		return nil, err
	}
	for i, e := range entries {
		if err := e.join(i, entries); err != nil {
			return nil, fmt.Errorf("%s: stage %s: %w", name, e.stage.Name, err)
		}
		job.Stages = append(job.Stages, e.stage)
	}
	if len(entries) == 0 {
		return nil, fmt.Errorf("%s: describes no stage", name)
	}
	return job, nil
}

// one parses the only value of a line.
func one[T any](values []string, parse func(string) (T, error)) (T, error) {
	var zero T
	if len(values) != 1 {
		return zero, fmt.Errorf("%d values where one is expected", len(values))
	}
	v, err := parse(values[0])
	if err != nil {
		return zero, fmt.Errorf("%q is not a number", values[0])
	}
	return v, nil
}

func (e *dittoEntry) set(key string, values []string) (err error) {
	flag := func(into *bool) error {
		v, err := one(values, strconv.Atoi)
		if err == nil && v != 0 && v != 1 {
			err = fmt.Errorf("%s is %d, neither 0 nor 1", key, v)
		}
		*into = v == 1
		return err
	}
	size := func(into *float64) error {
		v, err := one(values, func(s string) (float64, error) { return strconv.ParseFloat(s, 64) })
		if err == nil && !(v >= 0) {
			err = fmt.Errorf("%s is %v", key, v)
		}
		*into = v
		return err
	}
	switch key {
	case "is_single":
		return flag(&e.stage.Single)
	case "is_leaf":
		return flag(&e.leaf)
	case "input_chunks":
		e.stage.Chunks, err = one(values, strconv.Atoi)
		if err == nil && e.stage.Chunks < 1 {
			err = fmt.Errorf("input_chunks is %d", e.stage.Chunks)
		}
	case "to_id":
		e.to, err = one(values, strconv.Atoi)
	case "pre_id":
		e.early, err = one(values, strconv.Atoi)
	case "from_id":
		for _, v := range values {
			id, err := one([]string{v}, strconv.Atoi)
			if err != nil {
				return err
			}
			e.from = append(e.from, id)
		}
	case "transfer_op":
		if len(values) != 1 || !slices.Contains([]DittoExchange{Gather, AllGather, Broadcast, Shuffle}, DittoExchange(values[0])) {
			return fmt.Errorf("transfer_op %q is unknown", strings.Join(values, " "))
		}
		e.stage.Exchange = DittoExchange(values[0])
	case "mem_parall":
		return size(&e.stage.MemoryGB)
	case "mem_fixed":
		return size(&e.stage.MemoryFixedGB)
	case "input_size":
		return size(&e.stage.InputGB)
	default:
		return fmt.Errorf("unknown key %q", key)
	}
	return err
}

// join turns the ids of stage i into reads, and checks them against what the
// other stages say.
func (e *dittoEntry) join(i int, all []*dittoEntry) error {
	for _, key := range []string{"is_single", "is_leaf", "to_id", "transfer_op", "mem_parall", "mem_fixed", "input_size"} {
		if !e.fields[key] {
			return fmt.Errorf("has no %s", key)
		}
	}
	if e.leaf != (len(e.from) == 0) {
		return fmt.Errorf("is_leaf is %t, but it reads from %d stages", e.leaf, len(e.from))
	}
	if e.early != 0 && !slices.Contains(e.from, e.early) {
		return fmt.Errorf("pre_id is %d, which it does not read from", e.early)
	}
	if e.to != -1 && (e.to <= i+1 || e.to > len(all) || !slices.Contains(all[e.to-1].from, i+1)) {
		return fmt.Errorf("to_id is %d, but that stage does not read from it", e.to)
	}
	for _, id := range e.from {
		if id < 1 || id > i || all[id-1].to != i+1 {
			return fmt.Errorf("reads from stage %d, which does not come before it and lead to it", id)
		}
		e.stage.Reads = append(e.stage.Reads, DittoRead{From: id - 1, Early: id == e.early})
	}
	if e.leaf {
		e.stage.Reads = []DittoRead{{From: -1}}
	}
	return nil
}

// dittoSteps are the times of one block of a profile, in milliseconds: what
// is done before the inputs are there, and after.
var dittoSteps = []string{
	"PreTime.tpre", "PreTime.tread", "PreTime.tcomp",
	"EffectTime.tread1", "EffectTime.tread2", "EffectTime.tcomp", "EffectTime.twrite", "EffectTime.tpost",
}

// fit reads the profile of the stage and fits its times. As in the artifact,
// the time after writing (tpost) is left out. The reads after set-up belong to
// the inputs that are not read early, in their order.
func (s *DittoStage) fit(name, text string, degrees []int) error {
	columns := make([][]float64, len(dittoSteps))
	n := 0
	err := dittoLines(name, text, func(key string, values []string) error {
		at := n % len(dittoSteps)
		n++
		if key != dittoSteps[at] {
			return fmt.Errorf("%q where %s is expected", key, dittoSteps[at])
		}
		ms, err := one(values, func(s string) (float64, error) { return strconv.ParseFloat(s, 64) })
		if err == nil && !(ms >= 0) {
			err = fmt.Errorf("a time of %v ms", ms)
		}
		columns[at] = append(columns[at], ms/1e3)
		return err
	})
	if err != nil {
		return err
	}
	switch blocks := float64(n) / float64(len(dittoSteps)); {
	case blocks == 1 && s.Single:
	case blocks != float64(len(degrees)):
		return fmt.Errorf("%s: %d lines, not %d for each parallelism of %v", name, n, len(dittoSteps), degrees)
	}
	var times []DittoTime
	for _, y := range columns {
		t := DittoTime{B: y[0]}
		if len(y) > 1 {
			x := make([]float64, len(degrees))
			for k, d := range degrees {
				x[k] = float64(d)
			}
			if t, err = fitDittoTime(x, y); err != nil {
				return fmt.Errorf("%s: %w", name, err)
			}
		}
		times = append(times, t)
	}
	s.Setup, s.EarlyCompute, s.Compute, s.Write = times[0], times[2], times[5], times[6]
	if !slices.ContainsFunc(s.Reads, func(r DittoRead) bool { return r.Early }) {
		s.Setup = s.Setup.plus(times[1])
	}
	reads := times[3:5]
	for k := range s.Reads {
		r := &s.Reads[k]
		switch {
		case r.Early:
			r.Time = times[1]
		case len(reads) == 0:
			return fmt.Errorf("%s: the stage reads three inputs after set-up, the profile holds two", name)
		default:
			r.Time, reads = reads[0], reads[1:]
		}
	}
	for _, rest := range reads {
		if rest != (DittoTime{}) {
			return fmt.Errorf("%s: holds the time of a read for which the stage has no input", name)
		}
	}
	return nil
}

// DittoSetting is an experiment of the Ditto artifact.
type DittoSetting struct {
	Slots       []int // free slots of every server
	Parallelism int   // of every stage under the fixed-parallelism baseline
}

// LoadDittoSetting reads slots and parallelism from a settings file of the
// artifact.
func LoadDittoSetting(fsys fs.FS, name string) (DittoSetting, error) {
	text, err := readSmall(fsys, name)
	if err != nil {
		return DittoSetting{}, err
	}
	var s DittoSetting
	err = dittoLines(name, text, func(key string, values []string) (err error) {
		switch key {
		case "distribution":
			for _, v := range values {
				n, err := one([]string{v}, strconv.Atoi)
				if err == nil && n < 0 {
					err = fmt.Errorf("a server of %d slots", n)
				}
				if err != nil {
					return err
				}
				s.Slots = append(s.Slots, n)
			}
		case "base_deg":
			s.Parallelism, err = one(values, strconv.Atoi)
		}
		return err
	})
	if err == nil && len(s.Slots) == 0 {
		err = fmt.Errorf("%s: has no line \"distribution\"", name)
	}
	return s, err
}
