package emulator

import "strings"

// action answers a request.
type action func(*Emulator, *request) (reply, error)

// operation is what a service can be asked for.
type operation struct {
	service  string // as scopes and permissions call it
	name     string
	protocol protocol
	act      action
}

// restOperation is an operation that method and path tell.
type restOperation struct {
	method, path string
	operation
}

// lambdaOperations are those of Lambda; a segment in braces is a wildcard.
var lambdaOperations = []restOperation{
	rest("POST /2015-03-31/functions", "CreateFunction", (*Emulator).createFunction),
	rest("GET /2015-03-31/functions", "ListFunctions", locked((*Emulator).listFunctions)),
	rest("GET /2015-03-31/functions/{function}", "GetFunction", locked((*Emulator).getFunction)),
	rest("DELETE /2015-03-31/functions/{function}", "DeleteFunction", locked((*Emulator).deleteFunction)),
	rest("GET /2015-03-31/functions/{function}/configuration", "GetFunctionConfiguration", locked((*Emulator).getFunctionConfiguration)),
	rest("PUT /2015-03-31/functions/{function}/configuration", "UpdateFunctionConfiguration", locked((*Emulator).updateFunctionConfiguration)),
	rest("PUT /2015-03-31/functions/{function}/code", "UpdateFunctionCode", (*Emulator).updateFunctionCode),
	rest("POST /2015-03-31/functions/{function}/versions", "PublishVersion", onFunction((*Emulator).publishVersion)),
	rest("GET /2015-03-31/functions/{function}/versions", "ListVersionsByFunction", onFunction((*Emulator).listVersions)),
	rest("POST /2015-03-31/functions/{function}/aliases", "CreateAlias", onFunction((*Emulator).createAlias)),
	rest("GET /2015-03-31/functions/{function}/aliases", "ListAliases", onFunction((*Emulator).listAliases)),
	rest("GET /2015-03-31/functions/{function}/aliases/{alias}", "GetAlias", onAlias((*Emulator).getAlias)),
	rest("PUT /2015-03-31/functions/{function}/aliases/{alias}", "UpdateAlias", onAlias((*Emulator).updateAlias)),
	rest("DELETE /2015-03-31/functions/{function}/aliases/{alias}", "DeleteAlias", onFunction((*Emulator).deleteAlias)),
	rest("POST /2015-03-31/functions/{function}/invocations", "Invoke", (*Emulator).invoke),
	rest("PUT /2017-10-31/functions/{function}/concurrency", "PutFunctionConcurrency", onFunction((*Emulator).putConcurrency)),
	rest("DELETE /2017-10-31/functions/{function}/concurrency", "DeleteFunctionConcurrency", onFunction((*Emulator).deleteConcurrency)),
	rest("GET /2019-09-30/functions/{function}/concurrency", "GetFunctionConcurrency", onFunction((*Emulator).getConcurrency)),
	rest("GET /2017-03-31/tags/{resource}", "ListTags", onTagged((*Emulator).listTags)),
	rest("POST /2017-03-31/tags/{resource}", "TagResource", onTagged((*Emulator).tagResource)),
	rest("DELETE /2017-03-31/tags/{resource}", "UntagResource", onTagged((*Emulator).untagResource)),
	rest("GET /2016-08-19/account-settings", "GetAccountSettings", locked((*Emulator).getAccountSettings)),
}

func rest(pattern, name string, act action) restOperation {
	method, path, _ := strings.Cut(pattern, " ")
	return restOperation{method, path, operation{"lambda", name, restJSON, act}}
}

