package papers

import (
	"context"
	"fmt"
	"math"
	"slices"

	"eevee/baselines"
	"eevee/models"
)

// chunkFunc replays ChunkFunc, SLAM and StepConf under limits.
type chunkFunc struct {
	About                  Statement           `yaml:",inline"`
	ResponseTolerance      Tolerance           `yaml:"response_tolerance"`
	AdherenceTolerance     Tolerance           `yaml:"adherence_tolerance"`
	GainTolerance          Tolerance           `yaml:"gain_tolerance"`
	CostTolerance          Tolerance           `yaml:"cost_tolerance"`
	PublishedCostTolerance Tolerance           `yaml:"published_cost_tolerance"`
	Workflows              []chunkFuncWorkflow `yaml:"workflows"`
}

// chunkFuncWorkflow is a workflow of the artifact and what it reports of it.
type chunkFuncWorkflow struct {
	ID     string `yaml:"id"`
	Title  string `yaml:"title"`
	Short  string `yaml:"short"` // of the title, below bars
	Stages []struct {
		Name     string   `yaml:"name"`
		Function string   `yaml:"function"`
		After    []string `yaml:"after,flow"`
	} `yaml:"stages"`
	Limits struct {
		Base  int `yaml:"base_ms"`
		Step  int `yaml:"step_ms"`
		Steps int `yaml:"steps"`
	} `yaml:"limits"`
	Training  chunkFuncInput     `yaml:"training"`
	Inferred  string             `yaml:"training_inferred"` // what of it is not the artifact's
	Inputs    []chunkFuncInput   `yaml:"inputs"`
	CostRatio map[string]float64 `yaml:"cost_ratio"` // of ChunkFunc to a method
	Published chunkFuncPublished `yaml:"published"`
}

type chunkFuncPublished struct {
	AdherenceGain map[string]float64 `yaml:"adherence_gain"` // over a method
	CostRatio     map[string]float64 `yaml:"cost_ratio"`
}

// chunkFuncInput is an input of a workflow, with reported response times.
type chunkFuncInput struct {
	Name      string              `yaml:"name"`
	Bytes     int64               `yaml:"bytes"`
	Outputs   []int64             `yaml:"outputs,flow"`
	Responses map[string][][2]int `yaml:"responses"` // ms, by method: from which limit on, response time
}

func (in chunkFuncInput) sized() baselines.SizedInput {
	return baselines.SizedInput{Bytes: in.Bytes, Outputs: in.Outputs}
}

// reported returns the reported response time under a limit, both in ms.
func (in chunkFuncInput) reported(method string, limit int) int {
	response := 0
	for _, from := range in.Responses[method] {
		if from[0] <= limit {
			response = from[1]
		}
	}
	return response
}

// limits are the limits of a workflow in ms, ascending.
func (w chunkFuncWorkflow) limits() []int {
	var list []int
	for k := -w.Limits.Steps; k <= w.Limits.Steps; k++ {
		list = append(list, w.Limits.Base+k*w.Limits.Step)
	}
	return list
}

// The methods, and how StepConf fares when it weighs stages as its own paper does.
const (
	methodChunkFunc = "chunkfunc"
	methodSLAM      = "slam"
	ownStepConf     = "stepconf by its own paper"
)

var (
	chunkFuncMethods = []string{methodChunkFunc, methodSLAM, stepConf}
	chunkFuncRivals  = chunkFuncMethods[1:]
)

func newChunkFunc() *chunkFunc { return mustFacts[chunkFunc]("data/chunkfunc.yaml") }

func (f *chunkFunc) Statement() Statement { return f.About }

func (f *chunkFunc) Cells(bool) []Cell { return nil }

// sized makes the workflow out of recorded functions.
func (w chunkFuncWorkflow) sized(all []recordedFunction) (*baselines.SizedWorkflow, error) {
	var stages []models.Stage
	sized := &baselines.SizedWorkflow{}
	for _, s := range w.Stages {
		stages = append(stages, models.Stage{Name: s.Name, After: s.After, MaxParallelism: 1})
		function, err := pick(all, []string{s.Function})
		if err != nil {
			return nil, err
		}
		sized.Stages = append(sized.Stages, baselines.SizedStage{Inputs: function[0].inputs, Choices: function[0].choices()})
	}
	var err error
	if sized.Workflow, err = models.NewWorkflow(w.ID, stages); err != nil {
		return nil, err
	}
	return sized, sized.Check()
}

// choices are the sizes of a function with their runs.
func (f recordedFunction) choices() []baselines.SizedChoice {
	var list []baselines.SizedChoice
	for _, s := range f.sizes {
		c := baselines.SizedChoice{Memory: s.memory}
		for k, v := range f.seconds[s.memory] {
			if !math.IsNaN(v) {
				c.Runs = append(c.Runs, baselines.SizedRun{Bytes: f.inputs[k], Seconds: v, USD: f.usd[s.memory][k]})
			}
		}
		list = append(list, c)
	}
	return list
}

