// Package baselines holds the published systems that eevee is compared with,
// on the same footing as its own solvers: each is a solvers.Method that sees
// what any method sees, the problem with its profile, and its own settings.
//
// The zero value of a system is its paper. What its artifact, or that of
// another paper, does otherwise is an option with a name, and what no source
// says is marked as inferred or unverified where it stands.
//
//	Orion   OSDI'22: sizes, bundles and starting times from distributions of latency
//	Ditto   SIGCOMM'23: a total parallelism shared out by a/d + b times; groups and placement of jobs on servers
//	Caerus  NSDI'21: parallelism by the size of inputs, launch times of NIMBLE
//
// What users pick instead, and yardsticks:
//
//	PowerTuning   AWS's tool: every function on its own, by cost, speed or a balance of both
//	SLAM          CLOUD'22: the slowest function gets one size more until the limit holds
//	GrandSLAM     the limit shared out in proportion to mean latency
//	PRCP          TPDS'21: upgrades on the critical path under a budget, and the mirror image
//	Parrotfish    SoCC'23: from the sizes that a learnt curve makes cheapest, up where a second costs least
//	COSE          INFOCOM'20: Bayesian optimisation with Gaussian processes
//	RandomSearch  the best of so many random configurations
//	UniformSize   one size and parallelism for all stages
package baselines
