package emulator

import (
	"encoding/json"
	"maps"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"time"

	"eevee/live/emulator/states"
)

// machine is a state machine of Step Functions. Emulator.mu guards it.
type machine struct {
	arn, name, role, definition, revision string
	created                               time.Time
	tags                                  map[string]string
	program                               *states.Machine
}

// tag is a tag as Step Functions writes it.
type tag struct {
	Key   string `json:"key"`
	Value string `json:"value"`
}

// bad is an error of Step Functions, all of which have status 400.
func bad(code, format string, args ...any) *apiError {
	return failure(http.StatusBadRequest, code, format, args...)
}

var nameOfMachine = regexp.MustCompile(`^[^\s<>{}\[\]?*"#%\\^|~` + "`" + `$&,;:/]{1,80}$`)

func (e *Emulator) createStateMachine(in *request) (reply, error) {
	var input struct {
		Name       string `json:"name"`
		Definition string `json:"definition"`
		Role       string `json:"roleArn"`
		Type       string `json:"type"`
		Tags       []tag  `json:"tags"`
		Publish    bool   `json:"publish"`
	}
	if err := in.read(&input); err != nil {
		return reply{}, err
	}
	switch {
	case !nameOfMachine.MatchString(input.Name):
		return reply{}, bad("InvalidName", "Invalid Name: '%s'", input.Name)
	case !strings.HasPrefix(input.Role, "arn:aws:iam::"):
		return reply{}, bad("InvalidArn", "Invalid Arn: 'Invalid ARN prefix: %s'", input.Role)
	case input.Type != "" && input.Type != "STANDARD", input.Publish:
		return reply{}, bad("ValidationException", "The emulator runs machines of type STANDARD only, without versions.")
	}
	program, err := states.Parse(input.Definition)
	if err != nil {
		return reply{}, bad("InvalidDefinition", "Invalid State Machine Definition: '%v'", err)
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	arn := e.arn("states", "stateMachine:"+input.Name)
	if m := e.machines[arn]; m != nil {
		if m.definition != input.Definition || m.role != input.Role {
			return reply{}, bad("StateMachineAlreadyExists", "State Machine Already Exists: '%s'", arn)
		}
		return answer(http.StatusOK, map[string]any{"stateMachineArn": arn, "creationDate": seconds(m.created)})
	}
	m := &machine{arn: arn, name: input.Name, role: input.Role, definition: input.Definition, revision: uuid(), created: in.now, tags: make(map[string]string), program: program}
	for _, t := range input.Tags {
		m.tags[t.Key] = t.Value
	}
	e.machines[arn] = m
	return answer(http.StatusOK, map[string]any{"stateMachineArn": arn, "creationDate": seconds(m.created)})
}

// findMachine finds a state machine. The caller holds e.mu.
func (e *Emulator) findMachine(arn string) (*machine, error) {
	if !strings.HasPrefix(arn, "arn:aws:states:") {
		return nil, bad("InvalidArn", "Invalid Arn: 'Invalid ARN prefix: %s'", arn)
	}
	m := e.machines[arn]
	if m == nil {
		return nil, bad("StateMachineDoesNotExist", "State Machine Does Not Exist: '%s'", arn)
	}
	return m, nil
}

// machineInput names a state machine.
type machineInput struct {
	ARN string `json:"stateMachineArn"`
}

func (in machineInput) arn() string { return in.ARN }

func (e *Emulator) describeStateMachine(in *request, m *machine, _ machineInput) (reply, error) {
	return answer(http.StatusOK, map[string]any{
		"stateMachineArn": m.arn, "name": m.name, "status": "ACTIVE", "definition": m.definition, "roleArn": m.role, "type": "STANDARD",
		"creationDate": seconds(m.created), "revisionId": m.revision, "loggingConfiguration": map[string]any{"level": "OFF", "includeExecutionData": false},
		"tracingConfiguration": map[string]any{"enabled": false},
	})
}

// machineUpdate is what UpdateStateMachine takes.
type machineUpdate struct {
	machineInput
	Definition string `json:"definition"`
	Role       string `json:"roleArn"`
}

func (e *Emulator) updateStateMachine(in *request, m *machine, input machineUpdate) (reply, error) {
	var program *states.Machine
	if input.Definition != "" {
		var err error
		if program, err = states.Parse(input.Definition); err != nil {
			return reply{}, bad("InvalidDefinition", "Invalid State Machine Definition: '%v'", err)
		}
	}
	if program == nil && input.Role == "" {
		return reply{}, bad("MissingRequiredParameter", "Either the definition, the role ARN, the LoggingConfiguration, or the TracingConfiguration must be specified")
	}
	if program != nil {
		m.definition, m.program = input.Definition, program
	}
	if input.Role != "" {
		m.role = input.Role
	}
	m.revision = uuid()
	return answer(http.StatusOK, map[string]any{"updateDate": seconds(in.now), "revisionId": m.revision})
}

// deleteStateMachine succeeds where there is no such machine, as Step Functions
// does, and stops the executions of the machine.
func (e *Emulator) deleteStateMachine(in *request, input machineInput) (reply, error) {
	if _, err := e.findMachine(input.ARN); err != nil && err.(*apiError).Code == "InvalidArn" {
		return reply{}, err
	}
	delete(e.machines, input.ARN)
	for _, x := range e.executions {
		if x.machine.arn == input.ARN {
			x.stop(&states.Stop{})
		}
	}
	return answer(http.StatusOK, struct{}{})
}

func (e *Emulator) listStateMachines(in *request, _ none) (reply, error) {
	list := []map[string]any{}
	for _, arn := range slices.Sorted(maps.Keys(e.machines)) {
		m := e.machines[arn]
		list = append(list, map[string]any{"stateMachineArn": arn, "name": m.name, "type": "STANDARD", "creationDate": seconds(m.created)})
	}
	return answer(http.StatusOK, map[string]any{"stateMachines": list})
}

// resourceInput is what operations on tags take.
type resourceInput struct {
	ARN  string   `json:"resourceArn"`
	Tags []tag    `json:"tags"`
	Keys []string `json:"tagKeys"`
}

func (e *Emulator) tagMachine(in *request, m *machine, input resourceInput) (reply, error) {
	for _, t := range input.Tags {
		m.tags[t.Key] = t.Value
	}
	return answer(http.StatusOK, struct{}{})
}

func (e *Emulator) untagMachine(in *request, m *machine, input resourceInput) (reply, error) {
	for _, key := range input.Keys {
		delete(m.tags, key)
	}
	return answer(http.StatusOK, struct{}{})
}

func (e *Emulator) listMachineTags(in *request, m *machine, _ resourceInput) (reply, error) {
	list := []tag{}
	for _, key := range slices.Sorted(maps.Keys(m.tags)) {
		list = append(list, tag{key, m.tags[key]})
	}
	return answer(http.StatusOK, map[string]any{"tags": list})
}

// jsonText returns a text that is JSON, or an object without members.
func jsonText(text string) (string, error) {
	if text == "" {
		return "{}", nil
	}
	if !json.Valid([]byte(text)) {
		return "", bad("InvalidExecutionInput", "Invalid State Machine Execution Input: '%s'", "it is not JSON")
	}
	return text, nil
}
