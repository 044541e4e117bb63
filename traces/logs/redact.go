package logs

import (
	"net/netip"
	"regexp"
	"strings"
)

// What stands for an identifier that was dropped.
const (
	noAccount = "<account>"
	noAddress = "<address>"
)

var (
	accountPattern = regexp.MustCompile(`\b[0-9]{12}\b`)
	addressPattern = regexp.MustCompile(`[0-9A-Fa-f:.]*[0-9A-Fa-f][.:][0-9A-Fa-f:.]*[0-9A-Fa-f]`)
)

// redact drops account ids and network addresses from a text.
func redact(text string) string {
	if strings.ContainsAny(text, ".:") {
		text = addressPattern.ReplaceAllStringFunc(text, func(s string) string {
			if address, err := netip.ParseAddr(s); err == nil && (address.Is4() || strings.Count(s, ":") > 1) {
				return noAddress
			}
			return s
		})
	}
	return accountPattern.ReplaceAllString(text, noAccount)
}

// functionOf returns the name of a function from any form of its ARN or of its
// log group. Neither account nor version remain.
func functionOf(name string) string {
	if account, group, ok := strings.Cut(name, ":"); ok && len(account) == 12 && digits(account) {
		name = group
	}
	if _, after, ok := strings.Cut(name, "/aws/lambda/"); ok {
		return after
	}
	if !strings.HasPrefix(name, "arn:") {
		// "name:alias", or "account:function:name".
		if _, after, ok := strings.Cut(name, "function:"); ok {
			name = after
		}
		name, _, _ = strings.Cut(name, ":")
		return name
	}
	if _, after, ok := strings.Cut(name, ":function:"); ok {
		name, _, _ = strings.Cut(after, ":")
		return name
	}
	if i := strings.LastIndexAny(name, ":/"); i >= 0 {
		name = name[i+1:]
	}
	return name
}

// executionOf returns what tells an execution of a state machine from others,
// "machine:execution" of "arn:aws:states:region:account:execution:machine:name".
func executionOf(arn string) string {
	parts := strings.SplitN(arn, ":", 7)
	if len(parts) == 7 && parts[0] == "arn" {
		return parts[6]
	}
	return redact(arn)
}
