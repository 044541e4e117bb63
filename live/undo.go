package live

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/aws-sdk-go-v2/service/sfn"
	sfntypes "github.com/aws/aws-sdk-go-v2/service/sfn/types"
)

// Tags of everything that eevee creates. Only what bears them is deleted.
const (
	tagRun     = "eevee:run"
	tagCreator = "eevee:created-by"
	creator    = "eevee"
)

func tags(run string) map[string]string { return map[string]string{tagRun: run, tagCreator: creator} }

// versionNote is the description of versions that are published in place:
// versions have no tags.
func versionNote(run string) string { return "made by eevee, run " + run }

// changeKind says what a change does, and so how it is undone.
type changeKind string

// The kinds of changes. What is done to a copy goes with the copy.
const (
	createFunction changeKind = "create-function" // undone: deleted, if it bears our tags
	createMachine  changeKind = "create-state-machine"
	startExecution changeKind = "start-execution" // undone: stopped, if it runs
	setMemory      changeKind = "set-memory"      // of $LATEST, in place; undone: set back, if it is what we set
	publishVersion changeKind = "publish-version" // in place; undone: deleted, if it bears our note
	onCopy         changeKind = "change-copy"     // memory, version or alias of a copy; there is nothing to undo
)

// change is a change of the account, as the journal holds it.
type change struct {
	Number   int        `json:"number"`
	Kind     changeKind `json:"kind"`
	Function string     `json:"function,omitempty"` // name
	ARN      string     `json:"arn,omitempty"`      // of a state machine or an execution
	MemoryMB int        `json:"memory_mb,omitempty"`
	BeforeMB int        `json:"before_mb,omitempty"` // before the session
	Alias    string     `json:"alias,omitempty"`
	Versions []string   `json:"versions,omitempty"` // that there were before
}

// String gives the change as "create-function eevee-1a2b-resize".
func (c change) String() string {
	s := string(c.Kind) + " " + c.Function + c.ARN
	switch {
	case c.Kind == setMemory:
		s += fmt.Sprintf(" from %d to %d MB", c.BeforeMB, c.MemoryMB)
	case c.Alias != "":
		s += ":" + c.Alias
	}
	return s
}

// undoer undoes the changes of one session.
type undoer struct {
	client *Client
	run    string
	set    map[string][]int // per function the sizes that the session set, in place
}

func (c *Client) undoer(j *journal) *undoer {
	u := &undoer{client: c, run: j.begin.Run, set: make(map[string][]int)}
	for _, x := range j.changes {
		if x.Kind == setMemory {
			u.set[x.Function] = append(u.set[x.Function], x.MemoryMB)
		}
	}
	return u
}

// errForeign is why something is left as it is: it is not ours to undo.
var errForeign = errors.New("is left as it is")

// undo undoes a change and says what that took; empty: there was nothing to do.
func (u *undoer) undo(ctx context.Context, x change) (did string, err error) {
	switch x.Kind {
	case createFunction:
		return u.deleteFunction(ctx, x)
	case createMachine:
		return u.deleteMachine(ctx, x)
	case startExecution:
		return u.stopExecution(ctx, x)
	case setMemory:
		return u.resetMemory(ctx, x)
	case publishVersion:
		return u.deleteVersions(ctx, x)
	case onCopy:
		return "", nil
	}
	return "", fmt.Errorf("live: a change of kind %q is not known; a newer eevee made it", x.Kind)
}

func (u *undoer) deleteFunction(ctx context.Context, x change) (string, error) {
	c := u.client
	found, err := c.lambda.GetFunction(ctx, &lambda.GetFunctionInput{FunctionName: &x.Function})
	if hasCode(err, codeNotFound) {
		return "", nil
	}
	if err != nil {
		return "", explain("function "+x.Function+" cannot be read", err)
	}
	if found.Tags[tagRun] != u.run || found.Tags[tagCreator] != creator {
		return "", fmt.Errorf("live: function %s %w: it does not bear the tag %s=%s", x.Function, errForeign, tagRun, u.run)
	}
	err = c.settled(ctx, x.Function, func(ctx context.Context) error {
		_, err := c.lambda.DeleteFunction(ctx, &lambda.DeleteFunctionInput{FunctionName: &x.Function})
		return err
	})
	if err != nil && !hasCode(err, codeNotFound) {
		return "", explain("function "+x.Function+" cannot be deleted", err)
	}
	return "deleted function " + x.Function, nil
}

