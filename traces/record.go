package traces

// Statistic says what the times of a Record are: those of one invocation, an
// aggregate over all invocations of a stage in one run, or those of a run.
type Statistic string

// The statistics a Record can hold.
const (
	Invocation Statistic = "invocation" // one function invocation
	Mean       Statistic = "mean"       // mean over the invocations of a stage in one run
	P95        Statistic = "p95"        // 95th percentile over the invocations of a stage in one run
	Run        Statistic = "run"        // a whole run of the workflow: instants, status and cost; it has no stage and no memory
)

// Record is one row of a trace: one invocation of a serverless function, one
// aggregate over the invocations of a stage in one run, or one run (see
// Statistic).
//
// A nil pointer means "not known" and is null in Parquet; it never means 0. A
// log at level WARN has no durations, a truncated tail has no init time: both
// are unknown, not zero.
//
// Instants are nanoseconds since the Unix epoch. Step times are float64
// seconds, because rounding them to microseconds already spoils a fit that is
// compared to 1e-6.
type Record struct {
	// Where the row belongs.
	Workflow  string    `parquet:"workflow,dict"`
	Execution string    `parquet:"workflow_execution_id,dict"` // one run of the workflow; joins the rows of its stages
	Stage     string    `parquet:"stage,dict"`
	Epoch     *int32    `parquet:"epoch,optional"` // repetition of a profile; 0 is the first one
	Statistic Statistic `parquet:"statistic,dict"`

	// The configuration the stage ran under.
	MemoryMB    int32  `parquet:"memory_mb"`
	Parallelism *int32 `parquet:"parallelism,optional"` // instances of the stage in this run

	// Step times in seconds. Cold is the delay from the stage being ready to
	// its functions running: network, front door, container start. In a P95
	// row Cold is a residual (stage wall time minus the sum of the other
	// steps' percentiles) and may be negative.
	Cold    *float64 `parquet:"cold_s,optional"`
	Read    *float64 `parquet:"read_s,optional"`
	Compute *float64 `parquet:"compute_s,optional"`
	Write   *float64 `parquet:"write_s,optional"`

	// What the platform reported about one invocation.
	TraceID         *string  `parquet:"trace_id,optional,dict"`
	StateName       *string  `parquet:"state_name,optional,dict"`
	MapIndex        *int32   `parquet:"map_index,optional"`
	Attempt         *int32   `parquet:"attempt,optional"`
	Function        *string  `parquet:"function,optional,dict"`
	RequestID       *string  `parquet:"request_id,optional"`
	EnvironmentID   *string  `parquet:"environment_id,optional,dict"`
	ScheduledNS     *int64   `parquet:"scheduled_ns,optional"`
	StartNS         *int64   `parquet:"start_ns,optional"`
	EndNS           *int64   `parquet:"end_ns,optional"`
	DurationUS      *int64   `parquet:"duration_us,optional"`
	InitUS          *int64   `parquet:"init_us,optional"`
	RestoreUS       *int64   `parquet:"restore_us,optional"`
	BilledMS        *int64   `parquet:"billed_ms,optional"`
	BilledRestoreMS *int64   `parquet:"billed_restore_ms,optional"`
	BilledRule      *string  `parquet:"billed_rule,optional,dict"`
	MaxMemoryMB     *int32   `parquet:"max_memory_mb,optional"`
	Arch            *string  `parquet:"arch,optional,dict"`
	Runtime         *string  `parquet:"runtime,optional,dict"`
	ColdStart       *bool    `parquet:"cold,optional"` // whether a new instance was started
	Status          *string  `parquet:"status,optional,dict"`
	ErrorType       *string  `parquet:"error_type,optional,dict"`
	BytesIn         *int64   `parquet:"bytes_in,optional"`
	BytesOut        *int64   `parquet:"bytes_out,optional"`
	CostUSD         *float64 `parquet:"cost_usd,optional"` // what the row was billed, where a bill is known (simulated, live)

	// Where the row came from.
	Source          string `parquet:"source,dict"` // recorded | synthetic | simulated | live
	SourceLine      *int64 `parquet:"source_line,optional"`
	TimePrecisionUS *int64 `parquet:"time_precision_us,optional"`
}

// The values of Record.Source.
const (
	Recorded  = "recorded"  // measured on a real platform
	Synthetic = "synthetic" // generated from a workload card
	Simulated = "simulated" // produced by the simulator
	Live      = "live"      // measured by eevee on a real platform
)
