package sweep

import (
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"eevee/solvers"
)

func TestBundledGridsAreRead(t *testing.T) {
	if len(Bundled()) == 0 {
		t.Fatal("no grid is bundled")
	}
	for _, name := range Bundled() {
		g, err := LoadGrid(name)
		if err != nil {
			t.Error(err)
		}
		if g.Name != name || g.Question == "" {
			t.Errorf("%s: calls itself %q and asks %q", name, g.Name, g.Question)
		}
	}
}

func TestGridDefaults(t *testing.T) {
	got, err := ParseGrid("g.yaml", []byte("workflows: [ml]\nlatency_s: {points: 3}\ncost_usd: [0.01, 0.02]\n"))
	if err != nil {
		t.Fatal(err)
	}
	want := Grid{
		Workflows: []string{"ml"}, Traces: []string{"default"}, Models: got.Models, Methods: []string{"exact"},
		LatencyS: Limits{Points: 3}, CostUSD: Limits{Values: []float64{0.01, 0.02}},
		Percentiles: []float64{95}, Confidences: []float64{99.9}, Rules: []solvers.Rule{solvers.Certified},
		Samples: []int{0}, Seeds: []uint64{1}, Replications: []int{0}, Platforms: []string{"replay"},
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("(-want +got)\n%s", d)
	}
	if len(got.Models) != 1 {
		t.Errorf("models %v, want the default one", got.Models)
	}
}

func TestBadGrids(t *testing.T) {
	good := "workflows: [ml]\nlatency_s: [40]\n"
	for text, want := range map[string][]string{
		"workflow: [ml]\n":                      {`g.yaml: [1:1] unknown field "workflow"`},
		"workflows: [ml\n":                      {"g.yaml: [1:"},
		"latency_s: [40]\n":                     {"g.yaml: workflows is empty; name at least one, such as ml, tpcds, video"},
		"workflows: [ml]\n":                     {"g.yaml: there is no bound; give latency_s or cost_usd, as [20, 40] or {points: 30}"},
		good + "percentiles: [95, 100]\n":       {"g.yaml: percentiles: 100 is not above 0 and below 100"},
		good + "confidences: [0]\n":             {"g.yaml: confidences: 0 is not above 0 and below 100"},
		good + "rules: [strict]\n":              {`g.yaml: rules: "strict" is none of certified, plugin, verified`},
		good + "methods: [exactly]\n":           {`g.yaml: methods: unknown method "exactly"`},
		good + "models: [guess]\n":              {`g.yaml: models: unknown model "guess"`},
		good + "samples: [-1]\nseeds: [1, 1]\n": {"g.yaml: samples: -1 is negative", "g.yaml: seeds: 1 is listed twice"},
		good + "platforms: [ideal]\n":           {"g.yaml: platforms: there are no simulated runs; give replications"},
		good + "cost_usd: [0]\n":                {"g.yaml: cost_usd: 0 is not above 0 and finite"},
		"workflows: [ml]\nlatency_s: {points: 1}\n": {
			"points is 1; a range needs at least 2"},
		"workflows: [ml]\nlatency_s: fast\n": {"neither a list of numbers nor {points: N}"},
	} {
		_, err := ParseGrid("g.yaml", []byte(text))
		if err == nil {
			t.Errorf("%q is accepted", text)
			continue
		}
		lines := strings.Split(err.Error(), "\n")
		for i, w := range want {
			if i >= len(lines) || !strings.Contains(lines[i], w) {
				t.Errorf("%q: error\n%v\nwant\n%s", text, err, strings.Join(want, "\n"))
			}
		}
		if len(lines) != len(want) {
			t.Errorf("%q: %d lines of errors, want %d:\n%v", text, len(lines), len(want), err)
		}
	}
}

