package states

import (
	"fmt"
	"strconv"
	"strings"
)

// reference is a path of the language: members, indices and [*], no filters.
type reference []step

// step is a member, an index or all items.
type step struct {
	member string
	index  int
	kind   stepKind
}

type stepKind int

const (
	member stepKind = iota
	index
	everything
)

// parsePath reads a path that begins with $ (or $$).
func parsePath(text string) (reference, error) {
	rest, ok := strings.CutPrefix(text, "$")
	if !ok {
		return nil, fmt.Errorf("path %q does not begin with $", text)
	}
	rest = strings.TrimPrefix(rest, "$")
	bad := func() (reference, error) {
		return nil, fmt.Errorf("path %q: the emulator knows members, indices and [*] only", text)
	}
	var p reference
	for rest != "" {
		switch {
		case strings.HasPrefix(rest, "['"):
			end := strings.Index(rest, "']")
			if end < 0 {
				return bad()
			}
			p, rest = append(p, step{member: rest[2:end]}), rest[end+2:]
		case rest[0] == '[':
			end := strings.IndexByte(rest, ']')
			if end < 0 {
				return bad()
			}
			inner := rest[1:end]
			rest = rest[end+1:]
			if inner == "*" {
				p = append(p, step{kind: everything})
				continue
			}
			n, err := strconv.Atoi(inner)
			if err != nil || n < 0 {
				return bad()
			}
			p = append(p, step{index: n, kind: index})
		case rest[0] == '.':
			rest = rest[1:]
			end := strings.IndexAny(rest, ".[")
			if end < 0 {
				end = len(rest)
			}
			name := rest[:end]
			if name == "" || strings.ContainsAny(name, " ?@()*:,") {
				return bad()
			}
			p, rest = append(p, step{member: name}), rest[end:]
		default:
			return bad()
		}
	}
	return p, nil
}

// find returns what a path leads to.
func (p reference) find(v any) (any, bool) {
	for i, s := range p {
		switch s.kind {
		case member:
			object, ok := v.(map[string]any)
			if !ok {
				return nil, false
			}
			if v, ok = object[s.member]; !ok {
				return nil, false
			}
		case index:
			list, ok := v.([]any)
			if !ok || s.index >= len(list) {
				return nil, false
			}
			v = list[s.index]
		case everything:
			list, ok := v.([]any)
			if !ok {
				return nil, false
			}
			found := []any{}
			for _, x := range list {
				if y, ok := p[i+1:].find(x); ok {
					found = append(found, y)
				}
			}
			return found, true
		}
	}
	return v, true
}

// put returns v with a value where the path leads, and makes the objects on the
// way that are missing.
func (p reference) put(v, value any) (any, error) {
	if len(p) == 0 {
		return value, nil
	}
	switch s := p[0]; s.kind {
	case member:
		object, ok := v.(map[string]any)
		if v == nil {
			object, ok = make(map[string]any), true
		}
		if !ok {
			return nil, fmt.Errorf("no object holds %q", s.member)
		}
		inner, err := p[1:].put(object[s.member], value)
		if err != nil {
			return nil, err
		}
		object[s.member] = inner
		return object, nil
	case index:
		list, ok := v.([]any)
		if !ok || s.index >= len(list) {
			return nil, fmt.Errorf("no list holds [%d]", s.index)
		}
		inner, err := p[1:].put(list[s.index], value)
		if err != nil {
			return nil, err
		}
		list[s.index] = inner
		return list, nil
	}
	return nil, fmt.Errorf("[*] is no place")
}
