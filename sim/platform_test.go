package sim

import (
	"math"
	"strings"
	"testing"
)

// parse reads a platform whose name is given.
func parse(text string) (*Platform, error) {
	return ParsePlatform("p.yaml", []byte("name: p\n"+text))
}

func TestBundledPlatforms(t *testing.T) {
	for _, name := range Platforms() {
		p, err := LoadPlatform(name)
		if err != nil {
			t.Error(err)
			continue
		}
		if p.Name != name || p.Title == "" || p.Source == "" || p.Date == "" {
			t.Errorf("platform %s: name %q, title %q, source %q, date %q", name, p.Name, p.Title, p.Source, p.Date)
		}
	}
}

func TestPlatformExtends(t *testing.T) {
	p, err := parse("extends: ideal\nlimits: {account_concurrency: 7}\nprice: {usd_per_request: 1}\n")
	if err != nil {
		t.Fatal(err)
	}
	if p.Name != "p" || p.Limits.Concurrency != 7 || !math.IsInf(p.Instances.KeepAlive, 1) {
		t.Errorf("name %q, concurrency %d, keep-alive %v s", p.Name, p.Limits.Concurrency, p.Instances.KeepAlive)
	}
	// The price book of the extended platform, but for one rate.
	if want := MustPlatform("ideal").Price; p.Price.USDPerRequest != 1 || p.Price.USDPerGBSecond != want.USDPerGBSecond || p.Price.USDPerGBSecond == 0 {
		t.Errorf("price %+v", p.Price)
	}
}

func TestBadPlatforms(t *testing.T) {
	for text, want := range map[string]string{
		"limit: 3":                  `p.yaml: [2:1] unknown field "limit"`,
		"limits:\n  account: 3":     `p.yaml: [3:3] unknown field "account"`,
		"price:\n  usd: 3":          `p.yaml: [3:3] unknown field "usd"`,
		"extends: nowhere":          `platform "nowhere" is neither bundled`,
		"price: nowhere":            `price book "nowhere" is neither bundled`,
		"price: {usd_per_gb_s: -1}": "p.yaml: price: usd_per_gb_s: -1 is not a number of at least 0",
		"price: {tiers: [{above: 3, usd: 1}, {above: 2, usd: 1}]}":         "price: tiers: tier 2: above 2 is not more than",
		"price: {tiers: [{above: 1}, {above: 2}, {above: 3}, {above: 4}]}": "4 tiers; at most 3 can be given",
		"services: {s3: {usd_per_read: -1}}":                               "p.yaml: services: s3.usd_per_read: -1 is not",
		"arch: mips":                                                       `arch: "mips" is neither x86_64 nor arm64`,
		"instances: {keep_alive_s: -1}":                                    "instances.keep_alive_s: -1 is not a time of at least 0",
		"instances: {keep_alive_s: .nan}":                                  "instances.keep_alive_s: NaN",
		"instances: {warm_choice: newest}":                                 `instances.warm_choice: "newest" is none of [most-recent longest-idle random]`,
		"instances: {concurrency: -2}":                                     "instances.concurrency: -2 is below 0",
		"cold_start: {init: [{median_s: -1}]}":                             "cold_start.init: component 1: median_s -1",
		"cold_start: {init: [{weight: 0.5, median_s: 1}]}":                 "cold_start.init: the weights add up to 0.5, not to 1",
		"cold_start: {measured: true}":                                     `cold_start.measured: no measurement of runtime ""`,
		"limits: {scale_instances: 3}":                                     "limits: scale_instances (3) and scale_window_s (0) need each other",
		"limits: {min_memory_mb: 3, max_memory_mb: 2}":                     "limits: min_memory_mb 3 is above max_memory_mb 2",
		"limits: {account_concurrency: 10}\nfunctions: [{provisioned: 6}, {stage: a, provisioned: 5}]": "functions: 11 provisioned instances are more than limits.account_concurrency 10",
		"limits: {account_concurrency: 10}\nfunctions: [{reserved: 11}]":                               "functions: 11 reserved requests are more than limits.account_concurrency 10",
		"functions: [{reserved: 2, provisioned: 3}]":                                                   "functions[0]: provisioned: 3 instances are more than the 2 requests",
		"limits: {timeout_s: 900}\nfunctions: [{timeout_s: 901}]":                                      "functions[0]: timeout_s: 901 is above limits.timeout_s 900",
		"functions: [{read_mb: 3}]":                                                                    "functions[0]: bytes are moved by requests",
		"functions: [{peak_memory_mb: -3}]":                                                            "functions[0]: peak_memory_mb: -3 is not a number of at least 0",
		"failures: {crash_probability: 1.5}":                                                           "failures.crash_probability: 1.5 is not a probability",
		"variation: {straggler_probability: 0.1}":                                                      "variation.straggler_factor: 0 is below 1",
		"orchestration: {kind: airflow}":                                                               `orchestration.kind: "airflow" is none of direct, standard, express`,
		"orchestration: {transition_rate: 3}":                                                          "orchestration.transition_burst: 0 lets no transition pass",
		"network: {peak_mb_per_s: 3, refill_mb_per_s: 4}":                                              "network.refill_mb_per_s: 4 is not above 0 and at most peak_mb_per_s 3",
		"retry: [{error_equals: [Oops]}]":                                                              `retry: retrier 1: error_equals: unknown error "Oops"`,
		"retry: [{error_equals: [States.ALL]}, {error_equals: [Lambda.Unknown]}]":                      "retry: retrier 1: States.ALL must stand alone, in the last retrier",
		"retry: [{error_equals: [States.ALL], backoff_rate: 0.5}]":                                     "retry: retrier 1: backoff_rate 0.5 is not at least 1",
		"retry: [{error_equals: [States.ALL], max_attempts: -1}]":                                      "retry: retrier 1: max_attempts -1 is not",
		"retry: [{error_equals: [States.ALL], jitter_strategy: SOME}]":                                 `retry: retrier 1: jitter_strategy "SOME"`,
		"functions: [{retry: [{interval_s: 3}]}]":                                                      "functions[0]: retry: retrier 1: error_equals is empty",
	} {
		_, err := parse(text)
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: error %v, want %q", text, err, want)
			continue
		}
		if n := strings.Count(strings.TrimSpace(err.Error()), "\n"); n > 0 {
			t.Errorf("%q: error of %d lines:\n%v", text, n+1, err)
		}
	}
	if _, err := ParsePlatform("p.yaml", nil); err == nil || !strings.Contains(err.Error(), "p.yaml: the platform has no name") {
		t.Errorf("empty platform: %v", err)
	}
	_, err := parse("arch: mips\ninstances: {concurrency: -2}\n")
	if err == nil || strings.Count(err.Error(), "p.yaml: ") != 2 {
		t.Errorf("two defects: %v", err)
	}
}

