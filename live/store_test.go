package live_test

import (
	"net"
	"net/http"
	"sync"
	"time"

	"github.com/johannesboyne/gofakes3"
	"github.com/johannesboyne/gofakes3/backend/s3mem"
)

// store is an object store in memory, behind the interface of S3.
type store struct {
	url    string // of its bucket
	server http.Server
	work   sync.WaitGroup
}

func startStore() (*store, error) {
	objects := s3mem.New()
	if err := objects.CreateBucket("data"); err != nil {
		return nil, err
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	s := &store{url: "http://" + listener.Addr().String() + "/data"}
	s.server = http.Server{Handler: gofakes3.New(objects).Server(), ReadHeaderTimeout: 10 * time.Second}
	s.work.Go(func() { _ = s.server.Serve(listener) })
	return s, nil
}

func (s *store) close() {
	_ = s.server.Close()
	s.work.Wait()
}
