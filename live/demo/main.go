// Command demo shows the whole loop of the live mode without an account: it
// starts an emulator of AWS on loopback, deploys three small functions to it
// (bound by the CPU, by memory, and by an object store), and lets the program
// that it is given profile them, fit a model, choose a configuration, and
// validate that. "make demo-live" runs it.
package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"syscall"

	"eevee/live/emulator"
)

func main() {
	if len(os.Args) != 3 {
		fmt.Fprintln(os.Stderr, "usage: demo EEVEE FOLDER")
		os.Exit(2)
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, os.Args[1], os.Args[2]); err != nil {
		fmt.Fprintln(os.Stderr, "demo:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, eevee, folder string) (err error) {
	if eevee, err = filepath.Abs(eevee); err != nil {
		return err
	}
	if folder, err = filepath.Abs(folder); err != nil {
		return err
	}
	if err := os.MkdirAll(folder, 0o777); err != nil {
		return err
	}
	// What another demo measured, maybe under another load, is not added to.
	for _, name := range []string{"trace.parquet", "trace.parquet.sha256"} {
		if err := os.Remove(filepath.Join(folder, name)); err != nil && !errors.Is(err, os.ErrNotExist) {
			return err
		}
	}
	e, err := emulator.Start(emulator.Options{Settle: settle})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, e.Close()) }()
	store, err := startStore()
	if err != nil {
		return err
	}
	defer store.close()
	if err := deploy(ctx, e, store.url); err != nil {
		return err
	}
	for name, text := range files {
		if err := os.WriteFile(filepath.Join(folder, name), []byte(text), 0o666); err != nil {
			return err
		}
	}
	fmt.Printf("an emulated account %s at %s, with the functions %v\n", account, e.URL(), functions)
	for _, line := range commands {
		if err := execute(ctx, e, eevee, folder, line); err != nil {
			return err
		}
	}
	fmt.Printf("\nthe emulated account was charged %.4g USD; what was written lies in %s\n", e.Bill().USD(), folder)
	return nil
}

// execute runs a command line of eevee in the folder, as a user would.
func execute(ctx context.Context, e *emulator.Emulator, eevee, folder string, line []string) error {
	fmt.Print("\n$ eevee")
	for _, word := range line {
		fmt.Print(" ", word)
	}
	fmt.Print("\n\n")
	c := exec.CommandContext(ctx, eevee, line...)
	c.Dir, c.Stdout, c.Stderr = folder, os.Stdout, os.Stderr
	c.Env = append(os.Environ(), append(e.Env(), "XDG_STATE_HOME="+folder, "AWS_CONFIG_FILE=none", "AWS_SHARED_CREDENTIALS_FILE=none")...)
	// An interrupt reaches it from the terminal; it then undoes what it did.
	c.Cancel = func() error { return c.Process.Signal(os.Interrupt) }
	if err := c.Run(); err != nil {
		return fmt.Errorf("eevee %s: %w", line[0], err)
	}
	return nil
}
