package logs

import (
	"encoding/base64"
	"io"
	"path/filepath"
	"strings"
)

// textFormat reads logs line by line: what "aws logs tail" prints, in its
// detailed and its short form, the files of an export to S3, and the plain
// messages.
func textFormat() Format {
	return Format{
		Name:        "cloudwatch-text",
		Description: "lines of \"aws logs tail\", of an export to S3, or plain: REPORT lines or JSON, of Lambda or Step Functions",
		detect:      isText,
		read:        readText,
	}
}

// isText looks for a line that only logs have.
func isText(head string) bool {
	for line := range strings.Lines(head) {
		_, text, _ := cutInstant(line)
		_, text = cutStream(text)
		for _, mark := range []string{"REPORT RequestId: ", "START RequestId: ", "END RequestId: ", "INIT_START Runtime Version: ", "INIT_REPORT ", "RESTORE_START "} {
			if strings.HasPrefix(text, mark) {
				return true
			}
		}
		if strings.HasPrefix(text, "{") && isMessage(text) {
			return true
		}
	}
	return false
}

// isMessage reports whether a line of JSON is a message, not a part of a
// transport.
func isMessage(text string) bool {
	return (strings.Contains(text, `"platform.`) || strings.Contains(text, `"execution_arn"`) && strings.Contains(text, `"event_timestamp"`)) &&
		!strings.Contains(text, `"message"`) && !strings.Contains(text, `"@message"`)
}

func readText(in *input, out *sink) error {
	m := newMessages(out)
	stream := streamOf(in.name)
	lines := newLineReader(in)
	for {
		line, err := lines.next()
		if err == io.EOF {
			return m.finish()
		}
		if err != nil {
			return readError(in.name, err)
		}
		e := message{line: lines.line, ns: unknownNS, stream: stream, text: line}
		if len(line) > 0 && line[0] >= '0' && line[0] <= '9' {
			if ns, text, ok := cutInstant(line); ok && text != "" {
				e.ns, e.text = ns, text
				e.coarse = line[len("2026-10-08T14:05:27")] != '.'
				if name, rest := cutStream(text); name != "" {
					e.stream, e.text = name, rest
				}
			}
		}
		e.function = functionOfStream(e.stream)
		if err := m.take(e); err != nil {
			return err
		}
	}
}

// cutStream cuts the name of the log stream of Lambda that a line begins with,
// such as "2026/10/08/[$LATEST]22be".
func cutStream(text string) (stream, rest string) {
	if len(text) < len("2026/10/08/") || text[4] != '/' || text[7] != '/' || text[10] != '/' || !digits(text[:4]) {
		return "", text
	}
	stream, rest = cutWord(text)
	return stream, strings.TrimPrefix(rest, " ")
}

// functionOfStream returns the function that the name of a log stream holds
// where several share a log group: "2026/10/08/name[$LATEST]22be".
func functionOfStream(stream string) string {
	if len(stream) < len("2026/10/08/") {
		return ""
	}
	name, _, ok := strings.Cut(stream[len("2026/10/08/"):], "[")
	if !ok {
		return ""
	}
	return name
}

// streamOf returns the name of the log stream of a file of an export to S3,
// whose folder is the name of the stream with "-" for "/".
func streamOf(path string) string {
	name := filepath.Base(filepath.Dir(path))
	if len(name) < len("2026-10-08-[1]") || !digits(name[:4]) || name[4] != '-' || name[7] != '-' || name[10] != '-' || !strings.Contains(name, "]") {
		return ""
	}
	return name[:4] + "/" + name[5:7] + "/" + name[8:10] + "/" + name[11:]
}

// decodeBase64 decodes base64 with or without the line ends within.
func decodeBase64(text string) ([]byte, error) {
	return base64.StdEncoding.DecodeString(strings.TrimSpace(text))
}
