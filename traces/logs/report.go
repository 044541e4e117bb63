package logs

import (
	"cmp"
	"fmt"
	"io"
	"slices"
	"strings"
	"text/tabwriter"
)

// ReportSchema names the version of Report.
const ReportSchema = "eevee.import/1"

// Report says what was found in the inputs of an import, and what of it
// became rows: nothing is dropped without being counted here.
type Report struct {
	Schema   string       `json:"schema"`
	Workflow string       `json:"workflow"`
	Files    []FileReport `json:"files"`

	Rows        int64   `json:"rows"`
	RequestIDs  int64   `json:"request_ids"`   // distinct ones
	Repeated    int64   `json:"repeated_rows"` // whose request id an earlier row has; they are kept
	NoRequestID int64   `json:"rows_without_request_id"`
	NoMemory    int64   `json:"rows_without_memory"` // models cannot use them
	Cold        int64   `json:"cold_rows"`
	Warm        int64   `json:"warm_rows"`
	ColdUnknown int64   `json:"rows_of_unknown_coldness"`
	WithInit    int64   `json:"rows_with_init"`
	WithRestore int64   `json:"rows_with_restore"`
	Rules       []Count `json:"billed_rules"` // "unknown" where duration or bill is not known
	Statuses    []Count `json:"statuses"`     // "" where it is not known
	Stages      []Count `json:"stages"`
	Seen        []Count `json:"seen"` // lines or events by what they are

	Unknown  int64    `json:"unknown"`  // lines and events that give no row because they were not understood
	Doubts   int64    `json:"doubts"`   // what makes rows doubtful or leaves values out: clocks that differ, segments that are missing
	Samples  []Sample `json:"samples"`  // the first of both
	Warnings []string `json:"warnings"` // what the reader must know of the rows
}

// FileReport says what was found in one input.
type FileReport struct {
	Path       string `json:"path"`
	Format     string `json:"format"`     // empty if the file was skipped
	Compressed bool   `json:"compressed"` // with gzip
	SHA256     string `json:"sha256"`     // of the file as it is
	Bytes      int64  `json:"bytes"`      // of the file as it is
	Rows       int64  `json:"rows"`
	Unknown    int64  `json:"unknown"`
	Skipped    string `json:"skipped,omitempty"` // why, for a file of a folder
}

// Count is how many of something there are.
type Count struct {
	Name  string `json:"name"`
	Count int64  `json:"count"`
}

// Sample is a line or an event that was not understood or that is doubtful.
type Sample struct {
	Path    string `json:"path"`
	Line    int64  `json:"line"` // from 1; of JSON the number of the event
	Problem string `json:"problem"`
	Text    string `json:"text"` // its beginning
}

// How much of what was not understood is shown.
const (
	maxSamples     = 20
	maxFileSamples = 5 // so that one file does not hide the others
	maxSampleText  = 200
)

// tally counts by name. Names mostly come in runs: that of the last one is
// remembered, which spares most of the look-ups of a large log.
type tally struct {
	names map[string]*int64
	last  string
	count *int64 // of the last name; nil: none yet
}

// maxNames bounds how many names are counted one by one.
const maxNames = 10_000

// otherNames are those beyond.
const otherNames = "others"

func (t *tally) add(name string, n int64) {
	if t.count == nil || name != t.last {
		t.find(name)
	}
	*t.count += n
}

func (t *tally) find(name string) {
	if t.names == nil {
		t.names = make(map[string]*int64)
	}
	if t.names[name] == nil {
		if len(t.names) >= maxNames {
			name = otherNames
		}
		name = strings.Clone(name) // of a line, which need not be kept
		if t.names[name] == nil {
			t.names[name] = new(int64)
		}
	}
	t.last, t.count = strings.Clone(name), t.names[name]
}

// counts returns the counts, the largest first.
func (t *tally) counts() []Count {
	counts := make([]Count, 0, len(t.names))
	for name, n := range t.names {
		counts = append(counts, Count{name, *n})
	}
	slices.SortFunc(counts, func(a, b Count) int {
		return cmp.Or(cmp.Compare(b.Count, a.Count), cmp.Compare(a.Name, b.Name))
	})
	return counts
}

