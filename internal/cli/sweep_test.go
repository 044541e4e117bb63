package cli

import (
	"os"
	"path/filepath"
	"testing"

	"eevee/experiments/sweep"
)

const tinyGrid = `name: tiny
workflows: [ml]
methods: [exact, uniform]
latency_s: [30, 60]
percentiles: [50, 95]
rules: [plugin]
samples: [200]
`

func TestSweepFromGridToPicture(t *testing.T) {
	withoutRecordings(t)
	dir := t.TempDir()
	at := func(name string) string { return filepath.Join(dir, name) }
	if err := os.WriteFile(at("grid.yaml"), []byte(tinyGrid), 0o666); err != nil {
		t.Fatal(err)
	}
	for _, command := range [][]string{
		{"sweep", at("grid.yaml"), "--dry-run"},
		{"sweep", at("grid.yaml"), "-o", at("sweep"), "--shard", "1/2"},
		{"sweep", at("grid.yaml"), "-o", at("sweep"), "--no-pilot"},
		{"sweep", "status", at("sweep")},
		{"sweep", "merge", at("sweep"), "-o", at("all.parquet")},
		{"figures", at("all.parquet"), "-o", at("pictures")},
		{"figures", at("all.parquet"), "-o", at("pictures"), "--x", "percentile", "--y", "cost", "--by", "method", "--where", "limit=60"},
		{"sweep", "submit", at("grid.yaml"), "--engine", "slurm", "--folder", "/shared/sweep", "-o", at("jobs")},
		{"sweep", "submit", at("grid.yaml"), "--engine", "batch", "--folder", "/shared/sweep", "-o", at("jobs"), "--image", "eevee:1", "--volume", "fs-1", "--queue", "q"},
	} {
		code, stdout, stderr := runProgram(append(command, "--json")...)
		if code != 0 {
			t.Fatalf("%v: exit code %d: %s", command, code, stderr)
		}
		matchesSchema(t, "sweep", []byte(stdout))
	}
	if _, err := os.Stat(at("sweep/MANIFEST")); err != nil {
		t.Error(err)
	}
	rows, err := sweep.ReadRows(at("all.parquet"))
	if err != nil || len(rows) != 8 {
		t.Errorf("%d rows, want 8 (%v)", len(rows), err)
	}
	for _, name := range []string{"cost-over-percentile.png", "latency-uniform-regret.svg", "mean.png"} {
		_, err := os.Stat(at("pictures/" + name))
		if drawn := name != "mean.png"; (err == nil) != drawn {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestBadSweepInput(t *testing.T) {
	withoutRecordings(t)
	s := newSession(t, "bad_sweep")
	s.write("grid.yaml", []byte(tinyGrid))
	s.write("wrong.yaml", []byte("workflows: [ml]\nlatency_s: [40]\npercentile: [95]\n"))
	s.write("values.yaml", []byte("workflows: [ml]\nlatency_s: [-1]\npercentiles: [95, 100]\n"))
	s.write("unknown.yaml", []byte("workflows: [nlp]\nlatency_s: [40]\n"))
	s.write("trace.yaml", []byte("workflows: [ml]\nlatency_s: [40]\ntraces: [none.parquet]\n"))
	s.write("file", nil)
	for _, command := range []string{
		"sweep", "sweep $DIR/grid.yaml", "sweep nothing -o $DIR/x", "sweep $DIR/none.yaml -o $DIR/x",
		"sweep $DIR/wrong.yaml -o $DIR/x", "sweep $DIR/values.yaml -o $DIR/x", "sweep $DIR/unknown.yaml -o $DIR/x", "sweep $DIR/trace.yaml -o $DIR/x",
		"sweep $DIR/grid.yaml -o $DIR/file", "sweep $DIR/grid.yaml -o $DIR/x --shard 3/2", "sweep $DIR/grid.yaml -o $DIR/x --shard 1/2 --shards 2",
		"sweep $DIR/grid.yaml -o $DIR/x --shards 2",
		"sweep status $DIR/x", "sweep merge $DIR/x -o $DIR/m", "sweep merge $DIR/x",
		"sweep submit $DIR/grid.yaml --engine kubernetes --folder /f -o $DIR/jobs", "sweep submit $DIR/grid.yaml --engine mesos --folder /f",
		"sweep submit $DIR/grid.yaml --engine batch --folder /f --run", "sweep submit $DIR/grid.yaml --engine slurm --folder /f --name Big_Job -o $DIR/jobs",
		"figures $DIR/none", "figures $DIR/file", "figures $DIR/grid.yaml", "figures $DIR/file --x percentile", "figures $DIR/file --x p --y cost",
	} {
		s.run(command)
	}
	s.compare()
	for _, left := range []string{"x", "jobs", "m"} {
		if _, err := os.Stat(s.path(left)); err == nil {
			t.Errorf("bad input leaves %s behind", left)
		}
	}
}
