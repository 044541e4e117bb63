package emulator

import (
	"net/http"
	"strconv"
	"time"
)

// publish makes a version of settings, or returns the last one if it is the
// same: Lambda publishes nothing that has not changed. The caller holds e.mu.
func (e *Emulator) publish(f *function, s *settings, now time.Time) *version {
	if n := len(f.versions); n > 0 && f.versions[n-1].number == strconv.Itoa(f.last) && f.versions[n-1].settings.same(s) {
		return f.versions[n-1]
	}
	f.last++
	v := newVersion(f, strconv.Itoa(f.last), s, now, e.options.Settle)
	f.versions = append(f.versions, v)
	return v
}

func (e *Emulator) publishVersion(in *request) (reply, error) {
	var input struct {
		CodeSha256, Description, RevisionId string
	}
	if err := in.read(&input); err != nil {
		return reply{}, err
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	f, _, _, err := e.lookup(in)
	if err != nil {
		return reply{}, err
	}
	if err := e.inProgress(f, in.now); err != nil {
		return reply{}, err
	}
	if err := checkRevision(input.RevisionId, f.latest.revisionID(in.now)); err != nil {
		return reply{}, err
	}
	s := *f.latest.settings
	if input.CodeSha256 != "" && input.CodeSha256 != s.code.sha256 {
		return reply{}, invalid("CodeSHA256 (%s) is different from current CodeSHA256 in %s (%s). Please try again with the CodeSHA256 in %s.", input.CodeSha256, latest, s.code.sha256, latest)
	}
	if n := len(f.versions); n > 0 && f.versions[n-1].number == strconv.Itoa(f.last) {
		// What a version says of itself is no change of the function.
		last := *f.versions[n-1].settings
		last.Description = s.Description
		if last.same(&s) {
			v := f.versions[n-1]
			return answer(http.StatusCreated, e.configuration(v, v.number, in.now))
		}
	}
	if input.Description != "" {
		s.Description = input.Description
	}
	v := e.publish(f, &s, in.now)
	return answer(http.StatusCreated, e.configuration(v, v.number, in.now))
}

func (e *Emulator) listVersions(in *request) (reply, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	f, _, _, err := e.lookup(in)
	if err != nil {
		return reply{}, err
	}
	list := []configuration{e.configuration(f.latest, latest, in.now)}
	for _, v := range f.versions {
		list = append(list, e.configuration(v, v.number, in.now))
	}
	part, next, err := page(list, in, 50)
	if err != nil {
		return reply{}, err
	}
	return answer(http.StatusOK, struct {
		Versions   []configuration
		NextMarker *string
	}{part, next})
}
