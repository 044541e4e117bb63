package sim

import (
	"cmp"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"
)

// Whatever is scheduled before the first event and by events themselves, the
// order of processing is that of a stable sort by time.
func TestKernelOrder(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		// Few distinct times, so that most events tie. The first events are
		// scheduled at once; event i schedules the i-th batch when it happens.
		small := rapid.Int64Range(0, 5)
		first := rapid.SliceOfN(small, 0, 60).Draw(t, "times")
		batches := rapid.SliceOfN(rapid.SliceOfN(small, 0, 3), 0, 40).Draw(t, "batches")

		type entry struct {
			at  int64
			arg uint32
		}
		var got, scheduled []entry
		var k kernel
		add := func(at int64) {
			arg := uint32(len(scheduled))
			scheduled = append(scheduled, entry{at, arg})
			k.at(at, kind(arg%16), arg)
		}
		for _, at := range first {
			add(at)
		}
		for e, more := k.next(); more; e, more = k.next() {
			if e.kind() != kind(e.arg()%16) {
				t.Fatalf("event %d is of kind %d", e.arg(), e.kind())
			}
			if n := len(got); n < len(batches) {
				for _, delay := range batches[n] {
					add(k.now + delay)
				}
			}
			got = append(got, entry{k.now, e.arg()})
		}

		// A new event is never earlier than the one that schedules it, so
		// processing in order means sorting everything ever scheduled.
		want := slices.Clone(scheduled)
		slices.SortStableFunc(want, func(a, b entry) int { return cmp.Compare(a.at, b.at) })
		if !slices.Equal(got, want) {
			t.Fatalf("processed %v, want %v", got, want)
		}
	})
}

// Interleaved scheduling and processing agrees with the plainest priority
// queue there is.
func TestKernelAgainstSortedList(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var k kernel
		type entry struct {
			at  int64
			arg uint32
		}
		var list []entry
		for arg := range uint32(rapid.IntRange(1, 200).Draw(t, "operations")) {
			if rapid.Bool().Draw(t, "schedule") {
				at := k.now + rapid.Int64Range(0, 9).Draw(t, "delay")
				k.at(at, 0, arg)
				i, _ := slices.BinarySearchFunc(list, at, func(e entry, at int64) int {
					if e.at <= at {
						return -1
					}
					return 1
				})
				list = slices.Insert(list, i, entry{at, arg})
				continue
			}
			if e, more := k.next(); more != (len(list) > 0) {
				t.Fatalf("an event = %v with %d left", more, len(list))
			} else if more {
				if e.arg() != list[0].arg || k.now != list[0].at {
					t.Fatalf("processed event %d at %d, want %d at %d", e.arg(), k.now, list[0].arg, list[0].at)
				}
				list = list[1:]
			}
		}
	})
}

func TestKernelRefusesThePast(t *testing.T) {
	mustPanic := func(name string, f func()) {
		t.Helper()
		defer func() {
			if recover() == nil {
				t.Errorf("%s: no panic", name)
			}
		}()
		f()
	}
	mustPanic("scheduling", func() {
		var k kernel
		k.at(5, 0, 0)
		k.next()
		k.at(4, 0, 0)
	})
	mustPanic("processing", func() {
		var k kernel
		k.at(5, 0, 0)
		k.at(6, 0, 0)
		k.next()
		k.heap[0].at = 1 // a broken heap
		k.next()
	})
	mustPanic("advancing", func() {
		var k kernel
		k.at(5, 0, 0)
		k.advance(5)
	})
	mustPanic("naming", func() {
		var k kernel
		k.at(5, 0, maxArg+1)
	})
}

func TestKernelAllocatesNothing(t *testing.T) {
	var k kernel
	rng := rand.New(rand.NewPCG(1, 1))
	for i := range uint32(100) {
		k.at(int64(i), 0, i)
	}
	step := func() {
		e, _ := k.next()
		k.at(k.now+rng.Int64N(1000), 0, e.arg())
	}
	if n := testing.AllocsPerRun(1000, step); n != 0 {
		t.Errorf("%v allocations per event", n)
	}
}

// bareLoop is the yardstick: a binary heap of times, nothing else. It keeps n
// events pending and processes count of them.
func bareLoop(n, count int, delays []int64) int64 {
	type pending struct {
		at int64
		id uint32
	}
	h := make([]pending, 0, n)
	for i := range n {
		h = append(h, pending{int64(i), uint32(i)})
	}
	now := int64(0)
	for e := range count {
		now = h[0].at
		p := pending{now + delays[e%len(delays)], h[0].id}
		i := 0
		for {
			c := 2*i + 1
			if c >= len(h) {
				break
			}
			if c+1 < len(h) && h[c+1].at < h[c].at {
				c++
			}
			if p.at <= h[c].at {
				break
			}
			h[i] = h[c]
			i = c
		}
		h[i] = p
	}
	return now
}

// BenchmarkKernel processes events that each schedule the next one, with a
// number of them pending, and compares the time with that of the bare loop.
func BenchmarkKernel(b *testing.B) {
	delays := make([]int64, 4096)
	rng := rand.New(rand.NewPCG(1, 1))
	for i := range delays {
		delays[i] = int64(rng.ExpFloat64() * 1e9)
	}
	for _, bench := range []struct {
		name    string
		pending int
	}{{"pending=16", 16}, {"pending=256", 256}, {"pending=4096", 4096}} {
		b.Run(bench.name, func(b *testing.B) {
			b.ReportAllocs()
			var k kernel
			for i := range bench.pending {
				k.at(int64(i), 0, uint32(i))
			}
			b.ResetTimer()
			for i := range b.N {
				e, _ := k.next()
				k.at(k.now+delays[i%len(delays)], e.kind(), e.arg())
			}
			b.StopTimer()
			kernelTime := b.Elapsed()
			start := time.Now()
			end := bareLoop(bench.pending, b.N, delays)
			bareTime := time.Since(start)
			if end < 0 {
				b.Fatal("unreachable") // keeps the loop alive
			}
			b.ReportMetric(float64(b.N)/kernelTime.Seconds(), "events/s")
			b.ReportMetric(float64(kernelTime)/float64(bareTime), "x-bare")
		})
	}
}
