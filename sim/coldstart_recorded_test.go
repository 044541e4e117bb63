package sim

import (
	"cmp"
	"compress/gzip"
	"encoding/csv"
	"flag"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	gocmp "github.com/google/go-cmp/cmp"

	"github.com/goccy/go-yaml"

	"eevee/internal/recordings"
)

var update = flag.Bool("update", false, "measure what the platforms hold on the recordings again")

// initsFrom is the first day of the measurements that count: those of the year
// of the presets.
const initsFrom = "2026-01-01"

// initsOfRecordings measures the initialisations that maxday/lambda-perf has
// recorded.
func initsOfRecordings(t *testing.T) (f initFile, samples map[string][]float64) {
	path := filepath.Join(recordings.Dir(t), "maxday-lambda-perf", "lambda_perf_1st_15th.csv.gz")
	file, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	zipped, err := gzip.NewReader(file)
	if err != nil {
		t.Fatal(err)
	}
	rows, err := csv.NewReader(zipped).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	column := map[string]int{}
	for k, name := range rows[0] {
		column[name] = k
	}
	f = initFile{Source: "maxday/lambda-perf at 6070b79, Init Duration of REPORT lines", From: "9", To: ""}
	samples = map[string][]float64{}
	of := map[string]initMeasured{}
	for _, row := range rows[1:] {
		get := func(name string) string { return row[column[name]] }
		if get("date") < initsFrom {
			continue
		}
		f.From, f.To = min(f.From, get("date")), max(f.To, get("date"))
		m := initMeasured{Runtime: get("runtime"), Arch: Arch(get("arch")), Package: get("package")}
		key := m.key()
		of[key] = m
		for _, text := range strings.Split(get("init_durations_ms"), ";") {
			ms, err := strconv.ParseFloat(text, 64)
			if err != nil {
				t.Fatal(err)
			}
			samples[key] = append(samples[key], ms/1e3)
		}
	}
	for key, m := range of {
		m.N = len(samples[key])
		f.Inits = append(f.Inits, m)
	}
	slices.SortFunc(f.Inits, func(a, b initMeasured) int {
		return cmp.Or(cmp.Compare(a.Runtime, b.Runtime), cmp.Compare(b.Arch, a.Arch), cmp.Compare(b.Package, a.Package))
	})
	return f, samples
}

func (m initMeasured) key() string { return m.Runtime + "/" + string(m.Arch) + "/" + m.Package }

// The initialisations that the program holds are those of the recordings, and
// what is drawn from them is near to what was recorded.
func TestMeasuredInits(t *testing.T) {
	if testing.Short() {
		t.Skip("reads large recordings")
	}
	want, samples := initsOfRecordings(t)
	const path = "data/inits.yaml"
	if *update {
		for k, m := range want.Inits {
			want.Inits[k].Init = fitMixture(samples[m.key()], 3)
		}
		text, err := yaml.Marshal(want)
		if err != nil {
			t.Fatal(err)
		}
		head := "# How long an empty function takes to initialise on AWS Lambda, by runtime,\n" +
			"# instruction set and package: mixtures of log-normal distributions, fitted\n" +
			"# by \"go test ./sim -run MeasuredInits -update\".\n"
		if err := os.WriteFile(path, append([]byte(head), text...), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	held := measuredInits()
	if len(held.Inits) != len(want.Inits) {
		t.Fatalf("%d distributions held, %d measured", len(held.Inits), len(want.Inits))
	}
	for k := range want.Inits {
		// All of them take a while to fit. The others are held against the
		// recordings below.
		if want.Inits[k].Init = held.Inits[k].Init; k%15 == 0 {
			want.Inits[k].Init = fitMixture(samples[want.Inits[k].key()], 3)
		}
	}
	if diff := gocmp.Diff(held, want); diff != "" {
		t.Errorf("%s is not what the recordings give (-held +measured); run go test ./sim -run MeasuredInits -update and look at the difference:\n%s", path, diff)
	}
	var distances []float64
	for _, m := range want.Inits {
		d, _ := kolmogorov(samples[m.key()], m.Init.CDF)
		distances = append(distances, d)
		if m.N < 100 || d > 0.12 {
			t.Errorf("%s %s %s: %d cold starts, distance of the mixture from them %.3f", m.Runtime, m.Arch, m.Package, m.N, d)
		}
	}
	slices.Sort(distances)
	t.Logf("%d distributions, distance from the recordings: median %.3f, largest %.3f", len(distances), distances[len(distances)/2], distances[len(distances)-1])
	if median := distances[len(distances)/2]; median > 0.05 {
		t.Errorf("half of the mixtures are further than %.3f from the recordings", median)
	}
}

// Memory does not matter to the initialisation, which is why the measurements
// of all sizes are put together: the medians of one runtime differ by a few
// percent between 128 and 1024 MB, while runtimes differ by a factor of 20.
func TestMeasuredInitsOfRuntimes(t *testing.T) {
	mean := func(runtime string, arch Arch) float64 {
		m, err := MeasuredInit(runtime, arch, "zip")
		if err != nil {
			t.Fatal(err)
		}
		return m.Mean()
	}
	for _, arch := range []Arch{X86, ARM} {
		if r, p, j := mean("rust (prov.al2023)", arch), mean("python3.13", arch), mean("java21", arch); !(r < p/3 && p < j/2) {
			t.Errorf("%s: rust %v s, python %v s, java %v s", arch, r, p, j)
		}
	}
	if _, err := MeasuredInit("cobol", X86, "zip"); err == nil || !strings.Contains(err.Error(), `runtime "cobol"`) {
		t.Errorf("unknown runtime: %v", err)
	}
}
