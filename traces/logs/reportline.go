package logs

import (
	"math"
	"strings"
)

// reportLine is what a line of AWS Lambda says that begins with REPORT,
// INIT_REPORT or RESTORE_REPORT. A number is -1 and a text empty where the
// line does not have it.
type reportLine struct {
	requestID       string
	durationUS      int64
	billedMS        int64
	memoryMB        int64
	maxMemoryMB     int64
	initUS          int64
	restoreUS       int64
	billedRestoreMS int64
	traceID         string
	phase           string
	status          string
	errorType       string
}

// reset makes all fields unknown.
func (p *reportLine) reset() {
	*p = reportLine{durationUS: -1, billedMS: -1, memoryMB: -1, maxMemoryMB: -1, initUS: -1, restoreUS: -1, billedRestoreMS: -1}
}

// complete reports whether the line has all that Lambda always prints of an
// invocation. A line that was cut says nothing about what it does not have.
func (p *reportLine) complete() bool {
	return p.requestID != "" && p.durationUS >= 0 && p.billedMS >= 0 && p.memoryMB >= 0 && p.maxMemoryMB >= 0
}

// parse reads the fields "Name: value unit" of a line after its first word.
// Their order is not guaranteed, and copies of a log turn the tabs between
// them into blanks: what separates them is not looked at, only whole names. It
// reports whether every part was understood.
func (p *reportLine) parse(text string) bool {
	p.reset()
	for {
		text = trimBlanks(text)
		if text == "" {
			return true
		}
		colon := strings.IndexByte(text, ':')
		if colon < 0 {
			return false
		}
		name := text[:colon]
		text = trimBlanks(text[colon+1:])
		var ok bool
		switch name {
		case "RequestId":
			p.requestID, text = cutWord(text)
			ok = p.requestID != ""
		case "Duration":
			p.durationUS, text, ok = cutNumber(text, 3, "ms")
		case "Billed Duration":
			p.billedMS, text, ok = cutNumber(text, 0, "ms")
		case "Memory Size":
			p.memoryMB, text, ok = cutNumber(text, 0, "MB")
			ok = ok && p.memoryMB <= math.MaxInt32
		case "Max Memory Used":
			p.maxMemoryMB, text, ok = cutNumber(text, 0, "MB")
			ok = ok && p.maxMemoryMB <= math.MaxInt32
		case "Init Duration":
			p.initUS, text, ok = cutNumber(text, 3, "ms")
		case "Restore Duration":
			p.restoreUS, text, ok = cutNumber(text, 3, "ms")
		case "Billed Restore Duration":
			p.billedRestoreMS, text, ok = cutNumber(text, 0, "ms")
		case "XRAY TraceId":
			p.traceID, text = cutWord(text)
			ok = p.traceID != ""
		case "SegmentId", "Sampled":
			_, text = cutWord(text)
			ok = true
		case "Phase":
			p.phase, text = cutWord(text)
			ok = true
		case "Status":
			p.status, text = cutWord(text)
			ok = true
		case "Error Type":
			p.errorType, text = cutWord(text)
			ok = true
		}
		if !ok {
			return false
		}
	}
}

func trimBlanks(text string) string {
	for len(text) > 0 && (text[0] == ' ' || text[0] == '\t' || text[0] == '\n' || text[0] == '\r') {
		text = text[1:]
	}
	return text
}

// cutWord returns what a text begins with up to a blank, and the rest.
func cutWord(text string) (word, rest string) {
	for i := range len(text) {
		if c := text[i]; c == ' ' || c == '\t' || c == '\n' || c == '\r' {
			return text[:i], text[i:]
		}
	}
	return text, ""
}

// cutNumber reads "279.67 ms" as its number times ten to the power shift.
func cutNumber(text string, shift int, unit string) (n int64, rest string, ok bool) {
	i, point := 0, -1
	for ; i < len(text); i++ {
		c := text[i]
		if c == '.' && point < 0 {
			point = i
			continue
		}
		if c < '0' || c > '9' {
			break
		}
		n = n*10 + int64(c-'0')
	}
	number := text[:i]
	rest = trimBlanks(text[i:])
	if !strings.HasPrefix(rest, unit) {
		return 0, text, false
	}
	rest = rest[len(unit):]
	if point >= 0 {
		shift -= i - point - 1
	}
	if i == 0 || i > 15 || shift < 0 || shift > 3 {
		// More digits than Lambda prints: the slow way, which rounds.
		if point >= 0 {
			shift += i - point - 1
		}
		n, err := scaled(number, shift, 1)
		return n, rest, err == nil
	}
	for ; shift > 0; shift-- {
		n *= 10
	}
	return n, rest, i > 1 || point < 0
}
