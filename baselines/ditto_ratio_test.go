package baselines

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"eevee/models"
)

// longest returns the longest path of time(i), given the parents of every
// stage.
func longest(parents [][]int, time func(i int) float64) float64 {
	end := make([]float64, len(parents))
	last := 0.0
	for i, list := range parents {
		for _, p := range list {
			end[i] = max(end[i], end[p])
		}
		end[i] += time(i)
		last = max(last, end[i])
	}
	return last
}

// compositions calls visit with every way to write total as n positive
// integers.
func compositions(n, total int, visit func(d []int)) {
	d := make([]int, n)
	var rest func(k, left int)
	rest = func(k, left int) {
		if k == n-1 {
			d[k] = left
			visit(d)
			return
		}
		for d[k] = 1; d[k] <= left-(n-1-k); d[k]++ {
			rest(k+1, left-d[k])
		}
	}
	rest(0, total)
}

// The shapes that four stages and fewer can have in series and in parallel,
// ending in one stage or in several; the last two have an edge that another
// path bypasses.
var seriesParallel = map[string][][]int{
	"one":         {nil},
	"chain of 2":  {nil, {0}},
	"pair":        {nil, nil},
	"chain of 4":  {nil, {0}, {1}, {2}},
	"join":        {nil, nil, nil, {0, 1, 2}},
	"fork":        {nil, {0}, {0}, {0}},
	"diamond":     {nil, {0}, {0}, {1, 2}},
	"long branch": {nil, {0}, nil, {1, 2}},
	"two chains":  {nil, nil, {0}, {1}},
	"bypassed":    {nil, {0}, {0, 1}, {0, 2}},
	"bypassed 2":  {nil, {0}, {0}, {0, 1, 2}},
}

func TestSharesAreOptimal(t *testing.T) {
	r := models.Streams{Seed: 1}.New("alphas")
	const total = 36
	for name, parents := range seriesParallel {
		for range 5 {
			alpha := make([]float64, len(parents))
			for i := range alpha {
				alpha[i] = math.Exp(4 * r.Float64())
			}
			share, merged, err := mergeStages(parents, alpha, nil)
			if err != nil {
				t.Fatalf("%s: %v", name, err)
			}
			if math.Abs(sum(share)-1) > 1e-12 {
				t.Errorf("%s: the shares %v do not add up to 1", name, share)
			}
			best := merged / total
			at := longest(parents, func(i int) float64 { return alpha[i] / (share[i] * total) })
			if math.Abs(at/best-1) > 1e-12 {
				t.Errorf("%s: alpha %v: shares %v take %v s, the merged stage %v s", name, alpha, share, at, best)
			}

			// No allocation of whole instances is faster, and the best of them
			// is no further away than rounding down costs.
			fastest := math.Inf(1)
			compositions(len(alpha), total, func(d []int) {
				fastest = min(fastest, longest(parents, func(i int) float64 { return alpha[i] / float64(d[i]) }))
			})
			if fastest < best*(1-1e-12) {
				t.Errorf("%s: alpha %v: whole instances take %v s, less than the %v s of the shares", name, alpha, fastest, best)
			}
			loss := 1.0
			for _, s := range share {
				if s*total < 1 {
					loss = math.Inf(1)
				}
				loss = max(loss, s*total/math.Floor(s*total))
			}
			if fastest > best*loss*(1+1e-12) {
				t.Errorf("%s: alpha %v: whole instances take %v s, more than %v times the %v s of the shares", name, alpha, fastest, loss, best)
			}

			// Nor is any other division.
			for range 200 {
				other := randomShares(r, len(alpha))
				if l := longest(parents, func(i int) float64 { return alpha[i] / (other[i] * total) }); l < best*(1-1e-12) {
					t.Errorf("%s: alpha %v: shares %v take %v s, less than %v s", name, alpha, other, l, best)
				}
			}
		}
	}
}

func randomShares(r *rand.Rand, n int) []float64 {
	s := make([]float64, n)
	for i := range s {
		s[i] = r.ExpFloat64()
	}
	return normalised(s)
}

func TestSharesOfTwoStages(t *testing.T) {
	for _, c := range []struct {
		name    string
		parents [][]int
		share   []float64
		merged  float64
	}{
		{"series", [][]int{nil, {0}}, []float64{2. / 3, 1. / 3}, 9},
		{"parallel", [][]int{nil, nil}, []float64{.8, .2}, 5},
	} {
		share, merged, err := mergeStages(c.parents, []float64{4, 1}, nil)
		if err != nil || math.Abs(merged-c.merged) > 1e-12 || math.Abs(share[0]-c.share[0])+math.Abs(share[1]-c.share[1]) > 1e-12 {
			t.Errorf("%s: shares %v of %v (%v), want %v of %v", c.name, share, merged, err, c.share, c.merged)
		}
	}
}

