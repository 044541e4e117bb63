package sim

import (
	"math"

	"gonum.org/v1/gonum/stat/distuv"
)

// BatchMeans estimates the mean of a stationary sequence whose members depend
// on their neighbours, as the latencies of executions do that share a platform.
// Means of batches that are long enough are nearly independent and normal, and
// their spread gives an interval (Law and Carson, Operations Research 27(5),
// 1979). The length of the batches doubles as the sequence grows, so that there
// are always 32 to 64 of them and nothing else is kept. The zero value is ready
// to use.
type BatchMeans struct {
	sums  [maxBatches]float64 // of complete batches
	full  int                 // complete batches
	shift uint                // a batch has 1<<shift members
	sum   float64             // of the batch that is not complete
	n     uint64              // members of the sequence
	total float64
}

const maxBatches = 64

// Add adds a member of the sequence. It reports whether the batches have just
// become longer, which is when a rule that stops the sequence may look at the
// interval: looking after every member would stop it where the interval is
// narrow by chance.
func (b *BatchMeans) Add(x float64) (look bool) {
	b.n++
	b.total += x
	b.sum += x
	if b.n&(1<<b.shift-1) != 0 {
		return false
	}
	b.sums[b.full] = b.sum
	b.sum = 0
	if b.full++; b.full < maxBatches {
		return false
	}
	for k := range maxBatches / 2 {
		b.sums[k] = b.sums[2*k] + b.sums[2*k+1]
	}
	b.full = maxBatches / 2
	b.shift++
	return true
}

// N returns the number of members.
func (b *BatchMeans) N() uint64 { return b.n }

// Mean returns the mean of all members, 0 where there is none.
func (b *BatchMeans) Mean() float64 {
	if b.n == 0 {
		return 0
	}
	return b.total / float64(b.n)
}

// Interval returns an interval for the mean of the sequence, at a confidence in
// percent, by Student's t. There is none as long as there are fewer than 32
// batches, or if neighbouring batches are alike: their correlation is above
// what independent ones have with a probability of 1 %.
func (b *BatchMeans) Interval(confidence float64) (Interval, bool) {
	return batchesInterval(confidence, b)
}

// variance returns the variance of the mean and the degrees of freedom it is
// known with, false where there is no interval.
func (b *BatchMeans) variance() (v float64, freedom int, ok bool) {
	k := float64(b.full)
	if b.full < maxBatches/2 {
		return 0, 0, false
	}
	means := b.sums[:b.full]
	size := float64(uint64(1) << b.shift)
	mean := 0.0
	for _, s := range means {
		mean += s / size / k
	}
	squares, neighbours := 0.0, 0.0
	for i, s := range means {
		d := s/size - mean
		squares += d * d
		if i > 0 {
			neighbours += d * (means[i-1]/size - mean)
		}
	}
	// The correlation of neighbours is nearly normal with mean -1/k and
	// variance (k-2)^2 / (k^2 (k-1)) for independent ones (Kendall, Stuart and
	// Ord, The Advanced Theory of Statistics, volume 3, chapter 48).
	if limit := alike*(k-2)/(k*math.Sqrt(k-1)) - 1/k; squares > 0 && neighbours/squares > limit {
		return 0, 0, false
	}
	return squares / (k - 1) / k, b.full - 1, true
}

// alike is the 99th percentile of the standard normal distribution.
const alike = 2.326

// batchesInterval returns an interval for the mean over independent sequences.
func batchesInterval(confidence float64, sequences ...*BatchMeans) (Interval, bool) {
	n := 0.0
	for _, b := range sequences {
		n += float64(b.n)
	}
	mean, variance, freedom := 0.0, 0.0, 0
	for _, b := range sequences {
		v, f, ok := b.variance()
		if !ok {
			return Interval{}, false
		}
		share := float64(b.n) / n
		mean += share * b.Mean()
		variance += share * share * v
		freedom += f
	}
	if freedom == 0 {
		return Interval{}, false
	}
	half := distuv.StudentsT{Sigma: 1, Nu: float64(freedom)}.Quantile(0.5+confidence/200) * math.Sqrt(variance)
	return Interval{mean - half, mean + half}, true
}

// Precise reports whether the half width of the interval is at most a share of
// the mean.
func (b *BatchMeans) Precise(share, confidence float64) bool {
	i, ok := b.Interval(confidence)
	return ok && (i.Hi-i.Lo)/2 <= share*math.Abs(b.Mean())
}
