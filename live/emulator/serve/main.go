// Command serve runs the emulator by hand, with the three functions of package
// functions, an object store and a state machine that leads through them, until
// it is interrupted:
//
//	go run ./live/emulator/serve > environment
//
// Its standard output is what a shell needs to point the AWS CLI, the SDK and
// eevee live at it: load it with ". ./environment".
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"strings"
	"syscall"
	"time"

	"eevee/live/emulator"
	"eevee/live/emulator/functions"
	"eevee/live/emulator/store"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, os.Args[1:], os.Stdout, os.Stderr); err != nil {
		if !errors.Is(err, flag.ErrHelp) {
			fmt.Fprintln(os.Stderr, err)
		}
		os.Exit(1)
	}
}

// definition leads through the functions, each with as many instances as its
// list in the input has events.
const definition = `{
  "Comment": "hash, then exchange, then walk; the input has a list of events for each",
  "StartAt": "hash",
  "States": {
    "hash": {"Type": "Map", "ItemsPath": "$.hash", "ResultPath": null, "Next": "exchange",
      "ItemProcessor": {"StartAt": "Hash", "States": {"Hash": {"Type": "Task", "Resource": "arn:aws:states:::lambda:invoke",
        "Parameters": {"FunctionName": "hash", "Payload.$": "$"}, "End": true}}}},
    "exchange": {"Type": "Map", "ItemsPath": "$.exchange", "ResultPath": null, "Next": "walk",
      "ItemProcessor": {"StartAt": "Exchange", "States": {"Exchange": {"Type": "Task", "Resource": "arn:aws:states:::lambda:invoke",
        "Parameters": {"FunctionName": "exchange", "Payload.$": "$"}, "End": true}}}},
    "walk": {"Type": "Map", "ItemsPath": "$.walk", "End": true,
      "ItemProcessor": {"StartAt": "Walk", "States": {"Walk": {"Type": "Task", "Resource": "arn:aws:states:::lambda:invoke",
        "Parameters": {"FunctionName": "walk", "Payload.$": "$"}, "End": true}}}}
  }
}`

// run serves until ctx ends.
func run(ctx context.Context, args []string, stdout, stderr io.Writer) (err error) {
	flags := flag.NewFlagSet("serve", flag.ContinueOnError)
	flags.SetOutput(stderr)
	address := flags.String("address", "127.0.0.1:0", "where to listen; port 0 is any that is free")
	settle := flags.Duration("settle", time.Second, "how long changes of functions take")
	memory := flags.Int("memory", 512, "MB of the functions")
	if err := flags.Parse(args); err != nil {
		return err
	}
	if flags.NArg() > 0 {
		return fmt.Errorf("serve: unexpected argument %q", flags.Arg(0))
	}
	objects, err := store.Start()
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, objects.Close()) }()
	e, err := emulator.Start(emulator.Options{Address: *address, Settle: *settle})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, e.Close()) }()
	for _, name := range functions.Names {
		fmt.Fprintf(stderr, "building %s\n", name)
		code, err := functions.Package(ctx, name)
		if err != nil {
			return err
		}
		if err := e.Deploy(emulator.Deployment{Name: name, Zip: code, MemoryMB: *memory, TimeoutS: 60, Variables: map[string]string{"STORE_URL": objects.URL()}}); err != nil {
			return fmt.Errorf("serve: %w", err)
		}
	}
	machine, err := e.DeployMachine("demo", definition)
	if err != nil {
		return fmt.Errorf("serve: %w", err)
	}
	for _, pair := range e.Env() {
		name, value, _ := strings.Cut(pair, "=")
		fmt.Fprintf(stdout, "export %s='%s'\n", name, value)
	}
	fmt.Fprintf(stderr, "functions %s of account %s, state machine %s\nlistening on %s; interrupt to end\n",
		strings.Join(functions.Names, ", "), e.Account(), machine, e.URL())
	<-ctx.Done()
	bill := e.Bill()
	fmt.Fprintf(stderr, "%d calls, %d invocations, %d transitions; AWS would have charged %.6f USD\n", len(e.Calls()), len(bill.Invocations), bill.Transitions, bill.USD())
	return nil
}
