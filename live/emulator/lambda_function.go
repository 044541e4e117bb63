package emulator

import (
	"cmp"
	"maps"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"time"
)

// configuration is FunctionConfiguration as Lambda writes it.
type configuration struct {
	FunctionName     string
	FunctionArn      string
	Runtime          string
	Role             string
	Handler          string
	CodeSize         int
	Description      string
	Timeout          int
	MemorySize       int
	LastModified     string
	CodeSha256       string
	Version          string
	TracingConfig    map[string]string
	RevisionId       string
	State            string
	StateReason      string `json:",omitempty"`
	StateReasonCode  string `json:",omitempty"`
	LastUpdateStatus string `json:",omitempty"`

	LastUpdateStatusReason     string `json:",omitempty"`
	LastUpdateStatusReasonCode string `json:",omitempty"`

	PackageType      string
	Architectures    []string
	EphemeralStorage map[string]int
	Environment      *environmentVariables `json:",omitempty"`
	SnapStart        map[string]string
	LoggingConfig    map[string]string
}

type environmentVariables struct{ Variables map[string]string }

// configuration describes a version under the name that it was asked for by.
func (e *Emulator) configuration(v *version, qualifier string, now time.Time) configuration {
	s := v.settings
	c := configuration{
		FunctionName: v.of.name, FunctionArn: e.functionARN(v.of.name, qualifier), Runtime: s.Runtime, Role: s.Role, Handler: s.Handler,
		CodeSize: len(s.code.zip), Description: s.Description, Timeout: s.Timeout, MemorySize: s.Memory,
		LastModified: v.modified.UTC().Format("2006-01-02T15:04:05.000-0700"), CodeSha256: s.code.sha256, Version: v.number,
		TracingConfig: map[string]string{"Mode": "PassThrough"}, RevisionId: v.revisionID(now),
		State: "Active", LastUpdateStatus: "Successful", PackageType: "Zip", Architectures: s.Architectures,
		EphemeralStorage: map[string]int{"Size": s.Storage}, SnapStart: map[string]string{"ApplyOn": "None", "OptimizationStatus": "Off"},
		LoggingConfig: map[string]string{"LogFormat": "Text", "LogGroup": logGroupName(v.of.name)},
	}
	if len(s.Variables) > 0 {
		c.Environment = &environmentVariables{s.Variables}
	}
	switch {
	case v.pending(now):
		c.State, c.StateReason, c.StateReasonCode = "Pending", "The function is being created.", "Creating"
		c.LastUpdateStatus = ""
	case v.busy(now):
		c.LastUpdateStatus, c.LastUpdateStatusReason, c.LastUpdateStatusReasonCode = "InProgress", "The function is being created.", "Creating"
	}
	return c
}

// functionInput is what CreateFunction and UpdateFunctionConfiguration take.
type functionInput struct {
	FunctionName     string
	Runtime          *string
	Role             *string
	Handler          *string
	Description      *string
	Timeout          *int
	MemorySize       *int
	EphemeralStorage *struct{ Size int }
	Environment      *environmentVariables
	Architectures    []string
	Code             codeInput
	Tags             map[string]string
	Publish          bool
	PackageType      string
	RevisionId       string
}

// apply returns the settings with what an input changes.
func (in *functionInput) apply(s settings) (*settings, error) {
	set := func(to *string, from *string) {
		if from != nil {
			*to = *from
		}
	}
	set(&s.Runtime, in.Runtime)
	set(&s.Role, in.Role)
	set(&s.Handler, in.Handler)
	set(&s.Description, in.Description)
	if in.Timeout != nil {
		s.Timeout = *in.Timeout
	}
	if in.MemorySize != nil {
		s.Memory = *in.MemorySize
	}
	if in.EphemeralStorage != nil {
		s.Storage = in.EphemeralStorage.Size
	}
	if in.Environment != nil {
		s.Variables = maps.Clone(in.Environment.Variables)
	}
	if in.Architectures != nil {
		s.Architectures = in.Architectures
	}
	// The limits of the published API reference.
	for _, limit := range []struct {
		name        string
		value       int
		least, most int
	}{{"memorySize", s.Memory, 128, 10240}, {"timeout", s.Timeout, 1, 900}, {"ephemeralStorage.size", s.Storage, 512, 10240}} {
		if limit.value < limit.least {
			return nil, validation("Value '%d' at '%s' failed to satisfy constraint: Member must have value greater than or equal to %d", limit.value, limit.name, limit.least)
		}
		if limit.value > limit.most {
			return nil, validation("Value '%d' at '%s' failed to satisfy constraint: Member must have value less than or equal to %d", limit.value, limit.name, limit.most)
		}
	}
	for name := range s.Variables {
		if strings.HasPrefix(name, "AWS_LAMBDA_") || slices.Contains(reservedVariables, name) {
			return nil, invalid("Lambda was unable to configure your environment variables because the environment variables you have provided contains reserved keys that are currently not supported for modification. Reserved keys used in this request: %s", name)
		}
	}
	return &s, nil
}

