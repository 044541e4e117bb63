package sim

import (
	"eevee/models"
)

// Platform is what a simulated cloud does to the functions that run on it:
// instances and their starts, limits, failures, orchestration, storage and
// prices. It is data: a preset (Platforms, LoadPlatform) is a YAML file of
// which every field has a source.
//
// The zero value is a platform without limits, delays, failures or prices,
// whose instances end with their request. Check says what contradicts itself.
// Times are seconds, memory is MB, rates are per second and money is USD.
type Platform struct {
	Name    string `yaml:"name"`
	Title   string `yaml:"title"`
	Source  string `yaml:"source"`  // where the values come from, in one line; fields say more in comments
	Date    string `yaml:"date"`    // day for which the values hold, YYYY-MM-DD
	Arch    Arch   `yaml:"arch"`    // of all functions; empty: x86_64
	Runtime string `yaml:"runtime"` // of all functions, as cold starts are measured by it; informs, see ColdStart
	Package string `yaml:"package"` // zip or image; informs, see ColdStart

	Instances     Instances     `yaml:"instances"`
	ColdStart     ColdStart     `yaml:"cold_start"`
	Limits        Limits        `yaml:"limits"`
	CPU           CPU           `yaml:"cpu"`
	Variation     Variation     `yaml:"variation"`
	Failures      Failures      `yaml:"failures"`
	Retry         []Retrier     `yaml:"retry"` // of every task whose function has none of its own; empty: a failed task fails its execution
	Orchestration Orchestration `yaml:"orchestration"`
	Mapping       Mapping       `yaml:"mapping"`
	Network       Network       `yaml:"network"`
	Storage       Storage       `yaml:"storage"`
	Functions     []Function    `yaml:"functions"` // what differs by function; see Platform.Function

	Price    models.PriceBook     `yaml:"-"` // of functions; in a file "price": a name, a file or a mapping
	Services models.ServicePrices `yaml:"-"` // of what functions use; in a file "services": likewise
}

// Arch is an instruction set.
type Arch string

// The instruction sets of AWS Lambda.
const (
	X86 Arch = "x86_64"
	ARM Arch = "arm64"
)

// WarmChoice is the rule by which an idle instance is chosen for a request. It
// moves the number of cold starts by up to a factor of 32: what is always
// chosen last expires.
type WarmChoice string

// The rules of WarmChoice.
const (
	MostRecent  WarmChoice = "most-recent"  // the one that became idle last; the default
	LongestIdle WarmChoice = "longest-idle" // the one that has been idle longest
	RandomIdle  WarmChoice = "random"       // any of them with the same probability
)

// WarmChoices are the rules of WarmChoice.
var WarmChoices = []WarmChoice{MostRecent, LongestIdle, RandomIdle}

// Instances says how execution environments live.
type Instances struct {
	// KeepAlive is how long an instance stays after its last request, s; 0: it
	// ends with the request; .inf: it stays for ever.
	KeepAlive float64 `yaml:"keep_alive_s"`

	// WarmChoice is the rule by which an idle instance is chosen; empty:
	// MostRecent.
	WarmChoice WarmChoice `yaml:"warm_choice"`

	// Concurrency is how many requests an instance serves at the same time;
	// 0: 1, as on AWS Lambda.
	Concurrency int `yaml:"concurrency"`
}

// ColdStart says what starting an instance takes: a delay before the runtime
// is up, which no log shows and nobody is billed for, and the initialisation,
// which REPORT lines call Init Duration.
type ColdStart struct {
	// Delay is the time to place and download the function, s; empty: none.
	Delay Mixture `yaml:"delay"`

	// Init is the time of the initialisation, s; empty: none.
	Init Mixture `yaml:"init"`

	// Measured says that LoadPlatform takes Init from what was measured for
	// the runtime, arch and package of the platform (MeasuredInit).
	Measured bool `yaml:"measured"`

	// BilledInit says that initialisation is billed like execution: the rule
	// of AWS Lambda since 2025-08-01. Before, functions on managed runtimes
	// in ZIP files were not billed for it.
	BilledInit bool `yaml:"billed_init"`
}

