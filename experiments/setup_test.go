package experiments

import (
	"strings"
	"testing"

	"eevee/models"
	"eevee/solvers"
)

// What would take more memory than there is is refused before anything is drawn.
func TestSamplesThatFitNoMemoryAreRefused(t *testing.T) {
	def, err := models.Load("ml")
	if err != nil {
		t.Fatal(err)
	}
	trace, err := Sources{}.Trace("ml", "")
	if err != nil {
		t.Fatal(err)
	}
	s, err := NewSetup(def, trace, Choice{Model: "jolteon"})
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		percentile float64
		samples    int
		want       string // "" where it is drawn
	}{
		{95, 0, ""},
		{95, maxDraws/def.Workflow.Len() + 1, "4 stages take 2.2 GB, at most 4194304"},
		{99.999999, 0, "ask for fewer, a lower percentile, or another rule"},
	} {
		bound := solvers.Bound{Metric: solvers.Latency, Limit: 40, Percentile: c.percentile, Confidence: 99.9, Rule: solvers.Certified}
		_, err := s.Problem(bound, c.samples, 1)
		if c.want == "" && err != nil || c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want)) {
			t.Errorf("percentile %v, %d samples: %v, want %q", c.percentile, c.samples, err, c.want)
		}
	}
}
