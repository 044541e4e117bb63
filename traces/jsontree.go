package traces

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
)

// jsonNode is one value of a JSON text, with its place in it.
type jsonNode struct {
	at    int // offset of its first byte
	kind  jsonKind
	keys  []string // of an object, in the order of the text
	items []*jsonNode
	text  string // of a number
}

type jsonKind int

const (
	jsonOther jsonKind = iota // text, true, false or null
	jsonNumber
	jsonArray
	jsonObject
)

func (k jsonKind) String() string {
	return [...]string{"no number, list or object", "a number", "a list", "an object"}[k]
}

// member returns the value of a key of an object, nil where there is none.
func (n *jsonNode) member(key string) *jsonNode {
	if i := slices.Index(n.keys, key); i >= 0 {
		return n.items[i]
	}
	return nil
}

// maxJSONDepth bounds how deep values lie inside each other.
const maxJSONDepth = 100

// jsonPath leads to a value: keys of objects and indices of lists.
type jsonPath []any

// parseJSON reads a JSON text. It returns every key that an object has twice;
// text that is no JSON is an error with line and column, and then path leads
// to the value that could not be read.
func parseJSON(data []byte) (root *jsonNode, path jsonPath, err error) {
	d := json.NewDecoder(bytes.NewReader(data))
	d.UseNumber()
	p := &jsonParser{data: data, decoder: d}
	var text json.RawMessage
	if err := json.Unmarshal(data, &text); err != nil {
		// The path is found by reading as far as possible.
		p.value()
		return nil, p.path, jsonSyntax(data, err)
	}
	if root, err = p.value(); err != nil {
		return nil, p.path, err
	}
	return root, nil, errors.Join(p.twice...)
}

// jsonSyntax names the place of a syntax error.
func jsonSyntax(data []byte, err error) error {
	var syntax *json.SyntaxError
	if !errors.As(err, &syntax) {
		return err
	}
	at := max(int(syntax.Offset)-1, 0)
	if len(bytes.TrimSpace(data)) == 0 {
		return errors.New("is empty")
	}
	if int(syntax.Offset) >= len(data) && err.Error() == "unexpected end of JSON input" {
		return fmt.Errorf("%s: the text ends in the middle", position(data, len(data)))
	}
	for _, literal := range []string{"NaN", "-Infinity", "Infinity"} {
		// encoding/json stops at the I of -Infinity.
		if from := at - max(len(literal)-len("Infinity"), 0); from >= 0 && bytes.HasPrefix(data[from:], []byte(literal)) {
			return fmt.Errorf("%s: %s is not a finite number", position(data, from), literal)
		}
	}
	return fmt.Errorf("%s: not JSON: %w", position(data, at), err)
}

// position gives an offset as "line 3, column 14", both from 1; columns count
// bytes.
func position(data []byte, at int) string {
	before := data[:at]
	line := 1 + bytes.Count(before, []byte("\n"))
	return fmt.Sprintf("line %d, column %d", line, at-bytes.LastIndexByte(before, '\n'))
}

type jsonParser struct {
	data    []byte
	decoder *json.Decoder
	path    jsonPath
	twice   []error
}

// next returns the offset of the next token.
func (p *jsonParser) next() int {
	at := int(p.decoder.InputOffset())
	for at < len(p.data) && bytes.IndexByte([]byte(" \t\r\n,:"), p.data[at]) >= 0 {
		at++
	}
	return at
}

// value reads one value. After an error the path leads to it.
func (p *jsonParser) value() (*jsonNode, error) {
	node := &jsonNode{at: p.next()}
	if len(p.path) > maxJSONDepth {
		return nil, fmt.Errorf("%s: more than %d lists and objects inside each other", position(p.data, node.at), maxJSONDepth)
	}
	token, err := p.decoder.Token()
	if err != nil {
		return nil, err
	}
	switch token := token.(type) {
	case json.Number:
		node.kind, node.text = jsonNumber, token.String()
	case json.Delim:
		node.kind = jsonArray
		if token == '{' {
			node.kind = jsonObject
		}
		for p.decoder.More() {
			if err := p.item(node); err != nil {
				return nil, err
			}
		}
		_, err = p.decoder.Token()
	}
	return node, err
}

// item reads the next item of a list or member of an object.
func (p *jsonParser) item(node *jsonNode) error {
	var step any = len(node.items)
	if node.kind == jsonObject {
		at := p.next()
		token, err := p.decoder.Token()
		if err != nil {
			return err
		}
		key, ok := token.(string)
		if !ok {
			return fmt.Errorf("%s: not JSON: a key that is no text", position(p.data, at))
		}
		if slices.Contains(node.keys, key) {
			p.twice = append(p.twice, fmt.Errorf("%s: the key %q is there twice", position(p.data, at), key))
		}
		node.keys = append(node.keys, key)
		step = key
	}
	p.path = append(p.path, step)
	item, err := p.value()
	if err != nil {
		return err
	}
	p.path = p.path[:len(p.path)-1]
	node.items = append(node.items, item)
	return nil
}
