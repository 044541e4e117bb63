package emulator

import (
	"net/http"
	"strconv"
	"time"
)

// publish makes a version of $LATEST, or returns the last one if it is the same:
// Lambda publishes nothing that has not changed. What a version says of itself,
// its description, is no change. The caller holds e.mu.
func (e *Emulator) publish(f *function, description string, now time.Time) *version {
	s := *f.latest.settings
	if last := f.find(strconv.Itoa(f.last)); last != nil {
		t := *last.settings
		if t.Description = s.Description; t.same(&s) {
			return last
		}
	}
	if description != "" {
		s.Description = description
	}
	f.last++
	v := newVersion(f, strconv.Itoa(f.last), &s, now, e.options.Settle)
	f.versions = append(f.versions, v)
	return v
}

// versionInput is what PublishVersion takes.
type versionInput struct{ CodeSha256, Description, RevisionId string }

func (e *Emulator) publishVersion(in *request, f *function, input versionInput) (reply, error) {
	if err := e.inProgress(f, in.now); err != nil {
		return reply{}, err
	}
	if err := checkRevision(input.RevisionId, f.latest.revisionID(in.now)); err != nil {
		return reply{}, err
	}
	if sha := f.latest.settings.code.sha256; input.CodeSha256 != "" && input.CodeSha256 != sha {
		return reply{}, invalid("CodeSHA256 (%s) is different from current CodeSHA256 in %s (%s). Please try again with the CodeSHA256 in %s.", input.CodeSha256, latest, sha, latest)
	}
	v := e.publish(f, input.Description, in.now)
	return answer(http.StatusCreated, e.configuration(v, v.number, in.now))
}

func (e *Emulator) listVersions(in *request, f *function, _ none) (reply, error) {
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
