package sandbox

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"go.uber.org/goleak"
)

// The test binary is also the program in the sandboxes: a runtime written
// against the published API, without a library.
func TestMain(m *testing.M) {
	if api := os.Getenv("AWS_LAMBDA_RUNTIME_API"); api != "" {
		runtimeLoop("http://" + api + "/2018-06-01/runtime/")
	}
	if dir := os.Getenv("KEEP_SANDBOX_IN"); dir != "" {
		keepSandbox(dir)
	}
	goleak.VerifyTestMain(m)
}

// keepSandbox starts a sandbox in a folder, prints its process and waits.
func keepSandbox(dir string) {
	program, err := os.Executable()
	if err != nil {
		panic(err)
	}
	b, err := Start(Settings{Program: program, Root: dir, Dir: filepath.Join(dir, "box")})
	if err != nil {
		panic(err)
	}
	b.Invoke(context.Background(), Event{ID: "1", Payload: []byte("echo"), Timeout: time.Minute})
	fmt.Println(b.process.Process.Pid)
	time.Sleep(time.Hour)
}

// Processes end with the one that started them, even if that is killed while
// they are frozen.
func TestKilled(t *testing.T) {
	program, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	keeper := exec.Command(program)
	keeper.Env = append(os.Environ(), "KEEP_SANDBOX_IN="+t.TempDir())
	out, err := keeper.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := keeper.Start(); err != nil {
		t.Fatal(err)
	}
	var pid int
	_, err = fmt.Fscan(out, &pid)
	_ = keeper.Process.Kill()
	_ = keeper.Wait()
	if err != nil || pid == 0 {
		t.Fatalf("no process was started: %v", err)
	}
	for deadline := time.Now().Add(20 * time.Second); time.Now().Before(deadline); time.Sleep(5 * time.Millisecond) {
		// A process that nobody waits for stays as a zombie, whose memory is
		// gone.
		if _, _, there := memory(pid); !there {
			return
		}
	}
	t.Errorf("process %d is still there", pid)
}

// runtimeLoop answers events, which are commands.
func runtimeLoop(api string) {
	switch os.Getenv("START") {
	case "exit":
		os.Exit(3)
	case "error":
		post(api+"init/error", `{"errorType":"Broken","errorMessage":"no"}`)
		os.Exit(1)
	case "talk":
		fmt.Println("starting")
	}
	for {
		answer, err := http.Get(api + "invocation/next")
		if err != nil {
			os.Exit(9)
		}
		body, _ := io.ReadAll(answer.Body)
		answer.Body.Close()
		id := answer.Header.Get("Lambda-Runtime-Aws-Request-Id")
		verb, rest, _ := strings.Cut(string(body), " ")
		switch verb {
		case "echo":
			fmt.Println("heard", rest)
			fmt.Fprintln(os.Stderr, "from", answer.Header.Get("Lambda-Runtime-Invoked-Function-Arn"))
			post(api+"invocation/"+id+"/response", rest)
		case "deadline":
			post(api+"invocation/"+id+"/response", answer.Header.Get("Lambda-Runtime-Deadline-Ms"))
		case "fail":
			post(api+"invocation/"+id+"/error", `{"errorType":"Mine","errorMessage":"so"}`)
		case "exit":
			os.Exit(4)
		case "sleep":
			time.Sleep(time.Hour)
		case "spin": // for so much CPU time
			d, _ := time.ParseDuration(rest)
			from := ownTime()
			for ownTime()-from < d {
				for i := range 10_000 {
					sink += i
				}
			}
			post(api+"invocation/"+id+"/response", "spun")
		case "eat": // so many MB
			var n int
			fmt.Sscan(rest, &n)
			hold := bytes.Repeat([]byte{1}, n<<20)
			time.Sleep(100 * time.Millisecond)
			post(api+"invocation/"+id+"/response", fmt.Sprint(len(hold)))
		}
	}
}

var sink int

func post(url, body string) {
	answer, err := http.Post(url, "application/json", strings.NewReader(body))
	if err != nil {
		os.Exit(8)
	}
	_, _ = io.Copy(io.Discard, answer.Body)
	answer.Body.Close()
}

// ownTime is the CPU time of this process by getrusage, not by the clock that
// the sandbox looks at.
func ownTime() time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		panic(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

func open(t *testing.T, s Settings, env ...string) *Sandbox {
	t.Helper()
	program, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	s.Program, s.Root, s.Dir = program, t.TempDir(), filepath.Join(t.TempDir(), "box")
	s.Env = append(env, "PATH="+os.Getenv("PATH"))
	b, err := Start(s)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := b.Close(); err != nil {
			t.Error(err)
		}
		if err := syscall.Kill(b.process.Process.Pid, 0); err != syscall.ESRCH {
			t.Errorf("process %d is still there: %v", b.process.Process.Pid, err)
		}
		if _, err := os.Stat(s.Dir); !os.IsNotExist(err) {
			t.Errorf("the folder of the sandbox is still there: %v", err)
		}
	})
	return b
}

