package traces

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"math"
	"strconv"
	"strings"

	"github.com/goccy/go-yaml"
)

// ChunkFunc is a profile of the ChunkFunc artifact (polaris-slo-cloud/chunk-func):
// mean times of the functions of a workflow for memory sizes and inputs.
type ChunkFunc struct {
	Name      string // of the workflow
	Functions []ChunkFuncFunction
}

// ChunkFuncFunction is one function.
type ChunkFuncFunction struct {
	Name  string
	Times []ChunkFuncTime // in the order of the file
}

// ChunkFuncTime is the mean time of a function over a few repetitions.
type ChunkFuncTime struct {
	MemoryMB   int
	VCPU       float64 // that the function got
	InputBytes int64
	Seconds    float64
	USD        float64 // what the artifact says it costs, to 0.000001
}

// maxChunkFuncBytes bounds the size of a profile; the published ones have up to
// 0.6 MB.
const maxChunkFuncBytes = 16 << 20

// ReadChunkFunc reads a profile, which may be compressed by gzip. Runs that
// failed are left out. The name from is used in errors, which report every defect
// by its function, memory and input.
func ReadChunkFunc(r io.Reader, from string) (ChunkFunc, error) {
	wrong := func(err error) (ChunkFunc, error) { return ChunkFunc{}, fmt.Errorf("traces: %s: %w", from, err) }
	buffered := bufio.NewReader(r)
	var plain io.Reader = buffered
	if magic, err := buffered.Peek(2); err == nil && bytes.Equal(magic, []byte{0x1f, 0x8b}) {
		unzipped, err := gzip.NewReader(buffered)
		if err != nil {
			return wrong(err)
		}
		plain = unzipped
	}
	text, err := io.ReadAll(io.LimitReader(plain, maxChunkFuncBytes+1))
	if err != nil {
		return wrong(err)
	}
	if len(text) > maxChunkFuncBytes {
		return wrong(fmt.Errorf("is larger than %d MB, no profile is", maxChunkFuncBytes>>20))
	}
	var file chunkFuncFile
	if err := yaml.Unmarshal(text, &file); err != nil {
		line, _, _ := strings.Cut(err.Error(), "\n")
		return wrong(errors.New(line))
	}
	p, err := file.profile()
	if err != nil {
		return wrong(err)
	}
	return p, nil
}

// chunkFuncFile is what is read of a file.
type chunkFuncFile struct {
	Name  string `yaml:"name"`
	Steps []struct {
		Name      string `yaml:"name"`
		Profiling struct {
			Sizes []struct {
				ID    string `yaml:"resourceProfileId"`
				Times []struct {
					Milliseconds float64 `yaml:"executionTimeMs"`
					Bytes        int64   `yaml:"inputSizeBytes"`
					Status       int     `yaml:"statusCode"`
					USD          float64 `yaml:"executionCost"`
				} `yaml:"results"`
			} `yaml:"results"`
		} `yaml:"profilingResults"`
	} `yaml:"steps"`
}

func (f chunkFuncFile) profile() (ChunkFunc, error) {
	p := ChunkFunc{Name: f.Name}
	var errs []error
	if len(f.Steps) == 0 {
		errs = append(errs, errors.New("holds no steps; a profile of ChunkFunc has a list steps"))
	}
	for _, s := range f.Steps {
		function := ChunkFuncFunction{Name: s.Name}
		bad := func(format string, args ...any) {
			errs = append(errs, fmt.Errorf("step %q: "+format, append([]any{s.Name}, args...)...))
		}
		type place struct {
			memory int
			input  int64
		}
		seen := map[place]bool{}
		for _, size := range s.Profiling.Sizes {
			memory, vcpu, err := chunkFuncSize(size.ID)
			if err != nil {
				bad("%w", err)
				continue
			}
			for _, t := range size.Times {
				if t.Status != 200 {
					continue
				}
				at := place{memory, t.Bytes}
				switch {
				case !(t.Milliseconds > 0) || math.IsInf(t.Milliseconds, 0) || t.Bytes <= 0:
					bad("%d MB, input of %d bytes: time %v ms; need positive numbers", memory, t.Bytes, t.Milliseconds)
				case !(t.USD >= 0) || math.IsInf(t.USD, 0):
					bad("%d MB, input of %d bytes: cost %v USD; need a number of at least 0", memory, t.Bytes, t.USD)
				case seen[at]:
					bad("%d MB, input of %d bytes: twice", memory, t.Bytes)
				default:
					seen[at] = true
					function.Times = append(function.Times, ChunkFuncTime{memory, vcpu, t.Bytes, t.Milliseconds / 1000, t.USD})
				}
			}
		}
		p.Functions = append(p.Functions, function)
	}
	if err := errors.Join(errs...); err != nil {
		return ChunkFunc{}, err
	}
	return p, nil
}

// chunkFuncSize takes the name of a size apart, as "1792mib-2000m": memory, and
// thousandths of a vCPU.
func chunkFuncSize(id string) (memory int, vcpu float64, err error) {
	mib, milli, ok := strings.Cut(strings.TrimSuffix(id, "m"), "mib-")
	memory, err1 := strconv.Atoi(mib)
	thousandths, err2 := strconv.Atoi(milli)
	if !ok || err1 != nil || err2 != nil || memory <= 0 || thousandths <= 0 {
		return 0, 0, fmt.Errorf("resourceProfileId %q is not a size as 1792mib-2000m", id)
	}
	return memory, float64(thousandths) / 1000, nil
}
