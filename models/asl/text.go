package asl

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
)

// node is one value of a JSON text, with the line it stands in.
type node struct {
	line  int32
	kind  kind
	keys  []string // of an object, in the order of the text
	items []node   // values of an object, or of a list
	text  string   // of a text or a number
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
	p := textParser{text: text, decoder: json.NewDecoder(bytes.NewReader(text)), line: 1}
	p.decoder.UseNumber()
	root, err := p.value(0)
	if err != nil {
		return nil, fmt.Errorf("%s:%d: %w", from, p.line, err)
	}
	return &root, nil
}

type textParser struct {
	text    []byte
	decoder *json.Decoder
	line    int
	read    int // bytes whose lines are counted
}

func (p *textParser) token() (json.Token, error) {
	t, err := p.decoder.Token()
	end := int(p.decoder.InputOffset())
	p.line += bytes.Count(p.text[p.read:end], []byte("\n"))
	p.read = end
	return t, err
}

func (p *textParser) value(depth int) (node, error) {
	t, err := p.token()
	if err != nil {
		return node{}, err
	}
	n := node{line: int32(p.line)}
	switch t := t.(type) {
	case json.Delim:
		if depth == maxDepth {
			return node{}, fmt.Errorf("values lie more than %d deep inside each other", maxDepth)
		}
		n.kind = isList
		if t == '{' {
			n.kind = isObject
		}
		for p.decoder.More() {
			if n.kind == isObject {
				key, err := p.token()
				if err != nil {
					return node{}, err
				}
				n.keys = append(n.keys, key.(string))
			}
			item, err := p.value(depth + 1)
			if err != nil {
				return node{}, err
			}
			n.items = append(n.items, item)
		}
		_, err = p.token() // the end of the list or object
	case json.Number:
		n.kind, n.text = isNumber, string(t)
	case string:
		n.kind, n.text = isText, t
	case bool:
		n.kind = isBool
	}
	return n, err
}
