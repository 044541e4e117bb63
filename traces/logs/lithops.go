package logs

import (
	"encoding/json"
	"fmt"
	"path/filepath"
	"strings"

	"eevee/traces"
)

// lithopsFormat reads the statistics of a job of Lithops.
func lithopsFormat() Format {
	return Format{
		Name:        "lithops",
		Description: "statistics of the workers of a job of Lithops (JSON)",
		detect: func(head string) bool {
			return isJSON(head) && strings.Contains(head, `"worker_start_tstamp"`) || isJSON(head) && strings.Contains(head, `"worker_stats"`)
		},
		read: readLithops,
	}
}

// lithopsWorker is what Lithops knows of one call. Instants are in seconds
// since the epoch, on the clock of the host that submits, or of the worker.
type lithopsWorker struct {
	Submitted  *json.Number `json:"host_submit_tstamp"`
	Started    *json.Number `json:"worker_start_tstamp"`
	FuncStart  *json.Number `json:"worker_func_start_tstamp"`
	Ended      *json.Number `json:"worker_end_tstamp"`
	ExecS      *json.Number `json:"worker_exec_time"`
	FuncS      *json.Number `json:"worker_func_exec_time"`
	UploadS    *json.Number `json:"worker_result_upload_time"`
	Cold       *bool        `json:"worker_cold_start"`
	DataBytes  *json.Number `json:"data_size_bytes"`
	ResultSize *json.Number `json:"func_result_size"`

	// As versions until 2020 call them.
	OldStarted   *json.Number `json:"start_time"`
	OldFuncStart *json.Number `json:"function_start_time"`
	OldEnded     *json.Number `json:"end_time"`
	OldFuncS     *json.Number `json:"function_elapsed_exec_time"`
	OldUploadS   *json.Number `json:"output_elapsed_upload_time"`
	Python       string       `json:"python_version"`
	Exception    *bool        `json:"exception"`

	index int // among the workers of the job
}

// rename moves what has an old name to the new one.
func (w *lithopsWorker) rename() {
	for _, f := range []struct{ to, from **json.Number }{
		{&w.Started, &w.OldStarted}, {&w.FuncStart, &w.OldFuncStart}, {&w.Ended, &w.OldEnded}, {&w.FuncS, &w.OldFuncS}, {&w.UploadS, &w.OldUploadS},
	} {
		if *f.to == nil {
			*f.to = *f.from
		}
	}
}

func readLithops(in *input, out *sink) error {
	n, jobs := 0, 0
	name := filepath.Base(filepath.Dir(in.name)) + "/" + stem(in.name)
	rows := func(workers []lithopsWorker, first, total int) error {
		jobs++
		for i := range workers {
			if err := workers[i].row(out, name, jobs, total, int64(first+workers[i].index)); err != nil {
				return err
			}
		}
		return nil
	}
	err := walk(in, nil, func(name string, dec *json.Decoder) error {
		first := n + 1
		if name != "worker_stats" && name != "stats" {
			return skip(dec)
		}
		// How many workers there are is known only after the last one. One
		// without its times is not kept: it would take more memory than input.
		var workers []lithopsWorker
		if err := elements(dec, func() error {
			n++
			w := lithopsWorker{index: n - first}
			if err := value(dec, &w); err != nil {
				return err
			}
			if w.rename(); w.Started == nil || w.Ended == nil {
				out.unknown(int64(n), "a worker without its start and end", "")
				return nil
			}
			workers = append(workers, w)
			return nil
		}); err != nil {
			return err
		}
		return rows(workers, first, n-first+1)
	}, nil)
	if err != nil && out.stopped == nil {
		return fmt.Errorf("logs: %s: %w", in.name, err)
	}
	return err
}

// row adds the row of a worker: the step cold is from submission to the start
// of the worker, read until its function starts (code and data are fetched),
// compute the function itself, and write the upload of its result.
func (w *lithopsWorker) row(out *sink, name string, job, workers int, number int64) error {
	var problems []string
	seconds := func(name string, n *json.Number) *float64 {
		if n == nil {
			return nil
		}
		v, err := n.Float64()
		if err != nil || v < 0 {
			problems = append(problems, name+" is no time")
			return nil
		}
		return &v
	}
	instant := func(name string, n *json.Number) *int64 {
		ns, err := epochSeconds(n)
		if err != nil {
			problems = append(problems, name+": "+err.Error())
		}
		return ns
	}
	var r traces.Record
	a := &out.arena
	r.ScheduledNS, r.StartNS, r.EndNS = instant("host_submit_tstamp", w.Submitted), instant("worker_start_tstamp", w.Started), instant("worker_end_tstamp", w.Ended)
	if r.StartNS == nil || r.EndNS == nil {
		out.unknown(number, "a worker without its start and end", strings.Join(problems, "; "))
		return nil
	}
	gap := func(name string, from, to *int64) *float64 {
		if from == nil || to == nil {
			return nil
		}
		if *to < *from {
			problems = append(problems, fmt.Sprintf("%s: %d ns back in time: two clocks", name, *from-*to))
			return nil
		}
		s := float64(*to-*from) / 1e9
		return &s
	}
	r.Cold = gap("from submission to start", r.ScheduledNS, r.StartNS)
	r.Read = gap("from start to function", r.StartNS, instant("worker_func_start_tstamp", w.FuncStart))
	r.Compute, r.Write = seconds("worker_func_exec_time", w.FuncS), seconds("worker_result_upload_time", w.UploadS)
	if w.ExecS != nil {
		if us, err := scaled(w.ExecS.String(), 6, 1); err == nil && us >= 0 {
			r.DurationUS = a.int64(us)
		}
	}
	r.BytesIn, r.BytesOut = count64(w.DataBytes), count64(w.ResultSize)
	r.ColdStart = w.Cold
	if w.Python != "" {
		r.Runtime = a.text("python" + w.Python)
	}
	if w.Exception != nil {
		r.Status = a.text(map[bool]string{false: "success", true: "error"}[*w.Exception])
	}
	for _, problem := range problems {
		out.doubt(number, problem, "")
	}
	row, err := out.row()
	if err != nil {
		return err
	}
	r.Workflow, r.Stage, r.Statistic, r.Source, r.MemoryMB = row.Workflow, row.Stage, row.Statistic, row.Source, row.MemoryMB
	*row = r
	row.Function = a.text(row.Stage)
	row.Execution = fmt.Sprintf("%s/job%d", name, job)
	row.Parallelism = a.int32(int32(workers))
	row.MapIndex = a.int32(int32(w.index))
	row.SourceLine = a.int64(number)
	out.saw("worker")
	return nil
}

// count64 reads a whole number that some versions write with a fraction.
func count64(n *json.Number) *int64 {
	if n == nil {
		return nil
	}
	v, err := scaled(n.String(), 0, 1)
	if err != nil || v < 0 {
		return nil
	}
	return &v
}
