package logs

import (
	"bufio"
	"fmt"
	"io"

	"eevee/internal/spelling"
)

// Format is one kind of log that can be imported.
type Format struct {
	Name        string // as the command line calls it
	Description string

	// detect reports whether a file begins as this format does. The text is
	// its beginning, decompressed and in UTF-8.
	detect func(head string) bool
	read   func(in *input, out *sink) error
	strict bool // a row that cannot be used is an error
}

// input is one file that is read.
type input struct {
	name string // in errors
	*bufio.Reader
}

func newInput(name string, r io.Reader) *input {
	return &input{name, bufio.NewReaderSize(r, headBytes)}
}

// begin skips blanks and returns the first character that is none, which is
// not read yet; 0 at the end.
func (in *input) begin() (byte, error) {
	for {
		head, err := in.Peek(1)
		switch {
		case err == io.EOF:
			return 0, nil
		case err != nil:
			return 0, err
		case trimBlanks(string(head)) != "":
			return head[0], nil
		}
		in.Discard(1)
	}
}

// headBytes is how much of a file is looked at to detect its format.
const headBytes = 1 << 16

// Formats returns all formats, in the order in which they are looked for.
func Formats() []Format {
	return append([]Format{
		xrayFormat(),
		historyFormat(),
		lithopsFormat(),
		eventsFormat(),
		subscriptionFormat(),
		insightsFormat(),
		tailFormat(),
		insightsCSVFormat(),
		textFormat(),
		dittoFormat(),
		csvFormat(),
	}, profileFormats()...)
}

// FormatNames returns the names of all formats.
func FormatNames() []string {
	var names []string
	for _, f := range Formats() {
		names = append(names, f.Name)
	}
	return names
}

// FindFormat returns the format with the given name.
func FindFormat(name string) (Format, error) {
	for _, f := range Formats() {
		if f.Name == name {
			return f, nil
		}
	}
	return Format{}, fmt.Errorf("logs: %w", spelling.Unknown("format", name, FormatNames()))
}

// Detect returns the format of a file that begins with the given bytes.
func Detect(head []byte) (Format, bool) {
	text := string(head)
	for _, f := range Formats() {
		if f.detect != nil && f.detect(text) {
			return f, true
		}
	}
	return Format{}, false
}
