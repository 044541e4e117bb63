package papers

import (
	"fmt"
	"strings"

	"eevee/solvers"
)

// comparedMethods are the methods whose answers stand beside published
// figures: ours, and the published answers themselves.
func comparedMethods() []string { return append([]string{MethodArtifact}, ourMethods...) }

// subjects are the methods whose executed answers are compared with published
// measurements: what the artifact does, in our version, and the artifact's own
// answers. The others are shown beside them.
var subjects = []string{ourMethods[0], MethodArtifact}

// subjectID ends the id of a claim about a subject.
func subjectID(method string) string {
	if method == MethodArtifact {
		return ".artifact"
	}
	return ""
}

// subjectTitle ends the title of a claim about a subject.
func subjectTitle(method string) string {
	if method == MethodArtifact {
		return "the artifact's own configurations"
	}
	return "our version of the artifact (" + method + ")"
}

// subjectCause says what is known about why executed answers of a subject differ from
// published measurements, bound by bound where they are outside the tolerance.
func subjectCause(method string, answers []MethodAnswers, c comparison) string {
	var ours, artifact []CellResult
	for _, a := range answers {
		if a.Method == method {
			ours = a.Results
		}
		if a.Method == MethodArtifact {
			artifact = a.Results
		}
	}
	var words []string
	for i, r := range ours {
		if !r.Answered() || !c.outside(r.BoundText()) {
			continue
		}
		run, known := artifactRunOf(artifact[i].Cell)
		text := ""
		switch {
		case method == MethodArtifact && known && run.Varies:
			text = "the artifact is known to return another configuration on another machine"
		case method == MethodArtifact:
			text = "no other configuration of the artifact is known"
		case r.Config.Same(artifact[i].Config):
			text = "it returns the configuration of the artifact"
		default:
			text = "it returns another configuration than the artifact, whose solver of the relaxation takes another path"
		}
		if len(r.Executed.Warnings) > 0 {
			text += ", sizes of which were not recorded and are interpolated"
		}
		words = append(words, fmt.Sprintf("under %s %s (the model predicts p50 %s, p95 %s and a mean cost of %s)", r.BoundText(), text,
			amount(solvers.Latency, r.Latency.P50), amount(solvers.Latency, r.Latency.P95), amount(solvers.Cost, r.Cost.Mean)))
	}
	if more := len(words) - shown; more > 0 {
		words = append(words[:shown], fmt.Sprintf("%d more", more))
	}
	return strings.Join(words, "; ")
}

// notesOn says what the reader of cells must know: whether answers that break
// their bound say so, and what the replay world warns of.
func notesOn(results []CellResult) []string {
	var notes []string
	for _, m := range comparedMethods() {
		n, breaks, silent := 0, 0, 0
		for _, r := range results {
			if r.Method != m {
				continue
			}
			n++
			if r.Breaks() {
				breaks++
				if !r.Admits() {
					silent++
				}
			}
		}
		switch {
		case breaks == 0:
		case m == MethodArtifact:
			notes = append(notes, fmt.Sprintf("%s: on scenarios of the published model without the artifact's deviations %d of %d answers break their bound; it never says so", m, breaks, n))
		case silent == 0:
			notes = append(notes, fmt.Sprintf("%s: %d of %d answers break their bound on their own sample, and every one of them says so", m, breaks, n))
		default:
			notes = append(notes, fmt.Sprintf("%s: %d of %d answers break their bound on their own sample, %d of them in silence", m, breaks, n, silent))
		}
	}
	if lo, hi, ok := modelAgainstWorld(results); ok {
		notes = append(notes, fmt.Sprintf("exact is optimal by the model; executed, the mean cost of its answers is %+.0f...%+.0f %% off the predicted one, so that another answer may do better", lo, hi))
	}
	warned := 0
	for _, r := range results {
		if len(r.Executed.Warnings) > 0 {
			warned++
		}
	}
	if warned > 0 {
		notes = append(notes, fmt.Sprintf("executions: intervals describe what is replayed, not how much the cloud varies, since few executions were recorded per configuration; "+
			"the world has warnings about %d of %d answers, mostly sizes that were not recorded and are interpolated", warned, len(results)))
	}
	return notes
}

// modelAgainstWorld returns by how many percent the executed mean cost of the
// proved optima is above the predicted one, at least and at most.
func modelAgainstWorld(results []CellResult) (lo, hi float64, ok bool) {
	for _, r := range results {
		if r.Status != solvers.Optimal {
			continue
		}
		off := 100 * (r.Executed.Cost.Mean/r.Cost.Mean - 1)
		if !ok {
			lo, hi, ok = off, off, true
		}
		lo, hi = min(lo, off), max(hi, off)
	}
	return lo, hi, ok
}
