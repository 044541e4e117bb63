package papers

import (
	"context"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"eevee/experiments"
)

// profiledFunctions are the functions of ChunkFunc's profiles.
var profiledFunctions = map[string][]string{
	"face-detection":   {"validate-video-face-recog", "transform-video", "detect-faces", "mark-faces"},
	"log-processing":   {"validate-log", "extract-basic-stats", "extract-successes", "extract-success-stats"},
	"video-processing": {"validate-video", "cut-video-segment-a", "cut-video-segment-b", "merge-videos"},
}

// wholeVCPU is what the published profiles give a function.
func wholeVCPU(memory int) float64 { return 1 + math.Floor(float64(memory)/1769) }

// shareOfVCPU is what AWS Lambda gives a function.
func shareOfVCPU(memory int) float64 { return float64(memory) / 1769 }

// profileByLaw writes profiles in ChunkFunc's form whose times follow a law of
// the vCPU and the 10^6 bytes of the input.
func profileByLaw(t *testing.T, vcpu func(memory int) float64, law func(function string, u, jobs float64) float64) experiments.Sources {
	t.Helper()
	dir := t.TempDir()
	if err := os.Mkdir(filepath.Join(dir, "chunkfunc"), 0o755); err != nil {
		t.Fatal(err)
	}
	for workflow, functions := range profiledFunctions {
		var b strings.Builder
		fmt.Fprintf(&b, "name: %s\nsteps:\n", workflow)
		for _, f := range functions {
			fmt.Fprintf(&b, "- name: %s\n  profilingResults:\n    results:\n", f)
			scale := 1 + float64(len(f))/100 // functions differ, but for the two cuts
			for memory := 128; memory <= 10240; memory += 128 {
				fmt.Fprintf(&b, "    - resourceProfileId: %dmib-%.0fm\n      results:\n", memory, 1000*vcpu(memory))
				for _, jobs := range []float64{1, 2, 5} {
					// The resolution of a profile is 1 ms; a law is written exactly.
					u := math.Round(1000*vcpu(memory)) / 1000
					fmt.Fprintf(&b, "      - {executionTimeMs: %.9f, inputSizeBytes: %.0f, statusCode: 200}\n", 1000*scale*law(f, u, jobs), 1e6*jobs)
				}
			}
		}
		if err := os.WriteFile(filepath.Join(dir, "chunkfunc", workflow+".yaml.gz"), []byte(b.String()), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return experiments.Sources{Recordings: dir}
}

func found(t *testing.T, s experiments.Sources, ids ...string) Findings {
	t.Helper()
	f, err := Reproduce(context.Background(), selected(t, ids...), quickOptions(s))
	if err != nil {
		t.Fatal(err)
	}
	return f
}

// verdicts returns the verdicts of claims by their ids.
func verdicts(f Findings) map[string]Verdict {
	all := map[string]Verdict{}
	for _, c := range f.Claims().Claims {
		all[c.ID] = c.Verdict
	}
	return all
}

func oneThread(function string) bool {
	return strings.HasPrefix(function, "validate") || strings.HasPrefix(function, "extract")
}

// Where functions do what the paper says, and get a share of a vCPU below 1769 MB
// as on AWS Lambda, everything about Figure 3 holds; where none uses many cores,
// only what is said of one thread does.
func TestStepConfFig3ByLaw(t *testing.T) {
	paper := func(function string, u, jobs float64) float64 {
		if oneThread(function) {
			u = min(u, 1)
		}
		return 3 * jobs / u
	}
	for id, v := range verdicts(found(t, profileByLaw(t, shareOfVCPU, paper), "stepconf-fig3")) {
		if v != Shape {
			t.Errorf("%s: %s by the law of the paper", id, v)
		}
	}
	single := func(_ string, u, jobs float64) float64 { return 3 * jobs / min(u, 1) }
	got := verdicts(found(t, profileByLaw(t, shareOfVCPU, single), "stepconf-fig3"))
	for id, want := range map[string]Verdict{
		"stepconf-fig3.one-thread": Shape, "stepconf-fig3.many-cores": NotReproduced, "stepconf-fig3.vcpu": NotReproduced, "stepconf-fig3.below": Shape,
	} {
		if got[id] != want {
			t.Errorf("%s: %s without many cores, want %s", id, got[id], want)
		}
	}
}

// On times that are those of the model the error vanishes, on others it does not.
func TestStepConfFig10ByLaw(t *testing.T) {
	model := func(function string, u, jobs float64) float64 {
		if oneThread(function) {
			return 4*jobs/(min(u, 1)+0.1) + 0.3
		}
		return 12*jobs/(u+0.2) + 0.5
	}
	f := found(t, profileByLaw(t, wholeVCPU, model), "stepconf-fig10")
	for _, id := range []string{"stepconf-fig10-one-thread", "stepconf-fig10-many-cores"} {
		c := claimOf(t, f, id)
		if c.Verdict != Shape {
			t.Errorf("%s: %s, %s", id, c.Verdict, c.Why)
		}
		for _, v := range c.Reproduced {
			if *v.Value > 1e-3 {
				t.Errorf("%s: the error of %s is %v by the model's own law", id, v.At, *v.Value)
			}
		}
	}
	other := func(_ string, u, jobs float64) float64 { return 5 * jobs * jobs * (1.5 + math.Sin(3*u)) }
	for id, v := range verdicts(found(t, profileByLaw(t, wholeVCPU, other), "stepconf-fig10")) {
		if !strings.HasSuffix(id, "one-thread-work") && v != NotReproduced {
			t.Errorf("%s: %s by another law", id, v)
		}
	}
}

// Without the profiles nothing is called shown, and the reason says what is
// missing.
func TestChunkFuncIsMissing(t *testing.T) {
	for _, c := range found(t, experiments.Sources{Recordings: t.TempDir()}, "stepconf-fig3", "stepconf-fig10").Claims().Claims {
		if c.Verdict != NotReproducible || !strings.Contains(c.Why, "chunkfunc") {
			t.Errorf("%s: %s, %s", c.ID, c.Verdict, c.Why)
		}
		for _, v := range c.Reproduced {
			if v.Value != nil {
				t.Errorf("%s: %v out of nothing", c.ID, v)
			}
		}
	}
}

// A shape holds where every number is inside its range, and says by how much the
// others are not.
func TestShape(t *testing.T) {
	for name, test := range map[string]struct {
		add  func(*shape)
		want Verdict
		why  string
	}{
		"at the limit":  {func(s *shape) { s.atMost("x", "t_s", 2, 2); s.atLeast("y", "t_s", 2, 2) }, Shape, "all 2 features hold"},
		"above":         {func(s *shape) { s.atMost("x", "t_s", 2.1, 2) }, NotReproduced, "t_s at x: claimed at most 2, ours 2.1"},
		"below":         {func(s *shape) { s.atMost("a", "t_s", 1, 2); s.atLeast("x", "t_s", 1.9, 2) }, NotReproduced, "1 of 2 features do not hold: t_s at x: claimed at least 2, ours 1.9"},
		"near":          {func(s *shape) { s.near("x", "e", -0.85, -1, 0.2) }, Shape, "claimed -1.2 to -0.8, ours -0.85"},
		"not near":      {func(s *shape) { s.near("x", "e", -0.7, -1, 0.2) }, NotReproduced, "claimed -1.2 to -0.8, ours -0.7"},
		"there is none": {func(s *shape) { s.atLeast("x", "e", math.NaN(), 1) }, NotReproduced, "ours none"},
		"the tightest":  {func(s *shape) { s.atMost("a", "e", 1, 2); s.atMost("b", "e", 1.9, 2) }, Shape, "the tightest e at b"},
	} {
		var s shape
		test.add(&s)
		c := s.claim(Claim{}, "bad luck")
		if c.Verdict != test.want || !strings.Contains(c.Why, test.why) {
			t.Errorf("%s: %s, %s; want %s, %q", name, c.Verdict, c.Why, test.want, test.why)
		}
		if strings.Contains(c.Why, "Cause: bad luck") != (c.Verdict == NotReproduced) {
			t.Errorf("%s: %s, %s", name, c.Verdict, c.Why)
		}
		if len(c.Reported) != len(s.features) || len(c.Reproduced) != len(s.features) {
			t.Errorf("%s: %d and %d values of %d", name, len(c.Reported), len(c.Reproduced), len(s.features))
		}
		for _, v := range c.Reported {
			if v.Value == nil {
				t.Errorf("%s: nothing is claimed of %v", name, v)
			}
		}
	}
}