// WriteText writes the report for a reader.
func (r *Report) WriteText(w io.Writer) error {
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	line := func(name, format string, args ...any) {
		fmt.Fprintf(t, "%s\t%s\n", name, fmt.Sprintf(format, args...))
	}
	line("rows", "%d", r.Rows)
	// Of a profile, whose rows are no single invocations, none of this is known.
	if r.RequestIDs > 0 {
		line("request ids", "%d distinct, %d repeated rows, %d rows without", r.RequestIDs, r.Repeated, r.NoRequestID)
	}
	if r.ColdUnknown < r.Rows {
		line("cold", "%d cold, %d warm, %d unknown; %d with init, %d with restore", r.Cold, r.Warm, r.ColdUnknown, r.WithInit, r.WithRestore)
	}
	if !only(r.Rules, "unknown") {
		line("billed by", "%s", listed(r.Rules))
	}
	if !only(r.Statuses, "") {
		line("status", "%s", listed(r.Statuses))
	}
	line("stages", "%s", listed(r.Stages))
	line("seen", "%s", listed(r.Seen))
	line("not understood", "%d, and %d doubts", r.Unknown, r.Doubts)
	for _, s := range r.Samples {
		line("", "%s:%d: %s: %q", s.Path, s.Line, s.Problem, s.Text)
	}
	var formats tally
	skipped := 0
	for _, f := range r.Files {
		if f.Skipped != "" {
			skipped++
			continue
		}
		formats.add(f.Format, 1)
	}
	line("files", "%s", listed(formats.counts()))
	if skipped > 0 {
		line("skipped files", "%d", skipped)
		shown := 0
		for _, f := range r.Files {
			if f.Skipped == "" {
				continue
			}
			if shown++; shown > maxListed {
				line("", "and %d more", skipped-maxListed)
				break
			}
			line("", "%s: %s", f.Path, f.Skipped)
		}
	}
	return t.Flush()
}

// only reports whether nothing else than a name was counted.
func only(counts []Count, name string) bool {
	return len(counts) == 1 && counts[0].Name == name
}

// Brief says in a line what was seen.
func (r *Report) Brief() string {
	text := listed(r.Seen)
	skipped := 0
	for _, f := range r.Files {
		if f.Skipped != "" {
			skipped++
		}
	}
	if skipped == len(r.Files) {
		return fmt.Sprintf("of %d files none is of a known format", skipped)
	}
	if r.Unknown > 0 {
		text += fmt.Sprintf("; not understood: %d", r.Unknown)
	}
	if len(r.Samples) > 0 {
		s := r.Samples[0]
		text += fmt.Sprintf(", such as %s:%d: %s: %q", s.Path, s.Line, s.Problem, s.Text)
	}
	return text
}

// maxListed is how many counts a line of text shows; JSON has them all.
const maxListed = 12

func listed(counts []Count) string {
	if len(counts) == 0 {
		return "none"
	}
	var parts []string
	for i, c := range counts {
		if i == maxListed {
			parts = append(parts, fmt.Sprintf("and %d more", len(counts)-i))
			break
		}
		name := c.Name
		if name == "" {
			name = "unknown"
		}
		parts = append(parts, fmt.Sprintf("%s %d", name, c.Count))
	}
	return strings.Join(parts, ", ")
}

// warnings returns what the counts mean for the reader of the rows.
func (r *Report) warnings() []string {
	warnings := []string{}
	warn := func(format string, args ...any) { warnings = append(warnings, fmt.Sprintf(format, args...)) }
	if r.Rows == 0 {
		warn("no invocation was found")
	}
	if r.NoMemory > 0 {
		warn("%d rows have no memory size, which their log does not hold; models need one: name it with --memory", r.NoMemory)
	}
	if r.Repeated > 0 {
		warn("%d rows repeat a request id; they are kept, a retry and a line that was exported twice look the same", r.Repeated)
	}
	for _, rule := range r.Rules {
		if rule.Name == BilledOtherwise {
			warn("%d rows were billed by no known rule", rule.Count)
		}
	}
	if r.Rows > 0 && r.Warm == 0 && r.Cold > 0 {
		warn("all rows of known coldness are cold: warm starts are missing")
	}
	if r.Rows > 0 && r.Cold == 0 && r.Warm > 0 {
		warn("no row is cold: cold starts are missing")
	}
	if r.Unknown > 0 {
		warn("not understood and left out: %d; the report shows the first", r.Unknown)
	}
	if r.Doubts > 0 {
		warn("doubtful: %d; the report shows the first", r.Doubts)
	}
	return warnings
}
