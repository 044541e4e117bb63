package sweep

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"

	"github.com/google/renameio/v2"
	"github.com/parquet-go/parquet-go"
)

// Row is a cell and its answer: base units, the unit in the name, null for
// what there is not. Of the columns in two units only that of the metric in
// question is there. It holds no times, so that the same cells give the same
// bytes.
type Row struct {
	// The inputs, in the order in which rows are sorted.
	Workflow     string   `parquet:"workflow,dict" json:"workflow"`
	Trace        string   `parquet:"trace_sha256,dict" json:"trace_sha256"`
	Origin       string   `parquet:"trace_source,dict" json:"trace_source"`
	Space        string   `parquet:"space,dict" json:"space"`
	Model        string   `parquet:"model,dict" json:"model"`
	Seed         int64    `parquet:"seed" json:"seed"`
	Metric       string   `parquet:"bounded,dict" json:"bounded"` // latency or cost
	LimitS       *float64 `parquet:"limit_s,optional" json:"limit_s,omitempty"`
	LimitUSD     *float64 `parquet:"limit_usd,optional" json:"limit_usd,omitempty"`
	Percentile   float64  `parquet:"percentile" json:"percentile"`
	Confidence   float64  `parquet:"confidence" json:"confidence"`
	Rule         string   `parquet:"rule,dict" json:"rule"`
	Samples      int32    `parquet:"samples" json:"samples"`
	Replications int32    `parquet:"replications" json:"replications"`
	Platform     string   `parquet:"platform,dict" json:"platform"` // of the simulated runs
	DeadlineS    float64  `parquet:"deadline_s" json:"deadline_s"`  // 0: none
	Method       string   `parquet:"method,dict" json:"method"`
	Cell         string   `parquet:"cell" json:"cell"` // Cell.Key

	// What came of it.
	Status  string  `parquet:"status,dict" json:"status"` // as in solve; also failed and unsupported
	Error   *string `parquet:"error,optional" json:"error,omitempty"`
	CutOff  bool    `parquet:"cut_off" json:"cut_off"`                      // by the deadline: another run may get elsewhere
	Config  *string `parquet:"config,optional" json:"config,omitempty"`     // instances x MB per stage, as "1x1792 16x1792"
	Allowed *int32  `parquet:"allowed,optional" json:"allowed,omitempty"`   // scenarios of the sample that may exceed the limit
	Exceed  *int32  `parquet:"exceeded,optional" json:"exceeded,omitempty"` // and that do
	Keeps   *bool   `parquet:"keeps,optional" json:"keeps,omitempty"`       // the bound, on the sample

	ObjectiveMeanS   *float64 `parquet:"objective_mean_s,optional" json:"objective_mean_s,omitempty"`
	ObjectiveMeanUSD *float64 `parquet:"objective_mean_usd,optional" json:"objective_mean_usd,omitempty"`
	LowerBoundS      *float64 `parquet:"lower_bound_s,optional" json:"lower_bound_s,omitempty"`
	LowerBoundUSD    *float64 `parquet:"lower_bound_usd,optional" json:"lower_bound_usd,omitempty"`
	Gap              *float64 `parquet:"gap,optional" json:"gap,omitempty"`
	ReachableS       *float64 `parquet:"reachable_s,optional" json:"reachable_s,omitempty"`
	ReachableUSD     *float64 `parquet:"reachable_usd,optional" json:"reachable_usd,omitempty"`
	Evaluations      *int64   `parquet:"evaluations,optional" json:"evaluations,omitempty"`

	// On the sample.
	LatencyMeanS *float64 `parquet:"latency_mean_s,optional" json:"latency_mean_s,omitempty"`
	LatencyP50S  *float64 `parquet:"latency_p50_s,optional" json:"latency_p50_s,omitempty"`
	LatencyP95S  *float64 `parquet:"latency_p95_s,optional" json:"latency_p95_s,omitempty"`
	LatencyP99S  *float64 `parquet:"latency_p99_s,optional" json:"latency_p99_s,omitempty"`
	CostMeanUSD  *float64 `parquet:"cost_mean_usd,optional" json:"cost_mean_usd,omitempty"`
	CostP50USD   *float64 `parquet:"cost_p50_usd,optional" json:"cost_p50_usd,omitempty"`
	CostP95USD   *float64 `parquet:"cost_p95_usd,optional" json:"cost_p95_usd,omitempty"`
	CostP99USD   *float64 `parquet:"cost_p99_usd,optional" json:"cost_p99_usd,omitempty"`

	// On the holdout, which no method saw.
	Holdout          *int32   `parquet:"holdout,optional" json:"holdout,omitempty"` // scenarios
	HoldoutExceed    *int32   `parquet:"holdout_exceeded,optional" json:"holdout_exceeded,omitempty"`
	HoldoutRiskLo    *float64 `parquet:"holdout_risk_lo,optional" json:"holdout_risk_lo,omitempty"`
	HoldoutRiskHi    *float64 `parquet:"holdout_risk_hi,optional" json:"holdout_risk_hi,omitempty"`
	HoldoutMeanS     *float64 `parquet:"holdout_objective_mean_s,optional" json:"holdout_objective_mean_s,omitempty"`
	HoldoutMeanUSD   *float64 `parquet:"holdout_objective_mean_usd,optional" json:"holdout_objective_mean_usd,omitempty"`
	SimulatedExceed  *int32   `parquet:"simulated_exceeded,optional" json:"simulated_exceeded,omitempty"` // runs in the world of the trace
	SimulatedMeanS   *float64 `parquet:"simulated_latency_mean_s,optional" json:"simulated_latency_mean_s,omitempty"`
	SimulatedP95S    *float64 `parquet:"simulated_latency_p95_s,optional" json:"simulated_latency_p95_s,omitempty"`
	SimulatedMeanUSD *float64 `parquet:"simulated_cost_mean_usd,optional" json:"simulated_cost_mean_usd,omitempty"`
	SimulatedP95USD  *float64 `parquet:"simulated_cost_p95_usd,optional" json:"simulated_cost_p95_usd,omitempty"`
}

