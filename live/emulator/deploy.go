package emulator

import (
	"context"
	"encoding/json"
	"net/url"
)

// Deployment is a function to be deployed from inside the process, without a
// client.
type Deployment struct {
	Name      string
	Zip       []byte // with an executable called bootstrap
	MemoryMB  int
	TimeoutS  int
	Variables map[string]string
}

// Role is the role of what Deploy and DeployMachine make.
const Role = "arn:aws:iam::123456789012:role/emulator"

// Deploy makes a function as CreateFunction does.
func (e *Emulator) Deploy(d Deployment) error {
	_, err := e.call((*Emulator).createFunction, map[string]any{
		"FunctionName": d.Name, "Runtime": runtimes[0], "Role": Role, "Handler": "bootstrap", "MemorySize": d.MemoryMB, "Timeout": d.TimeoutS,
		"Code": map[string]any{"ZipFile": d.Zip}, "Environment": map[string]any{"Variables": d.Variables},
	})
	return err
}

// DeployMachine makes a state machine as CreateStateMachine does, and returns
// its ARN.
func (e *Emulator) DeployMachine(name, definition string) (string, error) {
	out, err := e.call((*Emulator).createStateMachine, map[string]any{"name": name, "definition": definition, "roleArn": Role})
	if err != nil {
		return "", err
	}
	var made machineInput
	if err := json.Unmarshal(out.body, &made); err != nil {
		panic(err) // the answer is ours
	}
	return made.ARN, nil
}

// call asks for an operation. It is on no journal, and meets no fault.
func (e *Emulator) call(act func(*Emulator, *request) (reply, error), input any) (reply, error) {
	body, err := json.Marshal(input)
	if err != nil {
		panic(err) // all inputs are ours
	}
	return act(e, &request{Context: context.Background(), id: uuid(), query: url.Values{}, body: body, now: e.now()})
}