func (u *undoer) deleteMachine(ctx context.Context, x change) (string, error) {
	c := u.client
	found, err := c.states.ListTagsForResource(ctx, &sfn.ListTagsForResourceInput{ResourceArn: &x.ARN})
	if hasCode(err, "ResourceNotFound", codeNotFound, codeNoMachine) {
		return "", nil
	}
	if err != nil {
		return "", explain("state machine "+x.ARN+" cannot be read", err)
	}
	ours := slices.ContainsFunc(found.Tags, func(t sfntypes.Tag) bool {
		return aws.ToString(t.Key) == tagRun && aws.ToString(t.Value) == u.run
	})
	if !ours {
		return "", fmt.Errorf("live: state machine %s %w: it does not bear the tag %s=%s", x.ARN, errForeign, tagRun, u.run)
	}
	if _, err := c.states.DeleteStateMachine(ctx, &sfn.DeleteStateMachineInput{StateMachineArn: &x.ARN}); err != nil {
		return "", explain("state machine "+x.ARN+" cannot be deleted", err)
	}
	return "deleted state machine " + x.ARN, nil
}

func (u *undoer) stopExecution(ctx context.Context, x change) (string, error) {
	c := u.client
	found, err := c.states.DescribeExecution(ctx, &sfn.DescribeExecutionInput{ExecutionArn: &x.ARN})
	if hasCode(err, codeNoExecution, codeNoMachine) {
		return "", nil
	}
	if err != nil {
		return "", explain("execution "+x.ARN+" cannot be read", err)
	}
	if found.Status != sfntypes.ExecutionStatusRunning {
		return "", nil
	}
	_, err = c.states.StopExecution(ctx, &sfn.StopExecutionInput{ExecutionArn: &x.ARN, Cause: aws.String("stopped by eevee")})
	if err != nil && !hasCode(err, codeNoExecution) {
		return "", explain("execution "+x.ARN+" cannot be stopped", err)
	}
	return "stopped execution " + x.ARN, nil
}

// resetMemory sets the memory of $LATEST back. What somebody else has set in the
// meantime stays.
func (u *undoer) resetMemory(ctx context.Context, x change) (string, error) {
	c := u.client
	now, err := c.lambda.GetFunctionConfiguration(ctx, &lambda.GetFunctionConfigurationInput{FunctionName: &x.Function})
	if hasCode(err, codeNotFound) {
		return "", fmt.Errorf("live: function %s %w: it is gone", x.Function, errForeign)
	}
	if err != nil {
		return "", explain("function "+x.Function+" cannot be read", err)
	}
	switch at := int(aws.ToInt32(now.MemorySize)); {
	case at == x.BeforeMB:
		return "", nil
	case !slices.Contains(u.set[x.Function], at):
		return "", fmt.Errorf("live: function %s %w: it has %d MB, which eevee did not set; it had %d MB before", x.Function, errForeign, at, x.BeforeMB)
	}
	if err := c.setMemory(ctx, x.Function, x.BeforeMB); err != nil {
		return "", err
	}
	return fmt.Sprintf("set function %s back to %d MB", x.Function, x.BeforeMB), nil
}

// deleteVersions deletes the versions that a session published in place.
func (u *undoer) deleteVersions(ctx context.Context, x change) (string, error) {
	c := u.client
	versions, err := c.versions(ctx, x.Function)
	if hasCode(err, codeNotFound) {
		return "", nil
	}
	if err != nil {
		return "", explain("the versions of function "+x.Function+" cannot be listed", err)
	}
	did := ""
	for _, v := range versions {
		if slices.Contains(x.Versions, v.number) || v.note != versionNote(u.run) {
			continue
		}
		_, err := c.lambda.DeleteFunction(ctx, &lambda.DeleteFunctionInput{FunctionName: &x.Function, Qualifier: &v.number})
		if err != nil && !hasCode(err, codeNotFound) {
			return did, explain("version "+v.number+" of function "+x.Function+" cannot be deleted", err)
		}
		did = fmt.Sprintf("deleted version %s of function %s", v.number, x.Function)
	}
	return did, nil
}