// The statuses of a Row that no solver has.
const (
	Failed      = "failed"      // the cell could not be answered; Error says why
	Unsupported = "unsupported" // the method cannot handle the problem; Error says why
)

// Limit returns the limit of the bound, in s or USD.
func (r Row) Limit() float64 {
	switch {
	case r.LimitS != nil:
		return *r.LimitS
	case r.LimitUSD != nil:
		return *r.LimitUSD
	}
	return 0
}

// Objective returns the mean objective on the sample, and whether there is
// one.
func (r Row) Objective() (float64, bool) {
	switch {
	case r.ObjectiveMeanS != nil:
		return *r.ObjectiveMeanS, true
	case r.ObjectiveMeanUSD != nil:
		return *r.ObjectiveMeanUSD, true
	}
	return 0, false
}

// compareRows orders rows by their inputs; the name of the cell settles ties.
func compareRows(a, b Row) int {
	return cmp.Or(
		cmp.Compare(a.Workflow, b.Workflow),
		cmp.Compare(a.Trace, b.Trace),
		cmp.Compare(a.Space, b.Space),
		cmp.Compare(a.Model, b.Model),
		cmp.Compare(a.Seed, b.Seed),
		cmp.Compare(a.Metric, b.Metric),
		cmp.Compare(a.Limit(), b.Limit()),
		cmp.Compare(a.Percentile, b.Percentile),
		cmp.Compare(a.Confidence, b.Confidence),
		cmp.Compare(a.Rule, b.Rule),
		cmp.Compare(a.Samples, b.Samples),
		cmp.Compare(a.Replications, b.Replications),
		cmp.Compare(a.Platform, b.Platform),
		cmp.Compare(a.DeadlineS, b.DeadlineS),
		cmp.Compare(a.Method, b.Method),
		cmp.Compare(a.Cell, b.Cell),
	)
}

// rowsPerGroup bounds the memory of reading and writing.
const rowsPerGroup = 1 << 16

// encodeRows returns rows as Parquet; the same rows give the same bytes.
func encodeRows(rows []Row) ([]byte, error) {
	var b bytes.Buffer
	w := parquet.NewGenericWriter[Row](&b,
		parquet.Compression(&parquet.Zstd),
		parquet.MaxRowsPerRowGroup(rowsPerGroup),
		parquet.CreatedBy("eevee", version, "sweep"),
		parquet.KeyValueMetadata("eevee.schema", version),
	)
	if _, err := w.Write(rows); err != nil {
		return nil, err
	}
	if err := w.Close(); err != nil {
		return nil, err
	}
	return b.Bytes(), nil
}

// WriteRows writes rows, sorted by their inputs, as a Parquet file that
// appears when it is complete.
func WriteRows(path string, rows []Row) error {
	sorted := slices.Clone(rows)
	slices.SortFunc(sorted, compareRows)
	text, err := encodeRows(sorted)
	if err != nil {
		return fmt.Errorf("sweep: cannot write %s: %w", path, err)
	}
	return renameio.WriteFile(path, text, 0o644)
}

// ReadRows reads a file that WriteRows wrote.
func ReadRows(path string) ([]Row, error) {
	if info, err := os.Stat(path); err == nil && info.IsDir() {
		return nil, fmt.Errorf("%s: is a folder; \"eevee sweep merge %s -o FILE\" makes a file of one that holds a sweep", path, path)
	}
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	rows, err := decodeRows(text)
	if err != nil {
		return nil, fmt.Errorf("%s: no result of a sweep: %w", path, err)
	}
	return rows, nil
}

// decodeRows reads what encodeRows wrote. The reader of Parquet panics on some
// corrupted files.
func decodeRows(text []byte) (rows []Row, err error) {
	defer func() {
		if broken := recover(); broken != nil {
			err = fmt.Errorf("corrupted: %v", broken)
		}
	}()
	file, err := parquet.OpenFile(bytes.NewReader(text), int64(len(text)))
	if err != nil {
		return nil, err
	}
	if schema, ok := file.Lookup("eevee.schema"); !ok || schema != version {
		return nil, fmt.Errorf("its schema is %q, not %q", schema, version)
	}
	r := parquet.NewGenericReader[Row](file)
	defer r.Close()
	for {
		batch := make([]Row, 1024)
		n, err := r.Read(batch)
		rows = append(rows, batch[:n]...)
		if errors.Is(err, io.EOF) {
			return rows, nil
		}
		if err != nil {
			return nil, err
		}
	}
}
