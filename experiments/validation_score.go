package experiments

import (
	"math"
	"math/rand/v2"
	"slices"

	"eevee/models"
)

// ValidationRow sums up the points of one model and stage, or of more stages,
// at one level. Every run counts the same.
type ValidationRow struct {
	Workflow string  `json:"workflow"`
	Stage    string  `json:"stage"` // or AllStages, EndToEnd
	Model    string  `json:"model"`
	Level    float64 `json:"level"` // p
	N        int     `json:"n"`     // held-out runs
	Held     int     `json:"configurations"`

	// Coverage is the share of recorded times that are at most the predicted
	// p-quantile, with the percentile interval of a bootstrap that draws whole
	// configurations (Efron and Tibshirani 1993, chapter 13), at 95 %. Where all
	// configurations agree it has no width.
	Coverage   float64 `json:"coverage"`
	CoverageLo float64 `json:"coverage_lo"`
	CoverageHi float64 `json:"coverage_hi"`

	// WidthRatio is the median of predicted p-quantile over predicted median.
	WidthRatio float64 `json:"width_ratio"`

	// Pinball is the mean pinball loss of the predicted p-quantile, and CRPS
	// the mean continuous ranked probability score (Gneiting and Raftery, JASA
	// 102, 2007), both in s. Smaller is better, and neither can be improved by
	// saying anything else than what one expects.
	Pinball float64 `json:"pinball_s"`
	CRPS    float64 `json:"crps_s"`

	// MAPE is the mean of |predicted median - recorded| / recorded over runs;
	// MAPE50 and MAPE95 are those of the percentiles over the runs of a
	// stage and configuration. Two runs have hardly a 95th percentile.
	MAPE   float64 `json:"mape"`
	MAPE50 float64 `json:"mape_p50"`
	MAPE95 float64 `json:"mape_p95"`
}

// prediction is a predicted distribution, ready to be scored.
type prediction struct {
	sample    []float64 // ascending
	below     []float64 // below[k] is the sum of the first k values
	quantiles []float64
	spread    float64 // E|X - X'|
}

func newPrediction(sample []float64) prediction {
	p := prediction{sample: slices.Clone(sample), below: make([]float64, len(sample)+1)}
	slices.Sort(p.sample)
	n := float64(len(sample))
	for k, x := range p.sample {
		p.below[k+1] = p.below[k] + x
		p.spread += 2 * x * (2*float64(k) + 1 - n) / (n * n)
	}
	for _, level := range ValidationLevels() {
		p.quantiles = append(p.quantiles, models.SortedQuantileR7(p.sample, level))
	}
	return p
}

// point scores a recorded value. The CRPS of a sample is E|X-y| - E|X-X'|/2
// (Gneiting and Raftery 2007, equation 21); that of a single value is the
// absolute error.
func (p prediction) point(recorded float64) ValidationPoint {
	n := len(p.sample)
	k, _ := slices.BinarySearchFunc(p.sample, recorded, func(x, y float64) int {
		if x <= y {
			return -1
		}
		return 1
	})
	away := recorded*float64(k) - p.below[k] + (p.below[n] - p.below[k]) - recorded*float64(n-k)
	return ValidationPoint{
		Recorded: recorded, Predicted: p.quantiles, Share: float64(k) / float64(n),
		CRPS: away/float64(n) - p.spread/2,
	}
}

// scoreAll sums up the points of a validation: per model every stage, all
// stages together and the whole runs.
func scoreAll(v Validation, stages []string, resamples int, streams models.Streams) []ValidationRow {
	var rows []ValidationRow
	for _, model := range v.Models {
		of := map[string][]ValidationPoint{}
		for _, p := range v.Points {
			if p.Model != model {
				continue
			}
			of[p.Stage] = append(of[p.Stage], p)
			if p.Stage != EndToEnd {
				of[AllStages] = append(of[AllStages], p)
			}
		}
		for _, stage := range append(slices.Clone(stages), AllStages, EndToEnd) {
			if stage == AllStages && len(stages) == 1 {
				continue
			}
			rows = append(rows, scorePoints(v.Workflow, stage, model, of[stage], resamples, streams)...)
		}
	}
	return rows
}

