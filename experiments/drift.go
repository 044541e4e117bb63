package experiments

import (
	"cmp"
	"context"
	"fmt"
	"math"
	"math/rand/v2"
	"runtime"
	"slices"

	"golang.org/x/sync/errgroup"

	"eevee/models"
)

// DriftRow says whether one step of one stage takes the same time in two
// recordings of it. Two questions are asked of every step: have the times moved,
// and has their distribution changed in any way.
type DriftRow struct {
	Workflow       string `json:"workflow"`
	Stage          string `json:"stage"`
	Step           string `json:"step"`           // cold, read, compute or write
	Configurations int    `json:"configurations"` // recorded in both
	Before         int    `json:"n_before"`       // runs under those
	After          int    `json:"n_after"`

	// Ratio is the median over configurations of the later median time over
	// the earlier one, with a 95 % bootstrap interval over configurations.
	Ratio   float64 `json:"ratio"`
	RatioLo float64 `json:"ratio_lo"`
	RatioHi float64 `json:"ratio_hi"`

	// Moved and Changed are p-values, adjusted for the number of all questions
	// (Holm, Scandinavian Journal of Statistics 6, 1979).
	Moved   float64 `json:"moved_p"`
	Changed float64 `json:"changed_p"`
	Drifted bool    `json:"drifted"` // either is at most 0.05
}

// driftLevel is the probability of calling anything a drift where nothing has
// changed, over all questions together.
const driftLevel = 0.05

// driftSteps are the steps that are compared.
var driftSteps = []struct {
	name string
	of   func(models.Steps) float64
}{
	{"cold", func(s models.Steps) float64 { return s.Cold }},
	{"read", func(s models.Steps) float64 { return s.Read }},
	{"compute", func(s models.Steps) float64 { return s.Compute }},
	{"write", func(s models.Steps) float64 { return s.Write }},
}

// Drift compares two recordings of the same workflow, warm runs only, within
// the configurations that both hold: that the later one holds other
// configurations is no drift.
//
// The tests are permutation tests within configurations, so that they are exact
// whatever the distribution, if runs of a configuration are exchangeable. Of the
// times over the median of their configuration, Wilcoxon's sum of ranks tells
// movement, and the statistic of Cramér and von Mises (Anderson, Annals of
// Mathematical Statistics 33, 1962) any change. Runs that follow each other
// closely may resemble each other more than that; a drift then says that the
// recordings differ, not why.
func Drift(ctx context.Context, before, after *models.Profile, seed uint64) ([]DriftRow, error) {
	if before.Workflow.Name() != after.Workflow.Name() {
		return nil, fmt.Errorf("drift: one recording is of workflow %s, the other of workflow %s", before.Workflow.Name(), after.Workflow.Name())
	}
	w := before.Workflow
	var rows []DriftRow
	var strata [][]stratum
	for i := range w.Len() {
		for _, step := range driftSteps {
			s := stratify(before.Warm(i), after.Warm(i), step.of)
			if len(s) == 0 {
				continue
			}
			r := DriftRow{Workflow: w.Name(), Stage: w.Stage(i).Name, Step: step.name, Configurations: len(s)}
			for _, one := range s {
				r.Before, r.After = r.Before+one.before, r.After+len(one.values)-one.before
			}
			rows, strata = append(rows, r), append(strata, s)
		}
	}
	if len(rows) == 0 {
		return nil, fmt.Errorf("drift of workflow %s: the recordings have no configuration in common whose times differ", w.Name())
	}
	streams := models.Streams{Seed: seed}.Sub("drift")
	// So many that the adjusted p-value can reach the level at all.
	permutations := max(1999, int(4*float64(len(rows))/driftLevel)-1)
	p := make([]float64, 2*len(rows))
	work, ctx := errgroup.WithContext(ctx)
	work.SetLimit(runtime.GOMAXPROCS(0))
	for k := range rows {
		work.Go(func() error {
			of := streams.Sub(rows[k].Stage + "/" + rows[k].Step)
			var err error
			p[2*k], p[2*k+1], err = permute(ctx, strata[k], permutations, of.New("permutations"))
			rows[k].Ratio, rows[k].RatioLo, rows[k].RatioHi = ratioOf(strata[k], of.New("bootstrap"))
			return err
		})
	}
	if err := work.Wait(); err != nil {
		return nil, err
	}
	adjusted := holm(p)
	for k := range rows {
		rows[k].Moved, rows[k].Changed = adjusted[2*k], adjusted[2*k+1]
		rows[k].Drifted = min(rows[k].Moved, rows[k].Changed) <= driftLevel
	}
	return rows, nil
}

// stratum is the times of one configuration in both recordings.
type stratum struct {
	values []float64 // s; the first ones are from the earlier recording
	before int
}

// stratify returns the configurations that both recordings hold, in the order
// of the earlier one, and none if no time differs from any other.
func stratify(before, after []models.Observation, of func(models.Steps) float64) []stratum {
	type key struct {
		config models.StageConfig
		input  int
	}
	at := map[key]*[2][]float64{}
	var order []key
	for side, list := range [][]models.Observation{before, after} {
		for _, o := range list {
			v := of(o.Mean)
			if math.IsNaN(v) {
				continue
			}
			k := key{o.Config, o.InputParallelism}
			if at[k] == nil {
				at[k] = &[2][]float64{}
				order = append(order, k)
			}
			at[k][side] = append(at[k][side], v)
		}
	}
	var strata []stratum
	differ := false
	for _, k := range order {
		pair := at[k]
		if len(pair[0]) == 0 || len(pair[1]) == 0 {
			continue
		}
		s := stratum{append(slices.Clone(pair[0]), pair[1]...), len(pair[0])}
		differ = differ || slices.Min(s.values) < slices.Max(s.values)
		strata = append(strata, s)
	}
	if !differ {
		return nil
	}
	return strata
}