// reservedVariables cannot be set (Lambda developer guide, "Defined runtime
// environment variables").
var reservedVariables = []string{"_HANDLER", "_X_AMZN_TRACE_ID", "AWS_DEFAULT_REGION", "AWS_REGION", "AWS_EXECUTION_ENV", "AWS_ACCESS_KEY", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "LAMBDA_TASK_ROOT", "LAMBDA_RUNTIME_DIR"}

func validation(format string, args ...any) *apiError {
	return failure(http.StatusBadRequest, "ValidationException", "1 validation error detected: "+format, args...)
}

var nameOfFunction = regexp.MustCompile(`^[a-zA-Z0-9-_]{1,64}$`)

func (e *Emulator) createFunction(in *request) (reply, error) {
	var input functionInput
	if err := in.read(&input); err != nil {
		return reply{}, err
	}
	name, _, err := e.functionName(input.FunctionName)
	if err != nil {
		return reply{}, err
	}
	if !nameOfFunction.MatchString(name) {
		return reply{}, validation("Value '%s' at 'functionName' failed to satisfy constraint: Member must satisfy regular expression pattern: %s", name, nameOfFunction)
	}
	if input.Role == nil || !strings.HasPrefix(*input.Role, "arn:aws:iam::") {
		return reply{}, validation("Value at 'role' failed to satisfy constraint: Member must satisfy regular expression pattern: arn:(aws[a-zA-Z-]*)?:iam::\\d{12}:role/?[a-zA-Z_0-9+=,.@\\-_/]+")
	}
	if input.Runtime == nil || input.Handler == nil {
		return reply{}, invalid("Runtime and Handler are mandatory parameters for functions created with deployment packages.")
	}
	if cmp.Or(input.PackageType, "Zip") != "Zip" {
		return reply{}, invalid("The emulator runs packages of type Zip only.")
	}
	s, err := input.apply(settings{Timeout: 3, Memory: 128, Storage: 512, Architectures: []string{"x86_64"}})
	if err != nil {
		return reply{}, err
	}
	if s.code, err = input.Code.load(); err != nil {
		return reply{}, err
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.functions[name] != nil {
		return reply{}, conflict("Function already exist: %s", name)
	}
	f := &function{name: name, tags: maps.Clone(input.Tags), aliases: make(map[string]*alias)}
	if f.tags == nil {
		f.tags = make(map[string]string)
	}
	f.latest = newVersion(f, latest, s, in.now, e.options.Settle)
	e.functions[name] = f
	if input.Publish {
		v := e.publish(f, "", in.now)
		return answer(http.StatusCreated, e.configuration(v, v.number, in.now))
	}
	return answer(http.StatusCreated, e.configuration(f.latest, "", in.now))
}

func (e *Emulator) getFunction(in *request, _ none) (reply, error) {
	f, v, qualifier, err := e.lookup(in)
	if err != nil {
		return reply{}, err
	}
	out := map[string]any{
		"Configuration": e.configuration(v, qualifier, in.now),
		"Code":          map[string]string{"RepositoryType": "S3", "Location": e.codeURL(v.settings.code, in.now)},
	}
	if len(f.tags) > 0 {
		out["Tags"] = f.tags
	}
	if f.reserved != nil {
		out["Concurrency"] = map[string]int{"ReservedConcurrentExecutions": *f.reserved}
	}
	return answer(http.StatusOK, out)
}

func (e *Emulator) getFunctionConfiguration(in *request, _ none) (reply, error) {
	_, v, qualifier, err := e.lookup(in)
	if err != nil {
		return reply{}, err
	}
	return answer(http.StatusOK, e.configuration(v, qualifier, in.now))
}

// changeLatest makes an update of $LATEST out of new settings. The caller holds e.mu.
func (e *Emulator) changeLatest(in *request, revision string, next func(settings) (*settings, error)) (*function, error) {
	f, _, qualifier, err := e.lookup(in)
	if err != nil {
		return nil, err
	}
	if qualifier != "" && qualifier != latest {
		return nil, invalid("Only the %s version of a function can be updated.", latest)
	}
	if err := e.inProgress(f, in.now); err != nil {
		return nil, err
	}
	if err := checkRevision(revision, f.latest.revisionID(in.now)); err != nil {
		return nil, err
	}
	s, err := next(*f.latest.settings)
	if err != nil {
		return nil, err
	}
	f.latest.change(s, in.now, e.options.Settle)
	return f, nil
}

func (e *Emulator) updateFunctionConfiguration(in *request, input functionInput) (reply, error) {
	f, err := e.changeLatest(in, input.RevisionId, input.apply)
	if err != nil {
		return reply{}, err
	}
	return answer(http.StatusOK, e.configuration(f.latest, "", in.now))
}

func (e *Emulator) updateFunctionCode(in *request) (reply, error) {
	var input struct {
		codeInput
		Architectures []string
		Publish       bool
		DryRun        bool
		RevisionId    string
	}
	if err := in.read(&input); err != nil {
		return reply{}, err
	}
	code, err := input.load()
	if err != nil {
		return reply{}, err
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	if input.DryRun || input.Publish {
		return reply{}, invalid("The emulator does not know DryRun and Publish of UpdateFunctionCode.")
	}
	f, err := e.changeLatest(in, input.RevisionId, func(s settings) (*settings, error) {
		s.code = code
		if input.Architectures != nil {
			s.Architectures = input.Architectures
		}
		return &s, nil
	})
	if err != nil {
		return reply{}, err
	}
	return answer(http.StatusOK, e.configuration(f.latest, "", in.now))
}

func (e *Emulator) deleteFunction(in *request, _ none) (reply, error) {
	f, v, qualifier, err := e.lookup(in)
	if err != nil {
		return reply{}, err
	}
	switch qualifier {
	case "":
		delete(e.functions, f.name)
		e.closePools(append([]*version{f.latest}, f.versions...)...)
	case latest:
		return reply{}, invalid("%s version cannot be deleted without deleting the function.", latest)
	default:
		if f.aliases[qualifier] != nil {
			return reply{}, invalid("Deletion of aliases is not currently supported.")
		}
		for _, name := range slices.Sorted(maps.Keys(f.aliases)) {
			a := f.aliases[name]
			if _, weighted := a.weights[v.number]; weighted || a.version == v.number {
				return reply{}, conflict("Cannot delete version %s: alias %s refers to it", v.number, name)
			}
		}
		f.versions = slices.DeleteFunc(f.versions, func(x *version) bool { return x == v })
		e.closePools(v)
	}
	return reply{status: http.StatusNoContent}, nil
}

func (e *Emulator) listFunctions(in *request, _ none) (reply, error) {
	var list []configuration
	for _, name := range slices.Sorted(maps.Keys(e.functions)) {
		f := e.functions[name]
		if in.query.Get("FunctionVersion") != "ALL" {
			list = append(list, e.configuration(f.latest, "", in.now))
			continue
		}
		for _, v := range append([]*version{f.latest}, f.versions...) {
			list = append(list, e.configuration(v, v.number, in.now))
		}
	}
	part, next, err := page(list, in, 50)
	if err != nil {
		return reply{}, err
	}
	return answer(http.StatusOK, struct {
		Functions  []configuration
		NextMarker *string
	}{append([]configuration{}, part...), next})
}

func (e *Emulator) getAccountSettings(in *request, _ none) (reply, error) {
	size := 0
	for _, f := range e.functions {
		size += len(f.latest.settings.code.zip)
	}
	return answer(http.StatusOK, map[string]any{
		"AccountLimit": map[string]int{
			"ConcurrentExecutions": e.options.Concurrency, "UnreservedConcurrentExecutions": e.options.Concurrency - e.reservedTotal(""),
			"TotalCodeSize": 75 << 30, "CodeSizeZipped": 50 << 20, "CodeSizeUnzipped": 250 << 20,
		},
		"AccountUsage": map[string]int{"FunctionCount": len(e.functions), "TotalCodeSize": size},
	})
}
