package sim

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
)

// The errors that an invocation can end with, by the names that REPORT lines
// and Step Functions give them (AWS Step Functions developer guide, "Handling
// errors in workflows"; AWS Lambda developer guide, "Lambda runtime
// environment").
const (
	ErrorThrottle = "Lambda.TooManyRequestsException" // 429: a limit on concurrency or scaling
	ErrorStart    = "Lambda.ServiceException"         // an instance could not be started
	ErrorTimeout  = "Sandbox.Timedout"                // the function reached its time limit
	ErrorCrash    = "Runtime.ExitError"               // the function crashed
	ErrorMemory   = "Runtime.OutOfMemory"             // the function needed more memory than it has
)

// Names that stand for several errors.
const (
	errorAll        = "States.ALL"
	errorTaskFailed = "States.TaskFailed" // all that an invocation can end with; not the time limit of a state
	errorUnknown    = "Lambda.Unknown"    // what Lambda does not handle: time limit, crash, memory
)

var errorNames = []string{ErrorThrottle, ErrorStart, ErrorTimeout, ErrorCrash, ErrorMemory, errorUnknown, errorTaskFailed, errorAll}

// Jitter says how the delay before a retry is randomised.
type Jitter string

// The kinds of Jitter.
const (
	NoJitter   Jitter = "NONE" // the default
	FullJitter Jitter = "FULL" // uniform between 0 and the delay
)

// Retrier is one entry of the Retry field of a state in the Amazon States
// Language. A failed attempt is retried by the first retrier that names its
// error, as often as that retrier allows.
type Retrier struct {
	ErrorEquals     []string `yaml:"error_equals"`    // names; States.ALL stands alone, in the last retrier
	IntervalSeconds float64  `yaml:"interval_s"`      // s before the first retry; 0: 1
	MaxAttempts     *int     `yaml:"max_attempts"`    // retries, 0: never; nil: 3
	BackoffRate     float64  `yaml:"backoff_rate"`    // by which the delay grows with every retry, at least 1; 0: 2
	MaxDelaySeconds float64  `yaml:"max_delay_s"`     // s; 0: no limit
	JitterStrategy  Jitter   `yaml:"jitter_strategy"` // empty: NoJitter
}

// Retries returns how often the retrier retries.
func (r *Retrier) Retries() int {
	if r.MaxAttempts == nil {
		return 3
	}
	return *r.MaxAttempts
}

// Matches reports whether the retrier is for an error of the given name.
func (r *Retrier) Matches(name string) bool {
	for _, e := range r.ErrorEquals {
		switch e {
		case name, errorAll, errorTaskFailed:
			return true
		case errorUnknown:
			if name == ErrorTimeout || name == ErrorCrash || name == ErrorMemory {
				return true
			}
		}
	}
	return false
}

// Delay returns the time in seconds before retry k, from 1:
//
//	min(IntervalSeconds * BackoffRate^(k-1), MaxDelaySeconds)
//
// or, with FullJitter, a uniform share of it. The stream is used for jitter
// only.
func (r *Retrier) Delay(k int, stream *rand.Rand) float64 {
	interval, rate := r.IntervalSeconds, r.BackoffRate
	if interval == 0 {
		interval = 1
	}
	if rate == 0 {
		rate = 2
	}
	delay := interval * math.Pow(rate, float64(k-1))
	if r.MaxDelaySeconds > 0 {
		delay = math.Min(delay, r.MaxDelaySeconds)
	}
	if r.JitterStrategy == FullJitter {
		delay *= stream.Float64()
	}
	return delay
}

// NextRetry returns the retrier that retries an error and the delay in
// seconds, and counts the retry in used, which holds how often every retrier
// has retried the task and is as long as retriers. It returns -1 where the
// error is final.
func NextRetry(retriers []Retrier, used []int, name string, stream *rand.Rand) (retrier int, delay float64) {
	for k := range retriers {
		r := &retriers[k]
		if !r.Matches(name) {
			continue
		}
		if used[k] >= r.Retries() {
			return -1, 0
		}
		used[k]++
		return k, r.Delay(used[k], stream)
	}
	return -1, 0
}

// maxRetries is the largest MaxAttempts of the Amazon States Language.
const maxRetries = 99_999_999

func checkRetry(retriers []Retrier) error {
	for k := range retriers {
		r := &retriers[k]
		wrong := func(format string, args ...any) error {
			return fmt.Errorf("retrier %d: %s", k+1, fmt.Sprintf(format, args...))
		}
		switch {
		case len(r.ErrorEquals) == 0:
			return wrong("error_equals is empty; name an error or %s", errorAll)
		case slices.Contains(r.ErrorEquals, errorAll) && (len(r.ErrorEquals) > 1 || k < len(retriers)-1):
			return wrong("%s must stand alone, in the last retrier", errorAll)
		case !(r.IntervalSeconds >= 0) || math.IsInf(r.IntervalSeconds, 0):
			return wrong("interval_s %v is not a time of at least 0", r.IntervalSeconds)
		case r.MaxAttempts != nil && (*r.MaxAttempts < 0 || *r.MaxAttempts > maxRetries):
			return wrong("max_attempts %d is not from 0 to %d", *r.MaxAttempts, maxRetries)
		case r.BackoffRate != 0 && !(r.BackoffRate >= 1) || math.IsInf(r.BackoffRate, 0):
			return wrong("backoff_rate %v is not at least 1", r.BackoffRate)
		case !(r.MaxDelaySeconds >= 0) || math.IsInf(r.MaxDelaySeconds, 0):
			return wrong("max_delay_s %v is not a time of at least 0", r.MaxDelaySeconds)
		case r.JitterStrategy != "" && r.JitterStrategy != NoJitter && r.JitterStrategy != FullJitter:
			return wrong("jitter_strategy %q is neither NONE nor FULL", r.JitterStrategy)
		}
		for _, name := range r.ErrorEquals {
			if !slices.Contains(errorNames, name) {
				return wrong("error_equals: unknown error %q; known are %s", name, strings.Join(errorNames, ", "))
			}
		}
	}
	return nil
}
