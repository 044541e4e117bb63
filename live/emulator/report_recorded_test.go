package emulator_test

import (
	"compress/gzip"
	"context"
	"encoding/json"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/lambda"

	"eevee/internal/recordings"
	"eevee/live/emulator"
)

// skeleton is a line without its ids and numbers, byte by byte otherwise.
func skeleton(line string) string {
	line = regexp.MustCompile(`[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}`).ReplaceAllString(line, "ID")
	return regexp.MustCompile(`\d+(\.\d+)?`).ReplaceAllString(line, "N")
}

// The REPORT lines of the emulator are those that Lambda wrote: for warm and for
// cold invocations, blanks and tabs included.
func TestReportsAreAsRecorded(t *testing.T) {
	f, err := os.Open(filepath.Join(recordings.Dir(t), "pacslab-slappmdlopt", "raw_insights", "modeling__Choice__query_lambda_results.json.gz"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	plain, err := gzip.NewReader(f)
	if err != nil {
		t.Fatal(err)
	}
	var recorded []struct {
		Results [][]struct{ Field, Value string }
	}
	if err := json.NewDecoder(plain).Decode(&recorded); err != nil {
		t.Fatal(err)
	}
	forms := make(map[string]int)
	for _, query := range recorded {
		for _, result := range query.Results {
			for _, v := range result {
				if v.Field == "@message" {
					forms[skeleton(v.Value)]++
				}
			}
		}
	}
	e := start(t, emulator.Options{Handlers: map[string]emulator.Handler{"f": func(ctx context.Context, p []byte) ([]byte, error) {
		i := emulator.InvocationOf(ctx)
		i.Duration, i.Init = 279_670*time.Microsecond, 116_180*time.Microsecond
		return p, nil
	}}})
	c := lambda.NewFromConfig(client(t, e))
	create(t, c, "f", 1280)
	for _, what := range []string{"cold", "warm"} {
		_, text := invoke(t, c, "f", `{}`)
		report := text[strings.Index(text, "REPORT"):]
		if n := forms[skeleton(report)]; n == 0 {
			t.Errorf("no recorded report is like the %s one, %q; recorded are %v", what, report, forms)
		}
	}
}
