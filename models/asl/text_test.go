package asl

import (
	"runtime"
	"strings"
	"testing"
)

// Reading allocates at most 100 times what is read, also of a text that is
// nothing but the shortest values.
func TestTextAllocations(t *testing.T) {
	for name, text := range map[string]string{
		"numbers": "[" + strings.Repeat("1,", 200_000) + "1]",
		"lists":   "[" + strings.Repeat("[],", 100_000) + "[]]",
		"objects": `{"a":{` + strings.Repeat(`"":0,`, 100_000) + `"":0}}`,
		"deep":    strings.Repeat("[", maxDepth) + strings.Repeat("]", maxDepth),
	} {
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		_, err := parseText("x", []byte(text))
		runtime.ReadMemStats(&after)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if ratio := float64(after.TotalAlloc-before.TotalAlloc) / float64(len(text)); ratio > 100 {
			t.Errorf("%s: allocates %.0f times its %d bytes", name, ratio, len(text))
		} else {
			t.Logf("%s: %.0f times", name, ratio)
		}
	}
}
