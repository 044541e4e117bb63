package emulator

import (
	"cmp"
	"time"

	"eevee/live/emulator/sigv4"
	"eevee/models"
)

// Credentials are a key pair that the emulator accepts.
type Credentials = sigv4.Credentials

// Options are the settings of an Emulator. The zero value works.
type Options struct {
	Address     string        // that the server listens on; empty: a free port of 127.0.0.1
	Region      string        // empty: us-east-1
	Account     string        // 12 digits; empty: 123456789012
	Credentials []Credentials // none: AccessKey and Secret below
	Skew        time.Duration // how far a signature's instant may be from the clock; 0: 5 minutes
	Now         func() time.Time

	// Settle is how long a function stays Pending after it was created, and an
	// update InProgress; 0: changes take effect at once.
	Settle time.Duration
	// Concurrency is how many invocations of the account run at a time; 0:
	// 1,000 (Lambda quotas).
	Concurrency int
	// KeepAlive is how long an idle execution environment lives; 0: 5 minutes.
	KeepAlive time.Duration
	// MBPerVCPU is the memory that comes with one virtual CPU; 0: 1769 (Lambda
	// developer guide, "Configure memory"). Negative: programs run unthrottled.
	MBPerVCPU float64

	// Handlers run functions of their names in this process instead of the
	// program that was uploaded.
	Handlers map[string]Handler

	Price    models.PriceBook     // of functions; zero: models.PriceAWS
	Services models.ServicePrices // of state transitions; zero: aws-us-east-1

	Seed uint64 // of the jitter of retries and of where aliases with weights lead

	Faults []Fault
	// OnCall is told of every call before it is acted on; AfterCall when it was
	// acted on and before it is answered. They run on the goroutine of the call
	// and may wait.
	OnCall, AfterCall func(Call)
}

// AccessKey and Secret are the credentials of an emulator that was given none.
const (
	AccessKey = "AKIAEMULATOREXAMPLE0"
	Secret    = "emulator/secret/for/tests/on/loopback/+/="
)

// complete fills in what is not set.
func (o Options) complete() (Options, error) {
	o.Address = cmp.Or(o.Address, "127.0.0.1:0")
	o.Region = cmp.Or(o.Region, "us-east-1")
	o.Account = cmp.Or(o.Account, "123456789012")
	o.Concurrency = cmp.Or(o.Concurrency, 1000)
	o.KeepAlive = cmp.Or(o.KeepAlive, 5*time.Minute)
	o.MBPerVCPU = cmp.Or(o.MBPerVCPU, 1769)
	if len(o.Credentials) == 0 {
		o.Credentials = []Credentials{{AccessKey: AccessKey, Secret: Secret}}
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	var err error
	if o.Price.Name == "" {
		if o.Price, err = models.LoadPrice(models.PriceAWS); err != nil {
			return o, err
		}
	}
	if o.Services.Name == "" {
		if o.Services, err = models.LoadServices("aws-us-east-1"); err != nil {
			return o, err
		}
	}
	return o, nil
}