// Limits bound what runs at the same time, and how fast that may grow.
type Limits struct {
	// Concurrency is how many requests the account runs at the same time, over
	// all functions; 0: no limit. A request above it is throttled (429).
	Concurrency int `yaml:"account_concurrency"`

	// ScaleInstances is by how many instances a function may grow within
	// ScaleWindow seconds, refilled continuously; 0: no limit. A request that
	// would need one more is throttled.
	ScaleInstances int     `yaml:"scale_instances"`
	ScaleWindow    float64 `yaml:"scale_window_s"`

	// Queue lets a request that a limit forbids wait until it can run, those of
	// the account first come, first served; else it is throttled (429), and its
	// retriers say what comes of it.
	Queue bool `yaml:"queue"`

	// RequestsPerInstance is how many requests per second an instance takes at
	// most; 0: no limit. On AWS Lambda a function takes 10 per second for every
	// unit of its concurrency.
	RequestsPerInstance float64 `yaml:"requests_per_instance"`

	// Timeout is how long a function may run, s; 0: no limit.
	Timeout float64 `yaml:"timeout_s"`

	// MinMemory and MaxMemory are the sizes a function may have, MB; 0: no
	// limit.
	MinMemory int `yaml:"min_memory_mb"`
	MaxMemory int `yaml:"max_memory_mb"`
}

// Variation says how much the time that a function runs differs. All factors
// have mean 1, but for stragglers.
type Variation struct {
	// InstanceSD is the standard deviation of the factor that belongs to an
	// instance for its life; log-normal.
	InstanceSD float64 `yaml:"instance_sd"`

	// RunSD is the standard deviation of the factor of every request;
	// log-normal.
	RunSD float64 `yaml:"run_sd"`

	// Straggler is the probability that a request takes StragglerFactor times
	// as long.
	Straggler       float64 `yaml:"straggler_probability"`
	StragglerFactor float64 `yaml:"straggler_factor"`
}

// Failures say how functions fail by themselves. Time limits are in Limits, and
// memory that a function needs is in Function.
type Failures struct {
	// Crash is the probability that an invocation ends with an error
	// (ErrorCrash) instead of a result, at a time uniform over its duration.
	// Its instance is lost.
	Crash float64 `yaml:"crash_probability"`

	// StartFailure is the probability that starting an instance fails
	// (ErrorStart) after the time it took; the request is charged as a failed
	// one.
	StartFailure float64 `yaml:"start_failure_probability"`
}

// Mapping is the delay with which the tasks of a stage start because they are
// started one after the other: task j of a stage, from 1, starts
//
//	base + per_instance*j + beyond_knee*max(0, j-knee)
//
// seconds after the stage is ready. StepConf (INFOCOM 2022, section III) finds
// it nearly flat up to about 30 instances and rising beyond 40. It applies to
// tasks whose world says nothing about their start: recorded delays hold it
// already.
type Mapping struct {
	Base        float64 `yaml:"base_s"`
	PerInstance float64 `yaml:"per_instance_s"`
	Knee        int     `yaml:"knee"`
	BeyondKnee  float64 `yaml:"beyond_knee_s"`
}

// Delay returns the delay of task j of a stage, counted from 1, in seconds.
func (m Mapping) Delay(j int) float64 {
	return m.Base + m.PerInstance*float64(j) + m.BeyondKnee*float64(max(0, j-m.Knee))
}

// Orchestrator starts the functions of an execution.
type Orchestrator string

// The orchestrators.
const (
	Direct   Orchestrator = "direct"   // functions invoke each other; the default
	Standard Orchestrator = "standard" // AWS Step Functions, standard workflow
	Express  Orchestrator = "express"  // AWS Step Functions, express workflow
)

