package live_test

import (
	"os/exec"
	"strings"
	"testing"
)

// The simulator and the solvers hold no code of AWS, not even indirectly; this
// package does, so that the test can fail.
func TestNoAWSInSimAndSolvers(t *testing.T) {
	deps := func(packages ...string) string {
		out, err := exec.Command("go", append([]string{"list", "-deps"}, packages...)...).CombinedOutput()
		if err != nil {
			t.Fatalf("%v\n%s", err, out)
		}
		return string(out)
	}
	if !strings.Contains(deps("eevee/live"), "aws-sdk-go-v2") {
		t.Error("live does not depend on the SDK: the test looks for the wrong name")
	}
	for line := range strings.Lines(deps("eevee/sim/...", "eevee/solvers/...", "eevee/models/...", "eevee/traces/...", "eevee/baselines/...", "eevee/experiments/...", "eevee/figures/...")) {
		if strings.Contains(line, "aws/") || strings.Contains(line, "eevee/live") {
			t.Errorf("depends on %s", line)
		}
	}
}