// targetOperations are those that the header X-Amz-Target or, in the query
// protocol, the parameter Action tells.
var targetOperations = map[string]operation{
	"Action.GetCallerIdentity":        {"sts", "GetCallerIdentity", query, (*Emulator).getCallerIdentity},
	"Logs_20140328.FilterLogEvents":   {"logs", "FilterLogEvents", json11, (*Emulator).filterLogEvents},
	"Logs_20140328.DescribeLogGroups": {"logs", "DescribeLogGroups", json11, (*Emulator).describeLogGroups},

	"AWSStepFunctions.CreateStateMachine":   machines("CreateStateMachine", (*Emulator).createStateMachine),
	"AWSStepFunctions.DescribeStateMachine": machines("DescribeStateMachine", onMachine((*Emulator).describeStateMachine)),
	"AWSStepFunctions.UpdateStateMachine":   machines("UpdateStateMachine", onMachine((*Emulator).updateStateMachine)),
	"AWSStepFunctions.DeleteStateMachine":   machines("DeleteStateMachine", locked((*Emulator).deleteStateMachine)),
	"AWSStepFunctions.ListStateMachines":    machines("ListStateMachines", locked((*Emulator).listStateMachines)),
	"AWSStepFunctions.TagResource":          machines("TagResource", onTaggedMachine((*Emulator).tagMachine)),
	"AWSStepFunctions.UntagResource":        machines("UntagResource", onTaggedMachine((*Emulator).untagMachine)),
	"AWSStepFunctions.ListTagsForResource":  machines("ListTagsForResource", onTaggedMachine((*Emulator).listMachineTags)),
	"AWSStepFunctions.StartExecution":       machines("StartExecution", onMachine((*Emulator).startExecution)),
	"AWSStepFunctions.StopExecution":        machines("StopExecution", onExecution((*Emulator).stopExecution)),
	"AWSStepFunctions.DescribeExecution":    machines("DescribeExecution", onExecution((*Emulator).describeExecution)),
	"AWSStepFunctions.ListExecutions":       machines("ListExecutions", onMachine((*Emulator).listExecutions)),
	"AWSStepFunctions.GetExecutionHistory":  machines("GetExecutionHistory", (*Emulator).getExecutionHistory),
}

func machines(name string, act action) operation {
	return operation{"states", name, json10, act}
}

// none is the body of a request that has none.
type none struct{}

// locked is an action that reads the body of the request and then has the emulator
// to itself.
func locked[I any](act func(*Emulator, *request, I) (reply, error)) action {
	return func(e *Emulator, in *request) (reply, error) {
		var input I
		if err := in.read(&input); err != nil {
			return reply{}, err
		}
		e.mu.Lock()
		defer e.mu.Unlock()
		return act(e, in, input)
	}
}

// onFunction is locked for the function that the path names.
func onFunction[I any](act func(*Emulator, *request, *function, I) (reply, error)) action {
	return locked(func(e *Emulator, in *request, input I) (reply, error) {
		f, _, _, err := e.lookup(in)
		if err != nil {
			return reply{}, err
		}
		return act(e, in, f, input)
	})
}

// onAlias is onFunction for the alias that the path names.
func onAlias[I any](act func(*Emulator, *request, *function, *alias, I) (reply, error)) action {
	return onFunction(func(e *Emulator, in *request, f *function, input I) (reply, error) {
		a := f.aliases[in.path["alias"]]
		if a == nil {
			return reply{}, notFound("Cannot find alias arn: %s", e.functionARN(f.name, in.path["alias"]))
		}
		return act(e, in, f, a, input)
	})
}

// onTagged is locked for the function whose tags are meant. The path names it by
// its ARN without a qualifier.
func onTagged[I any](act func(*Emulator, *request, *function, I) (reply, error)) action {
	return locked(func(e *Emulator, in *request, input I) (reply, error) {
		name, qualifier, err := e.functionName(in.path["resource"])
		if err != nil {
			return reply{}, err
		}
		if qualifier != "" {
			return reply{}, invalid("Tags on function aliases and versions are not supported. Please specify a function ARN.")
		}
		f := e.functions[name]
		if f == nil {
			return reply{}, notFound("Function not found: %s", e.functionARN(name, ""))
		}
		return act(e, in, f, input)
	})
}

// naming is an input that names what it is about.
type naming interface{ arn() string }

// onMachine is locked for a state machine.
func onMachine[I naming](act func(*Emulator, *request, *machine, I) (reply, error)) action {
	return locked(func(e *Emulator, in *request, input I) (reply, error) {
		m, err := e.findMachine(input.arn())
		if err != nil {
			return reply{}, err
		}
		return act(e, in, m, input)
	})
}

// onTaggedMachine is locked for the state machine whose tags are meant.
func onTaggedMachine(act func(*Emulator, *request, *machine, resourceInput) (reply, error)) action {
	return locked(func(e *Emulator, in *request, input resourceInput) (reply, error) {
		m, err := e.findMachine(input.ARN)
		if err != nil {
			return reply{}, bad("ResourceNotFound", "Resource not found: '%s'", input.ARN)
		}
		return act(e, in, m, input)
	})
}

// onExecution is locked for an execution of a state machine.
func onExecution[I naming](act func(*Emulator, *request, *execution, I) (reply, error)) action {
	return locked(func(e *Emulator, in *request, input I) (reply, error) {
		x, err := e.findExecution(input.arn())
		if err != nil {
			return reply{}, err
		}
		return act(e, in, x, input)
	})
}