func TestInvoke(t *testing.T) {
	b := open(t, Settings{MemoryMB: 512}, "START=talk")
	first := b.Invoke(t.Context(), Event{ID: "1", ARN: "arn:f", Payload: []byte("echo one"), Timeout: time.Minute})
	if first.End != Answered || string(first.Payload) != "one" || first.Init <= 0 || first.MaxMemoryMB < 1 {
		t.Errorf("first: %+v", first)
	}
	if got := strings.Join(first.InitLog, "|") + "/" + strings.Join(first.Log, "|"); got != "starting/heard one|from arn:f" {
		t.Errorf("log: %s", got)
	}
	second := b.Invoke(t.Context(), Event{ID: "2", Payload: []byte("echo two"), Timeout: time.Minute})
	if second.End != Answered || string(second.Payload) != "two" || second.Init != 0 || len(second.InitLog) > 0 {
		t.Errorf("second: %+v", second)
	}
	failed := b.Invoke(t.Context(), Event{ID: "3", Payload: []byte("fail"), Timeout: time.Minute})
	if failed.End != Failed || !strings.Contains(string(failed.Payload), "Mine") || !b.Alive() {
		t.Errorf("failed: %+v", failed)
	}
	before := time.Now()
	deadline := b.Invoke(t.Context(), Event{ID: "4", Payload: []byte("deadline"), Timeout: time.Minute})
	var ms int64
	if fmt.Sscan(string(deadline.Payload), &ms); ms < before.Add(time.Minute).UnixMilli() || ms > time.Now().Add(time.Minute).UnixMilli() {
		t.Errorf("deadline: %+v", deadline)
	}
}

func TestEnds(t *testing.T) {
	for name, c := range map[string]struct {
		start, event string
		timeout      time.Duration
		memoryMB     int
		end          End
		detail       string
	}{
		"exit":            {"", "exit", time.Minute, 0, Exited, "Runtime exited with error: exit status 4"},
		"exit at start":   {"exit", "echo", time.Minute, 0, Exited, "Runtime exited with error: exit status 3"},
		"error at start":  {"error", "echo", time.Minute, 0, Exited, `Runtime could not start: {"errorType":"Broken","errorMessage":"no"}`},
		"timeout":         {"", "sleep", 50 * time.Millisecond, 0, TimedOut, ""},
		"too much memory": {"", "eat 256", time.Minute, 128, OutOfMemory, "Runtime exited with error: signal: killed"},
	} {
		t.Run(name, func(t *testing.T) {
			b := open(t, Settings{MemoryMB: c.memoryMB}, "START="+c.start)
			r := b.Invoke(t.Context(), Event{ID: "1", Payload: []byte(c.event), Timeout: c.timeout})
			if r.End != c.end || r.Detail != c.detail {
				t.Errorf("ended as %d %q, want %d %q", r.End, r.Detail, c.end, c.detail)
			}
			if b.Alive() {
				t.Error("the sandbox is alive")
			}
			if c.memoryMB > 0 && r.MaxMemoryMB > c.memoryMB {
				t.Errorf("used %d MB of %d", r.MaxMemoryMB, c.memoryMB)
			}
		})
	}
}

// A sandbox that is closed, or whose caller goes, breaks off what it runs.
func TestBrokenOff(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	b := open(t, Settings{})
	time.AfterFunc(50*time.Millisecond, cancel)
	if r := b.Invoke(ctx, Event{ID: "1", Payload: []byte("sleep"), Timeout: time.Minute}); r.End != Broken {
		t.Errorf("the caller went: %+v", r)
	}
	b = open(t, Settings{})
	time.AfterFunc(50*time.Millisecond, func() { b.Close() })
	if r := b.Invoke(t.Context(), Event{ID: "1", Payload: []byte("sleep"), Timeout: time.Minute}); r.End != Broken && r.End != Exited {
		t.Errorf("closed: %+v", r)
	}
}

// The CPU time that a process gets is its share of the wall time. On a busy
// machine it can get less, which is not looked at, and the last stop can come
// late, for which half of the time is left: without a share it would take less
// than a third of what is asked for here.
func TestShare(t *testing.T) {
	spin := 200 * time.Millisecond
	if testing.Short() {
		spin /= 2
	}
	for _, share := range []float64{128. / 1769, 0.15} {
		b := open(t, Settings{Share: share})
		b.Invoke(t.Context(), Event{ID: "1", Payload: []byte("echo"), Timeout: time.Minute})
		before, _ := cpuTime(b.process.Process.Pid)
		start := time.Now()
		r := b.Invoke(t.Context(), Event{ID: "2", Payload: []byte("spin " + spin.String()), Timeout: time.Minute})
		wall := time.Since(start)
		after, ok := cpuTime(b.process.Process.Pid)
		used := after - before
		if r.End != Answered || !ok || used < spin {
			t.Fatalf("%+v, %v of CPU", r, used)
		}
		t.Logf("share %.4f: %v of CPU in %v, %.4f", share, used, wall, float64(used)/float64(wall))
		if least := time.Duration(float64(spin/2-2*b.share.burst) / share); wall < least {
			t.Errorf("share %v: used %v in %v, which takes at least %v", share, used, wall, least)
		}
	}
}

// Between invocations a process does nothing.
func TestFrozen(t *testing.T) {
	b := open(t, Settings{})
	b.Invoke(t.Context(), Event{ID: "1", Payload: []byte("echo"), Timeout: time.Minute})
	state := func() string {
		data, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", b.process.Process.Pid))
		if err != nil {
			t.Fatal(err)
		}
		fields := strings.Fields(string(data[bytes.LastIndexByte(data, ')')+1:]))
		return fields[0]
	}
	for range 100 { // the signal takes a moment to arrive
		if state() == "T" {
			return
		}
		time.Sleep(10 * time.Millisecond)
	}
	t.Errorf("the process is %s, not stopped", state())
}

// A process that is not fast enough at first keeps what it earned: waiting is
// not punished, and earns no more than two quanta.
func TestWaitingEarnsTwoQuanta(t *testing.T) {
	s := &share{pid: os.Getpid(), rate: 0.5, burst: 10 * time.Millisecond, at: time.Now().Add(-time.Hour)}
	s.used, _ = cpuTime(s.pid)
	if level := s.look(); level > 2*s.burst || level < s.burst {
		t.Errorf("an hour of waiting earned %v, a quantum is %v", level, s.burst)
	}
}
