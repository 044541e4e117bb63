package emulator

import (
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"
)

// logGroup is a log group of CloudWatch. Emulator.mu guards it.
type logGroup struct {
	name    string
	created time.Time
	events  []logEvent // in the order in which they arrived
}

// logEvent is FilteredLogEvent as CloudWatch writes it.
type logEvent struct {
	LogStreamName string `json:"logStreamName"`
	Timestamp     int64  `json:"timestamp"` // ms
	Message       string `json:"message"`
	IngestionTime int64  `json:"ingestionTime"` // ms
	EventID       string `json:"eventId"`
}

// logGroupName is where the log of a function goes.
func logGroupName(function string) string { return "/aws/lambda/" + function }

// log adds the lines of an invocation. All but those of its end bear the
// instant of its start. The caller holds e.mu.
func (e *Emulator) log(function, stream string, start, end time.Time, lines []string) {
	name := logGroupName(function)
	g := e.groups[name]
	if g == nil {
		g = &logGroup{name: name, created: start}
		e.groups[name] = g
	}
	at := start
	for _, line := range lines {
		if strings.HasPrefix(line, "END RequestId: ") {
			at = end
		}
		g.events = append(g.events, logEvent{
			LogStreamName: stream, Timestamp: at.UnixMilli(), Message: line, IngestionTime: end.UnixMilli(),
			EventID: fmt.Sprintf("%056d", len(g.events)+1),
		})
	}
}

// Most events and most text of a page (API reference of FilterLogEvents).
const (
	maxLogEvents = 10_000
	maxLogBytes  = 1 << 20
)

func (e *Emulator) filterLogEvents(in *request) (reply, error) {
	var input struct {
		LogGroupName        string   `json:"logGroupName"`
		LogGroupIdentifier  string   `json:"logGroupIdentifier"`
		LogStreamNames      []string `json:"logStreamNames"`
		LogStreamNamePrefix string   `json:"logStreamNamePrefix"`
		StartTime           *int64   `json:"startTime"`
		EndTime             *int64   `json:"endTime"`
		FilterPattern       string   `json:"filterPattern"`
		NextToken           string   `json:"nextToken"`
		Limit               *int     `json:"limit"`
	}
	if err := in.read(&input); err != nil {
		return reply{}, err
	}
	name := input.LogGroupName
	if input.LogGroupIdentifier != "" {
		name = input.LogGroupIdentifier[strings.LastIndex(input.LogGroupIdentifier, ":")+1:]
	}
	keep, err := parsePattern(input.FilterPattern)
	if err != nil {
		return reply{}, err
	}
	limit := maxLogEvents
	if input.Limit != nil {
		if *input.Limit < 1 || *input.Limit > maxLogEvents {
			return reply{}, badLogs("1 validation error detected: Value '%d' at 'limit' failed to satisfy constraint: Member must have value between 1 and %d", *input.Limit, maxLogEvents)
		}
		limit = *input.Limit
	}
	from := 0
	if input.NextToken != "" {
		if from, err = strconv.Atoi(input.NextToken); err != nil || from < 0 {
			return reply{}, badLogs("The specified nextToken is invalid.")
		}
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	g := e.groups[name]
	if g == nil {
		return reply{}, failure(http.StatusBadRequest, "ResourceNotFoundException", "The specified log group does not exist.")
	}
	// Events are kept in the order in which they arrived: ordered by time
	// they are only within a page. A token is a place in the group, so that
	// what arrives between two pages shifts nothing.
	events, size, next := []logEvent{}, 0, ""
	for i := from; i < len(g.events); i++ {
		v := g.events[i]
		switch {
		case input.StartTime != nil && v.Timestamp < *input.StartTime,
			input.EndTime != nil && v.Timestamp >= *input.EndTime,
			len(input.LogStreamNames) > 0 && !slices.Contains(input.LogStreamNames, v.LogStreamName),
			!strings.HasPrefix(v.LogStreamName, input.LogStreamNamePrefix),
			!keep(v.Message):
			continue
		}
		if len(events) == limit || size+len(v.Message) > maxLogBytes {
			next = strconv.Itoa(i)
			break
		}
		size += len(v.Message)
		events = append(events, v)
	}
	slices.SortStableFunc(events, func(a, b logEvent) int { return int(a.Timestamp - b.Timestamp) })
	out := map[string]any{"events": events, "searchedLogStreams": []string{}}
	if next != "" {
		out["nextToken"] = next
	}
	return answer(http.StatusOK, out)
}

func badLogs(format string, args ...any) *apiError {
	return failure(http.StatusBadRequest, "InvalidParameterException", format, args...)
}

// parsePattern reads a filter pattern of plain terms: all must occur; one after
// "-" must not, and of those after "?" one must. A term in quotes may hold
// blanks. Patterns on JSON and on columns are refused.
func parsePattern(pattern string) (func(message string) bool, error) {
	var all, none, some []string
	rest := strings.TrimSpace(pattern)
	if strings.HasPrefix(rest, "{") || strings.HasPrefix(rest, "[") || strings.HasPrefix(rest, "%") {
		return nil, badLogs("Invalid filter pattern: the emulator knows plain terms only")
	}
	for rest != "" {
		list := &all
		switch rest[0] {
		case '-':
			list, rest = &none, rest[1:]
		case '?':
			list, rest = &some, rest[1:]
		}
		term := ""
		if strings.HasPrefix(rest, `"`) {
			end := strings.IndexByte(rest[1:], '"')
			if end < 0 {
				return nil, badLogs("Invalid filter pattern")
			}
			term, rest = rest[1:end+1], rest[end+2:]
		} else {
			term, rest, _ = strings.Cut(rest, " ")
			if strings.IndexFunc(term, func(c rune) bool { return !isPlain(c) }) >= 0 {
				return nil, badLogs("Invalid filter pattern: a term with other characters than letters, digits and underscores needs quotes")
			}
		}
		if term == "" {
			return nil, badLogs("Invalid filter pattern")
		}
		*list = append(*list, term)
		rest = strings.TrimLeft(rest, " ")
	}
	return func(message string) bool {
		has := func(term string) bool { return strings.Contains(message, term) }
		for _, t := range all {
			if !has(t) {
				return false
			}
		}
		return !slices.ContainsFunc(none, has) && (len(some) == 0 || slices.ContainsFunc(some, has))
	}, nil
}

func isPlain(c rune) bool {
	return c == '_' || '0' <= c && c <= '9' || 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z'
}

func (e *Emulator) describeLogGroups(in *request) (reply, error) {
	var input struct {
		LogGroupNamePrefix string `json:"logGroupNamePrefix"`
	}
	if err := in.read(&input); err != nil {
		return reply{}, err
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	type group struct {
		Name    string      `json:"logGroupName"`
		ARN     string      `json:"arn"`
		Created json.Number `json:"creationTime"`
	}
	list := []group{}
	for _, name := range slices.Sorted(maps.Keys(e.groups)) {
		if strings.HasPrefix(name, input.LogGroupNamePrefix) {
			created := strconv.FormatInt(e.groups[name].created.UnixMilli(), 10)
			list = append(list, group{name, e.arn("logs", "log-group:"+name+":*"), json.Number(created)})
		}
	}
	return answer(http.StatusOK, map[string]any{"logGroups": list})
}
