package models

import (
	"errors"
	"fmt"
	"math"
	"reflect"

	"github.com/goccy/go-yaml"
)

// ServicePrices are the prices, in USD, of what functions use beside their own
// time: orchestration, object storage and tables. The zero value costs nothing.
type ServicePrices struct {
	Name   string `yaml:"name"`
	Source string `yaml:"source"` // where the prices come from
	Date   string `yaml:"date"`   // day the prices were valid, YYYY-MM-DD

	Standard StandardPrice `yaml:"step_functions_standard"`
	Express  ExpressPrice  `yaml:"step_functions_express"`
	S3       StoragePrice  `yaml:"s3"`
	S3One    StoragePrice  `yaml:"s3_express_one_zone"`
	DynamoDB TablePrice    `yaml:"dynamodb"`
}

// StandardPrice is the price of a standard workflow of AWS Step Functions.
type StandardPrice struct {
	USDPerTransition float64 `yaml:"usd_per_transition"` // retries count
}

// ExpressPrice is the price of an express workflow of AWS Step Functions.
type ExpressPrice struct {
	USDPerRequest float64    `yaml:"usd_per_request"`
	USDPerGBHour  float64    `yaml:"usd_per_gb_hour"` // 1 GB = 1024 MB
	BillingStepS  float64    `yaml:"billing_step_s"`  // s; billed duration is rounded up to a multiple of it; 0: not rounded
	MemoryStepMB  float64    `yaml:"memory_step_mb"`  // MB; billed memory is rounded up to a multiple of it; 0: not rounded
	Tiers         PriceTiers `yaml:"tiers"`           // by GB-hours per month
}

// Execution returns the price in USD of an execution of the given duration in
// seconds that takes the given memory in MB, in the first tier.
func (p ExpressPrice) Execution(seconds, memoryMB float64) float64 {
	return p.USDPerRequest + roundUp(seconds, p.BillingStepS)/3600*roundUp(memoryMB, p.MemoryStepMB)/1024*p.USDPerGBHour
}

// StoragePrice is the price of an object store.
type StoragePrice struct {
	USDPerRead       float64 `yaml:"usd_per_read"`       // GET request
	USDPerWrite      float64 `yaml:"usd_per_write"`      // PUT, COPY, POST or LIST request
	USDPerGBRead     float64 `yaml:"usd_per_gb_read"`    // of data that is read
	USDPerGBWritten  float64 `yaml:"usd_per_gb_written"` // of data that is written
	USDPerGBAndMonth float64 `yaml:"usd_per_gb_month"`   // of data that is stored
}

// TablePrice is the price of a key-value table that is charged by request.
type TablePrice struct {
	USDPerRead  float64 `yaml:"usd_per_read_unit"`  // of ReadKB, strongly consistent
	USDPerWrite float64 `yaml:"usd_per_write_unit"` // of WriteKB
	ReadKB      float64 `yaml:"read_unit_kb"`
	WriteKB     float64 `yaml:"write_unit_kb"`
}

// Cost returns the price in USD of requests for items of the same size, which
// move some MB (10^6 bytes) altogether.
func (p TablePrice) Cost(reads int, readMB float64, writes int, writtenMB float64) float64 {
	return p.USDPerRead*units(reads, readMB, p.ReadKB) + p.USDPerWrite*units(writes, writtenMB, p.WriteKB)
}

// units returns how many units of the given KB (1024 bytes) requests are
// charged, each at least one.
func units(requests int, mb, kb float64) float64 {
	if requests == 0 || kb <= 0 {
		return float64(requests)
	}
	each := mb * 1e6 / 1024 / float64(requests)
	return float64(requests) * math.Max(1, math.Ceil(each/kb-1e-9))
}

// PriceTiers are lower rates for what exceeds an amount per month, in rising
// order; unused ones are zero.
type PriceTiers [3]PriceTier

// PriceTier is a rate that holds above an amount.
type PriceTier struct {
	Above float64 `yaml:"above"` // per month, in the unit that the rate is for
	USD   float64 `yaml:"usd"`   // per unit
}

// UnmarshalYAML reads a list of at most as many tiers as there are places.
func (t *PriceTiers) UnmarshalYAML(decode func(any) error) error {
	var list []PriceTier
	if err := decode(&list); err != nil {
		return err
	}
	if len(list) > len(t) {
		return fmt.Errorf("%d tiers; at most %d can be given", len(list), len(t))
	}
	*t = PriceTiers{}
	copy(t[:], list)
	return nil
}

// Cost returns the price in USD of an amount in a month, of which the first
// part is charged at the given rate.
func (t PriceTiers) Cost(amount, rate float64) float64 {
	cost, from := 0.0, 0.0
	for _, tier := range t {
		if tier.Above == 0 || amount <= tier.Above {
			break
		}
		cost += (tier.Above - from) * rate
		from, rate = tier.Above, tier.USD
	}
	return cost + (amount-from)*rate
}

// check says what is wrong with the tiers, nil if nothing is.
func (t PriceTiers) check() error {
	for k, tier := range t {
		switch {
		case tier == (PriceTier{}):
			continue
		case !(tier.Above > 0) || math.IsInf(tier.Above, 0):
			return fmt.Errorf("tier %d: above %v is not a number above 0", k+1, tier.Above)
		case k > 0 && tier.Above <= t[k-1].Above:
			return fmt.Errorf("tier %d: above %v is not more than that of the tier before", k+1, tier.Above)
		}
	}
	return nil
}

func roundUp(x, step float64) float64 {
	if step <= 0 {
		return x
	}
	return math.Ceil(x/step-1e-9) * step
}

// Services returns the names of the bundled service prices, sorted.
func Services() []string { return bundled("data/services") }

// LoadServices returns bundled service prices by their name, or those in a YAML
// file.
func LoadServices(nameOrPath string) (ServicePrices, error) {
	text, from, err := read("service prices", "data/services", nameOrPath)
	if err != nil {
		return ServicePrices{}, err
	}
	var p ServicePrices
	if err := yaml.UnmarshalWithOptions(text, &p, yaml.Strict()); err != nil {
		return ServicePrices{}, fmt.Errorf("%s: %s", from, oneLine(err))
	}
	if err := p.Check(); err != nil {
		return ServicePrices{}, fmt.Errorf("%s: %w", from, err)
	}
	return p, nil
}

// Check reports prices that cannot be charged, by their names in a file.
func (p ServicePrices) Check() error { return checkPrices(p) }

// checkPrices reports every number below a value, which is a struct with YAML
// tags, that is negative or not finite, and tiers out of order.
func checkPrices(of any) error {
	var errs []error
	var walk func(path string, v reflect.Value)
	walk = func(path string, v reflect.Value) {
		if tiers, ok := v.Interface().(PriceTiers); ok {
			if err := tiers.check(); err != nil {
				errs = append(errs, fmt.Errorf("%s: %w", path, err))
			}
		}
		switch v.Kind() {
		case reflect.Float64:
			if x := v.Float(); !(x >= 0) || math.IsInf(x, 0) {
				errs = append(errs, fmt.Errorf("%s: %v is not a number of at least 0", path, x))
			}
		case reflect.Array:
			for i := range v.Len() {
				walk(fmt.Sprintf("%s[%d]", path, i), v.Index(i))
			}
		case reflect.Struct:
			for i := range v.NumField() {
				name := v.Type().Field(i).Tag.Get("yaml")
				if path != "" {
					name = path + "." + name
				}
				walk(name, v.Field(i))
			}
		}
	}
	walk("", reflect.ValueOf(of))
	return errors.Join(errs...)
}
