package baselines

import (
	"fmt"
	"math"
	"slices"
)

// merged is what a part of a job has been merged into: a stage of time
// alpha/d, d the parallelism of the whole part, of which every stage has its
// share.
type merged struct {
	alpha   float64
	share   []float64 // per stage of the job; they add up to 1
	parents []int     // positions of other parts
	readers []int
}

// mergeStages merges the stages of a job into one, bottom up, and returns the
// share of every stage in the total parallelism that minimises the longest
// path of sum alpha/d (Ditto, SIGCOMM'23, Algorithm 1):
//
//	in series    d_i : d_j = sqrt(alpha_i) : sqrt(alpha_j), together (sqrt(alpha_i) + sqrt(alpha_j))^2
//	in parallel  d_i : d_j = alpha_i : alpha_j, which end together, together alpha_i + alpha_j
//
// alpha is the divisible time of every stage, 0 or more. A stage whose
// alpha is 0 has no share. follow names, for a stage that cannot be split but
// whose time is divided by the parallelism of another stage, that stage, else
// -1; nil stands for no such stage.
//
// The paper's pseudo-code merges the stages that one stage reads from, hence
// trees that end in one stage. Merging any stages with the same neighbours
// goes on to every series-parallel job, which is inferred: it is the same two
// rules. An edge that another path bypasses adds nothing to a longest path and
// is ignored, as in the Jolteon artifact.
func mergeStages(parents [][]int, alpha []float64, follow []int) (share []float64, total float64, err error) {
	n := len(alpha)
	parts := make([]*merged, n)
	for i := range parts {
		parts[i] = &merged{alpha: alpha[i], share: make([]float64, n)}
		parts[i].share[i] = 1
		if alpha[i] == 0 || follow != nil && follow[i] >= 0 {
			parts[i].share[i] = 0
		}
	}
	for i, list := range direct(parents) {
		parts[i].parents = list
	}
	link(parts)
	for left := n; left > 1; left-- {
		if !mergeSiblings(parts) && !mergeInSeries(parts, follow) {
			return nil, 0, fmt.Errorf("the workflow is not made of stages in series and in parallel, and Ditto merges no others")
		}
		link(parts)
	}
	for _, p := range parts {
		if p != nil {
			share, total = p.share, p.alpha
		}
	}
	return share, total, nil
}

// direct returns the parents of every stage, ascending, without those that are
// also ancestors of another parent.
func direct(parents [][]int) [][]int {
	ancestors := make([][]bool, len(parents))
	kept := make([][]int, len(parents))
	for i, list := range parents {
		ancestors[i] = make([]bool, len(parents))
		bypassed := make([]bool, len(parents))
		for _, p := range list {
			for q, is := range ancestors[p] {
				bypassed[q] = bypassed[q] || is
				ancestors[i][q] = ancestors[i][q] || is
			}
			ancestors[i][p] = true
		}
		for _, p := range list {
			if !bypassed[p] {
				kept[i] = append(kept[i], p)
			}
		}
		slices.Sort(kept[i])
		kept[i] = slices.Compact(kept[i])
	}
	return kept
}

// link fills in the readers of every part, ascending.
func link(parts []*merged) {
	for _, p := range parts {
		if p != nil {
			p.readers = nil
		}
	}
	for i, p := range parts {
		if p == nil {
			continue
		}
		for _, q := range p.parents {
			parts[q].readers = append(parts[q].readers, i)
		}
	}
}

// mergeSiblings merges two parts with the same parents and readers.
func mergeSiblings(parts []*merged) bool {
	for i, a := range parts {
		for k := i + 1; a != nil && k < len(parts); k++ {
			b := parts[k]
			if b == nil || a.follows() || b.follows() || !slices.Equal(a.parents, b.parents) || !slices.Equal(a.readers, b.readers) {
				continue
			}
			a.combine(b, a.alpha, b.alpha)
			a.alpha += b.alpha
			drop(parts, k)
			return true
		}
	}
	return false
}

// mergeInSeries merges a part with its only reader, which reads nothing else.
func mergeInSeries(parts []*merged, follow []int) bool {
	for i, a := range parts {
		if a == nil || a.follows() || len(a.readers) != 1 {
			continue
		}
		k := a.readers[0]
		b := parts[k]
		if len(b.parents) != 1 {
			continue
		}
		if b.follows() {
			if s := a.share[follow[k]]; s > 0 {
				a.alpha += b.alpha / s
			}
		} else {
			a.combine(b, math.Sqrt(a.alpha), math.Sqrt(b.alpha))
			root := math.Sqrt(a.alpha) + math.Sqrt(b.alpha)
			a.alpha = root * root
		}
		a.readers = b.readers
		for _, p := range parts {
			if p != nil {
				for m, q := range p.parents {
					if q == k {
						p.parents[m] = i
					}
				}
				slices.Sort(p.parents)
			}
		}
		parts[k] = nil
		return true
	}
	return false
}

// follows reports whether the time of a single stage is divided by the
// parallelism of another one.
func (a *merged) follows() bool { return a.alpha > 0 && sum(a.share) == 0 }

// combine gives a the stages of b, with weights in the ratio of wa to wb.
func (a *merged) combine(b *merged, wa, wb float64) {
	if wa+wb == 0 {
		return
	}
	for i := range a.share {
		a.share[i] = (a.share[i]*wa + b.share[i]*wb) / (wa + wb)
	}
}

// drop removes part k, which another one has taken the place of.
func drop(parts []*merged, k int) {
	for _, p := range parts {
		if p != nil {
			p.parents = slices.DeleteFunc(p.parents, func(q int) bool { return q == k })
		}
	}
	parts[k] = nil
}

func sum(x []float64) float64 {
	total := 0.0
	for _, v := range x {
		total += v
	}
	return total
}

// costShares returns shares in the ratio of sqrt(weight), which minimise sum
// weight/d under a given sum of d (Cauchy and Schwarz; Ditto section 4.2, with
// the product of memory and divisible time as the weight).
func costShares(weight []float64) []float64 {
	share := make([]float64, len(weight))
	for i, w := range weight {
		share[i] = math.Sqrt(w)
	}
	return normalised(share)
}

// normalised divides x by its sum, in place.
func normalised(x []float64) []float64 {
	if total := sum(x); total > 0 {
		for i := range x {
			x[i] /= total
		}
	}
	return x
}

// spread gives every stage its share of total instances, at least one each,
// rounded by the largest remainders so that they add up to total where total
// is enough for one each. The paper does not say how it rounds.
func spread(share []float64, total int) []int {
	d := make([]int, len(share))
	rest := total
	for i, s := range share {
		d[i] = max(1, int(s*float64(total)))
		rest -= d[i]
	}
	for ; rest > 0; rest-- {
		best := -1
		for i, s := range share {
			if s > 0 && (best < 0 || s*float64(total)-float64(d[i]) > share[best]*float64(total)-float64(d[best])) {
				best = i
			}
		}
		if best < 0 {
			break
		}
		d[best]++
	}
	for ; rest < 0; rest++ {
		// Single instances for small shares come from the largest surplus.
		best := -1
		for i, s := range share {
			if d[i] > 1 && (best < 0 || float64(d[i])-s*float64(total) > float64(d[best])-share[best]*float64(total)) {
				best = i
			}
		}
		if best < 0 {
			break
		}
		d[best]--
	}
	return d
}
