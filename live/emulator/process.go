package emulator

import (
	"context"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"time"

	"eevee/live/emulator/sandbox"
)

// program is an execution environment that runs an uploaded program.
type program struct {
	emulator *Emulator
	of       *environment
	box      *sandbox.Sandbox // nil until the cold start
}

// newProgram makes an environment, which starts its process with its first
// invocation.
func (e *Emulator) newProgram(x *environment) worker { return &program{emulator: e, of: x} }

func (p *program) close() {
	if p.box != nil {
		_ = p.box.Close() // the process is gone either way
	}
}

func (p *program) serve(ctx context.Context, j job) outcome {
	if p.box == nil {
		settings, err := p.settings(j)
		if err == nil {
			p.box, err = sandbox.Start(settings)
		}
		if err != nil {
			return outcome{failure: exited, detail: fmt.Sprintf("Couldn't start the program: %v", err), maxMemory: 1, gone: true}
		}
	}
	r := p.box.Invoke(ctx, sandbox.Event{
		ID: j.id, ARN: j.arn, Payload: j.payload, Context: j.context, Trace: j.trace, Timeout: time.Duration(j.settings.Timeout) * time.Second,
	})
	out := outcome{
		payload: r.Payload, detail: r.Detail, duration: r.Duration, init: r.Init, maxMemory: r.MaxMemoryMB,
		log: r.Log, initLog: r.InitLog, gone: !p.box.Alive(),
	}
	switch r.End {
	case sandbox.Answered:
	case sandbox.Failed:
		out.functionError = "Unhandled"
	case sandbox.TimedOut:
		out.failure, out.gone = timedOut, true
		out.duration = time.Duration(j.settings.Timeout) * time.Second // more is not billed
	case sandbox.OutOfMemory:
		out.failure, out.gone = noMemory, true
	default:
		out.failure, out.gone = exited, true
	}
	return out
}

// runtimes are those whose programs the emulator runs: they bring their own
// executable, called bootstrap.
var runtimes = []string{"provided.al2023", "provided.al2", "provided"}

// settings says what the sandbox of an environment runs.
func (p *program) settings(j job) (sandbox.Settings, error) {
	e, s := p.emulator, j.settings
	if !slices.Contains(runtimes, s.Runtime) {
		return sandbox.Settings{}, fmt.Errorf("the emulator runs programs for %s, not for %s", runtimes[0], s.Runtime)
	}
	root, err := s.code.unpack(e.dir)
	if err != nil {
		return sandbox.Settings{}, err
	}
	dir, err := os.MkdirTemp(e.dir, "environment-")
	if err != nil {
		return sandbox.Settings{}, err
	}
	share := 0.0
	if e.options.MBPerVCPU > 0 {
		share = float64(s.Memory) / e.options.MBPerVCPU
	}
	c := e.options.Credentials[0]
	env := []string{
		"_HANDLER=" + s.Handler, "LAMBDA_TASK_ROOT=" + root, "LAMBDA_RUNTIME_DIR=" + root,
		"AWS_LAMBDA_FUNCTION_NAME=" + j.version.of.name, "AWS_LAMBDA_FUNCTION_VERSION=" + j.version.number,
		"AWS_LAMBDA_FUNCTION_MEMORY_SIZE=" + strconv.Itoa(s.Memory),
		"AWS_LAMBDA_LOG_GROUP_NAME=" + logGroupName(j.version.of.name), "AWS_LAMBDA_LOG_STREAM_NAME=" + p.of.stream,
		"AWS_LAMBDA_INITIALIZATION_TYPE=on-demand", "AWS_REGION=" + e.options.Region, "AWS_DEFAULT_REGION=" + e.options.Region,
		"AWS_ACCESS_KEY_ID=" + c.AccessKey, "AWS_SECRET_ACCESS_KEY=" + c.Secret, "AWS_SESSION_TOKEN=" + c.Session,
		"PATH=" + os.Getenv("PATH"), "LANG=en_US.UTF-8", "TZ=:UTC",
	}
	for _, name := range slices.Sorted(maps.Keys(s.Variables)) {
		env = append(env, name+"="+s.Variables[name])
	}
	return sandbox.Settings{
		Program: filepath.Join(root, "bootstrap"), Root: root, Dir: dir, Env: env, MemoryMB: s.Memory, Share: share,
	}, nil
}
