package models

import (
	"errors"
	"fmt"
	"math"

	"github.com/goccy/go-yaml"
)

// PriceBook turns billed time into money, for one function invocation:
//
//	usd = ceil(billed / step) * step * GB * USDPerGBSecond + USDPerRequest
//
// with 1 GB = 1024 MB.
type PriceBook struct {
	Name           string  `yaml:"name"`
	Source         string  `yaml:"source"`          // where the rates come from
	Date           string  `yaml:"date"`            // day the rates were valid, YYYY-MM-DD
	USDPerGBSecond float64 `yaml:"usd_per_gb_s"`    // USD
	USDPerRequest  float64 `yaml:"usd_per_request"` // USD per invocation
	BillingStepS   float64 `yaml:"billing_step_s"`  // seconds; billed time is rounded up to a multiple of it; 0: not rounded
	NominalMemory  bool    `yaml:"nominal_memory"`  // charge VCPU*MBPerVCPU instead of the memory set
	MBPerVCPU      float64 `yaml:"mb_per_vcpu"`     // with NominalMemory

	// Tiers lower USDPerGBSecond, by GB-seconds per month over the account.
	// What a workflow costs is quoted in the first tier; see Month.
	Tiers PriceTiers `yaml:"tiers"`

	// Provisioned concurrency: an instance that is always initialised costs
	// ProvisionedUSDPerGBSecond whether it is used or not, and what runs on it
	// ProvisionedRunUSDPerGBSecond instead of USDPerGBSecond.
	ProvisionedUSDPerGBSecond    float64 `yaml:"provisioned_usd_per_gb_s"`
	ProvisionedRunUSDPerGBSecond float64 `yaml:"provisioned_run_usd_per_gb_s"`
}

// Month returns the price in USD of what an account uses in a month, in GB-seconds and
// requests, with the tiers that it reaches.
func (p PriceBook) Month(gbSeconds, requests float64) float64 {
	return p.Tiers.Cost(gbSeconds, p.USDPerGBSecond) + requests*p.USDPerRequest
}

// Check reports rates that cannot be charged, by their names in a file.
func (p PriceBook) Check() error {
	err := checkPrices(p)
	if p.NominalMemory && !(p.MBPerVCPU > 0) {
		err = errors.Join(err, errors.New("nominal_memory needs a positive mb_per_vcpu"))
	}
	return err
}

// The bundled price books that the program itself names.
const (
	// PriceJolteon is what the Jolteon artifact optimises: 1792 MB per vCPU
	// at 1.67e-5 USD per GB-second, not rounded, and 2e-7 USD per request
	// (algorithms.md 1.3: 2.9225 and 0.02 in units of 1e-5 USD).
	PriceJolteon = "jolteon"
	// PriceAWS is the AWS price list for x86 functions in us-east-1, tier 1.
	PriceAWS = "aws-x86"
)

// Prices returns the names of the bundled price books, sorted.
func Prices() []string { return bundled("data/prices") }

// LoadPrice returns a bundled price book by its name, or the one in a YAML
// file.
func LoadPrice(nameOrPath string) (PriceBook, error) {
	text, from, err := read("price book", "data/prices", nameOrPath)
	if err != nil {
		return PriceBook{}, err
	}
	var p PriceBook
	if err := yaml.UnmarshalWithOptions(text, &p, yaml.Strict()); err != nil {
		return PriceBook{}, fmt.Errorf("%s: %s", from, oneLine(err))
	}
	err = p.Check()
	switch {
	case p.Name == "":
		err = errors.Join(errors.New("name: is missing"), err)
	case p.USDPerGBSecond == 0 && p.USDPerRequest == 0:
		err = errors.Join(err, errors.New("usd_per_gb_s and usd_per_request: are missing, and nothing would cost anything"))
	}
	if err != nil {
		return PriceBook{}, fmt.Errorf("%s: %w", from, err)
	}
	return p, nil
}

// MustPrice returns a bundled price book and panics where there is none of
// that name.
func MustPrice(name string) PriceBook {
	p, err := LoadPrice(name)
	if err != nil {
		panic(err)
	}
	return p
}

// GB returns the memory that one instance under c is charged for.
func (p PriceBook) GB(c StageConfig) float64 {
	if p.NominalMemory {
		return c.VCPU * p.MBPerVCPU / 1024
	}
	return float64(c.Memory) / 1024
}

// Rate returns the price of one second of one instance under c, in USD.
func (p PriceBook) Rate(c StageConfig) float64 { return p.GB(c) * p.USDPerGBSecond }

// Billed rounds a duration in seconds up to what is billed.
func (p PriceBook) Billed(seconds float64) float64 {
	if p.BillingStepS <= 0 {
		return seconds
	}
	// A duration that is a whole number of steps but for rounding error is
	// not charged another step.
	return math.Ceil(seconds/p.BillingStepS-1e-9) * p.BillingStepS
}

// Invocation returns the price in USD of one invocation of the given duration
// in seconds.
func (p PriceBook) Invocation(c StageConfig, seconds float64) float64 {
	return p.Billed(seconds)*p.Rate(c) + p.USDPerRequest
}

// Stage returns the price in USD of a stage whose instances all run for the
// given number of seconds.
func (p PriceBook) Stage(c StageConfig, seconds float64) float64 {
	return float64(c.Parallelism) * p.Invocation(c, seconds)
}
