package traces

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"eevee/internal/recordings"

	"github.com/google/go-cmp/cmp"
)

// publishedSet returns the set of the Jolteon profiles at another address,
// with short waits.
func publishedSet(base string) Set {
	set := Sets()[0]
	set.BaseURL, set.Backoff = base, time.Millisecond
	return set
}

// serve starts a server of the published profiles on the loopback interface.
// handle may answer a request itself; it gets the number of requests so far.
func serve(t *testing.T, handle func(w http.ResponseWriter, path string, n int) bool) (base string, requests *atomic.Int64) {
	t.Helper()
	dir := filepath.Join(recordings.Dir(t), "jolteon")
	requests = new(atomic.Int64)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		n := int(requests.Add(1))
		if handle != nil && handle(w, r.URL.Path, n) {
			return
		}
		path, ok := strings.CutPrefix(r.URL.Path, "/pkusys/Jolteon/"+Sets()[0].Commit+"/profiles/")
		if !ok {
			http.NotFound(w, r)
			return
		}
		http.ServeFile(w, r, filepath.Join(dir, path))
	}))
	t.Cleanup(server.Close)
	return server.URL + "/pkusys/Jolteon", requests
}

func TestFetchFromServer(t *testing.T) {
	base, requests := serve(t, nil)
	cache := t.TempDir()
	var events []string
	progress := func(p Progress) { events = append(events, p.File.Workflow+" "+p.Event) }

	paths, err := Fetch(t.Context(), nil, publishedSet(base), "", cache, progress)
	if err != nil {
		t.Fatal(err)
	}
	want := []string{"ml", "video", "tpcds"}
	for i, name := range want {
		if paths[i] != filepath.Join(cache, "jolteon", name+".parquet") {
			t.Errorf("trace %d is %s", i, paths[i])
		}
		got, meta, err := Read(paths[i])
		if err != nil {
			t.Fatal(err)
		}
		path, _ := published(t, name)
		rows, _, err := Import("jolteon-profile", name, path)
		if err != nil {
			t.Fatal(err)
		}
		if err := sameRows(got, rows); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if sum, err := FileSHA256(path); err != nil || meta.InputSHA256 != sum || meta.Source != Recorded || meta.Extra["commit"] != Sets()[0].Commit {
			t.Errorf("%s: meta %+v, %v", name, meta, err)
		}
	}
	if diff := cmp.Diff([]string{"ml reading", "ml written", "video reading", "video written", "tpcds reading", "tpcds written"}, events); diff != "" {
		t.Error(diff)
	}

	// What is there is not fetched again, unless it is damaged.
	events = nil
	if err := os.Truncate(paths[1], 1000); err != nil {
		t.Fatal(err)
	}
	if err := os.Remove(sidePath(paths[2])); err != nil {
		t.Fatal(err)
	}
	if _, err := Fetch(t.Context(), nil, publishedSet(base), "", cache, progress); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{"ml cached", "video reading", "video written", "tpcds reading", "tpcds written"}, events); diff != "" {
		t.Error(diff)
	}
	if requests.Load() != 5 {
		t.Errorf("%d requests", requests.Load())
	}
}

func TestFetchFromFolder(t *testing.T) {
	dir := recordings.Dir(t)
	for name, from := range map[string]string{"recordings": dir, "set": filepath.Join(dir, "jolteon")} {
		// The address cannot be reached: it is not needed.
		paths, err := Fetch(t.Context(), nil, publishedSet("http://127.0.0.1:1"), from, t.TempDir(), nil)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		for i, rows := range []int{552, 576, 1488} {
			if got, _, err := Read(paths[i]); err != nil || len(got) != rows {
				t.Errorf("%s: %s: %d rows, %v", name, paths[i], len(got), err)
			}
		}
	}

	clone := t.TempDir()
	if err := os.Mkdir(filepath.Join(clone, "profiles"), 0o777); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"ml", "video"} {
		path, data := published(t, name)
		if name == "video" {
			data[len(data)/2] ^= 1
		}
		if err := os.WriteFile(filepath.Join(clone, "profiles", filepath.Base(path)), data, 0o666); err != nil {
			t.Fatal(err)
		}
	}
	cache := t.TempDir()
	_, err := Fetch(t.Context(), nil, publishedSet(""), clone, cache, nil)
	for _, want := range []string{"Video-Analytics_profile.json: is not the file that was published", "tpcds-dsq95_profile.json: is not in " + clone} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q is not in: %v", want, err)
		}
	}
	if diff := cmp.Diff([]string{"ml.parquet", "ml.parquet.sha256"}, folder(t, filepath.Join(cache, "jolteon"))); diff != "" {
		t.Errorf("the cache holds only what is sound:\n%s", diff)
	}
}

