package cli

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"sync"

	"eevee/models"
)

// call is one run of a verb: what it was given, and where its results go.
type call struct {
	ctx   context.Context // ends when the program is interrupted
	path  []string        // the verbs, as in "traces import"
	args  []string        // the arguments that are no flags
	isSet func(flag string) bool

	json  bool
	quiet bool
	seed  uint64

	stdout io.Writer

	mu       sync.Mutex // guards what follows
	stderr   io.Writer
	progress *progress // the one that is shown, if any
}

// streams returns the random streams that follow from --seed.
func (c *call) streams() models.Streams { return models.Streams{Seed: c.seed} }

// result prints the result of the verb on stdout, all at once: with --json v
// as one JSON object, else what text writes.
func (c *call) result(v any, text func(w io.Writer) error) error {
	c.endProgress()
	var b bytes.Buffer
	if c.json {
		object, err := marshal(v)
		if err != nil {
			return err
		}
		b.Write(object)
	} else if err := text(&b); err != nil {
		return err
	}
	return c.print(b.String())
}

// print prints a text on stdout, where results go.
func (c *call) print(text string) error {
	if _, err := io.WriteString(c.stdout, text); err != nil {
		return fmt.Errorf("cannot print the result: %w", err)
	}
	return nil
}

// remark tells the user something by the way. With --quiet it does not.
func (c *call) remark(format string, args ...any) {
	if !c.quiet {
		c.say("", format, args...)
	}
}

// warn tells the user what must be known about a valid result.
func (c *call) warn(format string, args ...any) { c.say("warning: ", format, args...) }

func (c *call) say(prefix, format string, args ...any) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.progress != nil {
		c.progress.clear()
	}
	fmt.Fprintf(c.stderr, "eevee: "+prefix+format+"\n", args...)
}
