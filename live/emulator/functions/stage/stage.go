// Package stage is what the functions have in common: the event, the answer with
// the times of its steps, and the object store.
package stage

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"time"
)

// Event is what a function is asked for.
type Event struct {
	Instance    int     `json:"instance"`    // of the stage, from 0
	Parallelism int     `json:"parallelism"` // instances of the stage; 0: 1
	Work        float64 `json:"work"`        // of all instances together, relative to the usual amount; 0: 1
}

// Share divides an amount of work among the instances of the stage.
func (e Event) Share(amount int) int {
	work := e.Work
	if work == 0 {
		work = 1
	}
	return int(float64(amount) * work / float64(max(e.Parallelism, 1)))
}

// Steps are how long the parts of a function took, in seconds.
type Steps struct {
	Read    float64 `json:"read_s"`
	Compute float64 `json:"compute_s"`
	Write   float64 `json:"write_s"`
}

// Answer is what a function returns.
type Answer struct {
	Instance int    `json:"instance"`
	Digest   string `json:"digest"` // of what was computed
	Steps    Steps  `json:"steps"`
}

// Run measures the steps of a function: what read returns goes to compute, and
// the digest and the result of that to write.
func Run(e Event, read func() ([]byte, error), compute func([]byte) (string, []byte), write func([]byte) error) (Answer, error) {
	start := time.Now()
	in, err := read()
	if err != nil {
		return Answer{}, fmt.Errorf("read: %w", err)
	}
	reading := time.Now()
	digest, out := compute(in)
	computing := time.Now()
	if err := write(out); err != nil {
		return Answer{}, fmt.Errorf("write: %w", err)
	}
	return Answer{e.Instance, digest, Steps{
		Read: reading.Sub(start).Seconds(), Compute: computing.Sub(reading).Seconds(), Write: time.Since(computing).Seconds(),
	}}, nil
}

// Store is a bucket of an object store, by its address.
type Store struct {
	URL    string
	client http.Client
}

// OpenStore returns the store that the environment names; nil where it names
// none.
func OpenStore() *Store {
	if address := os.Getenv("STORE_URL"); address != "" {
		return &Store{URL: address, client: http.Client{Timeout: time.Minute}}
	}
	return nil
}

// ErrNoObject is the answer for an object that is not there.
var ErrNoObject = errors.New("no such object")

// Get reads an object.
func (s *Store) Get(ctx context.Context, key string) ([]byte, error) {
	return s.do(ctx, http.MethodGet, key, nil)
}

// Put writes an object.
func (s *Store) Put(ctx context.Context, key string, data []byte) error {
	_, err := s.do(ctx, http.MethodPut, key, data)
	return err
}

func (s *Store) do(ctx context.Context, method, key string, data []byte) ([]byte, error) {
	r, err := http.NewRequestWithContext(ctx, method, s.URL+"/"+key, bytes.NewReader(data))
	if err != nil {
		return nil, err
	}
	answer, err := s.client.Do(r)
	if err != nil {
		return nil, err
	}
	defer answer.Body.Close()
	body, err := io.ReadAll(answer.Body)
	switch {
	case err != nil:
		return nil, err
	case answer.StatusCode == http.StatusNotFound:
		return nil, ErrNoObject
	case answer.StatusCode != http.StatusOK:
		return nil, fmt.Errorf("%s %s: %s", method, key, answer.Status)
	}
	return body, nil
}
