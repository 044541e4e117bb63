package figures

// Methods fixes the looks of everything that answers a bound, in every picture.
// Answers that often coincide have markers that can be told apart on top of each
// other: a plus on a disc, a cross on a triangle. Colours repeat after seven names:
// those that stand in one picture are fewer than seven places apart, or not a
// multiple of seven.
var Methods = Cast{
	"exact", "orion", "jolteon:compat", ReportedName, ArtifactName, CompatBreaks, "jolteon",
	"parrotfish", "slam", "ditto:latency", "ditto:cost", "caerus", "prcp", "grandslam",
	"cose", "random", "uniform", "powertuning:cost", "exhaustive", "stepconf", "janus",
	"stepconf:inter", "stepconf:intra", "stepconf:static", "stepconf:no-no", "stepconf:optimal", "early binding",
	"stepconf:prewarm", "early binding, per function", "janus:worst", "oracle",
	"chunkfunc", "all started with the run",
}

// Schedulers fixes the looks of what schedules jobs on servers.
var Schedulers = Cast{"Ditto", "NIMBLE", "NIMBLE+DoP", "NIMBLE+Group, reported"}

// What series are called in papers' figures that are no method's answers as they
// are.
const (
	ReportedName = "Jolteon, reported"
	ArtifactName = "artifact's configurations"
	CompatBreaks = "jolteon:compat, breaks its bound and says so"
)

// OnTrace adds to a title what a reader must not miss.
func OnTrace(title string, recorded bool) string {
	if recorded {
		return title
	}
	return title + " (generated trace, not recorded)"
}

// Cents is the unit of costs in pictures; rows hold USD.
const Cents = 100
