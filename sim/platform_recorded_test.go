package sim

import (
	"compress/gzip"
	"encoding/csv"
	"encoding/json"
	"io"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	gocmp "github.com/google/go-cmp/cmp"

	"github.com/goccy/go-yaml"
	"gonum.org/v1/gonum/mat"
	"gonum.org/v1/gonum/stat"

	"eevee/internal/recordings"
)

// readJSON reads a recording, which may be compressed.
func readJSON(t *testing.T, path string, into any) {
	t.Helper()
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	var in io.Reader = f
	if strings.HasSuffix(path, ".gz") {
		if in, err = gzip.NewReader(f); err != nil {
			t.Fatal(err)
		}
	}
	if err := json.NewDecoder(in).Decode(into); err != nil {
		t.Fatalf("%s: %v", path, err)
	}
}

// storageLatencies returns the recorded latencies in seconds by kind and
// request.
func storageLatencies(t *testing.T) map[string][]float64 {
	samples := map[string][]float64{}
	for kind, glob := range map[StorageKind]string{S3Standard: "s3/s3s*", S3Express: "s3/s3e*", DynamoDB: "dynamodb/*"} {
		paths, err := filepath.Glob(filepath.Join(recordings.Dir(t), "skyrise-storage-network/storage_latency", glob))
		if err != nil || len(paths) == 0 {
			t.Fatalf("%s: %v", glob, err)
		}
		for _, path := range paths {
			var file struct {
				Runs []struct {
					Parameters struct {
						Operation string `json:"operation_type"`
					}
					Repetitions []struct {
						Invocations []struct {
							MS []float64 `json:"invocation_request_latencies_ms"`
						}
					}
				}
			}
			readJSON(t, path, &file)
			for _, run := range file.Runs {
				key := string(kind) + "/" + map[string]string{"kRead": "read", "kWrite": "write"}[run.Parameters.Operation]
				for _, repetition := range run.Repetitions {
					for _, invocation := range repetition.Invocations {
						for _, ms := range invocation.MS {
							samples[key] = append(samples[key], ms/1e3)
						}
					}
				}
			}
		}
	}
	return samples
}

