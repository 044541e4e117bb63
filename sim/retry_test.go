package sim

import (
	"math"
	"slices"
	"testing"

	"eevee/models"
)

// The example of the AWS Step Functions developer guide, "Retrying after an
// error": with IntervalSeconds 3, MaxAttempts 3 and BackoffRate 2 the retries
// come after 3, 6 and 12 seconds, and MaxDelaySeconds caps them.
func TestRetryDelays(t *testing.T) {
	three, one, none := 3, 1, 0
	for name, c := range map[string]struct {
		retrier Retrier
		want    []float64
	}{
		"documented":  {Retrier{IntervalSeconds: 3, MaxAttempts: &three, BackoffRate: 2}, []float64{3, 6, 12}},
		"capped":      {Retrier{IntervalSeconds: 3, MaxAttempts: &three, BackoffRate: 2, MaxDelaySeconds: 5}, []float64{3, 5, 5}},
		"defaults":    {Retrier{}, []float64{1, 2, 4}},
		"constant":    {Retrier{IntervalSeconds: 0.5, BackoffRate: 1, MaxAttempts: &one}, []float64{0.5}},
		"never again": {Retrier{MaxAttempts: &none}, nil},
	} {
		c.retrier.ErrorEquals = []string{errorAll}
		if err := checkRetry([]Retrier{c.retrier}); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		used := []int{0}
		var got []float64
		for {
			k, delay := NextRetry([]Retrier{c.retrier}, used, ErrorCrash, nil)
			if k < 0 {
				break
			}
			got = append(got, delay)
		}
		if !slices.Equal(got, c.want) {
			t.Errorf("%s: retries after %v s, want %v s", name, got, c.want)
		}
	}
}

// Retriers are looked at in their order, and each counts for itself.
func TestRetriersByError(t *testing.T) {
	two, one := 2, 1
	retriers := []Retrier{
		{ErrorEquals: []string{ErrorThrottle}, IntervalSeconds: 10, MaxAttempts: &two},
		{ErrorEquals: []string{ErrorMemory}, MaxAttempts: new(int)},
		{ErrorEquals: []string{errorUnknown}, IntervalSeconds: 20, MaxAttempts: &one},
		{ErrorEquals: []string{errorAll}, IntervalSeconds: 30, MaxAttempts: &one},
	}
	used := make([]int, len(retriers))
	for k, c := range []struct {
		error string
		want  int
		delay float64
	}{
		{ErrorThrottle, 0, 10}, {ErrorTimeout, 2, 20}, {ErrorThrottle, 0, 20}, {ErrorStart, 3, 30},
		{ErrorThrottle, -1, 0}, {ErrorMemory, -1, 0}, {ErrorCrash, -1, 0}, {ErrorStart, -1, 0},
	} {
		if got, delay := NextRetry(retriers, used, c.error, nil); got != c.want || delay != c.delay {
			t.Errorf("failure %d, %s: retrier %d after %v s, want %d after %v s", k+1, c.error, got, delay, c.want, c.delay)
		}
	}
	if k, _ := NextRetry(nil, nil, ErrorCrash, nil); k != -1 {
		t.Error("an error is retried without a retrier")
	}
	failed := Retrier{ErrorEquals: []string{errorTaskFailed}}
	for _, name := range []string{ErrorThrottle, ErrorStart, ErrorTimeout, ErrorCrash, ErrorMemory} {
		if !failed.Matches(name) {
			t.Errorf("%s does not stand for %s", errorTaskFailed, name)
		}
	}
}

func TestFullJitter(t *testing.T) {
	r := Retrier{ErrorEquals: []string{errorAll}, IntervalSeconds: 4, JitterStrategy: FullJitter}
	stream := models.Streams{Seed: 4}.New("jitter")
	sample := make([]float64, 10_000)
	for k := range sample {
		sample[k] = r.Delay(2, stream)
	}
	if d, limit := kolmogorov(sample, func(x float64) float64 { return math.Min(1, x/8) }); d > limit {
		t.Errorf("distance of the second delay from uniform below 8 s is %v, above %v", d, limit)
	}
}
