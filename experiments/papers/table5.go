package papers

import (
	"context"
	"fmt"

	"eevee/baselines"
	"eevee/experiments"
	"eevee/models"
)

// WorkflowErrors are errors of the predicted latency of a workflow.
type WorkflowErrors struct {
	Name       string // of the table
	Workflow   string // title
	FullSample int    // scenarios behind PredictedFull and ErrorFull
	Rows       []WorkflowError
	Mean       WorkflowError // mean absolute errors; its other fields are zero
}

func (WorkflowErrors) rows() {}

// WorkflowError is the error at one configuration. Percentiles are in s, errors
// in percent of the measured value.
type WorkflowError struct {
	Config            string
	Measured          Median95 // derived from published errors
	Predicted         Median95 // with the artifact's two draws
	PredictedFull     Median95 // with the sample that the guarantee asks for, drawn as the artifact draws it
	PredictedStreams  Median95 // the same, every stage and step with random numbers of its own
	Error             Median95 // of Predicted
	ErrorFull         Median95 // of PredictedFull
	Reported          Median95 // error, Jolteon
	ReportedOrion     Median95
	ReportedDitto     Median95
	ReportedPredicted Median95 // by the artifact with two draws
}

// table5 predicts the latency of six configurations.
type table5 struct {
	About               Statement `yaml:",inline"`
	Workflow            string    `yaml:"workflow"`
	PredictionTolerance Tolerance `yaml:"prediction_tolerance"`
	PredictedTo         float64   `yaml:"predicted_to_s"`
	FullSampleTolerance Tolerance `yaml:"full_sample_tolerance"`
	FullSample          int       `yaml:"full_sample"`
	Rows                []struct {
		Config        string      `yaml:"config"`
		Parallelism   []int       `yaml:"parallelism,flow"`
		VCPU          []float64   `yaml:"vcpu,flow"`
		Jolteon       percentFact `yaml:"jolteon"`
		Orion         percentFact `yaml:"orion"`
		Ditto         percentFact `yaml:"ditto"`
		Measured      secondsFact `yaml:"measured"`
		PredictedTwo  secondsFact `yaml:"predicted_2"`
		PredictedFull secondsFact `yaml:"predicted_full"`
	} `yaml:"rows"`
	MeanAbsolute struct {
		Jolteon percentFact `yaml:"jolteon"`
		Orion   percentFact `yaml:"orion"`
		Ditto   percentFact `yaml:"ditto"`
	} `yaml:"mean_absolute"`
}

// secondsFact is a pair of percentiles.
type secondsFact struct {
	P50 float64 `yaml:"p50_s"`
	P95 float64 `yaml:"p95_s"`
}

func (s secondsFact) pair() Median95 { return Median95(s) }

func newTable5() Experiment { return mustFacts[table5]("data/table5.yaml") }

func (t *table5) Statement() Statement { return t.About }

func (t *table5) Cells(bool) []Cell { return nil }

