package sandbox

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"time"
)

// Settings say what a sandbox runs.
type Settings struct {
	Program  string   // the file that is started
	Root     string   // the unpacked package, in which it is started
	Dir      string   // a folder of the sandbox's own, removed by Close
	Env      []string // the whole environment, to which the sandbox adds AWS_LAMBDA_RUNTIME_API and TMPDIR
	MemoryMB int      // beyond which the process is killed
	Share    float64  // of one CPU; 0: no limit
}

// MaxInit is how long a process may take until it asks for its first event
// (Lambda developer guide, "Lambda runtime environment lifecycle").
const MaxInit = 10 * time.Second

// Event is one invocation.
type Event struct {
	ID      string
	ARN     string
	Payload []byte
	Context string        // of the client, in base64
	Trace   string        // X-Amzn-Trace-Id
	Timeout time.Duration // from the event on, not from the start of the process
}

// End is how an invocation ended.
type End int

// The ends of an invocation. After all but the first two the sandbox is dead.
const (
	Answered    End = iota // with a response
	Failed                 // with an error of the function
	TimedOut               // the process was killed at the deadline
	Exited                 // the process ended by itself
	OutOfMemory            // the process was killed for its memory
	Broken                 // the sandbox was closed
)

// Result is what came of an invocation.
type Result struct {
	End         End
	Payload     []byte        // of Answered and Failed
	Detail      string        // of the other ends
	Init        time.Duration // of the first invocation: from the start of the process to its first question; 0: the process was there
	Duration    time.Duration // from the event until the process asked for the next one
	MaxMemoryMB int           // so far
	InitLog     []string      // lines that the process wrote before its first event
	Log         []string      // lines that it wrote since
}

// Sandbox is an execution environment. One goroutine at a time may use it, but
// for Close.
type Sandbox struct {
	settings Settings
	server   http.Server
	work     sync.WaitGroup

	events  chan handed   // to the process
	asked   chan struct{} // the process asks for an event
	answers chan answer   // of the process
	exited  chan struct{} // closed when the process has ended
	closing chan struct{}
	once    sync.Once

	process *exec.Cmd
	output  *os.File // what the process writes
	read    int64    // of the output
	share   *share
	started time.Time
	ready   bool // the process has asked for its first event
	waitErr error
}

// handed is an event on its way to the process.
type handed struct {
	Event
	deadline time.Time
}

// answer is what the process posts.
type answer struct {
	id      string // of the event; empty: the process says that it cannot start
	payload []byte
	failed  bool
}

// Start starts the process, and does not wait for it.
func Start(s Settings) (_ *Sandbox, err error) {
	if !supported {
		return nil, errors.New("sandbox: programs are run on Linux only, which tells the CPU time of a process; use handlers in the process of the emulator")
	}
	if err := os.MkdirAll(filepath.Join(s.Dir, "tmp"), 0o755); err != nil {
		return nil, fmt.Errorf("sandbox: %w", err)
	}
	b := &Sandbox{
		settings: s, events: make(chan handed), asked: make(chan struct{}, 1), answers: make(chan answer, 1),
		exited: make(chan struct{}), closing: make(chan struct{}),
	}
	b.output, err = os.OpenFile(filepath.Join(s.Dir, "output"), os.O_CREATE|os.O_APPEND|os.O_RDWR, 0o600)
	if err != nil {
		return nil, fmt.Errorf("sandbox: %w", err)
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, errors.Join(fmt.Errorf("sandbox: %w", err), b.output.Close())
	}
	b.server.Handler = b.runtimeAPI()
	b.process = exec.Command(s.Program)
	b.process.Dir = s.Root
	b.process.Env = append(append([]string{}, s.Env...), "AWS_LAMBDA_RUNTIME_API="+listener.Addr().String(), "TMPDIR="+filepath.Join(s.Dir, "tmp"))
	// A file and no pipe: what the process wrote before it answered is there
	// when the answer is.
	b.process.Stdout, b.process.Stderr = b.output, b.output
	b.process.SysProcAttr = attributes()
	b.started = time.Now()
	if err := b.process.Start(); err != nil {
		return nil, errors.Join(fmt.Errorf("sandbox: %w", err), listener.Close(), b.output.Close())
	}
	b.share = newShare(b.process.Process.Pid, s.Share, s.MemoryMB)
	b.work.Go(func() { _ = b.server.Serve(listener) })
	b.work.Go(func() {
		b.waitErr = b.process.Wait()
		close(b.exited)
	})
	return b, nil
}

