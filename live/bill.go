package live

import (
	"errors"
	"fmt"
	"sync"
)

// ErrCap is why a session ended that could not go on within its cap.
var ErrCap = errors.New("the cap on the spend leaves no room for the next execution")

// Bill keeps the spend of a session below its cap. What is begun is reserved
// first, at the most that it can cost; what it did cost takes the place of that
// when it is known. So the spend cannot exceed the cap even if all that is in
// flight runs into its timeout. It is safe for concurrent use.
type Bill struct {
	mu       sync.Mutex
	cap      float64 // USD
	billed   float64 // USD; what is known to be charged
	reserved float64 // USD; for what is in flight
	lost     float64 // USD; for what ended without an answer: it may be charged or not
}

// NewBill returns a bill with a cap in USD.
func NewBill(limit float64) *Bill { return &Bill{cap: limit} }

// Reserve takes the most that something can cost out of what is left below the
// cap. It fails with ErrCap where that is not enough.
func (b *Bill) Reserve(usd float64) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	if left := b.cap - b.billed - b.reserved - b.lost; usd > left {
		return fmt.Errorf("%w: it may cost %.4g USD, and %.4g of %.4g USD are left", ErrCap, usd, max(left, 0), b.cap)
	}
	b.reserved += usd
	return nil
}

// Settle replaces a reservation by what was charged.
func (b *Bill) Settle(reservation, usd float64) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.reserved -= reservation
	b.billed += usd
}

// Lose keeps a reservation for good: nobody knows what was charged.
func (b *Bill) Lose(reservation float64) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.reserved -= reservation
	b.lost += reservation
}

// Spend is the state of a bill, in USD. What was charged lies between BilledUSD
// and BilledUSD + UnknownUSD.
type Spend struct {
	CapUSD     float64 `json:"cap_usd"`
	BilledUSD  float64 `json:"billed_usd"`  // as reported by the platform
	UnknownUSD float64 `json:"unknown_usd"` // at most, for invocations that ended without an answer
}

// Spend returns what was spent.
func (b *Bill) Spend() Spend {
	b.mu.Lock()
	defer b.mu.Unlock()
	return Spend{CapUSD: b.cap, BilledUSD: b.billed, UnknownUSD: b.lost}
}
