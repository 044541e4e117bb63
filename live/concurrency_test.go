package live_test

import (
	"context"
	"os/exec"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"eevee/live/emulator"
	"eevee/models"
	"eevee/traces"
)

// A thousand invocations are in flight at a time: none returns before all have
// begun. goleak sees to it that nothing of them is left.
func TestThousandInvocations(t *testing.T) {
	wide := 1000
	if testing.Short() {
		wide = 100
	}
	var inside atomic.Int64
	all := make(chan struct{})
	l := newLab(t, emulator.Options{Concurrency: wide + 10}, func(ctx context.Context, payload []byte) ([]byte, error) {
		if strings.Contains(string(payload), `"of":1}`) { // a stage of one instance
			return []byte("{}"), nil
		}
		if inside.Add(1) == int64(wide) {
			close(all)
		}
		select {
		case <-all:
		case <-ctx.Done():
		}
		emulator.InvocationOf(ctx).Duration = 10 * time.Millisecond
		return []byte("{}"), nil
	})
	r := l.request()
	r.Configs = []models.Config{{l.def.StageConfig(256, wide), l.def.StageConfig(256, 1), l.def.StageConfig(256, 1)}}
	r.Runs, r.WarmUps, r.TimeoutS = 1, 0, 60
	r.MaxSpendUSD = 2
	s := settings
	s.Concurrency, s.CallTimeout = wide+10, 30*time.Second
	out, err := execute(t, l.open(s), r)
	if err != nil {
		t.Fatal(err)
	}
	if out.Invocations != wide+2 || out.Lost > 0 {
		t.Errorf("%d invocations answered, %d lost", out.Invocations, out.Lost)
	}
	l.untouched()
	if rows := l.rows(); len(rows) != wide+3 {
		t.Errorf("%d rows", len(rows))
	}
}

// Sixteen real programs run at a time, each as a sandbox of the emulator.
func TestSixteenPrograms(t *testing.T) {
	if testing.Short() {
		t.Skip("builds and runs programs")
	}
	path := filepath.Join(t.TempDir(), "bootstrap")
	build := exec.Command("go", "build", "-trimpath", "-ldflags=-s -w", "-o", path, "eevee/live/emulator/functions/hash")
	build.Env = append(build.Environ(), "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	l := newLabOf(t, emulator.Options{MBPerVCPU: -1}, path)
	const wide = 16
	r := l.request()
	r.Configs = []models.Config{{l.def.StageConfig(256, wide), l.def.StageConfig(256, 1), l.def.StageConfig(256, wide)}}
	r.Runs, r.WarmUps, r.TimeoutS, r.MaxSpendUSD = 1, 1, 120, 5
	s := settings
	s.CallTimeout = time.Minute
	out, err := execute(t, l.open(s), r)
	if err != nil {
		t.Fatalf("%v\n%+v", err, out)
	}
	if out.Invocations != 2*(2*wide+1) {
		t.Errorf("%d invocations", out.Invocations)
	}
	l.untouched()
	for _, row := range l.rows() {
		if row.Statistic == traces.Invocation && (row.Compute == nil || *row.Compute <= 0) {
			t.Errorf("the function reports its steps, the row does not: %+v", row)
		}
	}
}
