package models

import (
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// The amounts are worked out by hand from the price pages.
func TestServicePrices(t *testing.T) {
	p, err := LoadServices("aws-us-east-1")
	if err != nil {
		t.Fatal(err)
	}
	if p.Source == "" || p.Date == "" {
		t.Errorf("source %q, date %q", p.Source, p.Date)
	}
	for name, c := range map[string]struct{ got, want float64 }{
		"1,000 transitions": {1000 * p.Standard.USDPerTransition, 0.025},
		// 1.05 s are billed as 1.1 s, 70 MB as 128 MB.
		"express execution": {p.Express.Execution(1.05, 70), 1e-6 + 1.1*0.125/3600*0.06},
		// The first 1,000 GB-hours, the next 4,000, and what is above.
		"express month":        {p.Express.Tiers.Cost(7000, p.Express.USDPerGBHour), 60 + 4000*0.03 + 2000*0.01642},
		"1,000 GET, 1,000 PUT": {1000 * (p.S3.USDPerRead + p.S3.USDPerWrite), 0.0004 + 0.005},
		// Items of 9 KB (1024 bytes) are 3 read units and 9 write units each.
		"1 M items":  {p.DynamoDB.Cost(1_000_000, 9*1.024e3, 1_000_000, 9*1.024e3), 3*0.125 + 9*0.625},
		"tiny items": {p.DynamoDB.Cost(1_000_000, 0.001, 0, 0), 0.125},
	} {
		if math.Abs(c.got-c.want) > 1e-9*math.Max(1, c.want) {
			t.Errorf("%s: %v USD, want %v", name, c.got, c.want)
		}
	}
}

// A month of an account is charged tier by tier.
func TestMonth(t *testing.T) {
	x86, arm := MustPrice("aws-x86"), MustPrice("aws-arm")
	for _, c := range []struct {
		book      PriceBook
		gbSeconds float64
		requests  float64
		want      float64
	}{
		{x86, 0, 5e6, 1},
		{x86, 1e9, 0, 16_666.7},
		{x86, 6e9, 0, 100_000.2},
		{x86, 20e9, 0, 100_000.2 + 9e9*0.000015 + 5e9*0.0000133334},
		{arm, 20e9, 0, 7.5e9*0.0000133334 + 11.25e9*0.0000120001 + 1.25e9*0.0000106667},
	} {
		if got := c.book.Month(c.gbSeconds, c.requests); math.Abs(got-c.want) > 1e-6*c.want {
			t.Errorf("%s: %v GB-s and %v requests cost %v USD, want %v", c.book.Name, c.gbSeconds, c.requests, got, c.want)
		}
	}
}

func TestBadPrices(t *testing.T) {
	for text, want := range map[string]string{
		"s3: {usd_per_read: -1}":                                    "s3.usd_per_read: -1 is not a number of at least 0",
		"s3:\n  usd: 1":                                             `[2:3] unknown field "usd"`,
		"step_functions_express: {tiers: [{usd: 1}]}":               "step_functions_express.tiers: tier 1: above 0 is not",
		"step_functions_express: {tiers: [{above: 2}, {above: 1}]}": "tier 2: above 1 is not more than that of the tier before",
		"step_functions_express: {tiers: [{}, {}, {}, {above: 1}]}": "4 tiers; at most 3 can be given",
		"dynamodb: {usd_per_read_unit: .inf}":                       "dynamodb.usd_per_read_unit: +Inf",
	} {
		path := filepath.Join(t.TempDir(), "prices.yaml")
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
		if _, err := LoadServices(path); err == nil || !strings.Contains(err.Error(), want) || !strings.HasPrefix(err.Error(), path) {
			t.Errorf("%q: error %v, want %q", text, err, want)
		}
	}
	if _, err := LoadServices("nowhere"); err == nil || !strings.Contains(err.Error(), "aws-us-east-1") {
		t.Errorf("unknown name: %v", err)
	}
}
