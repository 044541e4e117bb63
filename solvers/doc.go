// Package solvers chooses configurations under a chance constraint.
//
// A Problem joins a space, scenarios and a Bound; a Method answers it with a
// Solution, whose Status says honestly how the search ended. Solve is the one
// way to run a method: it validates the problem, and re-checks risk and
// objective of the answer on scenarios that no method saw, whatever the method
// claims.
//
// A Bound is P(metric > limit) <= risk. How many scenarios of a finite sample
// may exceed the limit is the business of its Rule.
//
// # How Exact proves an optimum
//
// Exact is a branch and bound over choices of stages (Land and Doig,
// Econometrica 28(3), 1960). Write t(i,x,s) for the bounded metric of stage i
// under choice x in scenario s, f for the objective, f* for that of the best
// configuration found so far, L for the limit and k for the number of scenarios
// that may exceed it. Everything below counts scenarios that every better
// configuration must violate; more than k of them close a node. Counting some
// of the scenarios is enough for that, and those that are hard for the best
// configuration are counted first.
//
// Linear objective. Mean cost is a sum over stages. Mean latency is a convex
// function of the stages' latencies, the longest path in every scenario, and
// lies above each of its linearisations (Kelley, J. SIAM 8(4), 1960): with the
// longest paths of one mixture of choices fixed, it is a sum over stages that no
// configuration is below. The best place to linearise is the optimum of the
// continuous relaxation, where every stage mixes its choices; that is convex,
// and solved by Frank and Wolfe's method (Naval Research Logistics Quarterly 3,
// 1956). A second linearisation half way to the best configuration proves
// more about what the first one leaves.
//
// Floors. A better configuration takes, for every stage, a choice whose mean is
// less than f* minus the best means of the others. The best bounded metric among
// those, scenario by scenario, is a lower bound. The same for latency where that
// is the objective bounds it with every path looked at.
//
// Prices. For every scenario s, share w(i) >= 0 and multiplier m >= 0, a better
// configuration that does not violate s has
//
//	sum over i of min over x of (w(i) t(i,x,s) + m f(i,x)) <= L + m f*
//
// provided the shares are those of a flow from sources to sinks, since the
// longest path is at least every mixture of paths; for cost all shares are 1.
// It is the Lagrangian relaxation (Geoffrion, Mathematical Programming Study 2,
// 1974) of the problem of one scenario, and counting them is the quantile bound
// of chance-constrained programs (Song, Luedtke and Kucukyavuz, INFORMS J.
// Comput. 26(4), 2014). Where a stage reads the parallelism of another, both
// are minimised together, one value of that parallelism after the other.
//
// Choices. What a relaxation rules out at the root is dropped, one choice at a
// time. That a choice beats another one in every scenario is not looked for:
// it took longer to find than the nodes that it saved.
//
// Few scenarios. Where to linearise, and at which price, is looked for on the
// hardest scenarios, or on some that stand for all. What is proved does not
// depend on how good those are: the last linearisation is on every scenario,
// and counting some of the hard ones is enough.
//
// Incumbents. The better the best configuration known, the more every bound above
// rules out, so that time is well spent on it first. What the prices of the
// relaxation make best lies on the convex hull of the two linear functions. What
// lies behind it is gone through by partial sums of single numbers, with the least
// of both functions and of their priced sum for what is open (Pisinger, European J.
// Operational Research 83(2), 1995), where linear latency is raised to the longest
// path of the means, which is at most the mean of the longest paths (Jensen). The
// best are tried on the scenarios; how far the linear function is from the
// percentile is learnt from those.
//
// Large spaces. Where the search may not end, its time goes into the lower bound
// first: the relaxation is solved to more digits, and again among the choices
// that it leaves, as long as that drops more; latency linearised anew proves more
// there. Then what has the smallest lower bound is searched first, so that every
// step raises what is proved of the whole. Where cost is minimised that is a node.
// Where mean latency is, the space is divided at the stage whose latency the
// relaxation spreads most, into the choices that are faster than the mixture and
// the others (a dichotomy of a special ordered set: Beale and Tomlin, 5th Int.
// Conference on Operational Research, 1970): parallel branches that the mixture
// makes equally long are then no longer so. In each half the relaxation is solved
// and latency linearised anew, and choices are dropped. The incumbent is improved
// by changing two stages at a time, and by what comes up in the halves.
//
// Fine spaces. Of every size in steps of 64 MB with 1 to 100 instances there are
// 15,900 choices a stage. A coarse selection is solved, then finer ones around
// what it found. The price of the last one then bounds the whole space, as above
// with every stage by itself: the least that any choice of a stage adds, scenario
// by scenario, is a column of the box of all of them, and a choice with which
// more than k scenarios still exceed the limit is in no better configuration.
// Columns are computed, compared and forgotten. What is left is searched like any
// other space; what was dropped does not weaken the proof.
//
// # Aims with more in them
//
// An Aim can hold several bounds, joint ones, ones on CVaR, and a percentile to
// minimise. The bound that proves most then leads such a search, with all of the
// above, and the rest stands beside it:
//
// Floors again, of every bound in the scenarios that are hard for it. For CVaR
// the mean of the worst floors is a lower bound, since it grows with each of
// them.
//
// Cuts. CVaR is the largest of many weighted means (Rockafellar and Uryasev, J.
// Risk 2(3), 2000), and each is a sum over stages; the one at the optimum of the
// continuous relaxation is priced into the objective.
//
// Pairs. A limit on latency in one scenario and one on cost in another are priced
// together. Where the scenarios of all pairs differ, more pairs than scenarios
// that may exceed either limit cannot be broken. This is what proves a percentile
// of the objective, joint bounds, and that two bounds contradict each other.
//
// Configurations whose objectives differ by less than a relative 1e-12, the
// order of rounding, count as equally good. A stage that is on the longest path of
// no scenario may be of any size that keeps it so. Once an optimum is proved it is
// exchanged for one as good that spends less, on average, of the metric that is
// not minimised, one stage at a time: no stage of the answer can be changed, by
// itself, to spend less at the same objective. That no change of several stages
// together does is not proved.
package solvers