// aligned is the values of all strata, each over the median of its stratum, in
// one ranking (Hodges and Lehmann, Annals of Mathematical Statistics 33, 1962):
// strata of two runs and two say something only together.
type aligned struct {
	of       [][]int   // positions of every stratum
	rank     []float64 // mid-ranks
	order    []int     // positions in ascending order
	ends     []bool    // in ascending order: the next value is larger
	expected float64   // sum of the ranks of the later recording, if all runs of a stratum are alike
	earlier  int       // runs
	later    []bool    // position by position: the run counts to the later recording
}

func align(strata []stratum) *aligned {
	var values []float64
	a := &aligned{}
	for _, s := range strata {
		center := models.QuantileR7(s.values, 0.5)
		var of []int
		for k, v := range s.values {
			if center > 0 {
				v /= center
			}
			of = append(of, len(values))
			values = append(values, v)
			a.later = append(a.later, k >= s.before)
		}
		a.of = append(a.of, of)
		a.earlier += s.before
	}
	n := len(values)
	a.rank, a.order, a.ends = make([]float64, n), make([]int, n), make([]bool, n)
	for k := range a.order {
		a.order[k] = k
	}
	slices.SortStableFunc(a.order, func(x, y int) int { return cmp.Compare(values[x], values[y]) })
	for from := 0; from < n; {
		to := from + 1
		for to < n && values[a.order[to]] == values[a.order[from]] {
			to++
		}
		for k := from; k < to; k++ {
			a.rank[a.order[k]] = float64(from+to+1) / 2
		}
		a.ends[to-1] = true
		from = to
	}
	for k, of := range a.of {
		sum := 0.0
		for _, at := range of {
			sum += a.rank[at]
		}
		a.expected += sum / float64(len(of)) * float64(len(of)-strata[k].before)
	}
	return a
}

// statistics returns how far the sum of ranks of the later recording is from
// what is expected, and the statistic of Cramér and von Mises.
func (a *aligned) statistics() (location, distribution float64) {
	m, n := float64(len(a.rank)-a.earlier), float64(a.earlier)
	sum, f, g := 0.0, 0.0, 0.0
	for k, at := range a.order {
		if a.later[at] {
			sum += a.rank[at]
			g += 1 / m
		} else {
			f += 1 / n
		}
		if a.ends[k] {
			distribution += (f - g) * (f - g)
		}
	}
	return math.Abs(sum - a.expected), distribution
}

// permute returns the p-values of both tests: the share of permutations within
// strata whose statistic is at least as extreme, the recorded one counted in
// (Phipson and Smyth, Stat. Appl. Genet. Mol. Biol. 9, 2010).
func permute(ctx context.Context, strata []stratum, permutations int, source *rand.Rand) (moved, changed float64, err error) {
	a := align(strata)
	l0, d0 := a.statistics()
	const slack = 1e-9 // sums of the same numbers in another order
	l, d := 1, 1
	for range permutations {
		if err := ctx.Err(); err != nil {
			return 0, 0, err
		}
		for _, of := range a.of {
			source.Shuffle(len(of), func(i, j int) { a.later[of[i]], a.later[of[j]] = a.later[of[j]], a.later[of[i]] })
		}
		location, distribution := a.statistics()
		if location >= l0*(1-slack) {
			l++
		}
		if distribution >= d0*(1-slack) {
			d++
		}
	}
	return float64(l) / float64(permutations+1), float64(d) / float64(permutations+1), nil
}

// ratioOf returns the median over configurations of the ratio of medians, with
// its bootstrap interval.
func ratioOf(strata []stratum, source *rand.Rand) (ratio, lo, hi float64) {
	var ratios []float64
	for _, s := range strata {
		earlier := models.QuantileR7(s.values[:s.before], 0.5)
		if r := models.QuantileR7(s.values[s.before:], 0.5) / earlier; earlier > 0 {
			ratios = append(ratios, r)
		}
	}
	medians := make([]float64, bootstrapResamples)
	drawn := make([]float64, len(ratios))
	for b := range medians {
		for k := range drawn {
			drawn[k] = ratios[source.IntN(len(ratios))]
		}
		medians[b] = models.QuantileR7(drawn, 0.5)
	}
	slices.Sort(medians)
	tail := (1 - bootstrapConfidence/100.0) / 2
	return models.QuantileR7(ratios, 0.5), models.SortedQuantileR7(medians, tail), models.SortedQuantileR7(medians, 1-tail)
}

// holm returns the adjusted p-values: those at most a are significant with a
// probability of at most a that any of them is so by chance.
func holm(p []float64) []float64 {
	order := make([]int, len(p))
	for k := range order {
		order[k] = k
	}
	slices.SortStableFunc(order, func(a, b int) int { return cmp.Compare(p[a], p[b]) })
	adjusted := make([]float64, len(p))
	largest := 0.0
	for rank, k := range order {
		largest = max(largest, min(1, p[k]*float64(len(p)-rank)))
		adjusted[k] = largest
	}
	return adjusted
}
