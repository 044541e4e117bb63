package report

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"

	"golang.org/x/sync/errgroup"

	"eevee/experiments"
	"eevee/experiments/papers"
	"eevee/figures"
)

// The files beside the pictures.
const (
	claimsFile  = "claims.json"
	timingsFile = "timings.json"
	reportFile  = "report.md"
)

// Save draws findings into dir, which it makes if need be: every picture
// and table in all its formats, the claims as claims.json, what was measured in
// time as timings.json, and report.html and report.md, which show all of it. It
// returns the path of the former. The same findings give the same bytes but for
// timings.json and the files with "timings" in their names. A cancellation leaves
// the files that are complete, and no other; what a program that was killed has
// left in dir is removed.
//
// progress is told how many of all pictures are done, by one goroutine at a time;
// it may be nil.
func Save(ctx context.Context, dir string, f papers.Findings, progress func(done, total int)) (string, error) {
	drawings := make([][]figures.Picture, len(f.Findings))
	for i, one := range f.Findings {
		drawings[i] = pictures(one)
	}
	shown, written, err := draw(ctx, dir, drawings, f.Quick, progress)
	if err != nil {
		return "", err
	}
	claims, err := indented(withoutTimes(f.Claims()))
	if err != nil {
		return "", err
	}
	timings, err := indented(timingsOf(f))
	if err != nil {
		return "", err
	}
	report, err := reportOf(f, drawings)
	if err != nil {
		return "", err
	}
	page, err := pageOf(f, shown)
	if err != nil {
		return "", err
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return "", fmt.Errorf("report: %w", err)
	}
	for _, file := range []struct {
		name     string
		contents []byte
	}{{timingsFile, timings}, {claimsFile, claims}, {reportFile, report}, {pageFile, page}} {
		path := filepath.Join(dir, file.name)
		if err := figures.WriteFile(path, file.contents); err != nil {
			return "", fmt.Errorf("report: %w", err)
		}
		written = append(written, path)
	}
	if err := figures.RemoveLeft(written); err != nil {
		return "", fmt.Errorf("report: %w", err)
	}
	return filepath.Join(dir, pageFile), nil
}

// draw saves all pictures, as many at a time as there are cores, and returns them
// as the page shows them and the files that were written.
func draw(ctx context.Context, dir string, drawings [][]figures.Picture, quick bool, progress func(done, total int)) (shown [][]pagePicture, written []string, err error) {
	resolution := figures.Print
	if quick {
		resolution = figures.Screen
	}
	total := 0
	shown = make([][]pagePicture, len(drawings))
	for i := range drawings {
		shown[i] = make([]pagePicture, len(drawings[i]))
		total += len(drawings[i])
	}
	var mu sync.Mutex
	done := 0
	group, inner := errgroup.WithContext(ctx)
	group.SetLimit(runtime.GOMAXPROCS(0))
	for i := range drawings {
		for k, p := range drawings[i] {
			group.Go(func() error {
				if err := inner.Err(); err != nil {
					return err
				}
				files, err := p.Save(dir, resolution)
				if err != nil {
					return err
				}
				if shown[i][k], err = pagePictureOf(p); err != nil {
					return fmt.Errorf("%s: %w", p.Name, err)
				}
				mu.Lock()
				defer mu.Unlock()
				written = append(written, files...)
				if done++; progress != nil {
					progress(done, total)
				}
				return nil
			})
		}
	}
	return shown, written, group.Wait()
}

// indented returns v as JSON for files.
func indented(v any) ([]byte, error) {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	err := e.Encode(v)
	return b.Bytes(), err
}

// withoutTimes leaves the values out that were measured in time, so that files
// do not differ from run to run.
func withoutTimes(list papers.ClaimList) papers.ClaimList {
	list.Claims = slices.Clone(list.Claims)
	for i, c := range list.Claims {
		if !c.Timed {
			continue
		}
		values := slices.Clone(c.Reproduced)
		for k := range values {
			values[k].Value = nil
		}
		list.Claims[i].Reproduced = values
		list.Claims[i].Why += "; they are in " + timingsFile
	}
	return list
}

// timings is what timings.json holds; see experiments/schemas.
type timings struct {
	Schema      string           `json:"schema"`
	Experiments []experimentTime `json:"experiments"`
	Claims      []papers.Claim   `json:"claims"` // those whose values were measured in time
	Times       []measuredTime   `json:"times"`
}

type experimentTime struct {
	ID      string         `json:"id"`
	Seconds float64        `json:"seconds"` // as Finding.Elapsed
	Machine papers.Machine `json:"machine"`
}

type measuredTime struct {
	Experiment string  `json:"experiment"`
	Workflow   string  `json:"workflow"`
	Bound      string  `json:"bound,omitempty"`
	Method     string  `json:"method,omitempty"`
	Samples    int     `json:"samples,omitempty"`
	Reported   float64 `json:"reported_s,omitempty"` // absent: nothing was
	papers.TimeTaken
}