func TestCostSharesAreOptimal(t *testing.T) {
	r := models.Streams{Seed: 2}.New("weights")
	const total = 30
	for n := 1; n <= 4; n++ {
		weight := make([]float64, n)
		roots := 0.0
		for i := range weight {
			weight[i] = math.Exp(4 * r.Float64())
			roots += math.Sqrt(weight[i])
		}
		cost := func(d func(i int) float64) float64 {
			c := 0.0
			for i, w := range weight {
				c += w / d(i)
			}
			return c
		}
		share := costShares(weight)
		best := roots * roots / total // Cauchy and Schwarz: sum w/d * sum d >= (sum sqrt w)^2
		if c := cost(func(i int) float64 { return share[i] * total }); math.Abs(c/best-1) > 1e-12 {
			t.Errorf("weights %v: shares %v cost %v, the bound is %v", weight, share, c, best)
		}
		cheapest := math.Inf(1)
		compositions(n, total, func(d []int) {
			cheapest = min(cheapest, cost(func(i int) float64 { return float64(d[i]) }))
		})
		if cheapest < best*(1-1e-12) {
			t.Errorf("weights %v: whole instances cost %v, less than the bound %v", weight, cheapest, best)
		}
	}
}

// A stage whose time is divided by what another one gets has no part of its
// own, and makes its branch slower.
func TestFollowingStage(t *testing.T) {
	parents := [][]int{nil, {0}, nil, {1, 2}} // 1 cannot be split and follows 0
	alpha := []float64{8, 3, 5, 2}
	share, merged, err := mergeStages(parents, alpha, []int{-1, 0, -1, -1})
	if err != nil {
		t.Fatal(err)
	}
	if share[1] != 0 || math.Abs(sum(share)-1) > 1e-12 {
		t.Errorf("shares %v", share)
	}
	divided := []int{0, 0, 2, 3}
	time := func(share []float64) float64 {
		return longest(parents, func(i int) float64 { return alpha[i] / share[divided[i]] })
	}
	if got := time(share); math.Abs(got-merged) > 1e-12*merged {
		t.Errorf("shares %v take %v, the merged stage %v", share, got, merged)
	}
	r := models.Streams{Seed: 3}.New("others")
	for range 2000 {
		other := randomShares(r, 3)
		if got := time([]float64{other[0], 0, other[1], other[2]}); got < merged*(1-1e-12) {
			t.Errorf("shares %v take %v, less than %v", other, got, merged)
		}
	}
}

func TestSharesDoNotDependOnScale(t *testing.T) {
	alpha := []float64{3, 1, 4, 1.5}
	share, merged, _ := mergeStages(seriesParallel["diamond"], alpha, nil)
	for i := range alpha {
		alpha[i] *= 1000
	}
	scaled, more, _ := mergeStages(seriesParallel["diamond"], alpha, nil)
	for i := range share {
		if math.Abs(share[i]-scaled[i]) > 1e-12 {
			t.Errorf("shares %v became %v", share, scaled)
		}
	}
	if math.Abs(more/merged-1000) > 1e-9 {
		t.Errorf("merged %v became %v", merged, more)
	}
}

func TestStageOfNoDivisibleTime(t *testing.T) {
	share, merged, err := mergeStages([][]int{nil, {0}, {1}}, []float64{4, 0, 9}, nil)
	if err != nil || merged != 25 || fmt.Sprint(share) != "[0.4 0 0.6]" {
		t.Errorf("shares %v of %v (%v)", share, merged, err)
	}
}

func TestMergingRefusesOtherGraphs(t *testing.T) {
	// The smallest graph that is not series-parallel: 2 needs both, 3 one of them.
	if _, _, err := mergeStages([][]int{nil, nil, {0, 1}, {1}}, []float64{1, 1, 1, 1}, nil); err == nil {
		t.Error("a graph that is not series-parallel was merged")
	}
}

func TestSpread(t *testing.T) {
	r := models.Streams{Seed: 4}.New("spread")
	for range 2000 {
		n := 1 + r.IntN(8)
		total := n + r.IntN(200)
		share := randomShares(r, n)
		if n > 1 && r.IntN(3) == 0 {
			share[0] = 0
			normalised(share)
		}
		d := spread(share, total)
		used := 0
		for i, x := range d {
			used += x
			if x < 1 {
				t.Fatalf("shares %v of %d: %v", share, total, d)
			}
			if share[i] == 0 && x != 1 {
				t.Fatalf("shares %v of %d: %v gives a stage without a share more than one", share, total, d)
			}
			if want := share[i] * float64(total); float64(x) > max(1, want+1) {
				t.Fatalf("shares %v of %d: %v gives %d for %v", share, total, d, x, want)
			}
		}
		if used != total {
			t.Fatalf("shares %v of %d: %v adds up to %d", share, total, d, used)
		}
	}
	if d := spread([]float64{.9, .1}, 1); !slices.Equal(d, []int{1, 1}) {
		t.Errorf("fewer instances than stages: %v", d)
	}
}
