package sim

import "math"

// tokens is a token bucket that refills continuously. A limit of n per second
// is one with a burst of n. The zero value with a rate of 0 lets everything
// pass.
type tokens struct {
	rate  float64 // tokens per ns; 0: no limit
	burst float64 // the most that the bucket holds
	level float64 // at the instant at; below 0 while takers wait
	at    int64   // ns
}

// newTokens returns a full bucket that refills by rate tokens per second.
func newTokens(rate, burst float64) tokens {
	return tokens{rate: rate / 1e9, burst: burst, level: burst}
}

func (b *tokens) refill(now int64) {
	b.level = min(b.burst, b.level+b.rate*float64(now-b.at))
	b.at = now
}

// try takes n tokens if there are as many, and reports whether there were.
func (b *tokens) try(now int64, n float64) bool {
	if b.rate == 0 {
		return true
	}
	if b.refill(now); b.level < n {
		return false
	}
	b.level -= n
	return true
}

// opens returns the earliest instant, from now on, at which there is a token.
func (b *tokens) opens(now int64) int64 {
	if b.rate == 0 {
		return now
	}
	if b.refill(now); b.level >= 1 {
		return now
	}
	return now + max(1, int64(math.Ceil((1-b.level)/b.rate)))
}

// wait takes n tokens and returns how long, in ns, the taker waits for them,
// after everybody who came before.
func (b *tokens) wait(now int64, n float64) int64 {
	if b.rate == 0 {
		return 0
	}
	b.refill(now)
	b.level -= n
	if b.level >= 0 {
		return 0
	}
	return int64(-b.level / b.rate)
}