// Every input is part of the name, and nothing else is.
func TestKeyFollowsFromTheInputs(t *testing.T) {
	base := Cell{
		Workflow: "ml", Definition: "d", Trace: "t", Origin: "recorded", Space: "full", Model: "jolteon", Method: "exact",
		Metric: solvers.Latency, Limit: 40, Percentile: 95, Confidence: 99.9, Rule: solvers.Certified, Samples: 10_000, Seed: 1,
	}
	keys := map[string]string{base.Key(): "nothing"}
	for what, change := range map[string]func(*Cell){
		"workflow":   func(c *Cell) { c.Workflow = "video" },
		"definition": func(c *Cell) { c.Definition = "e" },
		"trace":      func(c *Cell) { c.Trace = "u" },
		"space":      func(c *Cell) { c.Space = "xbound" },
		"model":      func(c *Cell) { c.Model = "calibrated" },
		"method":     func(c *Cell) { c.Method = "jolteon" },
		"metric":     func(c *Cell) { c.Metric = solvers.Cost },
		"limit":      func(c *Cell) { c.Limit = 40.000000000000007 },
		"percentile": func(c *Cell) { c.Percentile = 99 },
		"confidence": func(c *Cell) { c.Confidence = 95 },
		"rule":       func(c *Cell) { c.Rule = solvers.Plugin },
		"samples":    func(c *Cell) { c.Samples++ },
		"seed":       func(c *Cell) { c.Seed++ },
		"runs":       func(c *Cell) { c.Replications++ },
		"platform":   func(c *Cell) { c.PlatformHash = "p" },
		"deadline":   func(c *Cell) { c.Deadline = 1 },
		"a shift":    func(c *Cell) { c.Space, c.Model = "full\njolteon", "" },
	} {
		c := base
		change(&c)
		if other, ok := keys[c.Key()]; ok {
			t.Errorf("changing %s and changing %s give the same name", what, other)
		}
		keys[c.Key()] = what
	}
	moved := base
	moved.Origin = "file" // the same trace, found elsewhere
	moved.Platform = "copy-of-it.yaml"
	if moved.Key() != base.Key() {
		t.Error("the name depends on where the trace was found")
	}
}

func TestShardsDivideTheChunks(t *testing.T) {
	for n := 1; n <= 9; n++ {
		var taken []int
		for i := 1; i <= n; i++ {
			s, err := ParseShard(Shard{i, n}.String())
			if err != nil {
				t.Fatal(err)
			}
			for k := range 100 {
				if s.has(k) {
					taken = append(taken, k)
				}
			}
		}
		slices.Sort(taken)
		if len(taken) != 100 || len(slices.Compact(taken)) != 100 {
			t.Errorf("%d shards take %d chunks of 100, %d of them different", n, len(taken), len(slices.Compact(taken)))
		}
	}
	for _, bad := range []string{"", "1", "0/2", "3/2", "1/0", "a/b", "1/2/3", "-1/2"} {
		if s, err := ParseShard(bad); err == nil {
			t.Errorf("%q is read as %v", bad, s)
		}
	}
}

func TestArrayShard(t *testing.T) {
	type env = map[string]string
	for _, c := range []struct {
		n    int
		env  env
		want Shard // zero: an error
	}{
		{8, env{"SLURM_ARRAY_TASK_ID": "1", "SLURM_ARRAY_TASK_MIN": "1"}, Shard{1, 8}},
		{8, env{"SLURM_ARRAY_TASK_ID": "8", "SLURM_ARRAY_TASK_MIN": "1"}, Shard{8, 8}},
		{8, env{"SLURM_ARRAY_TASK_ID": "0", "SLURM_ARRAY_TASK_MIN": "0"}, Shard{1, 8}},
		{8, env{"SLURM_ARRAY_TASK_ID": "9", "SLURM_ARRAY_TASK_MIN": "1"}, Shard{}},
		{8, env{"JOB_COMPLETION_INDEX": "0"}, Shard{1, 8}},
		{8, env{"JOB_COMPLETION_INDEX": "7"}, Shard{8, 8}},
		{8, env{"JOB_COMPLETION_INDEX": "8"}, Shard{}},
		{3, env{"AWS_BATCH_JOB_ARRAY_INDEX": "2"}, Shard{3, 3}},
		{3, env{"AWS_BATCH_JOB_ARRAY_INDEX": "two"}, Shard{}},
		{3, env{}, Shard{}},
	} {
		got, err := ArrayShard(c.n, func(name string) (string, bool) { v, ok := c.env[name]; return v, ok })
		if got != c.want || (err != nil) != (c.want == Shard{}) {
			t.Errorf("%d tasks, %v: shard %v, %v; want %v", c.n, c.env, got, err, c.want)
		}
	}
}