func TestFunctionTakesTheFirstEntryThatMatches(t *testing.T) {
	p, err := parse(`limits: {timeout_s: 900}
retry: [{error_equals: [States.ALL]}]
functions:
  - {workflow: ml, stage: train, provisioned: 3, timeout_s: 60}
  - {workflow: ml, provisioned: 2, retry: [{error_equals: [Lambda.Unknown], max_attempts: 0}]}
  - {stage: train, provisioned: 1}
`)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		workflow, stage string
		provisioned     int
		timeout         float64
		retries         int
	}{{"ml", "train", 3, 60, 3}, {"ml", "test", 2, 900, 0}, {"video", "train", 1, 900, 3}, {"video", "split", 0, 900, 3}} {
		f := p.Function(c.workflow, c.stage)
		if f.Provisioned != c.provisioned || f.Timeout != c.timeout || len(f.Retry) != 1 || f.Retry[0].Retries() != c.retries || f.Workflow != c.workflow || f.Stage != c.stage {
			t.Errorf("%s/%s: %+v", c.workflow, c.stage, f)
		}
	}
}

func TestPlatformsThatExtendEachOther(t *testing.T) {
	dir := t.TempDir()
	t.Chdir(dir)
	for a, b := range map[string]string{"a": "b", "b": "a"} {
		writeIn(t, dir, a+".yaml", "name: "+a+"\nextends: ./"+b+".yaml\n")
	}
	if _, err := LoadPlatform("./a.yaml"); err == nil || !strings.Contains(err.Error(), "more than 8 platforms extend each other") {
		t.Errorf("circle: %v", err)
	}
}
