package papers

import (
	"errors"
	"fmt"
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"slices"

	"eevee/experiments"
	"eevee/traces"
)

// chunkFuncProfiles is the folder of ChunkFunc's profiles below that of all
// recordings; it holds one file per workflow.
const chunkFuncProfiles = "chunkfunc"

var chunkFuncWorkflows = []string{"face-detection", "log-processing", "video-processing"}

// chunkFuncMissing says what an experiment misses that stands on the profiles.
const chunkFuncMissing = "the recorded profiles of the ChunkFunc artifact are missing, and nothing stands in for them; they are looked for in the folder " + chunkFuncProfiles + " of the recordings"

// recordedFunction is a function of ChunkFunc's profiles.
type recordedFunction struct {
	name, workflow string
	inputs         []int64           // bytes, ascending
	sizes          []recordedSize    // by memory, ascending
	seconds        map[int][]float64 // by memory, per input; NaN: not recorded
	usd            map[int][]float64 // likewise
}

// recordedSize is a memory with the vCPU that the function got.
type recordedSize struct {
	memory int
	vcpu   float64
}

// functionsOf returns the recorded functions in the order of the profiles, nil
// where there are none. A function with the times of another, as the second
// cut of a video, is left out.
func functionsOf(s experiments.Sources) ([]recordedFunction, error) {
	if s.Recordings == "" {
		return nil, nil
	}
	dir := filepath.Join(s.Recordings, chunkFuncProfiles)
	var all []recordedFunction
	for _, workflow := range chunkFuncWorkflows {
		path := filepath.Join(dir, workflow+".yaml.gz")
		profile, err := readChunkFunc(path)
		switch {
		case errors.Is(err, fs.ErrNotExist):
			return nil, nil
		case err != nil:
			return nil, err
		}
		var last traces.ChunkFuncFunction
		for _, f := range profile.Functions {
			if len(f.Times) > 0 && !slices.Equal(f.Times, last.Times) {
				all = append(all, recordedOf(workflow, f))
			}
			last = f
		}
	}
	return all, nil
}

func readChunkFunc(path string) (traces.ChunkFunc, error) {
	file, err := os.Open(path)
	if err != nil {
		return traces.ChunkFunc{}, err
	}
	p, err := traces.ReadChunkFunc(file, path)
	return p, errors.Join(err, file.Close())
}

func recordedOf(workflow string, f traces.ChunkFuncFunction) recordedFunction {
	r := recordedFunction{name: f.Name, workflow: workflow, seconds: map[int][]float64{}, usd: map[int][]float64{}}
	for _, t := range f.Times {
		if !slices.Contains(r.inputs, t.InputBytes) {
			r.inputs = append(r.inputs, t.InputBytes)
		}
		if !slices.Contains(r.sizes, recordedSize{t.MemoryMB, t.VCPU}) {
			r.sizes = append(r.sizes, recordedSize{t.MemoryMB, t.VCPU})
		}
	}
	slices.Sort(r.inputs)
	slices.SortFunc(r.sizes, func(a, b recordedSize) int { return a.memory - b.memory })
	for _, s := range r.sizes {
		r.seconds[s.memory] = slices.Repeat([]float64{math.NaN()}, len(r.inputs))
		r.usd[s.memory] = slices.Clone(r.seconds[s.memory])
	}
	for _, t := range f.Times {
		k, _ := slices.BinarySearch(r.inputs, t.InputBytes)
		r.seconds[t.MemoryMB][k], r.usd[t.MemoryMB][k] = t.Seconds, t.USD
	}
	return r
}

// pick returns the functions with the given names.
func pick(all []recordedFunction, names []string) ([]recordedFunction, error) {
	var list []recordedFunction
	for _, name := range names {
		i := slices.IndexFunc(all, func(f recordedFunction) bool { return f.name == name })
		if i < 0 {
			return nil, fmt.Errorf("the profiles of %s hold no function %q", chunkFuncProfiles, name)
		}
		list = append(list, all[i])
	}
	return list, nil
}

// work returns the time of every input on one vCPU, or the most below it: the
// geometric mean over the sizes with as many, in s; NaN where none was recorded.
func (f recordedFunction) work() []float64 {
	one := f.oneVCPU()
	out := make([]float64, len(f.inputs))
	for k := range f.inputs {
		sum, n := 0.0, 0.0
		for _, s := range f.sizes {
			if v := f.seconds[s.memory][k]; s.vcpu == one && !math.IsNaN(v) {
				sum, n = sum+math.Log(v), n+1
			}
		}
		out[k] = math.Exp(sum / n)
	}
	return out
}

// oneVCPU returns the largest number of vCPU that is not above one.
func (f recordedFunction) oneVCPU() float64 {
	one := 0.0
	for _, s := range f.sizes {
		if s.vcpu <= 1 {
			one = max(one, s.vcpu)
		}
	}
	return one
}

// ratio returns the multi-core ratio that explains the recorded times best, in
// least squares, from 0 to 1.
func (f recordedFunction) ratio() float64 {
	var sum, weight float64
	for i, v := range f.relative(f.sizes) {
		if x := 1 - 1/f.sizes[i].vcpu; x > 0 && !math.IsNaN(v) {
			sum, weight = sum+(1-v)*x, weight+x*x
		}
	}
	return max(0, min(1, sum/max(weight, 1e-12)))
}

// scatter returns how much the times of every input vary on as many vCPU: the
// standard deviation of their logarithm over the sizes, times the root of the
// repetitions that a recorded mean is of.
func (f recordedFunction) scatter() []float64 {
	work := f.work()
	out := make([]float64, len(f.inputs))
	for k := range f.inputs {
		var squares, n float64
		for _, s := range f.sizes {
			if v := f.seconds[s.memory][k]; s.vcpu == f.oneVCPU() && !math.IsNaN(v) {
				d := math.Log(v / work[k])
				squares, n = squares+d*d, n+1
			}
		}
		out[k] = math.Sqrt(chunkFuncRepetitions * squares / max(n-1, 1))
	}
	return out
}

// chunkFuncRepetitions is how often a time was measured that the profiles hold the
// mean of.
const chunkFuncRepetitions = 5

// relative returns the times of a function over its memory, relative to those on
// one vCPU: geometric means, in which every input counts alike.
func (f recordedFunction) relative(sizes []recordedSize) []float64 {
	work := f.work()
	out := make([]float64, len(sizes))
	for i, s := range sizes {
		sum, n := 0.0, 0.0
		for k, v := range f.seconds[s.memory] {
			if r := math.Log(v / work[k]); !math.IsNaN(r) {
				sum, n = sum+r, n+1
			}
		}
		out[i] = math.Exp(sum / n)
	}
	return out
}

// slope is that of the least-squares line through logarithms: the elasticity of y
// in x. Pairs with a NaN do not count.
func slope(x, y []float64) float64 {
	var n, sx, sy, sxx, sxy float64
	for i := range x {
		if math.IsNaN(x[i]) || math.IsNaN(y[i]) {
			continue
		}
		u, v := math.Log(x[i]), math.Log(y[i])
		n, sx, sy, sxx, sxy = n+1, sx+u, sy+v, sxx+u*u, sxy+u*v
	}
	return (n*sxy - sx*sy) / (n*sxx - sx*sx)
}
