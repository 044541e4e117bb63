package live

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strings"

	"github.com/gofrs/flock"

	"eevee/traces"
)

// recording is the trace that a session appends to. The file is whole at any
// time: it is written anew beside the old one, which it then replaces.
type recording struct {
	path    string // empty: there is none
	meta    traces.Meta
	rows    []traces.Record
	pending int
	lock    *flock.Flock
}

// openRecording reads the trace that there is, if there is one. The executions of
// the session begin with its name, which no others in the trace may.
func openRecording(path, workflow, run string) (*recording, error) {
	r := &recording{path: path, meta: traces.Meta{Source: traces.Live, Workflow: workflow, Generator: "eevee live"}}
	if path == "" {
		return r, nil
	}
	r.lock = flock.New(path + ".lock")
	if ok, err := r.lock.TryLock(); err != nil || !ok {
		return nil, errors.Join(fmt.Errorf("live: %s: another eevee writes it", path), err)
	}
	rows, meta, err := traces.Read(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return r, nil
	case err == nil && meta.Source != traces.Live:
		err = fmt.Errorf("live: %s: is a trace of source %q; live rows are added to live ones only; name another file", path, meta.Source)
	case err == nil && meta.Workflow != workflow:
		err = fmt.Errorf("live: %s: is a trace of workflow %q, not %q; name another file", path, meta.Workflow, workflow)
	}
	for i := range rows {
		if err == nil && strings.HasPrefix(rows[i].Execution, run+"-") {
			err = fmt.Errorf("live: %s: holds executions of a session of the name %s; give another one with --name, or none", path, run)
		}
	}
	if err != nil {
		r.close()
		return nil, err
	}
	r.rows, r.meta = rows, meta
	return r, nil
}

func (r *recording) add(rows ...traces.Record) {
	r.rows = append(r.rows, rows...)
	r.pending += len(rows)
}

// flush brings all rows to disk.
func (r *recording) flush() error {
	if r.path == "" || r.pending == 0 {
		return nil
	}
	if err := traces.Write(r.path, r.rows, r.meta); err != nil {
		return err
	}
	r.pending = 0
	return nil
}

func (r *recording) close() {
	if r.lock != nil {
		os.Remove(r.lock.Path())
		r.lock.Unlock()
	}
}
