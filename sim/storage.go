package sim

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"sync"

	"github.com/goccy/go-yaml"

	"eevee/models"
)

// Network is the bandwidth of an instance: Burst MB pass at Peak, what is over
// at Rate. Bandwidth that is not used fills the burst again, at Rate. MB are
// 10^6 bytes.
type Network struct {
	Burst float64 `yaml:"burst_mb"`        // MB; full when the instance starts
	Peak  float64 `yaml:"peak_mb_per_s"`   // MB/s; 0: transfers take no time
	Rate  float64 `yaml:"refill_mb_per_s"` // MB/s
}

// link is the network of one instance.
type link struct {
	level float64 // MB that still pass at peak, at the instant at
	at    int64   // ns; end of the last transfer
}

// newLink returns the link of an instance that starts at the given instant.
func (n *Network) newLink(now int64) link { return link{n.Burst, now} }

// transfer moves some MB over the link and returns how long that takes, in ns.
// Transfers of an instance do not overlap.
func (n *Network) transfer(l *link, now int64, mb float64) int64 {
	if n.Peak == 0 {
		return 0
	}
	l.level = min(n.Burst, l.level+n.Rate*seconds(max(0, now-l.at)))
	fast := min(mb, l.level)
	took := nanoseconds(fast/n.Peak + (mb-fast)/n.Rate)
	l.level -= fast
	l.at = now + took
	return took
}

// Storage is the store that functions read from and write to. It is used for
// functions whose requests and bytes are known (Function); the steps of others
// take what the world says.
type Storage struct {
	// Kind decides about prices and measured latencies; empty: S3Standard.
	Kind StorageKind `yaml:"kind"`

	// Measured says that LoadPlatform takes the latencies from what was
	// measured for the kind (MeasuredLatency).
	Measured bool `yaml:"measured"`

	Read  StorageRequest `yaml:"read"`
	Write StorageRequest `yaml:"write"`

	// Prefixes is over how many partitions the requests spread; 0: 1.
	Prefixes int `yaml:"prefixes"`
}

// StorageKind names a service that stores.
type StorageKind string

// The kinds of storage.
const (
	S3Standard StorageKind = "s3"
	S3Express  StorageKind = "s3-express"
	DynamoDB   StorageKind = "dynamodb"
)

// StorageRequest is one kind of request to a Storage.
type StorageRequest struct {
	// Latency is the time of a request of next to no bytes, s; empty: none.
	Latency Mixture `yaml:"latency"`

	// Rate is how many requests per second a partition serves, over all
	// instances; 0: no limit. Requests above it wait their turn, as clients
	// do that are told to slow down.
	Rate float64 `yaml:"rate_per_prefix"`
}

// store is a Storage that the functions of an account share.
type store struct {
	network     *Network
	read, write requests
}

type requests struct {
	latency Mixture
	limit   tokens
}

func (p *Platform) newStore() *store {
	of := func(r StorageRequest) requests {
		rate := r.Rate * float64(max(1, p.Storage.Prefixes))
		return requests{r.Latency, newTokens(rate, rate)}
	}
	return &store{&p.Network, of(p.Storage.Read), of(p.Storage.Write)}
}

// move returns how long a task takes, in ns, to move some MB in n requests one
// after the other, over the link of its instance.
func (s *store) move(r *requests, l *link, now int64, n int, mb float64, stream *rand.Rand) int64 {
	took := r.limit.wait(now, float64(n))
	for range n {
		took += nanoseconds(r.latency.Draw(stream))
	}
	return took + s.network.transfer(l, now+took, mb)
}

// StorageCost returns the price in USD of requests that move some MB.
func (p *Platform) StorageCost(reads int, readMB float64, writes int, writtenMB float64) float64 {
	of := func(s models.StoragePrice) float64 {
		return float64(reads)*s.USDPerRead + readMB/1e3*s.USDPerGBRead + float64(writes)*s.USDPerWrite + writtenMB/1e3*s.USDPerGBWritten
	}
	switch p.Storage.Kind {
	case S3Express:
		return of(p.Services.S3One)
	case DynamoDB:
		return p.Services.DynamoDB.Cost(reads, readMB, writes, writtenMB)
	}
	return of(p.Services.S3)
}

// storageFile is the YAML form of the measured latencies, data/storage.yaml.
type storageFile struct {
	Source  string            `yaml:"source"`
	Date    string            `yaml:"date"` // of the first measurement
	Latency []storageMeasured `yaml:"latency"`
}

type storageMeasured struct {
	Kind     StorageKind `yaml:"kind"`
	Request  string      `yaml:"request"`  // read or write
	Requests int         `yaml:"requests"` // that were measured
	Latency  Mixture     `yaml:"latency,flow"`
}

var measuredStorage = sync.OnceValue(func() (f storageFile) {
	text, err := data.ReadFile("data/storage.yaml")
	if err == nil {
		err = yaml.UnmarshalWithOptions(text, &f, yaml.Strict())
	}
	if err != nil {
		panic(err) // the file is part of the program
	}
	return f
})

// MeasuredLatency returns the distributions of the time that reading and
// writing 1 KB takes from a function on AWS Lambda, as hpides/skyrise measured
// it.
func MeasuredLatency(kind StorageKind) (read, write Mixture, err error) {
	if kind == "" {
		kind = S3Standard
	}
	var known []string
	for _, m := range measuredStorage().Latency {
		switch {
		case m.Kind != kind:
			known = append(known, string(m.Kind))
		case m.Request == "read":
			read = m.Latency
		default:
			write = m.Latency
		}
	}
	if read == nil || write == nil {
		return nil, nil, fmt.Errorf("no measurement of storage %q; there are %s", kind, strings.Join(known, ", "))
	}
	return read, write, nil
}
