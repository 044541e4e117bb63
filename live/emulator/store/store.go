// Package store is an object store on loopback that speaks S3, for functions
// that read and write objects: gofakes3, which keeps them in memory and asks for
// no signature.
package store

import (
	"fmt"
	"net"
	"net/http"
	"sync"
	"time"

	"github.com/johannesboyne/gofakes3"
	"github.com/johannesboyne/gofakes3/backend/s3mem"
)

// bucket is the one bucket of a store.
const bucket = "objects"

// Store is a running object store.
type Store struct {
	server http.Server
	url    string
	work   sync.WaitGroup
}

// Start starts a store with one empty bucket. Close ends it.
func Start() (*Store, error) {
	backend := s3mem.New()
	if err := backend.CreateBucket(bucket); err != nil {
		return nil, fmt.Errorf("store: %w", err)
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, fmt.Errorf("store: %w", err)
	}
	s := &Store{url: "http://" + listener.Addr().String() + "/" + bucket}
	s.server.Handler = gofakes3.New(backend, gofakes3.WithLogger(gofakes3.DiscardLog())).Server()
	s.server.ReadHeaderTimeout = 10 * time.Second
	s.work.Go(func() { _ = s.server.Serve(listener) })
	return s, nil
}

// URL is the address of the bucket, as functions want it in STORE_URL.
func (s *Store) URL() string { return s.url }

// Close ends the store and forgets its objects.
func (s *Store) Close() error {
	err := s.server.Close()
	s.work.Wait()
	return err
}
