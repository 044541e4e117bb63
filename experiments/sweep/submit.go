package sweep

import (
	"bytes"
	"context"
	"embed"
	"encoding/json"
	"errors"
	"fmt"
	"os/exec"
	"path"
	"strings"
	"text/template"

	"eevee/internal/spelling"

	"github.com/google/renameio/v2"
)

//go:embed jobs
var jobs embed.FS

// Job says how a sweep runs as an array of tasks on an engine.
type Job struct {
	Name     string // of the job; letters, digits and dashes
	Program  string // path of eevee on the machines, or in the image
	Grid     string // path of the grid file there
	Folder   string // path of the sweep's folder there; all tasks share it
	Tasks    int
	Cores    int
	MemoryMB int
	Image    string // container image; Kubernetes and Batch
	Volume   string // name of the claim (Kubernetes) or the file system (Batch) that holds Folder
	Queue    string // job queue; Batch
	Hours    int    // that a task may take
}

// Seconds is the time that a task may take.
func (j Job) Seconds() int { return j.Hours * 3600 }

// Mount is the folder that the shared volume appears as.
func (j Job) Mount() string { return path.Dir(j.Folder) }

// Engines are the names of the engines that job files can be written for.
func Engines() []string { return []string{"slurm", "kubernetes", "batch"} }

// engineFiles are the job files of every engine.
var engineFiles = map[string][]string{
	"slurm":      {"sweep.sbatch"},
	"kubernetes": {"job.yaml"},
	"batch":      {"job-definition.json", "submit-job.json"},
}

// File is a job file.
type File struct {
	Name string
	Text []byte
}

// JobFiles writes the files that make an engine run the sweep: a task is one
// shard, and finds its number in the variable that the engine sets.
func JobFiles(engine string, j Job) ([]File, error) {
	names, ok := engineFiles[engine]
	if !ok {
		return nil, spelling.Unknown("engine", engine, Engines())
	}
	if err := j.check(engine); err != nil {
		return nil, err
	}
	var files []File
	for _, name := range names {
		t, err := template.New(name).Funcs(template.FuncMap{"shell": shellQuote, "json": jsonQuote}).ParseFS(jobs, path.Join("jobs", name))
		if err != nil {
			return nil, err
		}
		var b bytes.Buffer
		if err := t.Execute(&b, j); err != nil {
			return nil, err
		}
		files = append(files, File{name, b.Bytes()})
	}
	return files, nil
}

func (j Job) check(engine string) error {
	var errs []error
	for _, f := range []struct{ name, value string }{{"name", j.Name}, {"program", j.Program}, {"grid", j.Grid}, {"folder", j.Folder}} {
		if f.value == "" {
			errs = append(errs, fmt.Errorf("the job has no %s", f.name))
		}
	}
	if engine != "slurm" {
		for _, f := range []struct{ name, value string }{{"image", j.Image}, {"volume", j.Volume}} {
			if f.value == "" {
				errs = append(errs, fmt.Errorf("engine %s needs --%s", engine, f.name))
			}
		}
	}
	if engine == "batch" && j.Queue == "" {
		errs = append(errs, errors.New("engine batch needs --queue"))
	}
	if engine == "batch" && j.Tasks < 2 {
		errs = append(errs, fmt.Errorf("engine batch runs arrays of at least 2 tasks, not %d", j.Tasks))
	}
	if strings.Trim(j.Name, "abcdefghijklmnopqrstuvwxyz0123456789-") != "" || strings.Trim(j.Name, "-") != j.Name || len(j.Name) > 63 {
		errs = append(errs, fmt.Errorf("job name %q is not made of at most 63 small letters, digits and inner dashes", j.Name))
	}
	if j.Tasks < 1 || j.Cores < 1 || j.MemoryMB < 1 || j.Hours < 1 {
		errs = append(errs, fmt.Errorf("tasks %d, cores %d, memory %d MB and hours %d must all be at least 1", j.Tasks, j.Cores, j.MemoryMB, j.Hours))
	}
	return errors.Join(errs...)
}

// WriteFile writes a file that appears when it is complete.
func WriteFile(path string, text []byte) error { return renameio.WriteFile(path, text, 0o644) }

// SubmitSlurm hands a job file to Slurm and returns the number of the job.
func SubmitSlurm(ctx context.Context, file string) (string, error) {
	var stdout, stderr bytes.Buffer
	cmd := exec.CommandContext(ctx, "sbatch", "--parsable", file)
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	if err := cmd.Run(); err != nil {
		return "", fmt.Errorf("sbatch %s: %w: %s", file, err, strings.TrimSpace(stderr.String()))
	}
	job, _, _ := strings.Cut(strings.TrimSpace(stdout.String()), ";") // JOB or JOB;CLUSTER
	return job, nil
}

// shellQuote quotes a word for a POSIX shell.
func shellQuote(s string) string { return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'" }

// jsonQuote quotes a text for JSON, and so for YAML, of which JSON is a part.
func jsonQuote(s string) (string, error) {
	text, err := json.Marshal(s)
	return string(text), err
}
