package emulator

import (
	"maps"
	"net/http"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"time"
)

// latest is the version that can be changed.
const latest = "$LATEST"

// function is a Lambda function. Emulator.mu guards it and all inside.
type function struct {
	name     string
	tags     map[string]string
	reserved *int // concurrency; nil: none reserved
	running  int  // invocations
	latest   *version
	versions []*version // published, ascending
	last     int        // number of the last one that was published, deleted or not
	aliases  map[string]*alias
}

// settings are what a version consists of. They are never changed, only
// replaced.
type settings struct {
	Runtime       string
	Role          string
	Handler       string
	Description   string
	Timeout       int // s
	Memory        int // MB
	Storage       int // MB of /tmp
	Variables     map[string]string
	Architectures []string
	Layers        []string
	code          *code
}

// same reports whether two versions would be the same.
func (s *settings) same(t *settings) bool {
	a, b := *s, *t
	if a.code.sha256 != b.code.sha256 || !maps.Equal(a.Variables, b.Variables) {
		return false
	}
	a.code, b.code, a.Variables, b.Variables = nil, nil, nil, nil
	return reflect.DeepEqual(a, b)
}

// version is $LATEST or a published version.
type version struct {
	of       *function
	number   string // "$LATEST", or "1"
	settings *settings
	before   *settings // that hold until the update takes effect; nil: none
	created  bool      // the change that takes time is the creation
	settled  time.Time // when the last change takes effect
	modified time.Time
	revision string // while it takes time
	after    string // revision when it has taken effect; Lambda changes it then too

	idle    []*environment // the one that was used last at the end
	deleted bool
}

// alias names a version.
type alias struct {
	name, version, description, revision string
	weights                              map[string]float64 // of other versions
}

// busy reports whether the last change has not taken effect yet.
func (v *version) busy(now time.Time) bool { return now.Before(v.settled) }

// pending reports whether the version cannot be invoked yet.
func (v *version) pending(now time.Time) bool { return v.created && v.busy(now) }

// effective returns the settings that an invocation gets.
func (v *version) effective(now time.Time) *settings {
	if v.busy(now) && v.before != nil {
		return v.before
	}
	return v.settings
}

func (v *version) revisionID(now time.Time) string {
	if v.busy(now) {
		return v.revision
	}
	return v.after
}

// change replaces the settings, which takes effect after a while.
func (v *version) change(s *settings, now time.Time, settle time.Duration) {
	v.before, v.settings, v.created = v.settings, s, false
	v.settled, v.modified = now.Add(settle), now
	v.revision, v.after = uuid(), uuid()
}

// newVersion makes a version that becomes active after a while.
func newVersion(of *function, number string, s *settings, now time.Time, settle time.Duration) *version {
	return &version{of: of, number: number, settings: s, created: true, settled: now.Add(settle), modified: now, revision: uuid(), after: uuid()}
}

// find returns the version with a number.
func (f *function) find(number string) *version {
	if number == latest {
		return f.latest
	}
	for _, v := range f.versions {
		if v.number == number {
			return v
		}
	}
	return nil
}

// resolve returns the version that a qualifier stands for: none is $LATEST. An
// alias with weights is resolved by share, 0 <= share < 1.
func (f *function) resolve(qualifier string, share float64) *version {
	if qualifier == "" {
		return f.latest
	}
	if a := f.aliases[qualifier]; a != nil {
		for _, number := range slices.Sorted(maps.Keys(a.weights)) {
			if share -= a.weights[number]; share < 0 {
				return f.find(number)
			}
		}
		return f.find(a.version)
	}
	return f.find(qualifier)
}

