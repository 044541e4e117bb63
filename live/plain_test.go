package live_test

import (
	"net/http"
	"testing"
)

// plain is an HTTP client whose connections end with every call, so that none
// outlives its test.
type plain struct{ *testing.T }

func (plain) Do(r *http.Request) (*http.Response, error) {
	t := &http.Transport{DisableKeepAlives: true}
	return t.RoundTrip(r)
}