func (t *table5) Find(_ context.Context, lab *Lab) (Finding, error) {
	b, err := lab.bench(t.Workflow)
	if err != nil {
		return Finding{}, err
	}
	def := b.setup.Definition
	model := b.setup.Model.(*models.Jolteon)
	two, err := artifactDraws(model, b.setup.Price)
	if err != nil {
		return Finding{}, err
	}
	full, err := b.artifactScenarios(t.FullSample, lab.options.Seed)
	if err != nil {
		return Finding{}, err
	}
	streams, err := model.Sample(t.FullSample, b.setup.Price, experiments.SampleStreams(lab.options.Seed))
	if err != nil {
		return Finding{}, err
	}

	rows := WorkflowErrors{Name: t.About.ID, Workflow: shortTitle(def), FullSample: t.FullSample}
	var predicted, errors, errorsFull, fullPredicted, ditto, dittoErrors comparison
	var all, allFull []Median95
	for _, r := range t.Rows {
		config := configOf(def, r.Parallelism, r.VCPU)
		row := WorkflowError{
			Config: r.Config, Measured: r.Measured.pair(),
			Predicted: latencyOn(two, config), PredictedFull: latencyOn(full, config), PredictedStreams: latencyOn(streams, config),
			Reported: r.Jolteon.pair(), ReportedOrion: r.Orion.pair(), ReportedDitto: r.Ditto.pair(), ReportedPredicted: r.PredictedTwo.pair(),
		}
		row.Error, row.ErrorFull = errorOf(row.Predicted, row.Measured), errorOf(row.PredictedFull, row.Measured)
		rows.Rows = append(rows.Rows, row)
		all, allFull = append(all, row.Error), append(allFull, row.ErrorFull)

		predicted.add(r.Config, "p50_latency_s", r.PredictedTwo.P50, row.Predicted.P50, t.PredictionTolerance)
		predicted.add(r.Config, "p95_latency_s", r.PredictedTwo.P95, row.Predicted.P95, t.PredictionTolerance)
		fullPredicted.add(r.Config, "p50_latency_s", r.PredictedFull.P50, row.PredictedFull.P50, t.FullSampleTolerance)
		fullPredicted.add(r.Config, "p95_latency_s", r.PredictedFull.P95, row.PredictedFull.P95, t.FullSampleTolerance)
		t50, t95 := t.rounding(row.Predicted.P50, row.Measured.P50), t.rounding(row.Predicted.P95, row.Measured.P95)
		behind50, behind95 := r.Measured.P50*(1+r.Ditto.P50/100), r.Measured.P95*(1+r.Ditto.P95/100)
		ditto.add(r.Config, "prediction_s", behind50, behind95, Tolerance{Absolute: t.PredictedTo / 2 * (behind50/r.Measured.P50 + behind95/r.Measured.P95)})
		if last := ditto.pairs[len(ditto.pairs)-1]; last.within() {
			one, err := baselines.Ditto{Compat: true}.Predict(b.setup.Profile, config)
			if err != nil {
				return Finding{}, err
			}
			dittoErrors.addErrors(r.Config, row.ReportedDitto, errorOf(Median95{one, one}, row.Measured), t.rounding(one, row.Measured.P50), t.rounding(one, row.Measured.P95))
		}
		errors.addErrors(r.Config, row.Reported, row.Error, t50, t95)
		errorsFull.addErrors(r.Config, row.Reported, row.ErrorFull, t50, t95)
	}
	rows.Mean = WorkflowError{
		Config: "mean absolute", Error: meanAbsolute(all), ErrorFull: meanAbsolute(allFull),
		Reported: t.MeanAbsolute.Jolteon.pair(), ReportedOrion: t.MeanAbsolute.Orion.pair(), ReportedDitto: t.MeanAbsolute.Ditto.pair(),
	}
	// The rounding of a mean is at most the mean of the roundings.
	t50, t95 := meanTolerance(errors, "p50_error_percent"), meanTolerance(errors, "p95_error_percent")
	errors.addErrors(rows.Mean.Config, rows.Mean.Reported, rows.Mean.Error, t50, t95)
	errorsFull.addErrors(rows.Mean.Config, rows.Mean.Reported, rows.Mean.ErrorFull, t50, t95)

	claim := func(suffix, title, unit, tolerance string, c comparison) Claim {
		return c.claim(Claim{
			ID: t.About.ID + suffix, Title: "Table 5, " + shortTitle(def) + ": " + title, Unit: unit, Tolerance: tolerance, Data: t.About.ID + ".csv",
		}, b.recorded())
	}
	rounding := fmt.Sprintf("rounding of predictions and measurements to %s s", digits(t.PredictedTo))
	return Finding{
		Claims: []Claim{
			claim("", "errors of Jolteon's predictions, from the artifact's two draws", "%", rounding, errors),
			claim(".predictions", "what the artifact predicts with two draws", "s", "the printed digits ("+t.PredictionTolerance.String()+")", predicted),
			claim(".full", fmt.Sprintf("errors of Jolteon's predictions, with the %d samples that its guarantee asks for", t.FullSample), "%", rounding, errorsFull).
				because(fmt.Sprintf("the published errors need two samples; with %d the same model predicts 95th percentiles that are %s too high",
					t.FullSample, span(allFull))),
			claim(".ditto", "the predictions behind both errors of Ditto are the same: reported is that of the 50th percentile, beside it that of the 95th", "s",
				fmt.Sprintf("rounding of measurements to %s s", digits(t.PredictedTo)), ditto).orderMeansNothing().
				because("known discrepancy: Ditto predicts one time and no distribution, so that these rows of the printed column contradict themselves"),
			claim(".ditto.errors", "errors of Ditto's predictions, in the rows that do not contradict themselves, from the artifact's misaligned fit", "%", rounding, dittoErrors),
			claim(".full.predictions", fmt.Sprintf("what the artifact predicts with %d samples", t.FullSample), "s", t.FullSampleTolerance.String(), fullPredicted),
		},
		Rows: rows,
		Notes: []string{
			"measured percentiles are not published; they are derived from the columns of Jolteon and Orion, and known to 0.1 s",
			fmt.Sprintf("with %d samples the model's spread is the uncertainty of its parameters: 95th percentiles come out %s above the measured ones", t.FullSample, span(allFull)),
		},
	}, nil
}

// latencyOn returns percentiles of the latency of a configuration.
func latencyOn(s *models.Scenarios, c models.Config) Median95 {
	latency, _ := s.Outcomes(c)
	return median95(latency)
}

// rounding returns by how many percentage points an error can differ because
// both the prediction and the measurement are known to so many seconds only.
func (t *table5) rounding(predicted, measured float64) Tolerance {
	half := t.PredictedTo / 2
	return Tolerance{Absolute: 100 * (half/measured + half*predicted/(measured*measured))}
}

// meanTolerance returns the mean of the tolerances of the values of a kind.
func meanTolerance(c comparison, of string) Tolerance {
	sum, n := 0.0, 0
	for _, p := range c.pairs {
		if p.of == of {
			sum += p.tolerance.Absolute
			n++
		}
	}
	return Tolerance{Absolute: sum / float64(n)}
}

// span writes the range of the errors of 95th percentiles.
func span(errors []Median95) string {
	lo, hi := errors[0].P95, errors[0].P95
	for _, e := range errors {
		lo, hi = min(lo, e.P95), max(hi, e.P95)
	}
	return fmt.Sprintf("%.1f...%.1f %%", lo, hi)
}
