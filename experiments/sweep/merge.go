package sweep

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// Overview is what is in the folder of a sweep.
type Overview struct {
	Schema   string         `json:"schema"`
	Cells    int            `json:"cells"`    // that the grid asks for
	Answered int            `json:"answered"` // of them
	Statuses []StatusCount  `json:"statuses"`
	Failures []FailureCount `json:"failures"` // by their error, the most frequent first
	Others   int            `json:"others"`   // cells in the folder that the grid does not ask for
	Broken   []string       `json:"broken"`   // parts that were set aside
}

// StatusCount is how many cells have a status.
type StatusCount struct {
	Status string `json:"status"`
	Cells  int    `json:"cells"`
}

// FailureCount is how many cells failed with an error.
type FailureCount struct {
	Error string `json:"error"`
	Cells int    `json:"cells"`
}

// known returns the answered cells of the last grid that was run in the
// folder.
func (s *Store) known() (rows []Row, missing, others int, err error) {
	wanted, err := s.wanted()
	if err != nil {
		return nil, 0, 0, err
	}
	found, err := s.rows(wanted)
	if err != nil {
		return nil, 0, 0, err
	}
	for _, c := range wanted {
		if r, ok := found[c]; ok {
			rows = append(rows, r)
		} else {
			missing++
		}
	}
	slices.SortFunc(rows, compareRows)
	s.mu.Lock()
	defer s.mu.Unlock()
	asked := map[string]bool{}
	for _, c := range wanted {
		asked[c] = true
	}
	for c := range s.parts {
		if !asked[c] {
			others++
		}
	}
	return rows, missing, others, nil
}

// Status looks into the folder without changing anything but parts that are
// broken.
func (s *Store) Status() (Overview, error) {
	rows, missing, others, err := s.known()
	if err != nil {
		return Overview{}, err
	}
	o := Overview{Schema: StatusSchema, Cells: len(rows) + missing, Answered: len(rows), Others: others, Broken: s.Broken}
	statuses, failures := map[string]int{}, map[string]int{}
	for _, r := range rows {
		statuses[r.Status]++
		if r.Status == Failed {
			failures[*r.Error]++
		}
	}
	for _, k := range sortedKeys(statuses) {
		o.Statuses = append(o.Statuses, StatusCount{k, statuses[k]})
	}
	for _, k := range sortedKeys(failures) {
		o.Failures = append(o.Failures, FailureCount{k, failures[k]})
	}
	slices.SortStableFunc(o.Failures, func(a, b FailureCount) int { return b.Cells - a.Cells })
	return o, nil
}

// Merge writes all cells of the grid into one sorted file and returns how many
// they are. With partial it does so even where some are still open.
func (s *Store) Merge(path string, partial bool) (int, error) {
	rows, missing, _, err := s.known()
	if err != nil {
		return 0, err
	}
	if missing > 0 && !partial {
		return 0, fmt.Errorf("%s: %d of %d cells are still open; run the sweep to its end, or merge what is there with --partial",
			s.dir, missing, missing+len(rows))
	}
	return len(rows), WriteRows(path, rows)
}

// cellsFile lists the cells that the grid asks for, one name a line, in their
// order.
const cellsFile = "CELLS"

// Expect says which cells the sweep is to answer. Every shard of a sweep says
// the same.
func (s *Store) Expect(p *Plan) error {
	var b strings.Builder
	for _, c := range p.Cells {
		b.WriteString(c.Key() + "\n")
	}
	return writeIfChanged(filepath.Join(s.dir, cellsFile), []byte(b.String()))
}

func (s *Store) wanted() ([]string, error) {
	text, err := os.ReadFile(filepath.Join(s.dir, cellsFile))
	if err != nil {
		return nil, fmt.Errorf("%s: no sweep was begun here: %w", s.dir, err)
	}
	return strings.Fields(string(text)), nil
}
