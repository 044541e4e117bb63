package sim

import (
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"maps"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"eevee/models"
	"eevee/traces"
)

// Replayed arrivals are instants that were recorded.
type Replayed struct {
	Path string
	At   []int64 // ns since the start, in order
}

// maxArrivals bounds the arrivals of a file: 8 bytes each.
const maxArrivals = 100_000_000

// ReadReplayed reads instants from a CSV file. They are in its first column, in
// seconds since the start or, as RFC 3339, absolute; these count from the
// first one. A first row that is no instant is a heading. Instants out of order
// are an error. A trace (Parquet) has the starts of its executions instead, in
// their order.
func ReadReplayed(path string) (*Replayed, error) {
	r := &Replayed{Path: path}
	if strings.EqualFold(filepath.Ext(path), ".parquet") {
		return r, r.readStarts()
	}
	var origin time.Time
	err := readCSV(path, func(row int, fields []string) error {
		if len(r.At) == maxArrivals {
			return fmt.Errorf("more than %d arrivals", maxArrivals)
		}
		text := strings.TrimSpace(fields[0])
		var at int64
		seconds, err := strconv.ParseFloat(text, 64)
		if err == nil {
			if !(seconds >= 0 && seconds < maxInstant/1e9) {
				return fmt.Errorf("instant %s s is not of at least 0", text)
			}
			at = nanoseconds(seconds)
		} else {
			instant, err := time.Parse(time.RFC3339, text)
			switch {
			case err != nil && row == 1:
				return nil // heading
			case err != nil:
				return fmt.Errorf("%q is neither seconds nor an RFC 3339 instant", text)
			case len(r.At) == 0:
				origin = instant
			case origin.IsZero():
				return fmt.Errorf("instant %s among times in seconds", text)
			}
			at = instant.Sub(origin).Nanoseconds()
		}
		if n := len(r.At); n > 0 && at < r.At[n-1] {
			return fmt.Errorf("instant %s is before that of the row above; sort the file by time", text)
		}
		r.At = append(r.At, at)
		return nil
	})
	if err == nil && len(r.At) == 0 {
		err = fmt.Errorf("%s: holds no arrival", path)
	}
	return r, err
}

// readStarts reads when the executions of a trace started.
func (r *Replayed) readStarts() error {
	rows, _, err := traces.Read(r.Path)
	if err != nil {
		return err
	}
	starts := map[string]int64{}
	for k := range rows {
		row := &rows[k]
		if row.StartNS == nil {
			return fmt.Errorf("%s: row %d, column start_ns: is missing; arrivals need the start of every execution", r.Path, k)
		}
		if at, known := starts[row.Execution]; !known || *row.StartNS < at {
			starts[row.Execution] = *row.StartNS
		}
	}
	r.At = slices.Sorted(maps.Values(starts))
	if len(r.At) == 0 || r.At[0] < 0 || r.At[len(r.At)-1] > maxInstant {
		return fmt.Errorf("%s: holds no arrival, or one that is not within %.0f s of the start", r.Path, maxInstant/1e9)
	}
	return nil
}

// readCSV hands the rows of a CSV file, from 1, to each and puts file and row
// in front of its errors.
func readCSV(path string, each func(row int, fields []string) error) error {
	if path == "" {
		return errors.New("the file is missing; write file:arrivals.csv or minutes:counts.csv")
	}
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	defer f.Close()
	in := csv.NewReader(f)
	in.FieldsPerRecord = -1
	in.ReuseRecord = true
	in.Comment = '#'
	for {
		fields, err := in.Read()
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return fmt.Errorf("%s: %w", path, err)
		}
		row, _ := in.FieldPos(0)
		if err := each(row, fields); err != nil {
			return fmt.Errorf("%s: row %d: %w", path, row, err)
		}
	}
}

// Open returns the arrivals.
func (r *Replayed) Open(models.Streams) Arrivals { return &replayedArrivals{at: r.At} }

// MeanRate returns the arrivals per second between the first and the last.
func (r *Replayed) MeanRate() float64 {
	span := r.At[len(r.At)-1] - r.At[0]
	if span == 0 {
		return 0
	}
	return float64(len(r.At)-1) / seconds(span)
}

