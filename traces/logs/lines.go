package logs

import (
	"bytes"
	"io"
	"strings"
)

// How lines are read: in pieces of pieceBytes, each of which becomes one text
// that its lines are parts of. A line longer than maxLineBytes is cut into
// several; CloudWatch keeps no event above 1 MB.
const (
	pieceBytes   = 1 << 18
	maxLineBytes = 1 << 22
)

// lineReader reads lines without an allocation for each. A part of a line that
// is kept keeps the piece that it was read with.
type lineReader struct {
	r      io.Reader
	buffer []byte // begins with what is left of the piece before
	left   int    // bytes of the buffer that are filled
	piece  string
	line   int64 // number of the line returned last, from 1
	end    error // of r
}

func newLineReader(r io.Reader) *lineReader {
	return &lineReader{r: r, buffer: make([]byte, pieceBytes)}
}

// next returns the next line without its end, "\n" or "\r\n". After the last
// one it returns io.EOF.
func (l *lineReader) next() (string, error) {
	for l.piece == "" {
		if err := l.fill(); err != nil {
			return "", err
		}
	}
	line, rest, _ := strings.Cut(l.piece, "\n")
	l.piece = rest
	l.line++
	return strings.TrimSuffix(line, "\r"), nil
}

// fill reads the next piece, which ends with the end of a line.
func (l *lineReader) fill() error {
	for l.end == nil {
		n, err := l.r.Read(l.buffer[l.left:])
		l.end = err
		l.left += n
		if l.left < len(l.buffer) {
			continue
		}
		if cut := bytes.LastIndexByte(l.buffer, '\n') + 1; cut > 0 {
			l.take(cut)
			return nil
		}
		if len(l.buffer) >= maxLineBytes {
			l.take(l.left)
			return nil
		}
		l.buffer = append(l.buffer, make([]byte, len(l.buffer))...)
	}
	if l.end != io.EOF {
		return l.end
	}
	if l.left == 0 {
		return io.EOF
	}
	l.take(l.left)
	return nil
}

func (l *lineReader) take(n int) {
	l.piece = string(l.buffer[:n])
	l.left = copy(l.buffer, l.buffer[n:l.left])
}