// functionName returns the function and the qualifier in what Lambda takes for
// a function: its name, name:qualifier, a partial or a full ARN.
func (e *Emulator) functionName(text string) (name, qualifier string, err error) {
	parts := strings.Split(text, ":")
	switch i := slices.Index(parts, "function"); {
	case i >= 1 && i+1 < len(parts):
		if i == 5 && parts[3] != e.options.Region {
			return "", "", failure(http.StatusNotFound, "ResourceNotFoundException", "Functions from '%s' are not reachable in this region ('%s')", parts[3], e.options.Region)
		}
		if account := parts[i-1]; account != e.options.Account {
			return "", "", failure(http.StatusForbidden, "AccessDeniedException", "User is not authorized to access functions of account %s", account)
		}
		parts = parts[i+1:]
	case i >= 0:
		return "", "", invalid("%q is no name of a function", text)
	}
	switch len(parts) {
	case 1:
		return parts[0], "", nil
	case 2:
		return parts[0], parts[1], nil
	}
	return "", "", invalid("%q is no name of a function", text)
}

// functionARN returns the name of a version, or of the function if the qualifier
// is empty.
func (e *Emulator) functionARN(name, qualifier string) string {
	arn := e.arn("lambda", "function:"+name)
	if qualifier != "" {
		arn += ":" + qualifier
	}
	return arn
}

// lookup finds the function and the version of a request, whose path or query
// may hold the qualifier. The caller holds e.mu.
func (e *Emulator) lookup(in *request) (*function, *version, string, error) {
	name, qualifier, err := e.functionName(in.path["function"])
	if err != nil {
		return nil, nil, "", err
	}
	if q := in.query.Get("Qualifier"); q != "" {
		if qualifier != "" && q != qualifier {
			return nil, nil, "", invalid("The derived qualifier from the function name does not match the specified qualifier.")
		}
		qualifier = q
	}
	f := e.functions[name]
	if f == nil {
		return nil, nil, "", notFound("Function not found: %s", e.functionARN(name, qualifier))
	}
	v := f.resolve(qualifier, 0)
	if v == nil {
		return nil, nil, "", notFound("Function not found: %s", e.functionARN(name, qualifier))
	}
	return f, v, qualifier, nil
}

func notFound(format string, args ...any) *apiError {
	return failure(http.StatusNotFound, "ResourceNotFoundException", format, args...)
}

func invalid(format string, args ...any) *apiError {
	return failure(http.StatusBadRequest, "InvalidParameterValueException", format, args...)
}

func conflict(format string, args ...any) *apiError {
	return failure(http.StatusConflict, "ResourceConflictException", format, args...)
}

// inProgress is the answer to a change while another takes effect.
func (e *Emulator) inProgress(f *function, now time.Time) error {
	switch {
	case f.latest.pending(now):
		return conflict("The operation cannot be performed at this time. The function is currently in the following state: Pending")
	case f.latest.busy(now):
		return conflict("The operation cannot be performed at this time. An update is in progress for resource: %s", e.functionARN(f.name, ""))
	}
	return nil
}

// checkRevision compares a revision that the caller expects.
func checkRevision(expected, actual string) error {
	if expected != "" && expected != actual {
		return failure(http.StatusPreconditionFailed, "PreconditionFailedException",
			"The Revision Id provided does not match the latest Revision Id. Call the GetFunction/GetAlias API to retrieve the latest Revision Id")
	}
	return nil
}

// throttled is the answer to too many requests.
func throttled(reason, message string) *apiError {
	return &apiError{
		Code: "TooManyRequestsException", Status: http.StatusTooManyRequests, Message: message,
		Header: http.Header{"Retry-After": {"1"}}, Fields: map[string]string{"Reason": reason},
	}
}

// page returns the part of a list that a request asks for, and the marker of
// the next part.
func page[T any](list []T, in *request, largest int) ([]T, *string, error) {
	from, most := 0, largest
	if marker := in.query.Get("Marker"); marker != "" {
		n, err := strconv.Atoi(marker)
		if err != nil || n < 0 || n > len(list) {
			return nil, nil, invalid("Invalid pagination token")
		}
		from = n
	}
	if text := in.query.Get("MaxItems"); text != "" {
		n, err := strconv.Atoi(text)
		if err != nil || n < 1 {
			return nil, nil, invalid("Value '%s' at 'maxItems' failed to satisfy constraint: Member must have value greater than or equal to 1", text)
		}
		most = min(most, n)
	}
	to := min(len(list), from+most)
	if to == len(list) {
		return list[from:to], nil, nil
	}
	marker := strconv.Itoa(to)
	return list[from:to], &marker, nil
}