// scorePoints sums up points at every level.
func scorePoints(workflow, stage, model string, points []ValidationPoint, resamples int, streams models.Streams) []ValidationRow {
	if len(points) == 0 {
		return nil
	}
	n := float64(len(points))
	var rows []ValidationRow
	for k, level := range ValidationLevels() {
		r := ValidationRow{Workflow: workflow, Stage: stage, Model: model, Level: level, N: len(points)}
		hits := clusters{}
		var widths []float64
		for _, p := range points {
			q := p.Predicted[k]
			hits.add(p.Configuration, p.Recorded <= q)
			widths = append(widths, q/p.Predicted[0])
			r.Pinball += pinball(level, p.Recorded, q) / n
			r.CRPS += p.CRPS / n
			r.MAPE += math.Abs(p.Predicted[0]/p.Recorded-1) / n
		}
		r.Held = len(hits.of)
		r.Coverage = hits.share()
		r.CoverageLo, r.CoverageHi = hits.interval(resamples, bootstrapConfidence, streams.New("bootstrap/"+workflow+"/"+stage))
		r.WidthRatio = models.QuantileR7(widths, 0.5)
		r.MAPE50, r.MAPE95 = percentileErrors(points)
		rows = append(rows, r)
	}
	return rows
}

// pinball is the loss of the p-quantile q (Koenker and Bassett 1978).
func pinball(p, recorded, q float64) float64 {
	if recorded > q {
		return p * (recorded - q)
	}
	return (1 - p) * (q - recorded)
}

// percentileErrors returns the mean relative errors of the predicted 50th and
// 95th percentile of a stage and configuration.
func percentileErrors(points []ValidationPoint) (p50, p95 float64) {
	type place struct{ stage, configuration string }
	at := map[place][]int{}
	var order []place
	for k, p := range points {
		where := place{p.Stage, p.Configuration}
		if at[where] == nil {
			order = append(order, where)
		}
		at[where] = append(at[where], k)
	}
	for _, where := range order {
		var recorded []float64
		for _, k := range at[where] {
			recorded = append(recorded, points[k].Recorded)
		}
		expected := points[at[where][0]].Predicted
		p50 += math.Abs(expected[0]/models.QuantileR7(recorded, 0.50) - 1)
		p95 += math.Abs(expected[2]/models.QuantileR7(recorded, 0.95) - 1)
	}
	return p50 / float64(len(order)), p95 / float64(len(order))
}

// The settings of the bootstrap, fixed before any model was judged by it.
const (
	bootstrapResamples  = 2000
	bootstrapConfidence = 95 // percent
)

// clusters counts, configuration by configuration, how many of its runs have
// something.
type clusters struct {
	at map[string]int
	of []struct{ hits, n float64 }
}

func (c *clusters) add(configuration string, hit bool) {
	if c.at == nil {
		c.at = map[string]int{}
	}
	k, ok := c.at[configuration]
	if !ok {
		k = len(c.of)
		c.at[configuration] = k
		c.of = append(c.of, struct{ hits, n float64 }{})
	}
	c.of[k].n++
	if hit {
		c.of[k].hits++
	}
}

// share returns the share of all runs.
func (c clusters) share() float64 {
	var hits, n float64
	for _, one := range c.of {
		hits, n = hits+one.hits, n+one.n
	}
	return hits / n
}

// interval returns the percentile interval of share over resamples of the
// configurations, at the given confidence in percent.
func (c clusters) interval(resamples int, confidence float64, source *rand.Rand) (lo, hi float64) {
	shares := make([]float64, resamples)
	for b := range shares {
		var hits, n float64
		for range c.of {
			one := c.of[source.IntN(len(c.of))]
			hits, n = hits+one.hits, n+one.n
		}
		shares[b] = hits / n
	}
	slices.Sort(shares)
	tail := (1 - confidence/100) / 2
	return models.SortedQuantileR7(shares, tail), models.SortedQuantileR7(shares, 1-tail)
}
