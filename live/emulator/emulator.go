package emulator

import (
	"context"
	cryptorand "crypto/rand"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"net/http"
	"os"
	"sync"
	"time"

	"eevee/live/emulator/sigv4"
)

// Emulator is a running server. Its methods may be called by any number of
// goroutines.
type Emulator struct {
	options  Options
	verifier sigv4.Verifier
	server   http.Server
	url      string
	dir      string // of unpacked code; removed by Close

	requests sync.WaitGroup // that are being answered
	work     sync.WaitGroup // goroutines beside the server's own
	ending   context.Context
	end      context.CancelFunc

	mu         sync.Mutex // guards all below
	functions  map[string]*function
	handlers   map[string]Handler
	closed     bool
	running    int // invocations
	groups     map[string]*logGroup
	machines   map[string]*machine   // by ARN
	executions map[string]*execution // by ARN
	random     *rand.Rand
	calls      []Call
	seen       map[string]int // calls by service and operation
	faults     []*armedFault
	bill       Bill
}

// Start starts an emulator on loopback. Close ends it.
func Start(o Options) (*Emulator, error) {
	o, err := o.complete()
	if err != nil {
		return nil, err
	}
	listener, err := net.Listen("tcp", o.Address)
	if err != nil {
		return nil, fmt.Errorf("emulator: %w", err)
	}
	dir, err := os.MkdirTemp("", "eevee-emulator-")
	if err != nil {
		return nil, errors.Join(fmt.Errorf("emulator: %w", err), listener.Close())
	}
	e := &Emulator{
		options:   o,
		verifier:  sigv4.Verifier{Credentials: o.Credentials, Region: o.Region, Skew: o.Skew},
		url:       "http://" + listener.Addr().String(),
		dir:       dir,
		functions: make(map[string]*function),
		handlers:  make(map[string]Handler),
		groups:    make(map[string]*logGroup),
	}
	e.machines, e.executions, e.seen = make(map[string]*machine), make(map[string]*execution), make(map[string]int)
	e.random = rand.New(rand.NewPCG(o.Seed, 0))
	for name, h := range o.Handlers {
		e.handlers[name] = h
	}
	e.Inject(o.Faults...)
	e.ending, e.end = context.WithCancel(context.Background())
	e.server.Handler = e
	e.server.ReadHeaderTimeout = 10 * time.Second
	e.work.Go(func() { _ = e.server.Serve(listener) })
	return e, nil
}

// URL is the endpoint of every service.
func (e *Emulator) URL() string { return e.url }

// Account is the number of the account that everything belongs to.
func (e *Emulator) Account() string { return e.options.Account }

// Env returns what points the SDK's default chain at the emulator: a list of
// NAME=VALUE for the environment of a process.
func (e *Emulator) Env() []string {
	c := e.options.Credentials[0]
	return []string{
		"AWS_ENDPOINT_URL=" + e.url, "AWS_REGION=" + e.options.Region,
		"AWS_ACCESS_KEY_ID=" + c.AccessKey, "AWS_SECRET_ACCESS_KEY=" + c.Secret,
		"AWS_SESSION_TOKEN=" + c.Session, "AWS_EC2_METADATA_DISABLED=true",
	}
}

// Close ends everything that the emulator started: connections, executions,
// environments and their processes. Programs are broken off; handlers and hooks
// are waited for.
func (e *Emulator) Close() error {
	e.mu.Lock()
	e.closed = true
	e.mu.Unlock()
	e.end()
	err := e.server.Close()
	e.requests.Wait()
	e.closeEnvironments()
	e.work.Wait()
	return errors.Join(err, os.RemoveAll(e.dir))
}

// enter counts a request, unless the emulator is closed.
func (e *Emulator) enter() bool {
	e.mu.Lock()
	defer e.mu.Unlock()
	if !e.closed {
		e.requests.Add(1)
	}
	return !e.closed
}

// now is the clock of the emulator.
func (e *Emulator) now() time.Time { return e.options.Now() }

// uuid returns a random identifier such as those of requests (RFC 9562,
// version 4).
func uuid() string {
	var b [16]byte
	_, _ = cryptorand.Read(b[:]) // never fails
	b[6], b[8] = b[6]&0x0f|0x40, b[8]&0x3f|0x80
	return fmt.Sprintf("%x-%x-%x-%x-%x", b[:4], b[4:6], b[6:8], b[8:10], b[10:])
}

// arn returns the name of something of the account.
func (e *Emulator) arn(service, resource string) string {
	return fmt.Sprintf("arn:aws:%s:%s:%s:%s", service, e.options.Region, e.options.Account, resource)
}
