package emulator_test

import (
	"net"
	"net/http"
	"time"
)

// newTransport makes a client of its own for every test, so that what it leaves
// open is seen.
func newTransport() *http.Client {
	return &http.Client{Transport: &http.Transport{
		DialContext:         (&net.Dialer{Timeout: 5 * time.Second}).DialContext,
		MaxIdleConnsPerHost: 64,
	}}
}
