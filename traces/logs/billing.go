package logs

import "eevee/traces"

// The roundings by which a platform bills an invocation, as they stand in
// Record.BilledRule. d is the duration, i the init and r the restore time, all
// in ms; a time that is not known takes no part.
const (
	BilledDuration        = "ceil(d)"                // init, if there was one, is not billed
	BilledInit            = "ceil(d+i)"              // init is billed
	BilledRestore         = "ceil(d)+billed_restore" // a snapshot is restored
	BilledRestoreTogether = "ceil(d+billed_restore)"
	BilledDurationPlusOne = "ceil(d)+1"       // one more than the duration printed explains
	BilledHundreds        = "100*ceil(d/100)" // AWS Lambda until December 2020
	BilledOtherwise       = "other"           // none of these
)

// BilledRule returns the rounding that explains what an invocation was billed,
// inferred from this row alone: platforms changed it at dates that do not agree
// with what their logs show. Where several explain it, it is the first of the
// constants above. It is null where duration or bill is not known.
func BilledRule(r *traces.Record) *string {
	if r.DurationUS == nil || r.BilledMS == nil {
		return nil
	}
	duration, billed := *r.DurationUS, *r.BilledMS
	rule := BilledOtherwise
	switch {
	case billed == ceilMS(duration):
		rule = BilledDuration
	case r.InitUS != nil && billed == ceilMS(duration+*r.InitUS):
		rule = BilledInit
	case r.BilledRestoreMS != nil && billed == ceilMS(duration)+*r.BilledRestoreMS:
		rule = BilledRestore
	case r.BilledRestoreMS != nil && billed == ceilMS(duration+1000**r.BilledRestoreMS):
		rule = BilledRestoreTogether
	case billed == ceilMS(duration)+1:
		rule = BilledDurationPlusOne
	case billed%100 == 0 && billed == 100*((duration+99_999)/100_000):
		rule = BilledHundreds
	}
	return &rule
}

// ceilMS rounds microseconds up to milliseconds.
func ceilMS(us int64) int64 { return (us + 999) / 1000 }
