package live

import "slices"

// PolicyOptions say what a Policy is for. Names that are "*" stand for all.
type PolicyOptions struct {
	Account, Region string
	Functions       []string // names of the functions of the user
	Role            string   // name of their role
	Machine         string   // name of the state machine; empty: none
	InPlace         bool
}

// PolicyDocument is a policy of AWS IAM.
type PolicyDocument struct {
	Version   string            `json:"Version"`
	Statement []PolicyStatement `json:"Statement"`
}

// PolicyStatement allows some actions on some resources.
type PolicyStatement struct {
	Sid       string                       `json:"Sid"`
	Effect    string                       `json:"Effect"`
	Action    []string                     `json:"Action"`
	Resource  []string                     `json:"Resource"`
	Condition map[string]map[string]string `json:"Condition,omitempty"`
}

// Policy returns the permissions that sessions take, and no more. Functions and
// state machines that are created must bear the tag of eevee, and only what does
// can be deleted.
func Policy(o PolicyOptions) PolicyDocument {
	at := func(service, resource string) string {
		return "arn:aws:" + service + ":" + o.Region + ":" + o.Account + ":" + resource
	}
	var own []string
	for _, f := range o.Functions {
		own = append(own, at("lambda", "function:"+f))
	}
	copies := []string{at("lambda", "function:"+creator+"-*")}
	tagged := func(key string) map[string]map[string]string {
		return map[string]map[string]string{"StringEquals": {key + "/" + tagCreator: creator}}
	}
	p := PolicyDocument{Version: "2012-10-17"}
	allow := func(sid string, resources []string, condition map[string]map[string]string, actions ...string) {
		p.Statement = append(p.Statement, PolicyStatement{Sid: sid, Effect: "Allow", Action: actions, Resource: resources, Condition: condition})
	}
	var invoke []string
	if o.Machine == "" { // else it is the state machine's role that invokes
		invoke = []string{"lambda:InvokeFunction"}
	}
	allow("WhoAmI", []string{"*"}, nil, "sts:GetCallerIdentity")
	allow("ReadFunctions", own, nil, "lambda:GetFunction")
	if o.InPlace {
		allow("ChangeFunctions", slices.Concat(own, wildcard(own)), nil, append(invoke,
			"lambda:GetFunctionConfiguration", "lambda:UpdateFunctionConfiguration", "lambda:ListVersionsByFunction", "lambda:PublishVersion")...)
		// A version has no tags: what is deleted is a version, never the function.
		allow("DeleteVersions", wildcard(own), nil, "lambda:DeleteFunction")
	} else {
		role := []string{"arn:aws:iam::" + o.Account + ":role/" + o.Role}
		allow("CreateCopies", copies, tagged("aws:RequestTag"), "lambda:CreateFunction", "lambda:TagResource")
		allow("PassRole", role, map[string]map[string]string{"StringEquals": {"iam:PassedToService": "lambda.amazonaws.com"}}, "iam:PassRole")
		allow("UseCopies", slices.Concat(copies, wildcard(copies)), nil, append(invoke,
			"lambda:GetFunction", "lambda:GetFunctionConfiguration", "lambda:UpdateFunctionConfiguration", "lambda:PublishVersion",
			"lambda:CreateAlias", "lambda:GetAlias")...)
		allow("DeleteCopies", copies, tagged("aws:ResourceTag"), "lambda:DeleteFunction")
	}
	if o.Machine == "" {
		return p
	}
	machines := []string{at("states", "stateMachine:"+creator+"-*")}
	groups := copies
	if o.InPlace {
		groups = own
	}
	allow("ReadStateMachine", []string{at("states", "stateMachine:"+o.Machine)}, nil, "states:DescribeStateMachine")
	allow("CreateStateMachines", machines, tagged("aws:RequestTag"), "states:CreateStateMachine", "states:TagResource")
	allow("PassStateMachineRole", []string{"arn:aws:iam::" + o.Account + ":role/*"},
		map[string]map[string]string{"StringEquals": {"iam:PassedToService": "states.amazonaws.com"}}, "iam:PassRole")
	allow("UseStateMachines", machines, nil, "states:StartExecution", "states:ListTagsForResource", "states:DeleteStateMachine")
	allow("FollowExecutions", []string{at("states", "execution:"+creator+"-*")}, nil,
		"states:DescribeExecution", "states:GetExecutionHistory", "states:StopExecution")
	allow("ReadLogs", logGroups(o, groups), nil, "logs:FilterLogEvents")
	return p
}

// wildcard names the versions and aliases of functions.
func wildcard(functions []string) []string {
	var all []string
	for _, f := range functions {
		all = append(all, f+":*")
	}
	return all
}

// logGroups names the log groups of functions.
func logGroups(o PolicyOptions, functions []string) []string {
	prefix := "arn:aws:lambda:" + o.Region + ":" + o.Account + ":function:"
	var groups []string
	for _, f := range functions {
		groups = append(groups, "arn:aws:logs:"+o.Region+":"+o.Account+":log-group:/aws/lambda/"+f[len(prefix):]+":*")
	}
	return groups
}
