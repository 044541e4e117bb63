package logs

import (
	"encoding/json"
	"math"
	"strings"
)

// platformEvent is an event of the platform in a log of Lambda in JSON
// (LogFormat=JSON) or from the Telemetry API: time, type, record.
type platformEvent struct {
	Time   string          `json:"time"`
	Record json.RawMessage `json:"record"`
}

// platformRecord is what the records of all types of events have that rows
// need. A number that is missing is nil, not 0.
type platformRecord struct {
	RequestID       string `json:"requestId"`
	FunctionARN     string `json:"functionArn"`
	FunctionName    string `json:"functionName"`
	FunctionVersion string `json:"functionVersion"`
	InstanceID      string `json:"instanceId"`
	RuntimeVersion  string `json:"runtimeVersion"`
	Status          string `json:"status"`
	ErrorType       string `json:"errorType"`
	Tracing         *struct {
		Value string `json:"value"`
	} `json:"tracing"`
	Metrics *struct {
		DurationMS      *json.Number `json:"durationMs"`
		BilledMS        *json.Number `json:"billedDurationMs"`
		MemoryMB        *json.Number `json:"memorySizeMB"`
		MaxMemoryMB     *json.Number `json:"maxMemoryUsedMB"`
		InitMS          *json.Number `json:"initDurationMs"`
		RestoreMS       *json.Number `json:"restoreDurationMs"`
		BilledRestoreMS *json.Number `json:"billedRestoreDurationMs"`
	} `json:"metrics"`
}

// platformTypes are the types of events that are known. What they say about
// an instance belongs to no invocation.
var platformTypes = map[string]bool{
	"platform.initStart": true, "platform.initRuntimeDone": true, "platform.initReport": true,
	"platform.start": true, "platform.runtimeDone": true, "platform.report": true, "platform.end": true,
	"platform.restoreStart": true, "platform.restoreRuntimeDone": true, "platform.restoreReport": true,
	"platform.extension": true, "platform.telemetrySubscription": true, "platform.logsSubscription": true,
	"platform.logsDropped": true, "platform.fault": true,
}

// takePlatform reads an event of the platform.
func (m *messages) takePlatform(e message, kind string, event *platformEvent) error {
	if !platformTypes[kind] {
		m.out.unknown(e.line, "an event of the unknown type "+kind, e.text)
		return nil
	}
	if ns, ok := wholeInstant(event.Time); ok {
		e.ns, e.coarse = ns, false
	}
	var record platformRecord
	if len(event.Record) > 0 && event.Record[0] == '{' {
		if err := json.Unmarshal(event.Record, &record); err != nil {
			m.out.unknown(e.line, "a record of an unknown form: "+err.Error(), e.text)
			return nil
		}
	}
	if record.Tracing != nil {
		if root, ok := strings.CutPrefix(record.Tracing.Value, "Root="); ok {
			record.Tracing.Value, _, _ = strings.Cut(root, ";")
		}
	}
	m.seen[seenPlatform]++
	m.out.saw(kind)
	switch kind {
	case "platform.initStart":
		if record.RuntimeVersion != "" {
			m.runtime(e.stream, record.RuntimeVersion)
		}
		if record.FunctionName != "" {
			m.function = record.FunctionName
		}
	case "platform.start":
		m.start(record.RequestID, e.ns)
		if record.FunctionARN != "" {
			m.function = functionOf(record.FunctionARN)
		}
	case "platform.report":
		return m.takePlatformReport(e, &record)
	}
	return nil
}

func (m *messages) takePlatformReport(e message, record *platformRecord) error {
	p := &m.report
	p.reset()
	p.requestID, p.errorType = record.RequestID, record.ErrorType
	p.status = record.Status
	if record.Tracing != nil {
		p.traceID = record.Tracing.Value
	}
	if record.Metrics == nil {
		m.out.unknown(e.line, "a platform.report without metrics", e.text)
		return nil
	}
	metrics := record.Metrics
	for _, n := range []struct {
		value *json.Number
		shift int
		to    *int64
	}{
		{metrics.DurationMS, 3, &p.durationUS}, {metrics.BilledMS, 0, &p.billedMS},
		{metrics.MemoryMB, 0, &p.memoryMB}, {metrics.MaxMemoryMB, 0, &p.maxMemoryMB},
		{metrics.InitMS, 3, &p.initUS}, {metrics.RestoreMS, 3, &p.restoreUS}, {metrics.BilledRestoreMS, 0, &p.billedRestoreMS},
	} {
		if n.value == nil {
			continue
		}
		v, err := scaled(n.value.String(), n.shift, 1)
		if err != nil || v < 0 {
			m.out.unknown(e.line, "a platform.report with a number that is none", e.text)
			return nil
		}
		*n.to = v
	}
	if p.requestID == "" || p.durationUS < 0 || p.memoryMB > math.MaxInt32 || p.maxMemoryMB > math.MaxInt32 {
		m.out.unknown(e.line, "a platform.report without request or duration", e.text)
		return nil
	}
	if e.function == "" {
		e.function = m.function
	}
	return m.emit(e, p)
}
