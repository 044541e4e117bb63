package cli

import "testing"

func TestSimulatePolicyGolden(t *testing.T) {
	withoutRecordings(t)
	s := newSession(t, "simulate_policy")
	s.run("simulate --workflow ml --policy stepconf --latency 34s --runs 500 --quiet -o $DIR/runs.parquet --timeline $DIR/timeline.json")
	s.run("traces validate $DIR/runs.parquet")
	s.run("simulate --workflow tpcds --policy stepconf:static --latency 40s --runs 200 --quiet")
	s.run("simulate --workflow ml --policy janus --latency 36s --runs 400 --quiet")
	s.run("simulate --workflow tpcds --policy janus --latency 30s --runs 400 --quiet")
	s.run("simulate --workflow ml --policy stepconf --latency 34s --decision-latency 100ms --decision-cost 0.00001 --runs 20 --json --quiet")
	for _, wrong := range []string{
		"simulate --workflow ml", "simulate --workflow ml --policy stepconf --config $DIR/c.json", "simulate --workflow ml --policy stepconf",
		"simulate --workflow ml --config $DIR/c.json --decision-latency 1s", "simulate --workflow ml --policy stepcon --latency 30s", "simulate --workflow ml --policy stepconf --latency 30s --off-space",
	} {
		s.run(wrong)
	}
	s.compare()
}
