package baselines

import (
	"cmp"
	"math"
	"slices"
)

// atom is one value of a discrete distribution, in seconds, and its
// probability.
type atom struct{ value, prob float64 }

// atoms is a discrete distribution: values ascending, probabilities that sum
// to 1.
type atoms []atom

// empirical returns the distribution that gives each of the values the same
// probability.
func empirical(values []float64) atoms {
	a := make(atoms, len(values))
	for i, v := range values {
		a[i] = atom{v, 1 / float64(len(values))}
	}
	a.sort()
	return a
}

func (a atoms) sort() {
	slices.SortFunc(a, func(x, y atom) int {
		switch {
		case x.value < y.value:
			return -1
		case x.value > y.value:
			return 1
		}
		return cmp.Compare(x.prob, y.prob)
	})
}

// probabilitySlack is what sums of probabilities may be wrong by.
const probabilitySlack = 1e-12

// quantile returns the smallest value that is not exceeded with probability p.
func (a atoms) quantile(p float64) float64 {
	sum := 0.0
	for _, x := range a {
		if sum += x.prob; sum >= p-probabilitySlack {
			return x.value
		}
	}
	return a[len(a)-1].value
}

func (a atoms) mean() float64 {
	sum := 0.0
	for _, x := range a {
		sum += x.value * x.prob
	}
	return sum
}

// times returns the distribution of the product with a positive factor.
func (a atoms) times(factor float64) atoms {
	scaled := make(atoms, len(a))
	for i, x := range a {
		scaled[i] = atom{x.value * factor, x.prob}
	}
	return scaled
}

// joined goes through two distributions percentile by percentile: it returns
// the distribution of f(Qa(u), Qb(u)) for u uniform on (0, 1), Q the quantile
// functions. f must be such that the result ascends with u, or the caller
// sorts it.
func joined(a, b atoms, f func(x, y float64) float64) atoms {
	out := make(atoms, 0, len(a)+len(b))
	i, j, left, right := 0, 0, a[0].prob, b[0].prob // what is left of a[i] and b[j]
	for {
		step := min(left, right)
		if step > probabilitySlack {
			out = append(out, atom{f(a[i].value, b[j].value), step})
		}
		left, right = left-step, right-step
		if left <= probabilitySlack {
			if i++; i == len(a) {
				return out
			}
			left += a[i].prob
		}
		if right <= probabilitySlack {
			if j++; j == len(b) {
				return out
			}
			right += b[j].prob
		}
	}
}

// between interpolates percentile by percentile: the quantiles of the result
// are (1-w) of those of a and w of those of b, 0 <= w <= 1 (algorithms.md 2.1,
// interp).
func (a atoms) between(b atoms, w float64) atoms {
	return joined(a, b, func(x, y float64) float64 { return x + w*(y-x) })
}

// largest returns the distribution of the largest of n independent draws,
// P(max <= y) = F(y)^n (algorithms.md 2.1).
func (a atoms) largest(n int) atoms {
	out := make(atoms, 0, len(a))
	sum, before := 0.0, 0.0
	for _, x := range a {
		sum += x.prob
		power := math.Pow(min(sum, 1), float64(n))
		if p := power - before; p > 0 {
			out = append(out, atom{x.value, p})
		}
		before = power
	}
	return out
}

// largestOf returns the distribution of the largest of n workers of one run,
// given the times of the workers of recorded runs. With correlation it is
//
//	P(max <= y) = F(y) * G(y)^(n-1),  G(y) = P(X_j <= y | X_1 <= y)
//
// with G estimated from all ordered pairs of workers of the same run
// (algorithms.md 2.1); without it, or where no run has two workers, F(y)^n.
//
// Inferred: the estimate need not ascend with y, as few runs decide G where y
// is small. It is cut down to what it is at any larger y.
func largestOf(runs [][]float64, n int, correlated bool) atoms {
	var all []float64
	pairs := 0.0 // ordered pairs of workers of one run
	for _, r := range runs {
		all = append(all, r...)
		pairs += float64(len(r) * (len(r) - 1))
	}
	if n == 1 || !correlated || pairs == 0 {
		return empirical(all).largest(n)
	}
	type worker struct {
		value float64
		run   int
	}
	workers := make([]worker, 0, len(all))
	for k, r := range runs {
		for _, v := range r {
			workers = append(workers, worker{v, k})
		}
	}
	slices.SortFunc(workers, func(a, b worker) int { return cmp.Compare(a.value, b.value) })

	count := make([]int, len(runs)) // workers of every run that are not above y
	both, first := 0.0, 0.0         // ordered pairs with both, with the first not above y
	var out atoms                   // at first with P(max <= value) in place of prob
	for k, w := range workers {
		both += 2 * float64(count[w.run])
		first += float64(len(runs[w.run]) - 1)
		count[w.run]++
		if k+1 < len(workers) && workers[k+1].value == w.value {
			continue
		}
		g := 1.0
		if first > 0 {
			g = both / first
		}
		out = append(out, atom{w.value, float64(k+1) / float64(len(workers)) * math.Pow(g, float64(n-1))})
	}
	for k := len(out) - 2; k >= 0; k-- {
		out[k].prob = min(out[k].prob, out[k+1].prob)
	}
	for k := len(out) - 1; k > 0; k-- {
		out[k].prob -= out[k-1].prob
	}
	return slices.DeleteFunc(out, func(x atom) bool { return x.prob <= 0 })
}