// Orchestration says how an execution moves from stage to stage, and what that
// takes. Its price is in Platform.Services.
type Orchestration struct {
	Kind Orchestrator `yaml:"kind"` // empty: Direct

	// Invoke is the time between a task being due and its request reaching
	// the platform, s; empty: none.
	Invoke Mixture `yaml:"invoke"`

	// Transition is the time from the end of the last task of a stage, or of
	// the start of the execution, to the next stage being ready, s; empty: none.
	Transition Mixture `yaml:"transition"`

	// TransitionRate and TransitionBurst are the token bucket that state
	// transitions of the account are taken from, 1/s; 0: no limit. A
	// transition that finds it empty waits.
	TransitionRate  float64 `yaml:"transition_rate"`
	TransitionBurst float64 `yaml:"transition_burst"`

	// MapConcurrency is how many tasks of a stage run at the same time; 0: no
	// limit.
	MapConcurrency int `yaml:"map_concurrency"`

	// MaxDuration is how long an execution may take, s; 0: no limit. An
	// express workflow ends after 300 s.
	MaxDuration float64 `yaml:"max_duration_s"`

	// MemoryMB is the memory of an express workflow that is billed, MB.
	MemoryMB float64 `yaml:"memory_mb"`
}

// Transitions returns how many state transitions a stage of the given number
// of tasks is billed for, without retries: its task state, or its map state and
// a task state per item.
func (o Orchestration) Transitions(parallelism int) int {
	switch {
	case o.Kind != Standard:
		return 0
	case parallelism == 1:
		return 1
	}
	return 1 + parallelism
}

// Function is what differs between the functions of a platform. Every stage of
// a workflow is one function.
type Function struct {
	Workflow string `yaml:"workflow"` // empty: any
	Stage    string `yaml:"stage"`    // empty: any

	// Provisioned is the provisioned concurrency: instances that are always
	// initialised, and paid for whether they are used or not.
	Provisioned int `yaml:"provisioned"`

	// Reserved is the reserved concurrency: what the function has of the
	// account's for itself, and at most; 0: it shares the rest.
	Reserved int `yaml:"reserved"`

	// Prewarmed instances are initialised when the simulation starts, and
	// live and expire like others.
	Prewarmed int `yaml:"prewarmed"`

	// Timeout is how long the function may run, s; 0: what Limits says.
	Timeout float64 `yaml:"timeout_s"`

	// PeakMemory is the median of the memory that a request needs, MB; a
	// request that needs more than the function has ends with ErrorMemory. 0:
	// always enough. PeakMemorySigma is the standard deviation of its logarithm.
	PeakMemory      float64 `yaml:"peak_memory_mb"`
	PeakMemorySigma float64 `yaml:"peak_memory_sigma"`

	// ReadMB and WriteMB are what a stage moves, over all of its tasks, in
	// 10^6 bytes, with the given number of requests per task. With 0 requests
	// the step takes what the world says.
	ReadMB        float64 `yaml:"read_mb"`
	ReadRequests  int     `yaml:"read_requests"`
	WriteMB       float64 `yaml:"write_mb"`
	WriteRequests int     `yaml:"write_requests"`

	// Retry replaces that of the platform unless empty.
	Retry []Retrier `yaml:"retry"`
}

// Function returns what the platform says about a function: the first entry of
// Functions that matches, with the defaults of the platform filled in.
func (p *Platform) Function(workflow, stage string) Function {
	f := Function{}
	for _, g := range p.Functions {
		if (g.Workflow == "" || g.Workflow == workflow) && (g.Stage == "" || g.Stage == stage) {
			f = g
			break
		}
	}
	f.Workflow, f.Stage = workflow, stage
	if f.Timeout == 0 {
		f.Timeout = p.Limits.Timeout
	}
	if len(f.Retry) == 0 {
		f.Retry = p.Retry
	}
	return f
}
