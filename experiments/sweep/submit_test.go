package sweep

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// awkward is a job whose every text needs quoting.
var awkward = Job{
	Name: "eevee-sweep", Program: "/opt/it's here/eevee", Grid: `/grids/a "b" $(c).yaml`, Folder: "/mnt/it's shared/sweep",
	Tasks: 8, Cores: 2, MemoryMB: 2000, Hours: 4, Image: "registry.example/eevee:1", Volume: "claim-1", Queue: "queue-1",
}

func jobFile(t *testing.T, engine, name string) []byte {
	t.Helper()
	files, err := JobFiles(engine, awkward)
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range files {
		if f.Name == name {
			return f.Text
		}
	}
	t.Fatalf("%s has no file %s", engine, name)
	return nil
}

// A shell hands the words of the batch script to the program as they are.
func TestSlurmScriptQuotes(t *testing.T) {
	shell, err := exec.LookPath("sh")
	if err != nil {
		t.Skip("no shell")
	}
	dir := t.TempDir()
	program := filepath.Join(dir, "it's $HOME")
	if err := os.WriteFile(program, []byte("#!/bin/sh\nfor a; do printf '%s\\n' \"$a\"; done\n"), 0o777); err != nil {
		t.Fatal(err)
	}
	j := awkward
	j.Program = program
	files, err := JobFiles("slurm", j)
	if err != nil {
		t.Fatal(err)
	}
	script := filepath.Join(dir, files[0].Name)
	if err := os.WriteFile(script, files[0].Text, 0o666); err != nil {
		t.Fatal(err)
	}
	out, err := exec.Command(shell, script).CombinedOutput()
	if err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	want := strings.Join([]string{"sweep", j.Grid, "-o", j.Folder, "--shards", "8"}, "\n") + "\n"
	if string(out) != want {
		t.Errorf("the program gets\n%swant\n%s", out, want)
	}
	for _, directive := range []string{"--array=1-8", "--cpus-per-task=2", "--mem=2000M", "--time=4:00:00", "--requeue", "--job-name=eevee-sweep"} {
		if !strings.Contains(string(files[0].Text), "#SBATCH "+directive+"\n") {
			t.Errorf("no directive %s", directive)
		}
	}
}

func TestBatchFilesAreJSON(t *testing.T) {
	for _, name := range []string{"job-definition.json", "submit-job.json"} {
		var v map[string]any
		if err := json.Unmarshal(jobFile(t, "batch", name), &v); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestJobsThatCannotBe(t *testing.T) {
	for name, c := range map[string]struct {
		engine string
		change func(*Job)
		want   string
	}{
		"no image":       {"kubernetes", func(j *Job) { j.Image = "" }, "engine kubernetes needs --image"},
		"no queue":       {"batch", func(j *Job) { j.Queue = "" }, "engine batch needs --queue"},
		"array of one":   {"batch", func(j *Job) { j.Tasks = 1 }, "arrays of at least 2"},
		"no tasks":       {"slurm", func(j *Job) { j.Tasks = 0 }, "at least 1"},
		"capital name":   {"slurm", func(j *Job) { j.Name = "Sweep" }, "job name"},
		"unknown engine": {"mesos", func(*Job) {}, "unknown engine"},
	} {
		j := awkward
		c.change(&j)
		if _, err := JobFiles(c.engine, j); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: error %v, want %q", name, err, c.want)
		}
	}
}
