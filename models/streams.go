package models

import (
	"encoding/binary"
	"hash/fnv"
	"math/rand/v2"
)

// Streams hands out independent named random streams, in the manner of ns-3
// (core/model/rng-seed-manager.h): a stream depends on the seed, the
// replication and its purpose only, so that a new consumer never shifts the
// draws of another.
type Streams struct {
	Seed        uint64
	Replication uint64
}

// New returns the stream of the given purpose. Asking twice for the same
// purpose returns the same draws.
func (s Streams) New(purpose string) *rand.Rand {
	return rand.New(rand.NewPCG(s.word(purpose, 'a'), s.word(purpose, 'b')))
}

// Sub returns streams of their own for a part of the program, named by
// purpose.
func (s Streams) Sub(purpose string) Streams {
	return Streams{Seed: s.word(purpose, 's'), Replication: s.Replication}
}

func (s Streams) word(purpose string, lane byte) uint64 {
	h := fnv.New64a()
	var b [17]byte
	binary.LittleEndian.PutUint64(b[0:], s.Seed)
	binary.LittleEndian.PutUint64(b[8:], s.Replication)
	b[16] = lane
	h.Write(b[:])
	h.Write([]byte(purpose))
	return mix(h.Sum64())
}

// mix is the finaliser of SplitMix64 (Steele, Lea and Flood, OOPSLA 2014): FNV
// alone leaves the high bits of short names poorly mixed.
func mix(x uint64) uint64 {
	x ^= x >> 30
	x *= 0xbf58476d1ce4e5b9
	x ^= x >> 27
	x *= 0x94d049bb133111eb
	return x ^ x>>31
}
