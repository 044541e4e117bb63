package sweep

import (
	"fmt"
	"strconv"
	"strings"
)

// Shard is one of several processes that share the chunks of a sweep.
type Shard struct {
	Index int // from 1
	Of    int
}

// Whole is the shard of a process that works alone.
var Whole = Shard{1, 1}

// ParseShard reads a shard as "3/8".
func ParseShard(text string) (Shard, error) {
	before, after, found := strings.Cut(text, "/")
	i, err1 := strconv.Atoi(before)
	n, err2 := strconv.Atoi(after)
	if !found || err1 != nil || err2 != nil || n < 1 || i < 1 || i > n {
		return Shard{}, fmt.Errorf("%q is no shard; write i/n with i from 1 to n, as 3/8", text)
	}
	return Shard{i, n}, nil
}

// String gives the shard as ParseShard reads it.
func (s Shard) String() string { return fmt.Sprintf("%d/%d", s.Index, s.Of) }

// has reports whether the shard takes the k-th chunk.
func (s Shard) has(k int) bool { return k%s.Of == s.Index-1 }

// arrays are the engines that tell a task its place in an array: by which
// variable, and by which one the place of the first task, where that is not
// always 0.
var arrays = []struct{ engine, index, first string }{
	{"Slurm", "SLURM_ARRAY_TASK_ID", "SLURM_ARRAY_TASK_MIN"}, // Slurm, sbatch(1), --array
	{"Kubernetes", "JOB_COMPLETION_INDEX", ""},               // Kubernetes, Jobs, completionMode: Indexed
	{"AWS Batch", "AWS_BATCH_JOB_ARRAY_INDEX", ""},           // AWS Batch user guide, array jobs
}

// ArrayShard returns the shard of a task in an array of n, from the variables
// that Slurm, Kubernetes and AWS Batch set. lookup is os.LookupEnv.
func ArrayShard(n int, lookup func(string) (string, bool)) (Shard, error) {
	var names []string
	for _, a := range arrays {
		names = append(names, a.index)
		text, ok := lookup(a.index)
		if !ok {
			continue
		}
		index, err := strconv.Atoi(text)
		if err != nil {
			return Shard{}, fmt.Errorf("%s is %q, which is no whole number", a.index, text)
		}
		first := 0
		if text, ok := lookup(a.first); ok && a.first != "" {
			if first, err = strconv.Atoi(text); err != nil {
				return Shard{}, fmt.Errorf("%s is %q, which is no whole number", a.first, text)
			}
		}
		if index < first || index >= first+n {
			return Shard{}, fmt.Errorf("%s is %d, but an array of %d that starts at %d ends at %d; give the array %d tasks",
				a.index, index, n, first, first+n-1, n)
		}
		return Shard{index - first + 1, n}, nil
	}
	return Shard{}, fmt.Errorf("none of %s is set; give the shard as i/n", strings.Join(names, ", "))
}