// limitOutcomes are the outcomes of one input under all limits, by method.
type limitOutcomes map[string][]baselines.SizedOutcome

// outcomes replays every method on an input under all limits.
func (w chunkFuncWorkflow) outcomes(sized *baselines.SizedWorkflow, in chunkFuncInput) (limitOutcomes, error) {
	o := limitOutcomes{}
	policies := map[string]baselines.SizedPolicy{
		methodChunkFunc: baselines.NewChunkFunc(sized),
		stepConf:        baselines.NewSizedStepConf(sized, false),
		ownStepConf:     baselines.NewSizedStepConf(sized, true),
	}
	for _, ms := range w.limits() {
		limit := float64(ms) / 1000
		slam, ok := baselines.NewSizedSLAM(sized, w.Training.sized(), limit)
		if !ok {
			return nil, fmt.Errorf("%s: SLAM finds no sizes that do its training input in %v s", w.ID, limit)
		}
		policies[methodSLAM] = slam
		for name, p := range policies {
			o[name] = append(o[name], sized.Run(p, in.sized(), limit))
		}
	}
	return o, nil
}

// kept counts the limits that a method keeps.
func (w chunkFuncWorkflow) kept(outcomes []baselines.SizedOutcome) int {
	n := 0
	for k, ms := range w.limits() {
		if inTime(outcomes[k], ms) {
			n++
		}
	}
	return n
}

func inTime(o baselines.SizedOutcome, limitMS int) bool {
	return o.Latency <= float64(limitMS)/1000+1e-9
}

// costRatio is the cost of ChunkFunc over that of another method, both added up over
// the limits that both keep.
func (w chunkFuncWorkflow) costRatio(inputs []limitOutcomes, rival string) float64 {
	var ours, theirs float64
	for _, o := range inputs {
		for k, ms := range w.limits() {
			if a, b := o[methodChunkFunc][k], o[rival][k]; inTime(a, ms) && inTime(b, ms) {
				ours, theirs = ours+a.Cost, theirs+b.Cost
			}
		}
	}
	return ours / theirs
}

func (f *chunkFunc) Find(ctx context.Context, lab *Lab) (Finding, error) {
	all, err := lab.functions()
	if err != nil {
		return Finding{}, err
	}
	var adherence, gain, cost, published comparison
	found := Finding{}
	var rows Panels
	shares := Levels{Y: Quantity{Label: "limits kept", Unit: "%"}}
	for _, m := range chunkFuncMethods {
		shares.Series = append(shares.Series, LevelSeries{Name: m + ", reported", Like: m}, LevelSeries{Name: m})
	}
	for _, w := range f.Workflows {
		outcomes := make([]limitOutcomes, len(w.Inputs))
		if all != nil {
			sized, err := w.sized(all)
			if err != nil {
				return found, err
			}
			for i, in := range w.Inputs {
				if err := ctx.Err(); err != nil {
					return found, err
				}
				if outcomes[i], err = w.outcomes(sized, in); err != nil {
					return found, err
				}
			}
		}
		totals := map[string]float64{}
		for i, in := range w.Inputs {
			at := w.Title + " " + in.Name
			shares.Groups = append(shares.Groups, w.Short+" "+in.Name)
			for k, m := range chunkFuncMethods {
				n := float64(len(w.limits()))
				reported := 0.0
				for _, ms := range w.limits() {
					if in.reported(m, ms) <= ms {
						reported++
					}
				}
				ours := math.NaN()
				if all != nil {
					ours = float64(w.kept(outcomes[i][m]))
					totals[m] += ours
				}
				adherence.add(at+", "+m, "limits_kept_share", reported/n, ours/n, f.AdherenceTolerance)
				shares.Series[2*k].Values = append(shares.Series[2*k].Values, 100*reported/n)
				shares.Series[2*k+1].Values = append(shares.Series[2*k+1].Values, 100*ours/n)
			}
			if all != nil && in.Name != w.Inputs[0].Name {
				rows = append(rows, f.panel(w, in, outcomes[i]))
			}
		}
		for _, m := range chunkFuncRivals {
			g, c := math.NaN(), math.NaN()
			if all != nil {
				g, c = totals[methodChunkFunc]/totals[m], w.costRatio(outcomes, m)
			}
			at := w.Title + ", over " + m
			gain.add(at, "limits_kept_relative_to_rival", w.Published.AdherenceGain[m], g, f.GainTolerance)
			cost.add(at, "cost_relative_to_rival", w.CostRatio[m], c, f.CostTolerance)
			published.add(at, "cost_relative_to_rival", w.Published.CostRatio[m], c, f.PublishedCostTolerance)
		}
		for _, m := range chunkFuncMethods {
			found.Claims = append(found.Claims, f.responses(w, m, outcomes))
		}
		if all != nil {
			found.Notes = append(found.Notes, w.note(outcomes))
		}
	}
	if all != nil {
		rows = append(Panels{
			{Name: f.About.ID, Title: "Limits kept", Levels: &shares, Caption: "share of 71 limits on the latency that are kept, by workflow and input: reported, and replayed from the same profiles"},
		}, rows...)
		found.Rows = rows
	} else {
		found.Rows = Panels{}
	}
	for _, c := range []struct {
		comparison
		id, title, unit string
		tolerance       Tolerance
		cause           string
	}{
		{adherence, "adherence", "Share of the limits that are kept, exhaustive AWS profiles", "1", f.AdherenceTolerance, ""},
		{gain, "gain", "Limits kept by ChunkFunc relative to SLAM and StepConf (up to 2.78 times)", "times", f.GainTolerance, "the paper's profiles were filled in by Bayesian optimisation"},
		{cost, "cost", "Cost of ChunkFunc relative to SLAM and StepConf, exhaustive AWS profiles", "times", f.CostTolerance, ""},
		{published, "cost-published", "Text: cost of ChunkFunc relative to SLAM and StepConf, filled-in AWS profiles", "times", f.PublishedCostTolerance,
			"those costs are of profiles that Bayesian optimisation has filled in, which are not among the recordings; on exhaustive ones the artifact's own output has what is found here (chunkfunc.cost)"},
	} {
		claim := c.claim(f.base(c.id, c.title, c.unit, c.tolerance.String(), all != nil), true).because(c.cause)
		if all == nil {
			claim.Verdict, claim.Why = NotReproducible, chunkFuncMissing
		}
		found.Claims = append(found.Claims, claim)
	}
	return found, nil
}

