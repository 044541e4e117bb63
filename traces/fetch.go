package traces

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"time"

	"eevee/internal/spelling"
)

// Set is a set of published recordings: files of one format in a public
// repository at a pinned commit.
type Set struct {
	Name    string // of the set, and of its folder in the cache
	BaseURL string // the files are at BaseURL/Commit/Path
	Commit  string
	Format  string // one of Formats
	Licence string
	Files   []SetFile

	Attempts int           // how often a download is tried; 0: 4
	Timeout  time.Duration // of one attempt; 0: 1 minute
	Backoff  time.Duration // before the second attempt, doubled before each further one; 0: 500 ms
}

// SetFile is one file of a Set.
type SetFile struct {
	Path     string // in the repository
	Name     string // in a local copy of the recordings
	SHA256   string
	Workflow string // what its rows belong to, and the name of the trace
	Size     int64  // bytes
}

// Sets returns the recordings that can be fetched.
func Sets() []Set {
	return []Set{{
		Name:    "jolteon",
		BaseURL: "https://raw.githubusercontent.com/pkusys/Jolteon",
		Commit:  "bcce49588098a0fa4698cc94ac51565d3f5310cd",
		Format:  "jolteon-profile",
		Licence: "Apache-2.0",
		Files: []SetFile{
			{
				Path: "profiles/ML-Pipeline_profile.json", Name: "ML-Pipeline_profile.json", Workflow: "ml", Size: 40357,
				SHA256: "42c5e953f64f1de037c8246a741851ebba5ec13821a1fe84ba81a43db7d784f1",
			},
			{
				Path: "profiles/Video-Analytics_profile.json", Name: "Video-Analytics_profile.json", Workflow: "video", Size: 48959,
				SHA256: "8b9cbc301a2af6f39f09e666df851999c33bd0b86b4de9b7e7fa4bad8b6bfb67",
			},
			{
				Path: "profiles/tpcds-dsq95_profile.json", Name: "tpcds-dsq95_profile.json", Workflow: "tpcds", Size: 128005,
				SHA256: "875c93920aba5d45205dd8426b87580dc784612dae1aeb6afbb8b2b7bc4498f7",
			},
		},
	}}
}

// FindSet returns the set with the given name.
func FindSet(name string) (Set, error) {
	var names []string
	for _, s := range Sets() {
		if s.Name == name {
			return s, nil
		}
		names = append(names, s.Name)
	}
	return Set{}, spelling.Unknown("set of recordings", name, names)
}

// TracePath returns where the trace of a file of the set lies in a cache.
func (s Set) TracePath(cache string, f SetFile) string {
	return filepath.Join(cache, s.Name, f.Workflow+".parquet")
}

// url returns where a file of the set is published.
func (s Set) url(f SetFile) string {
	return strings.TrimSuffix(s.BaseURL, "/") + "/" + s.Commit + "/" + f.Path
}

// Progress is one event of Fetch.
type Progress struct {
	File  SetFile
	Event string // cached, reading, retrying or written
	Err   error  // why, when retrying
}

// Fetch brings a set of recordings into a cache folder, as traces, and returns
// their paths in the order of the files. It downloads them, or reads them from
// a local folder if from is not empty. Every file is checked against its
// SHA-256; a trace appears in the cache when it is complete, or not at all,
// and one that is there already is not fetched again. The files are
// independent: the defects of all of them are reported.
//
// A nil client is http.DefaultClient, a nil progress is silent.
func Fetch(ctx context.Context, client *http.Client, set Set, from, cache string, progress func(Progress)) ([]string, error) {
	if client == nil {
		client = http.DefaultClient
	}
	if progress == nil {
		progress = func(Progress) {}
	}
	format, err := FindFormat(set.Format)
	if err != nil {
		return nil, err
	}
	if err := os.MkdirAll(filepath.Join(cache, set.Name), 0o777); err != nil {
		return nil, fmt.Errorf("traces: cannot make the cache: %w", err)
	}
	f := fetcher{client: client, set: set, format: format, from: from, cache: cache, progress: progress}
	var paths []string
	var errs []error
	for _, file := range set.Files {
		if err := f.fetch(ctx, file); err != nil {
			errs = append(errs, fmt.Errorf("traces: fetch %s: %s: %w", set.Name, file.Name, err))
			if ctx.Err() != nil {
				break
			}
			continue
		}
		paths = append(paths, set.TracePath(cache, file))
	}
	if err := errors.Join(errs...); err != nil {
		return nil, err
	}
	return paths, nil
}

type fetcher struct {
	client   *http.Client
	set      Set
	format   Format
	from     string
	cache    string
	progress func(Progress)
}

