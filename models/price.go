package models

import "math"

// PriceBook turns billed time into money, for one function invocation:
//
//	usd = ceil(billed / BillingStep) * BillingStep * GB * USDPerGBSecond + USDPerRequest
//
// with 1 GB = 1024 MB.
type PriceBook struct {
	Name           string
	Source         string  // where the rates come from
	Date           string  // day the rates were read, YYYY-MM-DD
	USDPerGBSecond float64 // USD
	USDPerRequest  float64 // USD per invocation
	BillingStepS   float64 // seconds; billed time is rounded up to a multiple of it; 0: not rounded
	NominalMemory  bool    // charge VCPU*MBPerVCPU instead of the memory set, as the Jolteon artifact does
	MBPerVCPU      float64 // with NominalMemory
}

// Jolteon is the price the Jolteon artifact optimises: 1792 MB per vCPU at
// 1.67e-5 USD per GB-second, not rounded, and 2e-7 USD per request
// (algorithms.md 1.3: 2.9225 and 0.02 in units of 1e-5 USD).
var JolteonPrice = PriceBook{
	Name: "jolteon", Source: "pkusys/Jolteon at bcce495", Date: "2024-04-16",
	USDPerGBSecond: 1.67e-5, USDPerRequest: 2e-7, NominalMemory: true, MBPerVCPU: 1792,
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
