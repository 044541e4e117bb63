package traces

import (
	"bytes"
	"compress/gzip"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"eevee/internal/recordings"
)

const tinyChunkFunc = `name: w
steps:
  - name: f
    profilingResults:
      results:
      - resourceProfileId: 128mib-1000m
        results:
        - {executionTimeMs: 24, inputSizeBytes: 10, statusCode: 200}
        - {executionTimeMs: 9, inputSizeBytes: 20, statusCode: 500}
      - resourceProfileId: 1792mib-2000m
        results:
        - {executionCost: 0.000003, executionTimeMs: 12.5, inputSizeBytes: 10, statusCode: 200}
`

func TestReadChunkFunc(t *testing.T) {
	var zipped bytes.Buffer
	z := gzip.NewWriter(&zipped)
	if _, err := z.Write([]byte(tinyChunkFunc)); err != nil {
		t.Fatal(err)
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	want := ChunkFunc{"w", []ChunkFuncFunction{{"f", []ChunkFuncTime{{128, 1, 10, 0.024, 0}, {1792, 2, 10, 0.0125, 3e-6}}}}}
	for _, text := range []string{tinyChunkFunc, zipped.String()} {
		got, err := ReadChunkFunc(strings.NewReader(text), "w.yaml")
		if err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("%+v, %v; want %+v", got, err, want)
		}
	}
}

func TestBadChunkFunc(t *testing.T) {
	for name, test := range map[string]struct{ old, new, want string }{
		"a size":   {"128mib-1000m", "128mb", `step "f": resourceProfileId "128mb"`},
		"a time":   {"executionTimeMs: 24", "executionTimeMs: -24", "128 MB, input of 10 bytes: time -24 ms"},
		"a cost":   {"executionCost: 0.000003", "executionCost: -1", "1792 MB, input of 10 bytes: cost -1 USD"},
		"an input": {"24, inputSizeBytes: 10", "24, inputSizeBytes: 0", "input of 0 bytes"},
		"twice":    {"inputSizeBytes: 20, statusCode: 500", "inputSizeBytes: 10, statusCode: 200", "input of 10 bytes: twice"},
		"no steps": {"steps:", "stairs:", "holds no steps"},
		"no YAML":  {"name: w", "name: [", "w.yaml: "},
	} {
		_, err := ReadChunkFunc(strings.NewReader(strings.Replace(tinyChunkFunc, test.old, test.new, 1)), "w.yaml")
		if err == nil || !strings.Contains(err.Error(), test.want) || !strings.HasPrefix(err.Error(), "traces: w.yaml: ") {
			t.Errorf("%s: error %v does not say %q", name, err, test.want)
		}
	}
	cut := append([]byte{0x1f, 0x8b}, tinyChunkFunc...)
	if _, err := ReadChunkFunc(bytes.NewReader(cut), "w.yaml.gz"); err == nil {
		t.Error("a broken archive is read")
	}
}

// Whatever the text, reading it gives times that are positive, or an error that
// names the file.
func FuzzReadChunkFunc(f *testing.F) {
	f.Add([]byte(tinyChunkFunc))
	f.Add([]byte("steps: [{name: f}]"))
	f.Add([]byte("{"))
	f.Add([]byte{0x1f, 0x8b, 8})
	f.Fuzz(func(t *testing.T, text []byte) {
		p, err := ReadChunkFunc(bytes.NewReader(text), "w.yaml")
		if err != nil {
			if !strings.HasPrefix(err.Error(), "traces: w.yaml: ") {
				t.Error(err)
			}
			return
		}
		for _, function := range p.Functions {
			for _, time := range function.Times {
				if !(time.Seconds > 0 && time.VCPU > 0 && time.MemoryMB > 0 && time.InputBytes > 0 && time.USD >= 0) {
					t.Errorf("%s: %+v", function.Name, time)
				}
			}
		}
	})
}

// The published profiles: twelve functions, two of which share their times, of
// 159 sizes, the smallest of which are too small for some, and three to nine
// inputs.
func TestPublishedChunkFunc(t *testing.T) {
	for workflow, n := range map[string]int{"face-detection": 3743, "log-processing": 1902, "video-processing": 3864} {
		file, err := os.Open(filepath.Join(recordings.Dir(t), "chunkfunc", workflow+".yaml.gz"))
		if err != nil {
			t.Fatal(err)
		}
		p, err := ReadChunkFunc(file, workflow)
		if err := file.Close(); err != nil {
			t.Fatal(err)
		}
		if err != nil {
			t.Fatal(err)
		}
		times := 0
		for _, f := range p.Functions {
			times += len(f.Times)
			sizes, inputs := map[int]float64{}, map[int64]bool{}
			for _, r := range f.Times {
				sizes[r.MemoryMB], inputs[r.InputBytes] = r.VCPU, true
			}
			if len(sizes) < 157 || len(sizes) > 159 || len(inputs) < 3 || len(inputs) > 9 {
				t.Errorf("%s: %d sizes, %d inputs", f.Name, len(sizes), len(inputs))
			}
			// Whole cores, one more from every multiple of about 1769 MB on.
			if sizes[1728] != 1 || sizes[1792] != 2 || sizes[10240] != 6 {
				t.Errorf("%s: vCPU of 1728, 1792 and 10240 MB are %v, %v and %v", f.Name, sizes[1728], sizes[1792], sizes[10240])
			}
		}
		if len(p.Functions) != 4 || times != n {
			t.Errorf("%s: %d functions and %d times, want 4 and %d", workflow, len(p.Functions), times, n)
		}
	}
}
