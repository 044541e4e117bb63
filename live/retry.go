package live

import (
	"errors"
	"math/rand/v2"
	"net"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/ratelimit"
	"github.com/aws/aws-sdk-go-v2/aws/retry"
)

// repeating makes calls again that were throttled, that the service failed, or
// whose connection did. All calls but invocations are such that it does not
// matter whether they were acted on before.
func repeating(s Settings, p *pauses) aws.Retryer {
	return retry.NewStandard(func(o *retry.StandardOptions) {
		o.MaxAttempts, o.Backoff, o.RateLimiter = s.Attempts, p, ratelimit.None
	})
}

// repeatingThrottled makes an invocation again only where it is certain that no
// function ran: it was throttled, or the service could not be reached at all.
func repeatingThrottled(s Settings, p *pauses) aws.Retryer {
	return retry.NewStandard(func(o *retry.StandardOptions) {
		o.MaxAttempts, o.Backoff, o.RateLimiter = s.Attempts, p, ratelimit.None
		o.Retryables = []retry.IsErrorRetryable{
			retry.NoRetryCanceledError{},
			retry.RetryableErrorCode{Codes: retry.DefaultThrottleErrorCodes},
			retry.RetryableHTTPStatusCode{Codes: map[int]struct{}{429: {}}},
			retry.IsErrorRetryableFunc(func(err error) aws.Ternary {
				if unsent(err) {
					return aws.TrueTernary
				}
				return aws.UnknownTernary
			}),
		}
	})
}

// unsent reports that a call failed before any of it was sent.
func unsent(err error) bool {
	var op *net.OpError
	return errors.As(err, &op) && op.Op == "dial"
}

// pauses are the times between attempts: drawn evenly from 0 to a limit that
// doubles with every attempt ("full jitter" in the AWS Architecture Blog,
// "Exponential Backoff And Jitter", 2015), from one stream for all calls.
type pauses struct {
	first time.Duration

	mu     sync.Mutex
	source *rand.Rand
}

// longestPause is where the limit ceases to double.
const longestPause = 20 * time.Second

func newPauses(s Settings) *pauses {
	return &pauses{first: s.Backoff, source: s.Streams.New("live/backoff")}
}

// BackoffDelay implements retry.BackoffDelayer.
func (p *pauses) BackoffDelay(attempt int, _ error) (time.Duration, error) {
	limit := p.first
	for k := 1; k < attempt && limit < longestPause; k++ {
		limit *= 2
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	return time.Duration(p.source.Float64() * float64(min(limit, longestPause))), nil
}
