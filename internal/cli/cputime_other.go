//go:build !unix

package cli

import "time"

// cpuTime is nil where the system has no such figure.
var cpuTime func() time.Duration
