package logs

import (
	"hash/maphash"
	"math/bits"
)

// idSet counts distinct texts. Of each it keeps 60 bits of a hash in 6 bytes,
// so that ten million fit 90 MB; at that size two of them share their bits with
// a probability of 5e-5.
type idSet struct {
	seed   maphash.Seed
	shards [idShards]idShard
}

const idShards = 1 << 12

// idShard is an open hash table of 48 bits of hash each; 0 is empty. Its size
// grows by a half, not to twice, because a table for ten million is large.
type idShard struct {
	low  []uint32
	high []uint16
	used int
}

func newIDSet() *idSet { return &idSet{seed: maphash.MakeSeed()} }

// add adds a text and reports whether it is new.
func (s *idSet) add(id string) bool {
	h := maphash.String(s.seed, id)
	// 0 stands for an empty place: one value of 2^48 is moved to the next.
	rest := max(h&(1<<48-1), 1)
	return s.shards[h>>52].add(rest)
}

func (t *idShard) add(v uint64) bool {
	if t.used*8 >= len(t.low)*7 {
		t.grow()
	}
	i := t.home(v)
	for t.low[i] != 0 || t.high[i] != 0 {
		if t.low[i] == uint32(v) && t.high[i] == uint16(v>>32) {
			return false
		}
		if i++; i == len(t.low) {
			i = 0
		}
	}
	t.low[i], t.high[i] = uint32(v), uint16(v>>32)
	t.used++
	return true
}

// home is where the search for a value begins.
func (t *idShard) home(v uint64) int {
	i, _ := bits.Mul64(v<<16, uint64(len(t.low)))
	return int(i)
}

func (t *idShard) grow() {
	old := *t
	size := max(16, len(old.low)*3/2)
	*t = idShard{low: make([]uint32, size), high: make([]uint16, size)}
	for i := range old.low {
		if v := uint64(old.low[i]) | uint64(old.high[i])<<32; v != 0 {
			t.add(v)
		}
	}
}
