package sim

import (
	"math"
	"math/bits"
)

// sketch is a histogram of non-negative integers from which quantiles are read
// with a relative error of at most 1/256: values below 128 have a bucket each,
// and every power of two above is divided into 128 (the layout of
// HdrHistogram). It counts exactly, so sketches are merged by adding, in any
// order, and adding a value costs a few instructions; a power of two that was
// never seen takes no memory.
type sketch struct {
	rows  [64 - sketchBits + 1]*[sketchRow]uint64
	count uint64
	sum   total
	least int64
	most  int64
}

const (
	sketchBits = 7
	sketchRow  = 1 << sketchBits
)

// add counts a value of at least 0.
func (s *sketch) add(v int64) {
	if s.count == 0 || v < s.least {
		s.least = v
	}
	s.most = max(s.most, v)
	s.count++
	s.sum.add(v)
	row, column := sketchBucket(v)
	if s.rows[row] == nil {
		s.rows[row] = new([sketchRow]uint64)
	}
	s.rows[row][column]++
}

// sketchBucket returns the place of a value. Row 0 holds the values below
// sketchRow, row r those of sketchBits+r bits, by the bits after the first.
func sketchBucket(v int64) (row, column int) {
	row = max(0, bits.Len64(uint64(v))-sketchBits)
	if row == 0 {
		return 0, int(v)
	}
	return row, int(uint64(v)>>(row-1)) & (sketchRow - 1)
}

// sketchRange returns the least value of a bucket and the number of its values.
func sketchRange(row, column int) (least, width int64) {
	if row == 0 {
		return int64(column), 1
	}
	return int64(sketchRow|column) << (row - 1), 1 << (row - 1)
}

// merge adds what another sketch has counted.
func (s *sketch) merge(o *sketch) {
	if o.count == 0 {
		return
	}
	if s.count == 0 || o.least < s.least {
		s.least = o.least
	}
	s.most = max(s.most, o.most)
	s.count += o.count
	s.sum.merge(o.sum)
	for r, row := range o.rows {
		if row == nil {
			continue
		}
		if s.rows[r] == nil {
			s.rows[r] = new([sketchRow]uint64)
		}
		for c, n := range row {
			s.rows[r][c] += n
		}
	}
}

// quantile returns the p-quantile, the value of rank ceil(p*n), from the middle
// of its bucket; NaN of nothing.
func (s *sketch) quantile(p float64) float64 {
	if s.count == 0 {
		return math.NaN()
	}
	rank := uint64(min(max(1, math.Ceil(p*float64(s.count))), float64(s.count)))
	return s.ranked(rank)
}

// ranked returns the value of a rank, from 1.
func (s *sketch) ranked(rank uint64) float64 {
	switch rank {
	case 1:
		return float64(s.least)
	case s.count:
		return float64(s.most)
	}
	for r, row := range s.rows {
		if row == nil {
			continue
		}
		for c, n := range row {
			if n >= rank {
				least, width := sketchRange(r, c)
				middle := float64(least) + float64(width-1)/2
				return min(max(middle, float64(s.least)), float64(s.most))
			}
			rank -= n
		}
	}
	panic("sim: a sketch has lost values")
}

// above returns how many values are above a limit, but for those in the same
// bucket as the limit, which count as not above it.
func (s *sketch) above(limit int64) uint64 {
	row, column := sketchBucket(limit)
	n := uint64(0)
	for r := row; r < len(s.rows); r++ {
		if s.rows[r] == nil {
			continue
		}
		from := 0
		if r == row {
			from = column + 1
		}
		for _, k := range s.rows[r][from:] {
			n += k
		}
	}
	return n
}

// mean returns the mean, NaN of nothing; it is exact but for rounding.
func (s *sketch) mean() float64 {
	return s.sum.float() / float64(s.count)
}

// total is a sum of non-negative integers that cannot overflow: nanoseconds add
// up to more than 292 years where many instances live.
type total struct{ hi, lo uint64 }

func (t *total) add(v int64) {
	var carry uint64
	t.lo, carry = bits.Add64(t.lo, uint64(v), 0)
	t.hi += carry
}

func (t *total) merge(o total) {
	var carry uint64
	t.lo, carry = bits.Add64(t.lo, o.lo, 0)
	t.hi += o.hi + carry
}

func (t total) float() float64 { return math.Ldexp(float64(t.hi), 64) + float64(t.lo) }