// String returns the text of the process.
func (r *Replayed) String() string { return "file:" + r.Path }

func (r *Replayed) check() error { return nil }

type replayedArrivals struct {
	at   []int64
	next int
}

func (a *replayedArrivals) Next() (int64, bool) {
	if a.next == len(a.at) {
		return 0, false
	}
	a.next++
	return a.at[a.next-1], true
}

// PerMinute arrivals are known as counts per minute. Within a minute they are
// independent and uniform: Poisson arrivals of which the count is known.
type PerMinute struct {
	Path   string
	Row    string // the row taken; empty: all rows together
	Counts []int  // per minute
}

// ReadPerMinute reads counts from a CSV file in the form of the Azure Functions
// traces (Shahrad et al., USENIX ATC 2020): a heading whose columns 1, 2, 3 ...
// are minutes, and a row per function. Row selects the rows of which one of
// the other columns has that value; empty selects all of them. The counts of
// several rows are added.
func ReadPerMinute(path, row string) (*PerMinute, error) {
	m := &PerMinute{Path: path, Row: row}
	var columns []int // of the minutes, in order
	var others []int  // that tell rows apart
	found, total := 0, 0
	err := readCSV(path, func(line int, fields []string) error {
		if columns == nil {
			for k, name := range fields {
				if minute, err := strconv.Atoi(strings.TrimSpace(name)); err != nil {
					others = append(others, k)
				} else if minute != len(columns)+1 {
					return fmt.Errorf("column %d is headed %s where minute %d is due", k+1, name, len(columns)+1)
				} else {
					columns = append(columns, k)
				}
			}
			if len(columns) == 0 {
				return errors.New("the heading has no minutes; number the columns of counts from 1")
			}
			m.Counts = make([]int, len(columns))
			return nil
		}
		if row != "" && !slices.ContainsFunc(others, func(k int) bool { return k < len(fields) && fields[k] == row }) {
			return nil
		}
		found++
		for minute, k := range columns {
			if k >= len(fields) {
				return fmt.Errorf("has no column for minute %d", minute+1)
			}
			n, err := strconv.Atoi(strings.TrimSpace(fields[k]))
			if err != nil || n < 0 {
				return fmt.Errorf("minute %d: %q is not a count", minute+1, fields[k])
			}
			if total += n; total > maxArrivals {
				return fmt.Errorf("minute %d: more than %d arrivals", minute+1, maxArrivals)
			}
			m.Counts[minute] += n
		}
		return nil
	})
	switch {
	case err != nil:
		return nil, err
	case found == 0 && row != "":
		return nil, fmt.Errorf("%s: no row has %q in a column", path, row)
	case total == 0:
		return nil, fmt.Errorf("%s: holds no arrival", path)
	}
	return m, nil
}

// MeanRate returns the arrivals per second.
func (m *PerMinute) MeanRate() float64 {
	total := 0
	for _, n := range m.Counts {
		total += n
	}
	return float64(total) / float64(60*len(m.Counts))
}

// String returns the text of the process.
func (m *PerMinute) String() string {
	s := "minutes:" + m.Path
	if m.Row != "" {
		s += ":row=" + m.Row
	}
	return s
}

func (m *PerMinute) check() error { return nil }

// Open returns the arrivals.
func (m *PerMinute) Open(s models.Streams) Arrivals {
	return &perMinute{counts: m.Counts, stream: s.New("arrivals")}
}

type perMinute struct {
	counts []int
	next   int     // minute
	left   int     // arrivals of the minute before
	at     float64 // s within that minute
	stream *rand.Rand
}

// Next draws the arrivals of a minute in their order: of n uniform instants on
// an interval of length l, the first comes after l*(1 - U^(1/n)), and the
// others are uniform on the rest.
func (a *perMinute) Next() (int64, bool) {
	for a.left == 0 {
		if a.next == len(a.counts) {
			return 0, false
		}
		a.left, a.at = a.counts[a.next], 0
		a.next++
	}
	u := 1 - a.stream.Float64()
	a.at += (60 - a.at) * -math.Expm1(math.Log(u)/float64(a.left))
	a.left--
	return int64(a.next-1)*60e9 + int64(a.at*1e9), true
}
