// Package browser opens pages in a headless Chromium, for tests of what people
// see.
package browser

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/accessibility"
	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"
)

// patience is how long a page may take, on a busy machine.
const patience = 2 * time.Minute

// Tab is an open page.
type Tab struct {
	t   testing.TB
	ctx context.Context

	mu       sync.Mutex
	problems []string
}

// Open starts a browser and opens a file in it. Without a browser the test is
// skipped, or fails if EEVEE_REQUIRE_BROWSER is 1.
func Open(t testing.TB, path string) *Tab {
	t.Helper()
	program := ""
	for _, name := range []string{"chromium", "chromium-browser", "google-chrome"} {
		if found, err := exec.LookPath(name); err == nil {
			program = found
			break
		}
	}
	if program == "" {
		if os.Getenv("EEVEE_REQUIRE_BROWSER") == "1" {
			t.Fatal("there is no browser; install Debian's package chromium")
		}
		t.Skip("there is no browser; install Debian's package chromium")
	}
	options := append(chromedp.DefaultExecAllocatorOptions[:],
		chromedp.ExecPath(program), chromedp.NoSandbox, chromedp.DisableGPU, chromedp.UserDataDir(t.TempDir()),
		chromedp.Flag("disable-quic", true), chromedp.Flag("disable-component-update", true),
		chromedp.WSURLReadTimeout(patience), chromedp.Env("HOME="+t.TempDir()))
	// The program itself has no deadline, which would end it with the first.
	ctx, stop := chromedp.NewExecAllocator(context.Background(), options...)
	t.Cleanup(stop)
	ctx, stop = chromedp.NewContext(ctx)
	t.Cleanup(stop)
	tab := &Tab{t: t, ctx: ctx}
	if err := chromedp.Listen(ctx, tab.hear); err != nil {
		t.Fatal(err)
	}
	absolute, err := filepath.Abs(path)
	if err != nil {
		t.Fatal(err)
	}
	Call(tab, log.Enable, cdp.Empty{})
	Run(tab, chromedp.Navigate("file://"+absolute))
	return tab
}

// hear notes what goes wrong in the page.
func (p *Tab) hear(event any) {
	what := ""
	switch e := event.(type) {
	case *runtime.EventExceptionThrown:
		what = e.ExceptionDetails.Text
		if x := e.ExceptionDetails.Exception; x != nil {
			what += " " + x.Description
		}
	case *runtime.EventConsoleAPICalled:
		if e.Type == "error" || e.Type == "warning" {
			what = "the console was told"
			for _, a := range e.Args {
				what += " " + string(a.Value)
			}
		}
	case *log.EventEntryAdded:
		if e.Entry.Level == "error" || e.Entry.Level == "warning" {
			what = fmt.Sprintf("%s %s", e.Entry.Text, e.Entry.URL)
		}
	}
	if what != "" {
		p.mu.Lock()
		defer p.mu.Unlock()
		p.problems = append(p.problems, what)
	}
}

// Problems are the errors and warnings of the page so far.
func (p *Tab) Problems() []string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.problems
}

// Run runs an action in the page, or ends the test.
func Run[T any](p *Tab, action chromedp.Action[T]) T {
	p.t.Helper()
	ctx, stop := context.WithTimeout(p.ctx, patience)
	defer stop()
	v, err := chromedp.Run(ctx, action)
	if err != nil {
		p.t.Fatal(err)
	}
	return v
}

// Call gives the page a command of the protocol, or ends the test.
func Call[P, R any](p *Tab, command cdp.Command[P, R], params P) R {
	p.t.Helper()
	ctx, stop := context.WithTimeout(p.ctx, patience)
	defer stop()
	v, err := chromedp.Call(ctx, command, params)
	if err != nil {
		p.t.Fatal(err)
	}
	return v
}

// Value evaluates an expression in the page.
func Value[T any](p *Tab, expression string) T {
	p.t.Helper()
	return Run(p, chromedp.Evaluate[T](expression))
}

// Look sets the size of the window in CSS pixels, and whether it is dark.
func (p *Tab) Look(width, height int64, dark bool) {
	p.t.Helper()
	scheme := "light"
	if dark {
		scheme = "dark"
	}
	Run(p, chromedp.EmulateViewport(width, height))
	Call(p, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{
		Features: []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: scheme}},
	})
}

// Press presses a key, as kb.Tab.
func (p *Tab) Press(key string) {
	p.t.Helper()
	Run(p, chromedp.KeyEvent(key))
}

// Named is what assistive technology is told of an element.
type Named struct{ Role, Name string }

// Accessible returns the elements that assistive technology knows of.
func (p *Tab) Accessible() []Named {
	p.t.Helper()
	var all []Named
	for _, n := range Call(p, accessibility.GetFullAXTree, accessibility.GetFullAXTreeParams{}).Nodes {
		if !n.Ignored {
			all = append(all, Named{text(n.Role), text(n.Name)})
		}
	}
	return all
}

// text returns the value of a property without its quotation marks.
func text(v *accessibility.Value) string {
	if v == nil || len(v.Value) < 2 {
		return ""
	}
	s := string(v.Value)
	if s[0] == '"' {
		return s[1 : len(s)-1]
	}
	return s
}
