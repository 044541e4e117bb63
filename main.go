// Command eevee chooses memory size and parallelism for every stage of a
// serverless workflow under a chance constraint, and reproduces what has been
// published about doing so. Run "eevee help" for its verbs.
package main

import (
	"context"
	"os"
	"os/signal"
	"syscall"

	"eevee/internal/cli"
)

func main() {
	signals, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	ctx, cancel := context.WithCancel(context.Background())
	// The first signal asks the work to end; a second one ends the program, from
	// before anybody knows of the first.
	context.AfterFunc(signals, func() {
		stop()
		cancel()
	})
	os.Exit(cli.Run(ctx, os.Args[1:], os.Stdout, os.Stderr))
}