func (f *chunkFunc) base(id, title, unit, tolerance string, drawn bool) Claim {
	c := Claim{ID: f.About.ID + "." + id, Title: title, Unit: unit, Tolerance: tolerance, Data: f.About.ID + ".csv"}
	if drawn {
		c.Figure = f.About.ID + ".png"
	}
	return c
}

// responses compares the response times of a method under every limit with the
// reported ones.
func (f *chunkFunc) responses(w chunkFuncWorkflow, method string, outcomes []limitOutcomes) Claim {
	var c comparison
	for i, in := range w.Inputs {
		same := math.NaN()
		if outcomes[i] != nil {
			same = 0
			for k, ms := range w.limits() {
				if f.ResponseTolerance.Holds(float64(in.reported(method, ms))/1000, outcomes[i][method][k].Latency) {
					same++
				}
			}
		}
		c.add(in.Name+" input", "limits_with_the_reported_response", float64(len(w.limits())), same, Tolerance{})
	}
	claim := c.claim(f.base(w.ID+"-"+method, fmt.Sprintf("%s: response times of %s under every limit", w.Title, method), "limits", "to the millisecond", outcomes[0] != nil), true)
	if outcomes[0] == nil {
		claim.Verdict, claim.Why = NotReproducible, chunkFuncMissing
		return claim
	}
	if method == methodSLAM {
		claim = claim.because(w.Inferred)
	}
	return claim.orderMeansNothing()
}

// note says what the verdicts do not: how StepConf fares by its own paper.
func (w chunkFuncWorkflow) note(outcomes []limitOutcomes) string {
	var own, theirs, total int
	for _, o := range outcomes {
		own, theirs = own+w.kept(o[ownStepConf]), theirs+w.kept(o[stepConf])
		total += len(w.limits())
	}
	return fmt.Sprintf("%s: StepConf keeps %d of the %d limits; with stages weighed by the most cost-effective size, as its own paper does, instead of by the one that costs least per second, %d",
		w.Title, theirs, total, own)
}

// panel draws response times over the limit.
func (f *chunkFunc) panel(w chunkFuncWorkflow, in chunkFuncInput, o limitOutcomes) Panel {
	curves := Curves{X: Quantity{Label: "limit", Unit: "s"}, Y: Quantity{Label: "response time", Unit: "s"}, Marks: []CurveMark{{Diagonal: true, Text: "limit"}}}
	limits := w.limits()
	for _, m := range chunkFuncMethods {
		reported, ours := Curve{Name: m + ", reported", Marker: true, Like: m}, Curve{Name: m, Line: true}
		for k, ms := range limits {
			if slices.Contains([]int{0, len(limits) - 1}, k) || k%reportedEvery == 0 {
				reported.Points = append(reported.Points, CurvePoint{X: float64(ms) / 1000, Y: float64(in.reported(m, ms)) / 1000})
			}
			ours.Points = append(ours.Points, CurvePoint{X: float64(ms) / 1000, Y: o[m][k].Latency})
		}
		curves.Curves = append(curves.Curves, ours, reported)
	}
	return Panel{
		Name: f.About.ID + "-" + w.ID + "-" + in.Name, Title: fmt.Sprintf("%s, %s input", w.Title, in.Name), Curves: &curves,
		Caption: fmt.Sprintf("%s, %s input: response time over the limit, replayed (lines) and reported (every fifth limit); below the limit's own line it is kept", w.Title, in.Name),
	}
}

// reportedEvery is which of the reported response times are drawn.
const reportedEvery = 5
