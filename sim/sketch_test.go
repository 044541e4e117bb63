package sim

import (
	"math"
	"math/big"
	"math/rand/v2"
	"slices"
	"testing"

	"pgregory.net/rapid"
)

// Every value lies in its bucket, and buckets follow one another without gaps.
func TestSketchBuckets(t *testing.T) {
	next := int64(0)
	for row := range 64 - sketchBits {
		for column := range sketchRow {
			least, width := sketchRange(row, column)
			if least != next {
				t.Fatalf("bucket %d, %d starts at %d, the one before ends at %d", row, column, least, next)
			}
			for _, v := range []int64{least, least + width/2, least + width - 1} {
				if r, c := sketchBucket(v); r != row || c != column {
					t.Fatalf("%d is in bucket %d, %d, want %d, %d", v, r, c, row, column)
				}
			}
			if next = least + width; next < 0 { // 2^63
				return
			}
		}
	}
	t.Errorf("the last bucket ends at %d", next)
}

// Quantiles differ from those of the sorted values by 1/256 at most, counts and
// sums not at all, and a merged sketch is that of all values.
func TestSketchAgainstSortedValues(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		magnitude := rapid.SampledFrom([]int64{2, 100, 1e6, 1e12, math.MaxInt64 / 2}).Draw(t, "magnitude")
		value := rapid.Int64Range(0, magnitude)
		a := rapid.SliceOfN(value, 0, 80).Draw(t, "a")
		b := rapid.SliceOfN(value, 1, 80).Draw(t, "b")
		sketched := func(values []int64) *sketch {
			s := &sketch{}
			for _, v := range values {
				s.add(v)
			}
			return s
		}
		all := slices.Concat(a, b)
		s := sketched(a)
		s.merge(sketched(b))
		sum := new(big.Int)
		for _, v := range all {
			sum.Add(sum, big.NewInt(v))
		}
		exact, _ := new(big.Float).SetInt(sum).Float64()
		if s.count != uint64(len(all)) || math.Abs(s.sum.float()-exact) > 1e-15*exact {
			t.Fatalf("%d values of sum %v, want %d of %v", s.count, s.sum.float(), len(all), exact)
		}
		slices.Sort(all)
		for _, p := range []float64{0, 0.01, 0.5, 0.9, 0.95, 0.99, 1} {
			want := float64(all[max(1, int(math.Ceil(p*float64(len(all)))))-1])
			if got := s.quantile(p); math.Abs(got-want) > want/256 {
				t.Fatalf("p%v is %v, want %v", 100*p, got, want)
			}
		}
		limit := value.Draw(t, "limit")
		least, width := sketchRange(sketchBucket(limit))
		from, _ := slices.BinarySearch(all, limit+1)
		to, _ := slices.BinarySearch(all, least+width)
		if got := int(s.above(limit)); got > len(all)-from || got < len(all)-to {
			t.Fatalf("%d values above %d, want %d to %d", got, limit, len(all)-to, len(all)-from)
		}
	})
}

func TestSketchOfNothing(t *testing.T) {
	var s, o sketch
	if s.merge(&o); !math.IsNaN(s.quantile(0.5)) || !math.IsNaN(s.mean()) || s.above(0) != 0 {
		t.Errorf("a sketch of nothing has median %v, mean %v", s.quantile(0.5), s.mean())
	}
}

func TestTotalDoesNotOverflow(t *testing.T) {
	var sum total
	for range 8 {
		sum.add(math.MaxInt64)
	}
	if want := 8 * float64(math.MaxInt64); sum.float() != want {
		t.Errorf("sum %v, want %v", sum.float(), want)
	}
}

func BenchmarkSketch(b *testing.B) {
	b.ReportAllocs()
	values := make([]int64, 4096)
	rng := rand.New(rand.NewPCG(1, 1))
	for i := range values {
		values[i] = int64(rng.ExpFloat64() * 1e9)
	}
	var s sketch
	for i := range b.N {
		s.add(values[i%len(values)])
	}
}