func TestMeasuredLatencies(t *testing.T) {
	if testing.Short() {
		t.Skip("reads large recordings")
	}
	samples := storageLatencies(t)
	held := measuredStorage()
	want := storageFile{Source: "hpides/skyrise at 37fbfdc, requests of 1 KB from functions of 7076 MB", Date: "2024-04-18"}
	for _, kind := range []StorageKind{S3Standard, S3Express, DynamoDB} {
		for _, request := range []string{"read", "write"} {
			sample := samples[string(kind)+"/"+request]
			m := storageMeasured{Kind: kind, Request: request, Requests: len(sample)}
			if k := len(want.Latency); *update || k == 0 {
				// The fit takes its time, and does with some of them. Every
				// 1000th is the first of an instance, which takes longer.
				var some []float64
				for k := 0; k < len(sample); k += 53 {
					some = append(some, sample[k])
				}
				m.Latency = fitMixture(some, 3)
			} else if k < len(held.Latency) {
				m.Latency = held.Latency[k].Latency // held against the recordings below
			}
			want.Latency = append(want.Latency, m)
		}
	}
	const path = "data/storage.yaml"
	if *update {
		text, err := yaml.Marshal(want)
		if err != nil {
			t.Fatal(err)
		}
		head := "# How long a request to a store takes from a function on AWS Lambda: mixtures\n" +
			"# of log-normal distributions, fitted by \"go test ./sim -run\n" +
			"# MeasuredLatencies -update\".\n"
		if err := os.WriteFile(path, append([]byte(head), text...), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	if diff := gocmp.Diff(held, want); diff != "" {
		t.Errorf("%s is not what the recordings give (-held +measured); run go test ./sim -run MeasuredLatencies -update and look at the difference:\n%s", path, diff)
	}
	for _, m := range want.Latency {
		sample := slices.Sorted(slices.Values(samples[string(m.Kind)+"/"+m.Request]))
		d, _ := kolmogorov(sample, m.Latency.CDF)
		p99 := stat.Quantile(0.99, stat.Empirical, sample, nil)
		mean := stat.Mean(sample, nil)
		t.Logf("%s %s: %d requests, distance %.3f, P(below recorded p99) %.4f, mean %.4f s of %.4f s", m.Kind, m.Request, len(sample), d, m.Latency.CDF(p99), m.Latency.Mean(), mean)
		if d > 0.04 || math.Abs(m.Latency.CDF(p99)-0.99) > 0.005 || math.Abs(m.Latency.Mean()/mean-1) > 0.05 {
			t.Errorf("%s %s: the mixture is far from the recordings", m.Kind, m.Request)
		}
	}
}

// networkRun is a recorded transfer at full speed: MB/s in every interval.
type networkRun struct {
	interval float64 // s
	speed    []float64
}

// networkRuns returns the recorded downloads outside of a VPC, 10 s each.
func networkRuns(t *testing.T) (runs []networkRun) {
	paths, err := filepath.Glob(filepath.Join(recordings.Dir(t), "skyrise-storage-network/network_throughput/lambda/28032024*vpc=false*"))
	if err != nil || len(paths) == 0 {
		t.Fatal(err)
	}
	for _, path := range paths {
		var file struct {
			Runs []struct {
				Parameters struct {
					MS float64 `json:"report_interval_ms"`
				}
				Repetitions []struct {
					Invocations []struct {
						Download []float64 `json:"intervals_download"`
					}
				}
			}
		}
		readJSON(t, path, &file)
		for _, run := range file.Runs {
			for _, repetition := range run.Repetitions {
				for _, invocation := range repetition.Invocations {
					if len(invocation.Download) > 0 {
						runs = append(runs, networkRun{run.Parameters.MS / 1e3, invocation.Download})
					}
				}
			}
		}
	}
	return runs
}

// The burst, peak and refill of the network are those of the recorded
// downloads of 1 to 256 instances at the same time.
func TestMeasuredNetwork(t *testing.T) {
	network := MustPlatform("aws-lambda-x86").Network
	var burst, peak, refill, ten []float64
	for _, run := range networkRuns(t) {
		pause := slices.Index(run.speed, 0) // the bucket is empty: traffic stops for the first time
		if pause < 3 {
			continue
		}
		sum := func(speed []float64) (mb float64) {
			for _, x := range speed {
				mb += x * run.interval
			}
			return mb
		}
		burst = append(burst, sum(run.speed[:pause]))
		peak = append(peak, stat.Mean(run.speed[:pause-1], nil))
		refill = append(refill, stat.Mean(run.speed[pause:], nil))
		ten = append(ten, sum(run.speed))
	}
	median := func(x []float64) float64 {
		slices.Sort(x)
		return stat.Quantile(0.5, stat.Empirical, x, nil)
	}
	t.Logf("%d downloads: burst %.0f MB, peak %.0f MB/s, refill %.1f MB/s, in 10 s %.0f MB", len(burst), median(burst), median(peak), median(refill), median(ten))
	for _, c := range []struct {
		name         string
		held         float64
		measured     []float64
		unit, within float64
	}{{"burst_mb", network.Burst, burst, 10, 5}, {"peak_mb_per_s", network.Peak, peak, 10, 5}, {"refill_mb_per_s", network.Rate, refill, 1, 0.5}} {
		if m := median(c.measured); math.Abs(c.held-m) > c.within {
			t.Errorf("%s is %v, the recordings say %.1f", c.name, c.held, m)
		}
	}
	// What a link moves in 10 s.
	link := network.newLink(0)
	mb := median(ten)
	if took := seconds(network.transfer(&link, 0, mb)); math.Abs(took-10) > 0.3 {
		t.Errorf("the median download of 10 s, %.0f MB, takes %.2f s", mb, took)
	}
}

// mappingRuns returns when the tasks of recorded jobs started, in order, in
// seconds after the first was submitted. Tasks that had to wait for a new
// instance are left out.
func mappingRuns(t *testing.T) (runs [][]float64) {
	for _, name := range []string{"flops/aws_lambda/100_flops", "flops/aws_lambda/1000_flops", "object_storage/aws_s3/100_read", "object_storage/aws_s3/100_write", "object_storage/aws_s3/1000_read"} {
		var file struct {
			Workers []struct {
				Submit float64 `json:"host_submit_tstamp"`
				Start  float64 `json:"worker_start_tstamp"`
				Cold   bool    `json:"worker_cold_start"`
			} `json:"worker_stats"`
		}
		readJSON(t, filepath.Join(recordings.Dir(t), "lithops-benchmarks", name+".json.gz"), &file)
		first := math.Inf(1)
		for _, w := range file.Workers {
			first = min(first, w.Submit)
		}
		var start []float64
		for _, w := range file.Workers {
			if !w.Cold {
				start = append(start, w.Start-first)
			}
		}
		slices.Sort(start)
		runs = append(runs, start[:len(start)*95/100]) // the last ones are stragglers
	}
	return runs
}

// fitMapping fits a mapping to jobs by least squares, every job with the same
// weight, with one of the given knees. A knee beyond all tasks makes a line.
func fitMapping(runs [][]float64, knees []int) (best Mapping, rms float64) {
	rms = math.Inf(1)
	for _, knee := range knees {
		var rows, y []float64
		columns := 2
		if knee < math.MaxInt32 {
			columns = 3
		}
		for _, run := range runs {
			w := 1 / math.Sqrt(float64(len(run)))
			for k, s := range run {
				j := float64(k + 1)
				rows = append(rows, []float64{w, w * j, w * max(0, j-float64(knee))}[:columns]...)
				y = append(y, w*s)
			}
		}
		var x mat.VecDense
		if err := x.SolveVec(mat.NewDense(len(y), columns, rows), mat.NewVecDense(len(y), y)); err != nil {
			continue
		}
		m := Mapping{Base: x.AtVec(0), PerInstance: x.AtVec(1)}
		if columns == 3 {
			m.Knee, m.BeyondKnee = knee, x.AtVec(2)
		}
		ss := 0.0
		for _, run := range runs {
			for k, s := range run {
				d := m.Delay(k+1) - s
				ss += d * d / float64(len(run)) / float64(len(runs))
			}
		}
		if r := math.Sqrt(ss); r < rms && m.Base >= 0 && m.PerInstance >= 0 && m.BeyondKnee >= 0 {
			best, rms = m, r
		}
	}
	return best, rms
}

// The mapping delay of the presets is that of the recorded jobs of 100 and 1000
// tasks, in which the client invokes every function itself. They show no knee
// beyond which the delay rises faster, as StepConf's under Step Functions do.
func TestMeasuredMapping(t *testing.T) {
	runs := mappingRuns(t)
	line, ofLine := fitMapping(runs, []int{math.MaxInt32})
	var knees []int
	for knee := 10; knee < 900; knee += 10 {
		knees = append(knees, knee)
	}
	bent, ofBent := fitMapping(runs, knees) // slopes may not fall
	t.Logf("%+v, rms %.3f s; with a knee %+v, rms %.3f s", line, ofLine, bent, ofBent)
	held := MustPlatform("aws-lambda-x86").Mapping
	if math.Abs(held.Base-line.Base) > 0.005 || math.Abs(held.PerInstance/line.PerInstance-1) > 0.01 || held.BeyondKnee != 0 {
		t.Errorf("mapping is %+v, the recordings say %+v", held, line)
	}
	if ofBent < 0.9*ofLine {
		t.Errorf("a knee at %d tasks explains the recordings better: rms %.3f s instead of %.3f s", bent.Knee, ofBent, ofLine)
	}
}

// Step Functions: the time between a state being entered and its function being
// scheduled, and what the function takes from there beyond its own duration,
// are those that were recorded of a chain of four functions.
func TestMeasuredTransitions(t *testing.T) {
	o := MustPlatform("aws-stepfunctions-standard").Orchestration
	for name, held := range map[string]Mixture{"Scheduling_Overhead": o.Transition, "Function_Execution_Delay": o.Invoke} {
		f, err := os.Open(filepath.Join(recordings.Dir(t), "pacslab-slappmdlopt/modeling/textprocessing", name+".csv"))
		if err != nil {
			t.Fatal(err)
		}
		defer f.Close()
		rows, err := csv.NewReader(f).ReadAll()
		if err != nil {
			t.Fatal(err)
		}
		var sample []float64
		for _, row := range rows[1:] {
			ms, err := strconv.ParseFloat(row[0], 64)
			if err != nil {
				t.Fatal(err)
			}
			if ms > 0 { // two clocks; 3 in 1000 are negative
				sample = append(sample, ms/1e3)
			}
		}
		if lost := len(rows) - 1 - len(sample); lost > len(rows)/100 {
			t.Errorf("%s: %d of %d are not positive", name, lost, len(rows)-1)
		}
		var some []float64 // the fit takes its time
		for k := 0; k < len(sample); k += max(1, len(sample)/2000) {
			some = append(some, sample[k])
		}
		if want := fitMixture(some, 3); !slices.Equal(held, want) {
			t.Errorf("%s: the platform holds %v, the recordings say %v", name, held, want)
		}
		d, _ := kolmogorov(sample, held.CDF)
		t.Logf("%s: %d recordings, distance %.3f, mean %.4f s of %.4f s", name, len(sample), d, held.Mean(), stat.Mean(sample, nil))
		if d > 0.12 || math.Abs(held.Mean()/stat.Mean(sample, nil)-1) > 0.05 {
			t.Errorf("%s: the mixture is far from the recordings", name)
		}
	}
}
