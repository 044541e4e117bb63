package asl

import (
	"regexp"
	"strings"
)

// accountNumber is the account in the name of a resource.
var accountNumber = regexp.MustCompile(`:\d{12}:`)

// withoutAccount leaves the account out of the name of a resource.
func withoutAccount(arn string) string { return accountNumber.ReplaceAllString(arn, "::") }

// functionOf returns the name of the function that a Task invokes, and whether
// it invokes one. A resource that is but a token of a template
// ("${HandlerArn}") counts as a function by that name: nothing in the text says
// otherwise.
func functionOf(task *node) (name string, lambda bool) {
	resource := task.textOf("Resource")
	switch call, integration := integrationOf(resource); {
	case integration && !strings.HasPrefix(call, "lambda:invoke"):
		return "", false
	case integration:
		for _, in := range []string{"Parameters", "Arguments"} {
			for _, key := range []string{"FunctionName", "FunctionName.$"} {
				if v := task.member(in).textOf(key); v != "" {
					return FunctionName(v), true
				}
			}
		}
		return "", true
	case strings.Contains(resource, ":lambda:"), strings.Contains(resource, ":function:"):
		return FunctionName(resource), true
	case strings.HasPrefix(resource, "${") && !strings.Contains(strings.ToLower(resource), "activity"):
		return FunctionName(resource), true
	}
	return "", false
}

// integrationOf returns the call of an optimised or SDK integration, as
// "lambda:invoke" of "arn:aws:states:::lambda:invoke.waitForTaskToken".
func integrationOf(resource string) (call string, ok bool) {
	parts := strings.SplitN(resource, ":", 6)
	if len(parts) < 6 || parts[0] != "arn" || parts[2] != "states" || strings.HasPrefix(parts[5], "activity:") {
		return "", false
	}
	return strings.TrimPrefix(parts[5], "aws-sdk:"), true
}

// FunctionName returns the name in whatever AWS takes for a Lambda function: a
// name, "name:alias", a partial or a full ARN. Tokens of templates, such as
// ${Function}, stay as they are.
func FunctionName(text string) string {
	if i := strings.Index(text, ":function:"); i >= 0 {
		text = text[i+len(":function:"):]
	}
	// What follows a colon is an alias or a version, unless it is in a token.
	depth := 0
	for i, c := range text {
		switch c {
		case '{':
			depth++
		case '}':
			depth--
		case ':':
			if depth == 0 {
				return text[:i]
			}
		}
	}
	return text
}

// Anonymous replaces the account numbers in the text of a state machine by
// zeros.
func Anonymous(text []byte) []byte {
	return accountNumber.ReplaceAll(text, []byte(":000000000000:"))
}