func timingsOf(f papers.Findings) timings {
	t := timings{Schema: "eevee.timings/3", Claims: []papers.Claim{}, Times: []measuredTime{}}
	for _, one := range f.Findings {
		id := one.Statement.ID
		t.Experiments = append(t.Experiments, experimentTime{id, one.Elapsed.Seconds(), one.Machine})
		for _, c := range one.Claims {
			if c.Timed {
				t.Claims = append(t.Claims, c)
			}
		}
		switch rows := one.Rows.(type) {
		case papers.SolveTimes:
			for _, p := range rows.Panels {
				for _, m := range p.Methods {
					for i, s := range m.Times {
						one := measuredTime{Experiment: id, Workflow: p.Workflow, Bound: p.Bound, Method: m.Method, Samples: s.Samples, TimeTaken: s.TimeTaken}
						if i < len(p.Reported) {
							one.Reported = p.Reported[i]
						}
						t.Times = append(t.Times, one)
					}
				}
			}
		case papers.FitTimes:
			for _, r := range rows.Rows {
				t.Times = append(t.Times, measuredTime{Experiment: id, Workflow: r.Workflow, Reported: r.Reported, TimeTaken: r.TimeTaken})
			}
		}
	}
	return t
}

// reportOf writes the report: the data, the verdicts, and every experiment with
// its pictures and tables.
func reportOf(f papers.Findings, drawings [][]figures.Picture) ([]byte, error) {
	var b bytes.Buffer
	line := func(format string, args ...any) { fmt.Fprintf(&b, format+"\n", args...) }
	line("# Reproduction\n")
	line("Seed %d%s. Every number below comes from `%s`, the CSV files or `%s`, which says when and where times were measured.\n", f.Seed, quickNote(f.Quick), claimsFile, timingsFile)
	if err := writeTraces(&b, f); err != nil {
		return nil, err
	}
	line("## Claims\n")
	counts := map[papers.Verdict]int{}
	table := figures.Table{Columns: []figures.Column{{Name: "claim"}, {Name: "title"}, {Name: "tolerance"}, {Name: "verdict"}}}
	for _, c := range f.Claims().Claims {
		counts[c.Verdict]++
		table.Rows = append(table.Rows, []any{c.ID, c.Title, c.Tolerance, string(c.Verdict)})
	}
	var sums []string
	for _, v := range papers.Verdicts() {
		sums = append(sums, fmt.Sprintf("%d %s", counts[v], v))
	}
	line("%s.\n", strings.Join(sums, ", "))
	if err := table.WriteMarkdown(&b); err != nil {
		return nil, err
	}
	for i, one := range f.Findings {
		if err := writeFinding(&b, one, drawings[i]); err != nil {
			return nil, err
		}
	}
	return b.Bytes(), nil
}

func quickNote(quick bool) string {
	if quick {
		return "; a quick run: every second bound, 500 executions instead of 2,000, 20,000 unseen scenarios instead of 100,000, timings with at most 1,000 samples"
	}
	return ""
}

// writeTraces says what stands behind the results.
func writeTraces(b *bytes.Buffer, f papers.Findings) error {
	fmt.Fprintf(b, "## Data\n\n")
	t := figures.Table{Columns: []figures.Column{{Name: "workflow"}, {Name: "trace"}, {Name: "sha256"}}}
	generated := false
	for _, u := range f.Traces {
		t.Rows = append(t.Rows, []any{u.Workflow, string(u.Source), u.SHA256})
		generated = generated || u.Source == experiments.OriginBundled
	}
	if err := t.WriteMarkdown(b); err != nil {
		return err
	}
	if generated {
		fmt.Fprint(b, "\n**Bundled traces are generated from workload cards. They are no recordings: what is found on them can neither confirm nor refute a measurement, "+
			"and no claim about one is called reproduced.** `eevee traces fetch jolteon` fetches the recordings.\n")
	}
	fmt.Fprintln(b)
	return nil
}

func writeFinding(b *bytes.Buffer, f papers.Finding, drawings []figures.Picture) error {
	s := f.Statement
	fmt.Fprintf(b, "\n## %s: %s\n\n", s.ID, s.Title)
	fmt.Fprintf(b, "- Claim (%s): %s\n", s.Paper, s.Claim)
	if s.RefutedBy != "" {
		fmt.Fprintf(b, "- Refuted by: %s\n", s.RefutedBy)
	}
	fmt.Fprintf(b, "- Data: %s\n", s.Data)
	for _, c := range withoutTimes(papers.ClaimList{Claims: f.Claims}).Claims {
		fmt.Fprintf(b, "- **%s: %s.** %s\n", c.ID, c.Verdict, c.Why)
	}
	for _, n := range f.Notes {
		fmt.Fprintf(b, "- Note: %s\n", n)
	}
	fmt.Fprintln(b)
	for _, p := range drawings {
		if err := writePicture(b, p); err != nil {
			return err
		}
	}
	return nil
}

// writePicture shows a picture in a report beside its files. What was measured in
// time is not repeated there.
func writePicture(b *bytes.Buffer, p figures.Picture) error {
	switch d := p.Drawing.(type) {
	case figures.Table:
		fmt.Fprintf(b, "%s ([CSV](%s.csv), [text](%s.txt))\n\n", capital(p.Caption), p.Name, p.Name)
		if strings.HasSuffix(p.Name, timingsSuffix) {
			return nil
		}
		if err := d.WriteMarkdown(b); err != nil {
			return err
		}
		fmt.Fprintln(b)
	case figures.Listing:
		fmt.Fprintf(b, "[%s.csv](%s.csv): %s\n\n", p.Name, p.Name, p.Caption)
	default:
		fmt.Fprintf(b, "![%s](%s.png)\n\n%s ([SVG](%s.svg), [PDF](%s.pdf), [CSV](%s.csv))\n\n", p.Caption, p.Name, capital(p.Caption), p.Name, p.Name, p.Name)
	}
	return nil
}

// timingsSuffix ends the names of files with what was measured in time.
const timingsSuffix = "-timings"

func capital(s string) string { return strings.ToUpper(s[:1]) + s[1:] }
