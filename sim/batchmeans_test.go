package sim

import (
	"math"
	"math/rand/v2"
	"testing"

	"gonum.org/v1/gonum/stat/distuv"

	"eevee/models"
)

// sequence is a stationary sequence of which the mean is known.
type sequence struct {
	mean float64
	open func(*rand.Rand) func() float64
}

// autoregressive is x' = phi x + e with standard normal e around a mean.
func autoregressive(phi, mean float64) sequence {
	return sequence{mean, func(s *rand.Rand) func() float64 {
		x := s.NormFloat64() / math.Sqrt(1-phi*phi)
		return func() float64 {
			x = phi*x + s.NormFloat64()
			return mean + x
		}
	}}
}

// queueTimes are the times in the system M/M/1 with service rate 1 (Lindley's
// equation), from a stationary start; their mean is 1/(1-rho).
func queueTimes(rho float64) sequence {
	return sequence{1 / (1 - rho), func(s *rand.Rand) func() float64 {
		wait := 0.0
		if s.Float64() < rho {
			wait = s.ExpFloat64() / (1 - rho)
		}
		return func() float64 {
			service := s.ExpFloat64()
			took := wait + service
			wait = max(0, took-s.ExpFloat64()/rho)
			return took
		}
	}}
}

// coverageLimits are between what so many intervals of 95 % cover the mean but
// in one case of 1,000.
func coverageLimits(n int) (low, high float64) {
	half := distuv.UnitNormal.Quantile(0.9995) * math.Sqrt(0.95*0.05/float64(n))
	return 0.95 - half, 0.95 + half
}

// The intervals of long sequences cover the mean as often as they say. Where
// there is none, neighbouring batches were alike.
func TestBatchMeansCover(t *testing.T) {
	replications := 600
	if testing.Short() {
		replications = 150
	}
	low, high := coverageLimits(replications)
	for name, c := range map[string]struct {
		sequence
		n int
	}{
		"independent":     {autoregressive(0, 3), 1_000},
		"phi 0.8":         {autoregressive(0.8, 3), 20_000},
		"M/M/1, rho 0.5":  {queueTimes(0.5), 20_000},
		"M/M/1, rho 0.75": {queueTimes(0.75), 100_000},
	} {
		covered, with, width := 0, 0, 0.0
		for r := range replications {
			next := c.open(models.Streams{Seed: 6, Replication: uint64(r)}.New(name))
			var b BatchMeans
			for range c.n {
				b.Add(next())
			}
			i, ok := b.Interval(95)
			if !ok {
				continue
			}
			with++
			width += i.Hi - i.Lo
			if i.Lo <= c.mean && c.mean <= i.Hi {
				covered++
			}
		}
		share := float64(covered) / float64(with)
		t.Logf("%s: %d of %d intervals cover the mean, width %.4f; %d sequences have none", name, covered, with, width/float64(with), replications-with)
		if share < low || share > high {
			t.Errorf("%s: %.3f of the intervals of 95 %% cover the mean, want %.3f to %.3f", name, share, low, high)
		}
		if with < replications*9/10 {
			t.Errorf("%s: only %d of %d long sequences have an interval", name, with, replications)
		}
	}
}

// A sequence that stops when its interval is narrow enough has an interval as
// narrow as that, and it covers the mean nearly as often as it says: a rule
// that looks at the data costs some of it.
func TestStoppingRule(t *testing.T) {
	replications := 400
	if testing.Short() {
		replications = 100
	}
	low, _ := coverageLimits(replications)
	low -= 0.02
	c := queueTimes(0.5)
	for _, share := range []float64{0.1, 0.03} {
		covered, n := 0, 0.0
		for r := range replications {
			next := c.open(models.Streams{Seed: 8, Replication: uint64(r)}.New("stop"))
			var b BatchMeans
			for !b.Add(next()) || !b.Precise(share, 95) {
			}
			i, _ := b.Interval(95)
			if half := (i.Hi - i.Lo) / 2; half > share*b.Mean() {
				t.Fatalf("stopped with a half width of %v at a mean of %v", half, b.Mean())
			}
			if i.Lo <= c.mean && c.mean <= i.Hi {
				covered++
			}
			n += float64(b.N()) / float64(replications)
		}
		got := float64(covered) / float64(replications)
		t.Logf("half width %v of the mean: %.0f members on average, %.3f cover it", share, n, got)
		if got < low {
			t.Errorf("half width %v: %.3f of the intervals cover the mean, want at least %.3f", share, got, low)
		}
	}
}

// Sequences that depend on themselves for longer than they last have no
// interval, and neither have short ones.
func TestBatchMeansWithoutInterval(t *testing.T) {
	without := 0
	const replications = 200
	for r := range replications {
		next := autoregressive(0.9999, 0).open(models.Streams{Seed: 1, Replication: uint64(r)}.New("slow"))
		var b BatchMeans
		for range 2000 {
			b.Add(next())
		}
		if _, ok := b.Interval(95); !ok {
			without++
		}
	}
	if without < replications*95/100 {
		t.Errorf("%d of %d sequences that hardly move have an interval", replications-without, replications)
	}
	var b BatchMeans
	if b.Mean() != 0 || b.Precise(0.5, 95) {
		t.Error("nothing has a mean")
	}
	for range maxBatches/2 - 1 {
		b.Add(2)
	}
	if _, ok := b.Interval(95); ok {
		t.Error("31 members have an interval")
	}
	b.Add(2)
	if i, ok := b.Interval(95); !ok || i != (Interval{2, 2}) || !b.Precise(0, 95) {
		t.Errorf("32 times the same: %v, %v", i, ok)
	}
}

// Sequences that are put together give the interval of both.
func TestBatchMeansOfReplications(t *testing.T) {
	const replications = 300
	low, high := coverageLimits(replications)
	covered, with := 0, 0
	for r := range replications {
		var b [3]BatchMeans
		for k := range b {
			next := queueTimes(0.5).open(models.Streams{Seed: 3, Replication: uint64(3*r + k)}.New("replications"))
			for range 4000 << k {
				b[k].Add(next())
			}
		}
		if i, ok := batchesInterval(95, &b[0], &b[1], &b[2]); ok {
			with++
			if i.Lo <= 2 && 2 <= i.Hi {
				covered++
			}
		}
	}
	if share := float64(covered) / float64(with); share < low || share > high || with < replications*8/10 {
		t.Errorf("%d of %d intervals cover the mean, want a share of %.3f to %.3f", covered, with, low, high)
	}
}

func TestBatchMeansAllocateNothing(t *testing.T) {
	var b BatchMeans
	if n := testing.AllocsPerRun(10_000, func() { b.Add(1) }); n != 0 {
		t.Errorf("%v allocations per member", n)
	}
}
