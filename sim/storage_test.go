package sim

import (
	"math"
	"testing"

	"pgregory.net/rapid"

	"eevee/models"
)

// Requests that come as a Poisson process to a limit of one at a time wait as
// in a queue with a constant service time: rho / (2 mu (1 - rho)) on average
// (Pollaczek and Khinchine).
func TestTokensWaitAsInAQueue(t *testing.T) {
	const mu, n, batches = 10.0, 400_000, 40
	for _, rho := range []float64{0.3, 0.8} {
		limit := newTokens(mu, 1)
		arrivals := Poisson{rho * mu}.Open(models.Streams{Seed: 2})
		means := make([]float64, batches)
		for b := range means {
			for range n / batches {
				at, _ := arrivals.Next()
				// A bucket of one token lets a request pass when the one before
				// would be served: what waits is the wait of the queue.
				means[b] += seconds(limit.wait(at, 1)) / (n / batches)
			}
		}
		mean, half := batchInterval(means)
		if want := rho / (2 * mu * (1 - rho)); math.Abs(mean-want) > half {
			t.Errorf("rho %v: mean wait %v s, want %v within %v", rho, mean, want, half)
		}
	}
}

// batchInterval returns the mean of batches and four standard errors.
func batchInterval(batches []float64) (mean, half float64) {
	n := float64(len(batches))
	for _, x := range batches {
		mean += x / n
	}
	ss := 0.0
	for _, x := range batches {
		ss += (x - mean) * (x - mean)
	}
	return mean, 4 * math.Sqrt(ss/(n-1)/n)
}

// In any time t, a bucket of burst b and rate r lets at most b + r t through,
// and it refuses only what would exceed that.
func TestTokensConserve(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		rate, burst := rapid.Float64Range(0.1, 100).Draw(t, "rate"), rapid.Float64Range(1, 50).Draw(t, "burst")
		b := newTokens(rate, burst)
		now, taken := int64(0), 0.0
		for range rapid.IntRange(1, 200).Draw(t, "requests") {
			now += rapid.Int64Range(0, 3e9).Draw(t, "gap")
			n := float64(rapid.IntRange(1, 5).Draw(t, "tokens"))
			ok := b.try(now, n)
			if ok {
				taken += n
			}
			if most := burst + rate*seconds(now); taken > most+1e-6 {
				t.Fatalf("%v tokens taken in %v s, at most %v are there", taken, seconds(now), most)
			}
			if !ok && b.level >= n {
				t.Fatalf("%v tokens refused of %v", n, b.level)
			}
		}
	})
	var none tokens
	if !none.try(0, 1e9) || none.wait(0, 1e9) != 0 {
		t.Error("a bucket without a rate is a limit")
	}
}

func TestNetworkTransfer(t *testing.T) {
	n := Network{Burst: 300, Peak: 1000, Rate: 75}
	link := n.newLink(0)
	for _, c := range []struct{ at, mb, want float64 }{
		{0, 100, 0.1},            // burst
		{0.1, 200 + 75, 0.2 + 1}, // what is left of it, then the refill
		{1.3, 7.5, 0.1},          // nothing left
		{3.4, 75, 0.075},         // a second later, what that second refilled passes at peak
		{1000, 375, 0.3 + 1},     // full again, not more than full
	} {
		if took := seconds(n.transfer(&link, nanoseconds(c.at), c.mb)); math.Abs(took-c.want) > 1e-6 {
			t.Errorf("at %v s: %v MB take %v s, want %v s", c.at, c.mb, took, c.want)
		}
	}
	free := Network{}
	if took := free.transfer(&link, 0, 1e6); took != 0 {
		t.Errorf("without a peak, a transfer takes %d ns", took)
	}
}

// Cutting a transfer into parts changes nothing.
func TestNetworkTransferInParts(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		n := Network{Burst: 300, Peak: 1000, Rate: 75}
		mb := rapid.Float64Range(0, 1000).Draw(t, "mb")
		cut := rapid.Float64Range(0, 1).Draw(t, "cut") * mb
		whole, parts := n.newLink(0), n.newLink(0)
		want := n.transfer(&whole, 0, mb)
		first := n.transfer(&parts, 0, cut)
		if got := first + n.transfer(&parts, first, mb-cut); math.Abs(float64(got-want)) > 10 {
			t.Fatalf("%v MB take %d ns at once, %d ns in parts of %v", mb, want, got, cut)
		}
	})
}

// A store that is asked for more than its partitions serve makes its clients
// wait: the backlog grows by what exceeds the rate.
func TestStoreContention(t *testing.T) {
	p := Platform{Storage: Storage{Read: StorageRequest{Rate: 5500, Latency: Mixture{{Median: 0.02}}}, Prefixes: 2}}
	s := p.newStore()
	var link link
	var took int64
	const instances, each = 1000, 110 // 110,000 requests at once, 11,000 per second
	for range instances {
		took = s.move(&s.read, &link, 0, each, 0, nil)
	}
	// The first second's worth passes at once.
	if want := (instances*each-11_000)/11_000.0 + each*0.02; math.Abs(seconds(took)-want) > 1e-6 {
		t.Errorf("the last of the clients takes %v s, want %v s", seconds(took), want)
	}
	if took = s.move(&s.write, &link, 0, 5, 0, nil); took != 0 {
		t.Errorf("writes without latency and limit take %d ns", took)
	}
}

func TestStorageCost(t *testing.T) {
	p := MustPlatform("aws-lambda-x86")
	for kind, want := range map[StorageKind]float64{
		// 1,000 GET at 0.0004, 2,000 PUT at 0.005 per thousand.
		S3Standard: 0.0004 + 2*0.005,
		// The requests, and 3 GB read and 4 GB written.
		S3Express: 0.00003 + 2*0.00113 + 3*0.0006 + 4*0.0032,
		// 3 MB per read are 733 units of 4 KB, 2 MB per write 1954 of 1 KB.
		DynamoDB: 1000*733*0.125e-6 + 2000*1954*0.625e-6,
	} {
		p.Storage.Kind = kind
		if got := p.StorageCost(1000, 3000, 2000, 4000); math.Abs(got-want) > 1e-9 {
			t.Errorf("%s: %v USD, want %v", kind, got, want)
		}
	}
}
