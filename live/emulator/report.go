package emulator

import (
	"encoding/base64"
	"fmt"
	"math"
	"strings"
	"time"
)

// milliseconds is a duration as the log of Lambda writes it.
func milliseconds(d time.Duration) string { return fmt.Sprintf("%.2f ms", float64(d)/1e6) }

// billed returns what is billed of an invocation: run time and, as of every
// custom runtime, the time of the initialisation, rounded up to 1 ms.
func (o *outcome) billed() time.Duration {
	ms := math.Ceil(float64(o.duration+o.init)/1e6 - 1e-9)
	return time.Duration(max(ms, 1)) * time.Millisecond
}

// lines returns what Lambda and the function write into the log of an
// invocation, in the form of the Lambda developer guide, "Viewing CloudWatch
// logs": each line with its break.
func (o *outcome) lines(j job, runtime string, now time.Time) []string {
	var lines []string
	if j.cold {
		lines = append(lines, fmt.Sprintf("INIT_START Runtime Version: %s.v1\tRuntime Version ARN: arn:aws:lambda:us-east-1::runtime:%064d\n", strings.Replace(runtime, ".", ":", 1), 0))
		for _, l := range o.initLog {
			lines = append(lines, l+"\n")
		}
	}
	lines = append(lines, "START RequestId: "+j.id+" Version: "+j.version.number+"\n")
	for _, l := range o.log {
		lines = append(lines, l+"\n")
	}
	switch o.failure {
	case timedOut:
		lines = append(lines, fmt.Sprintf("%s %s Task timed out after %.2f seconds\n\n", now.UTC().Format("2006-01-02T15:04:05.000Z"), j.id, float64(j.settings.Timeout)))
	case exited, noMemory:
		lines = append(lines, "RequestId: "+j.id+" Error: "+o.detail+"\n"+o.failure+"\n")
	}
	lines = append(lines, "END RequestId: "+j.id+"\n")
	report := fmt.Sprintf("REPORT RequestId: %s\tDuration: %s\tBilled Duration: %d ms\tMemory Size: %d MB\tMax Memory Used: %d MB\t",
		j.id, milliseconds(o.duration), o.billed().Milliseconds(), j.settings.Memory, o.maxMemory)
	if o.init > 0 {
		report += "Init Duration: " + milliseconds(o.init) + "\t"
	}
	switch o.failure {
	case timedOut:
		report += "Status: timeout"
	case exited, noMemory:
		report += "Status: error\tError Type: " + o.failure
	}
	return append(lines, report+"\n")
}

// tailBytes is how much of its log an invocation with LogType=Tail returns.
const tailBytes = 4096

// tail returns the end of a log in base64.
func tail(lines []string) string {
	text := strings.Join(lines, "")
	return base64.StdEncoding.EncodeToString([]byte(text[max(0, len(text)-tailBytes):]))
}
