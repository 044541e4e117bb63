// Package states runs state machines of the Amazon States Language as AWS Step
// Functions does, and writes the history of their events.
//
//   - machine.go: Parse, a Machine. Structure, retries and catchers are those of
//     models/asl; what a state does with its data is read here.
//   - run.go: Machine.Run, states one after another; branch.go: Parallel and Map
//     side by side; task.go: invocations of functions, as Resource names them.
//   - data.go: InputPath, Parameters, ResultSelector, ResultPath and OutputPath;
//     path.go: reference paths; intrinsic.go: functions such as States.Format;
//     choice.go: the rules of a Choice.
//   - history.go: History, events in the form of GetExecutionHistory.
//
// It runs standard workflows in JSONPath. Parse refuses what it does not run:
// JSONata, distributed maps, callbacks, services other than Lambda.
//
// Source: https://states-language.net/spec.html and the Step Functions developer
// guide. Members of objects are written in alphabetical order.
package states