func TestFetchFailures(t *testing.T) {
	const ml = "ML-Pipeline_profile.json"
	_, sound := published(t, "ml")
	for name, c := range map[string]struct {
		handle   func(w http.ResponseWriter, path string, n int) bool
		want     string // in the error; empty: succeeds
		requests int64
	}{
		"busy, then well": {func(w http.ResponseWriter, _ string, n int) bool {
			if n <= 2 {
				w.WriteHeader(http.StatusInternalServerError - 1 + n) // 500, 501
			}
			return n <= 2
		}, "", 3},
		"too many requests, then well": {func(w http.ResponseWriter, _ string, n int) bool {
			if n == 1 {
				w.WriteHeader(http.StatusTooManyRequests)
			}
			return n == 1
		}, "", 2},
		"always busy": {func(w http.ResponseWriter, _ string, n int) bool {
			w.WriteHeader(http.StatusServiceUnavailable)
			return true
		}, "answers 503 Service Unavailable (4 attempts); a local copy can be given with --from", 4},
		"not there": {func(w http.ResponseWriter, _ string, n int) bool {
			w.WriteHeader(http.StatusNotFound)
			return true
		}, "answers 404 Not Found", 1},
		"wrong content": {func(w http.ResponseWriter, _ string, n int) bool {
			w.Write([]byte(strings.Repeat("x", len(sound))))
			return true
		}, "is not the file that was published: SHA-256", 1},
		"too long": {func(w http.ResponseWriter, _ string, n int) bool {
			w.Write(append(sound[:len(sound):len(sound)], ' '))
			return true
		}, "is not the file that was published: has more than 40357 bytes", 1},
		"endless": {func(w http.ResponseWriter, _ string, n int) bool {
			for {
				if _, err := w.Write(sound); err != nil {
					return true
				}
			}
		}, "has more than 40357 bytes", 1},
		"too short": {func(w http.ResponseWriter, _ string, n int) bool {
			w.Write(sound[:1000])
			return true
		}, "truncated: 1000 bytes of 40357", 4},
		"cut off, then well": {func(w http.ResponseWriter, _ string, n int) bool {
			if n == 1 {
				w.Header().Set("Content-Length", fmt.Sprint(len(sound)))
				w.Write(sound[:1000])
			}
			return n == 1
		}, "", 2},
		"always cut off": {func(w http.ResponseWriter, _ string, n int) bool {
			w.Header().Set("Content-Length", fmt.Sprint(len(sound)))
			w.Write(sound[:1000])
			return true
		}, "unexpected EOF", 4},
	} {
		t.Run(name, func(t *testing.T) {
			base, requests := serve(t, c.handle)
			set := publishedSet(base)
			set.Files = set.Files[:1]
			cache := t.TempDir()
			_, err := Fetch(t.Context(), nil, set, "", cache, nil)
			if requests.Load() != c.requests {
				t.Errorf("%d requests, should be %d", requests.Load(), c.requests)
			}
			held := folder(t, filepath.Join(cache, "jolteon"))
			if c.want == "" {
				if err != nil || len(held) != 2 {
					t.Errorf("cache %v, %v", held, err)
				}
				return
			}
			if err == nil || !strings.Contains(err.Error(), c.want) || !strings.Contains(err.Error(), "traces: fetch jolteon: "+ml) {
				t.Errorf("%q is not in: %v", c.want, err)
			}
			if len(held) > 0 {
				t.Errorf("left behind: %v", held)
			}
		})
	}
}

func TestFetchGivesUp(t *testing.T) {
	// The server answers the first file and is then silent.
	silent := make(chan struct{})
	base, requests := serve(t, func(w http.ResponseWriter, path string, n int) bool {
		if n > 1 {
			<-silent
		}
		return n > 1
	})
	t.Cleanup(func() { close(silent) })
	cache := t.TempDir()
	ctx, cancel := context.WithCancel(t.Context())
	_, err := Fetch(ctx, nil, publishedSet(base), "", cache, func(p Progress) {
		if p.File.Workflow == "video" && p.Event == "reading" {
			time.AfterFunc(20*time.Millisecond, cancel)
		}
	})
	if !errors.Is(err, context.Canceled) || requests.Load() != 2 {
		t.Errorf("cancelled in its second file: %v, %d requests", err, requests.Load())
	}
	if diff := cmp.Diff([]string{"ml.parquet", "ml.parquet.sha256"}, folder(t, filepath.Join(cache, "jolteon"))); diff != "" {
		t.Errorf("after it was cancelled:\n%s", diff)
	}

	// A silent server is left after the time limit.
	set := publishedSet(base)
	set.Attempts, set.Timeout, set.Files = 2, 20*time.Millisecond, set.Files[1:2]
	if _, err := Fetch(t.Context(), nil, set, "", cache, nil); !errors.Is(err, context.DeadlineExceeded) || !strings.Contains(err.Error(), "2 attempts") {
		t.Error(err)
	}

	// The wait before another attempt can be cancelled.
	busy, _ := serve(t, func(w http.ResponseWriter, _ string, _ int) bool {
		w.WriteHeader(http.StatusServiceUnavailable)
		return true
	})
	set = publishedSet(busy)
	set.Backoff = time.Hour
	ctx, cancel = context.WithCancel(t.Context())
	_, err = Fetch(ctx, nil, set, "", t.TempDir(), func(p Progress) {
		if p.Event == "retrying" {
			cancel()
		}
	})
	if !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
}

func TestFetchErrors(t *testing.T) {
	if _, err := FindSet("jolteon"); err != nil {
		t.Error(err)
	}
	if _, err := FindSet("orion"); err == nil || !strings.Contains(err.Error(), `"orion"`) || !strings.Contains(err.Error(), "jolteon") {
		t.Error(err)
	}
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o666); err != nil {
		t.Fatal(err)
	}
	if _, err := Fetch(t.Context(), nil, publishedSet(""), "", file, nil); err == nil {
		t.Error("a cache in a file")
	}
	set := publishedSet("")
	set.Format = "none"
	if _, err := Fetch(t.Context(), nil, set, "", t.TempDir(), nil); err == nil {
		t.Error("a set in an unknown format")
	}
	set = publishedSet("://no address")
	set.Files = set.Files[:1]
	if _, err := Fetch(t.Context(), nil, set, "", t.TempDir(), nil); err == nil || strings.Contains(err.Error(), "attempts") {
		t.Errorf("an address that is none: %v", err)
	}
}