// Invoke hands an event to the process and waits until it has answered and asks
// for the next one, or until the deadline.
func (b *Sandbox) Invoke(ctx context.Context, e Event) Result {
	stop := b.share.resume()
	defer stop()
	var r Result
	if !b.ready {
		if end, detail := b.init(ctx); end != Answered {
			return b.dead(Result{End: end, Detail: detail, Duration: time.Since(b.started), Log: b.lines()})
		}
		b.ready = true
		r.Init, r.InitLog = time.Since(b.started), b.lines()
	}
	ctx, cancel := context.WithTimeout(ctx, e.Timeout)
	defer cancel()
	start := time.Now()
	end, a, detail := b.exchange(ctx, e, start.Add(e.Timeout))
	r.End, r.Detail, r.Duration = end, detail, time.Since(start)
	r.Payload = a.payload
	r.Log = b.lines()
	if end > Failed {
		return b.dead(r)
	}
	b.share.remember()
	r.MaxMemoryMB = b.share.memory()
	return r
}

// dead ends the sandbox after a result that it does not survive.
func (b *Sandbox) dead(r Result) Result {
	if b.share.overran() {
		r.End, r.Detail = OutOfMemory, "Runtime exited with error: signal: killed"
	}
	r.MaxMemoryMB = max(b.share.memory(), 1)
	b.kill()
	return r
}

// init waits until the process asks for its first event.
func (b *Sandbox) init(ctx context.Context) (End, string) {
	limit := time.NewTimer(MaxInit)
	defer limit.Stop()
	select {
	case <-b.asked:
		return Answered, ""
	case a := <-b.answers:
		return Exited, "Runtime could not start: " + string(a.payload)
	case <-b.exited:
		return Exited, b.exitReason()
	case <-limit.C:
		return Exited, "Runtime did not ask for an event within " + MaxInit.String()
	case <-b.closing:
		return Broken, "the emulator ended"
	case <-ctx.Done():
		return Broken, "the emulator ended"
	}
}

// exchange hands over an event and waits for the answer and the next question.
func (b *Sandbox) exchange(ctx context.Context, e Event, deadline time.Time) (End, answer, string) {
	var a answer
	ended := func() (End, answer, string) {
		select {
		case <-b.exited:
			return Exited, a, b.exitReason()
		case <-b.closing:
			return Broken, a, "the emulator ended"
		default:
			if ctx.Err() == context.DeadlineExceeded {
				return TimedOut, a, ""
			}
			return Broken, a, "the emulator ended"
		}
	}
	select {
	case b.events <- handed{e, deadline}:
	case <-b.exited:
		return ended()
	case <-b.closing:
		return ended()
	case <-ctx.Done():
		return ended()
	}
	for a.id != e.ID {
		select {
		case a = <-b.answers:
		case <-b.exited:
			return ended()
		case <-b.closing:
			return ended()
		case <-ctx.Done():
			return ended()
		}
	}
	end := Answered
	if a.failed {
		end = Failed
	}
	select {
	case <-b.asked:
	case <-b.exited: // it has answered all the same
		if a.failed {
			return Failed, a, ""
		}
	case <-b.closing:
	case <-ctx.Done():
		return ended()
	}
	return end, a, ""
}

// exitReason says how the process ended, as Lambda does.
func (b *Sandbox) exitReason() string {
	if b.waitErr == nil {
		return "Runtime exited without providing a reason"
	}
	return "Runtime exited with error: " + b.waitErr.Error()
}

// Alive reports whether the process can take another event.
func (b *Sandbox) Alive() bool {
	select {
	case <-b.exited:
		return false
	case <-b.closing:
		return false
	default:
		return true
	}
}

// maxOutput bounds what is read of one invocation's output: the log of an
// event of CloudWatch (256 KB) times four.
const maxOutput = 1 << 20

// lines returns what the process wrote since the last call.
func (b *Sandbox) lines() []string {
	data, err := io.ReadAll(io.NewSectionReader(b.output, b.read, maxOutput))
	if err != nil {
		return []string{"sandbox: " + err.Error()}
	}
	if info, err := b.output.Stat(); err == nil {
		b.read = info.Size()
	}
	text := strings.TrimRight(string(bytes.ToValidUTF8(data, []byte("\uFFFD"))), "\n")
	if text == "" {
		return nil
	}
	return strings.Split(text, "\n")
}

// kill ends the process and all that it started.
func (b *Sandbox) kill() {
	kill(b.process.Process.Pid)
	<-b.exited
}

// Close ends the process and waits until nothing is left of the sandbox. An
// invocation that runs ends as Broken.
func (b *Sandbox) Close() error {
	var err error
	b.once.Do(func() {
		close(b.closing)
		b.kill()
		err = errors.Join(b.server.Close(), b.output.Close())
		b.work.Wait()
		err = errors.Join(err, os.RemoveAll(b.settings.Dir))
	})
	return err
}