// binned is a distribution on the multiples of a bin width: bin first+k holds
// the probability mass[k].
type binned struct {
	first int
	mass  []float64
}

// bin puts a distribution on the multiples of width. An atom between two of
// them is shared out so that its mean stays what it is; rounding all up, as
// 100 ms bins in the Orion artifact do, would add up to a width in every sum.
func (a atoms) bin(width float64) binned {
	low := int(math.Floor(a[0].value / width))
	high := int(math.Floor(a[len(a)-1].value/width)) + 1
	b := binned{low, make([]float64, high-low+1)}
	for _, x := range a {
		at := x.value / width
		k := math.Floor(at)
		share := at - k
		b.mass[int(k)-low] += x.prob * (1 - share)
		b.mass[int(k)-low+1] += x.prob * share
	}
	return b.trim()
}

func (b binned) trim() binned {
	for len(b.mass) > 1 && b.mass[len(b.mass)-1] == 0 {
		b.mass = b.mass[:len(b.mass)-1]
	}
	for len(b.mass) > 1 && b.mass[0] == 0 {
		b.first, b.mass = b.first+1, b.mass[1:]
	}
	return b
}

// plus returns the distribution of the sum of independent values, the
// convolution: stages in series.
func (b binned) plus(c binned) binned {
	if b.occupied() > c.occupied() {
		b, c = c, b
	}
	out := binned{b.first + c.first, make([]float64, len(b.mass)+len(c.mass)-1)}
	for i, p := range b.mass {
		if p == 0 {
			continue
		}
		to := out.mass[i : i+len(c.mass)]
		for j, q := range c.mass {
			to[j] += p * q
		}
	}
	return out
}

// occupied returns how many bins have a probability.
func (b binned) occupied() (n int) {
	for _, p := range b.mass {
		if p != 0 {
			n++
		}
	}
	return n
}

// latest returns the distribution of the larger of two independent values:
// P(max <= y) is the product of both. For values that are not independent
// because stages are their common ancestors it is a lower limit of P(max <= y),
// as both ascend with the times of all stages (Esary, Proschan and Walkup,
// Annals of Mathematical Statistics 38, 1967).
func (b binned) latest(c binned) binned {
	first := max(b.first, c.first)
	last := max(b.first+len(b.mass), c.first+len(c.mass)) - 1
	out := binned{first, make([]float64, last-first+1)}
	before, fb, fc := 0.0, b.below(first-1), c.below(first-1)
	for k := range out.mass {
		fb += b.at(first + k)
		fc += c.at(first + k)
		out.mass[k] = fb*fc - before
		before = fb * fc
	}
	return out.trim()
}

// fastest returns the distribution whose P(X <= y) is the larger one of both
// everywhere: none that is the sooner of the two in any sense is sooner.
func (b binned) fastest(c binned) binned {
	first := min(b.first, c.first)
	last := max(b.first+len(b.mass), c.first+len(c.mass)) - 1
	out := binned{first, make([]float64, last-first+1)}
	before, fb, fc := 0.0, 0.0, 0.0
	for k := range out.mass {
		fb += b.at(first + k)
		fc += c.at(first + k)
		out.mass[k] = max(fb, fc) - before
		before = max(fb, fc)
	}
	return out.trim()
}

// at returns the probability of a bin.
func (b binned) at(bin int) float64 {
	if k := bin - b.first; k >= 0 && k < len(b.mass) {
		return b.mass[k]
	}
	return 0
}

// below returns P(X <= bin).
func (b binned) below(bin int) float64 {
	sum := 0.0
	for k := range min(bin-b.first+1, len(b.mass)) {
		sum += b.mass[k]
	}
	return sum
}

// quantile returns the smallest bin that is not exceeded with probability p.
func (b binned) quantile(p float64) int {
	sum := 0.0
	for k, m := range b.mass {
		if sum += m; sum >= p-probabilitySlack {
			return b.first + k
		}
	}
	return b.first + len(b.mass) - 1
}
