package asl

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
)

// node is one value of a JSON text, with the line it stands in.
type node struct {
	line int32
	kind kind
	text string // of a text or a number
	*inside
}

// inside is what an object or a list holds. It lies apart: most values hold
// nothing, and there can be many.
type inside struct {
	keys  []string // of an object, in the order of the text
	items []node
}

type kind uint8

const (
	isNull kind = iota
	isBool
	isNumber
	isText
	isList
	isObject
)

func (k kind) String() string {
	return [...]string{"null", "true or false", "a number", "a text", "a list", "an object"}[k]
}

// member returns the value of a key, nil where there is none.
func (n *node) member(key string) *node {
	if n == nil || n.kind != isObject {
		return nil
	}
	if i := slices.Index(n.keys, key); i >= 0 {
		return &n.items[i]
	}
	return nil
}

// textOf returns the text of a key, "" where there is none.
func (n *node) textOf(key string) string {
	if m := n.member(key); m != nil && m.kind == isText {
		return m.text
	}
	return ""
}

// number returns the number that the node is.
func (n *node) number() (float64, bool) {
	if n == nil || n.kind != isNumber {
		return 0, false
	}
	x, err := json.Number(n.text).Float64()
	return x, err == nil
}

const (
	// maxText is the longest text that is read: AWS Step Functions takes a
	// definition of at most 1 MB.
	maxText = 8 << 20
	// maxDepth bounds how deep values lie inside each other.
	maxDepth = 200
)

// parseText reads a JSON text. Its errors say the line and begin with from.
func parseText(from string, text []byte) (*node, error) {
	if len(text) > maxText {
		return nil, fmt.Errorf("%s: %d bytes are too long for a state machine; AWS takes 1 MB", from, len(text))
	}
	text = bytes.TrimPrefix(text, []byte("\xef\xbb\xbf"))
	var raw json.RawMessage
	if err := json.Unmarshal(text, &raw); err != nil {
		at := len(text)
		var syntax *json.SyntaxError
		if errors.As(err, &syntax) {
			at = int(syntax.Offset)
		}
		line := 1 + bytes.Count(text[:min(at, len(text))], []byte("\n"))
		return nil, fmt.Errorf("%s:%d: not valid JSON: %w", from, line, err)
	}
	p := textParser{text: string(text), line: 1}
	root, ok := p.value(0)
	if !ok {
		return nil, fmt.Errorf("%s:%d: values lie more than %d deep inside each other", from, p.line, maxDepth)
	}
	return &root, nil
}

// textParser reads a text that is known to be valid JSON. Values share its
// memory.
type textParser struct {
	text string
	at   int
	line int
}

// next skips blanks and what separates values, and returns the character that
// is there.
func (p *textParser) next() byte {
	for ; ; p.at++ {
		switch c := p.text[p.at]; c {
		case '\n':
			p.line++
		case ' ', '\t', '\r', ',', ':':
		default:
			return c
		}
	}
}

// value reads the next value. It fails where values lie too deep.
func (p *textParser) value(depth int) (n node, ok bool) {
	first := p.next()
	n.line = int32(p.line)
	switch first {
	case '{', '[':
		if depth == maxDepth {
			return n, false
		}
		n.kind, n.inside = isList, new(inside)
		if first == '{' {
			n.kind = isObject
		}
		p.at++
		for c := p.next(); c != '}' && c != ']'; c = p.next() {
			if n.kind == isObject {
				n.keys = append(doubled(n.keys), p.quoted())
			}
			item, ok := p.value(depth + 1)
			if !ok {
				return n, false
			}
			n.items = append(doubled(n.items), item)
		}
		p.at++
	case '"':
		n.kind, n.text = isText, p.quoted()
	case 't', 'f', 'n':
		n.kind = isBool
		if first == 'n' {
			n.kind = isNull
		}
		p.at += len("true")
		if first == 'f' {
			p.at++
		}
	default:
		begin := p.at
		for p.at < len(p.text) && strings.IndexByte("+-.0123456789eE", p.text[p.at]) >= 0 {
			p.at++
		}
		n.kind, n.text = isNumber, p.text[begin:p.at]
	}
	return n, true
}

// quoted reads the text in quotes that is next.
func (p *textParser) quoted() string {
	p.next()
	begin := p.at
	escaped := false
	for p.at++; p.text[p.at] != '"'; p.at++ {
		if p.text[p.at] == '\\' {
			escaped = true
			p.at++
		}
	}
	p.at++
	raw := p.text[begin:p.at]
	if !escaped {
		return strings.ToValidUTF8(raw[1:len(raw)-1], "\ufffd")
	}
	var text string
	if err := json.Unmarshal([]byte(raw), &text); err != nil {
		panic("asl: text that was valid JSON is not: " + err.Error())
	}
	return text
}

// doubled returns list with room for one more item. append alone grows a long
// list by a quarter at a time, which allocates five times its length in all.
func doubled[T any](list []T) []T {
	if len(list) == cap(list) {
		return slices.Grow(list, max(2, len(list)))
	}
	return list
}
