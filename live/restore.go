package live

import (
	"context"
	"errors"
	"fmt"
)

// Restored says what undoing a session took.
type Restored struct {
	Journal string   `json:"journal"`
	Run     string   `json:"run"`
	Did     []string `json:"did"`      // empty: all was as it should be
	Left    []string `json:"left"`     // what is not ours to undo, with the reason
	Done    bool     `json:"restored"` // nothing is left to do
}

// Restore undoes what the session of a journal left in the account, the last
// change first. It may be done again at any time. It refuses a journal of
// another account or region. What cannot be undone stays in the journal, and
// the error says why.
func Restore(ctx context.Context, c *Client, path string) (Restored, error) {
	j, err := openJournal(path)
	if err != nil {
		return Restored{Journal: path}, err
	}
	defer j.close()
	if j.ended {
		return Restored{Journal: path, Run: j.begin.Run, Did: []string{}, Left: []string{}, Done: true}, nil
	}
	if j.begin.Account != c.Account || j.begin.Region != c.Region {
		return Restored{Journal: path, Run: j.begin.Run}, fmt.Errorf("live: %s: was written in account %s, region %s, and the credentials are those of account %s, region %s; nothing was done",
			path, j.begin.Account, j.begin.Region, c.Account, c.Region)
	}
	return c.restore(ctx, j)
}

// restore undoes what stands in a journal.
func (c *Client) restore(ctx context.Context, j *journal) (Restored, error) {
	r := Restored{Journal: j.path, Run: j.begin.Run, Did: []string{}, Left: []string{}}
	u := c.undoer(j)
	var errs []error
	for _, x := range j.standing() {
		if err := ctx.Err(); err != nil {
			return r, errors.Join(append(errs, err)...)
		}
		did, err := u.undo(ctx, x)
		if did != "" {
			r.Did = append(r.Did, did)
		}
		if errors.Is(err, errForeign) {
			r.Left, err = append(r.Left, err.Error()), nil
		}
		if err == nil {
			err = j.strike(x.Number)
		}
		if err != nil {
			errs = append(errs, err)
		}
	}
	if len(errs) == 0 {
		errs = append(errs, j.end())
	}
	err := errors.Join(errs...)
	r.Done = err == nil
	return r, err
}