// fetch brings one file into the cache.
func (f *fetcher) fetch(ctx context.Context, file SetFile) error {
	path := f.set.TracePath(f.cache, file)
	if isCached(path, file) {
		f.progress(Progress{File: file, Event: "cached"})
		return nil
	}
	f.progress(Progress{File: file, Event: "reading"})
	data, err := f.read(ctx, file)
	if err != nil {
		return err
	}
	sum := sha256.Sum256(data)
	if got := hex.EncodeToString(sum[:]); got != file.SHA256 {
		return fmt.Errorf("is not the file that was published: SHA-256 %s, should be %s", got, file.SHA256)
	}
	rows, err := importData(f.format, data, file.Name, file.Workflow)
	if err != nil {
		return err
	}
	err = Write(path, rows, Meta{
		Source: Recorded, Workflow: file.Workflow, InputSHA256: file.SHA256, Generator: "eevee traces fetch",
		Extra: map[string]string{
			"format": f.set.Format, "url": f.set.url(file), "commit": f.set.Commit, "licence": f.set.Licence,
		},
	})
	if err != nil {
		return err
	}
	f.progress(Progress{File: file, Event: "written"})
	return nil
}

// isCached reports whether a sound trace of the file is there.
func isCached(path string, file SetFile) bool {
	r, err := Open(path)
	if err != nil {
		return false
	}
	defer r.Close()
	return r.checked && r.Meta().SchemaVersion == SchemaVersion && r.Meta().InputSHA256 == file.SHA256
}

func (f *fetcher) read(ctx context.Context, file SetFile) ([]byte, error) {
	if f.from != "" {
		return f.readLocal(file)
	}
	return f.download(ctx, file)
}

// readLocal reads a file of a local copy: of the recordings, of the set alone,
// or of its repository.
func (f *fetcher) readLocal(file SetFile) ([]byte, error) {
	for _, place := range []string{
		filepath.Join(f.from, file.Name), filepath.Join(f.from, f.set.Name, file.Name), filepath.Join(f.from, file.Path),
	} {
		in, err := os.Open(place)
		if errors.Is(err, os.ErrNotExist) {
			continue
		}
		if err != nil {
			return nil, err
		}
		defer in.Close()
		return f.readAll(in, file)
	}
	return nil, fmt.Errorf("is not in %s", f.from)
}

// readAll reads exactly the bytes of a file. It never holds more than one too
// many.
func (f *fetcher) readAll(r io.Reader, file SetFile) ([]byte, error) {
	var b bytes.Buffer
	n, err := io.Copy(&b, io.LimitReader(r, file.Size+1))
	switch {
	case err != nil:
		return nil, err
	case n > file.Size:
		return nil, refusal{fmt.Errorf("is not the file that was published: has more than %d bytes", file.Size)}
	case n < file.Size:
		return nil, fmt.Errorf("truncated: %d bytes of %d", n, file.Size)
	}
	return b.Bytes(), nil
}

// refusal is an answer that another attempt will not change.
type refusal struct{ error }

// download tries to get a file until it succeeds, is refused, or the attempts
// are used up.
func (f *fetcher) download(ctx context.Context, file SetFile) ([]byte, error) {
	attempts, wait := f.set.Attempts, f.set.Backoff
	if attempts == 0 {
		attempts = 4
	}
	if wait == 0 {
		wait = 500 * time.Millisecond
	}
	for n := 1; ; n++ {
		data, err := f.attempt(ctx, file)
		if err == nil {
			return data, nil
		}
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
		if errors.As(err, new(refusal)) {
			return nil, err
		}
		if n == attempts {
			return nil, fmt.Errorf("%w (%d attempts); a local copy can be given with --from", err, n)
		}
		f.progress(Progress{File: file, Event: "retrying", Err: err})
		select {
		case <-ctx.Done():
			return nil, ctx.Err()
		case <-time.After(wait):
		}
		wait *= 2
	}
}

func (f *fetcher) attempt(ctx context.Context, file SetFile) ([]byte, error) {
	timeout := f.set.Timeout
	if timeout == 0 {
		timeout = time.Minute
	}
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, f.set.url(file), nil)
	if err != nil {
		return nil, refusal{err}
	}
	response, err := f.client.Do(request)
	if err != nil {
		return nil, err
	}
	defer response.Body.Close()
	switch code := response.StatusCode; {
	case code == http.StatusOK:
	case code >= 500 || code == http.StatusTooManyRequests || code == http.StatusRequestTimeout:
		return nil, fmt.Errorf("%s answers %s", f.set.url(file), response.Status)
	default:
		return nil, refusal{fmt.Errorf("%s answers %s", f.set.url(file), response.Status)}
	}
	data, err := f.readAll(response.Body, file)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", f.set.url(file), err)
	}
	return data, nil
}
