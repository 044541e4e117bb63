package sim

import (
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"gonum.org/v1/gonum/stat"
	"gonum.org/v1/gonum/stat/distuv"

	"eevee/models"
)

// open parses the text of an open process and opens it.
func open(t testing.TB, text string, seed uint64) Arrivals {
	t.Helper()
	p, err := ParseArrivals(text)
	if err != nil {
		t.Fatal(err)
	}
	return p.(OpenProcess).Open(models.Streams{Seed: seed})
}

// instants returns the first n arrivals in seconds, and checks their order.
func instants(t testing.TB, a Arrivals, n int) []float64 {
	t.Helper()
	var at []float64
	last := int64(0)
	for range n {
		ns, ok := a.Next()
		if !ok {
			break
		}
		if ns < last {
			t.Fatalf("arrival at %d ns after one at %d ns", ns, last)
		}
		last = ns
		at = append(at, seconds(ns))
	}
	return at
}

func gaps(at []float64) []float64 {
	out := make([]float64, len(at))
	last := 0.0
	for k, x := range at {
		out[k], last = x-last, x
	}
	return out
}

// kolmogorov returns the largest distance between the distribution of a sample
// of times and F beyond a microsecond, where instants in whole nanoseconds do
// not matter, and what it exceeds with probability 1e-4 if the sample is from F
// (Kolmogorov's limit: 2 exp(-2 n d^2)).
func kolmogorov(sample []float64, f func(float64) float64) (d, limit float64) {
	sorted := slices.Sorted(slices.Values(sample))
	n := float64(len(sorted))
	for k, x := range sorted {
		if x < 1e-6 {
			continue
		}
		p := f(x)
		d = max(d, p-float64(k)/n, float64(k+1)/n-p)
	}
	return d, math.Sqrt(math.Log(2/1e-4) / 2 / n)
}

func TestGapsFollowTheirLaw(t *testing.T) {
	const n = 200_000
	for text, law := range map[string]interface {
		CDF(float64) float64
		Mean() float64
		StdDev() float64
		ExKurtosis() float64
	}{
		"poisson:10/s":      distuv.Exponential{Rate: 10},
		"poisson:30/m":      distuv.Exponential{Rate: 0.5},
		"gamma:10/s:cv=2":   distuv.Gamma{Alpha: 0.25, Beta: 2.5},
		"gamma:4/s:cv=0.5":  distuv.Gamma{Alpha: 4, Beta: 16},
		"gamma:3600/h:cv=1": distuv.Exponential{Rate: 1},
	} {
		g := gaps(instants(t, open(t, text, 11), n))
		if d, limit := kolmogorov(g, law.CDF); d > limit {
			t.Errorf("%s: distance of the gaps from their law is %.5f, above %.5f", text, d, limit)
		}
		mean, sd := stat.MeanStdDev(g, nil)
		if within := 4 * law.StdDev() / math.Sqrt(n); math.Abs(mean-law.Mean()) > within {
			t.Errorf("%s: mean gap %v s, want %v within %v", text, mean, law.Mean(), within)
		}
		// The variance of a sample variance is sd^4 (excess kurtosis + 2) / n.
		if within := 4 * math.Sqrt((law.ExKurtosis()+2)/n); math.Abs(sd*sd/law.StdDev()/law.StdDev()-1) > within {
			t.Errorf("%s: standard deviation of the gaps %v s, want %v within %v of its square", text, sd, law.StdDev(), within)
		}
		// Renewals: neighbouring gaps are independent.
		if r := stat.Correlation(g[1:], g[:n-1], nil); math.Abs(r) > 4/math.Sqrt(n) {
			t.Errorf("%s: neighbouring gaps correlate by %v", text, r)
		}
	}
}

// Over windows much longer than its phases, the counts of an MMPP of two
// phases have the index of dispersion
//
//	1 + 2 (l1-l2)^2 r1 r2 / ((r1+r2)^2 (l1 r2 + l2 r1))
//
// with rates l and 1/mean durations r (Fischer and Meier-Hellstern,
// Performance Evaluation 18, 1993); over short windows it is 1.
func TestDispersionOfMMPP(t *testing.T) {
	if testing.Short() {
		t.Skip("draws millions of arrivals")
	}
	const l1, l2, r1, r2 = 1.0, 20.0, 1 / 6.0, 1 / 2.0
	p, err := ParseArrivals("mmpp:1/s@6s,20/s@2s")
	if err != nil {
		t.Fatal(err)
	}
	if want := (l1*6 + l2*2) / 8; math.Abs(p.MeanRate()-want) > 1e-12 {
		t.Errorf("mean rate %v/s, want %v/s", p.MeanRate(), want)
	}
	// Over a window of length w the part that is not Poisson grows like
	// 1 - (1 - exp(-(r1+r2) w)) / ((r1+r2) w).
	limit := 2 * (l1 - l2) * (l1 - l2) * r1 * r2 / ((r1 + r2) * (r1 + r2) * (l1*r2 + l2*r1))
	for _, w := range []float64{0.01, 1, 10, 100} {
		const windows = 40_000
		a := p.(OpenProcess).Open(models.Streams{Seed: 5})
		counts := make([]float64, windows)
		total := 0.0
		for {
			ns, ok := a.Next()
			k := int(seconds(ns) / w)
			if !ok || k >= windows {
				break
			}
			counts[k]++
			total++
		}
		x := (r1 + r2) * w
		want := 1 + limit*(1+math.Expm1(-x)/x)
		mean, variance := stat.MeanVariance(counts, nil)
		// Batches give the error of the estimate.
		var batch []float64
		for c := range slices.Chunk(counts, windows/40) {
			m, v := stat.MeanVariance(c, nil)
			batch = append(batch, v/m)
		}
		_, sd := stat.MeanStdDev(batch, nil)
		if within := 4 * sd / math.Sqrt(40); math.Abs(variance/mean-want) > within {
			t.Errorf("windows of %v s: index of dispersion %.3f, want %.3f within %.3f", w, variance/mean, want, within)
		}
	}
}

func TestMMPPStartsInAPhaseByItsShare(t *testing.T) {
	// One phase in four of the time has no arrivals for long.
	first := 0
	const n = 20_000
	for seed := range uint64(n) {
		if at := instants(t, open(t, "mmpp:0/s@10s,1000/s@30s", seed), 1); at[0] < 0.1 {
			first++
		}
	}
	if share := float64(first) / n; math.Abs(share-0.75) > 4*math.Sqrt(0.75*0.25/n)+0.25*0.01 {
		t.Errorf("%v of the processes start busy, want 0.75", share)
	}
}

// write writes a file into a folder of its own and returns its path.
func write(t *testing.T, name, text string) string {
	t.Helper()
	return writeIn(t, t.TempDir(), name, text)
}

func writeIn(t *testing.T, dir, name, text string) string {
	t.Helper()
	path := filepath.Join(dir, name)
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestReplayedArrivals(t *testing.T) {
	for name, c := range map[string]struct {
		text string
		want []float64
	}{
		"seconds":  {"0\n0.5\n0.5\n12.25\n", []float64{0, 0.5, 0.5, 12.25}},
		"heading":  {"at_s,user\n1,a\n2,b\n", []float64{1, 2}},
		"absolute": {"2026-01-01T00:00:00Z\n2026-01-01T00:00:01.5Z\n2026-01-01T02:00:02+02:00\n", []float64{0, 1.5, 2}},
		"comments": {"# a recording\n3\n\n4\n", []float64{3, 4}},
	} {
		if got := instants(t, open(t, "file:"+write(t, "a.csv", c.text), 1), 10); !slices.Equal(got, c.want) {
			t.Errorf("%s: arrivals %v, want %v", name, got, c.want)
		}
	}
}

func TestArrivalsPerMinute(t *testing.T) {
	path := write(t, "counts.csv", "HashOwner,HashFunction,Trigger,1,2,3\no,f,http,1000,0,3000\no,g,queue,0,500,0\n")
	for row, want := range map[string][]int{"": {1000, 500, 3000}, "g": {0, 500, 0}, "o": {1000, 500, 3000}} {
		text := "minutes:" + path
		if row != "" {
			text += ":row=" + row
		}
		at := instants(t, open(t, text, 3), 10_000)
		counts := make([]int, 3)
		var within []float64
		for _, s := range at {
			counts[int(s/60)]++
			within = append(within, math.Mod(s, 60))
		}
		if !slices.Equal(counts, want) {
			t.Errorf("row %q: counts %v, want %v", row, counts, want)
		}
		if d, limit := kolmogorov(within, func(s float64) float64 { return s / 60 }); d > limit {
			t.Errorf("row %q: distance of the instants in a minute from uniform is %.4f, above %.4f", row, d, limit)
		}
	}
}

func TestBadArrivals(t *testing.T) {
	unsorted := write(t, "unsorted.csv", "at\n1\n3\n2\n")
	mixed := write(t, "mixed.csv", "1\n2026-01-01T00:00:00Z\n")
	empty := write(t, "empty.csv", "at\n")
	counts := write(t, "counts.csv", "f,1,2\na,1,-2\n")
	gap := write(t, "gap.csv", "f,1,3\na,1,2\n")
	for text, want := range map[string]string{
		"":                             `"" is none of poisson`,
		"uniform:3/s":                  `"uniform" is none of poisson`,
		"poisson:":                     `"" is not a rate`,
		"poisson:10":                   `"10" is not a rate`,
		"poisson:0/s":                  "rate 0/s is not above 0",
		"poisson:-3/s":                 "rate -3/s is not above 0",
		"poisson:NaN/s":                "rate NaN/s",
		"poisson:3/d":                  `"3/d" is not a rate`,
		"gamma:3/s":                    "the cv is missing",
		"gamma:3/s:cv=0":               "cv 0 is not",
		"gamma:3/s:cv=x":               `cv "x" is not a number`,
		"mmpp:3/s":                     `phase "3/s" is not RATE@DURATION`,
		"mmpp:3/s@0s":                  "phase 1: duration 0 s",
		"mmpp:0/s@1s,0/s@2s":           "rate 0/s is not above 0",
		"closed:x":                     `"x" is not a number of users`,
		"closed:0":                     "0 users",
		"closed:3:think=-1s":           "think -1 s",
		"closed:3:think=1s:often":      `option "often"`,
		"file:":                        "the file is missing",
		"file:" + unsorted:             unsorted + ": row 4: instant 2 is before that of the row above; sort the file by time",
		"file:" + mixed:                mixed + ": row 2: instant 2026-01-01T00:00:00Z among times in seconds",
		"file:" + empty:                "holds no arrival",
		"minutes:" + counts:            counts + `: row 2: minute 2: "-2" is not a count`,
		"minutes:" + gap:               gap + ": row 1: column 3 is headed 3 where minute 2 is due",
		"minutes:" + unsorted:          "row 1: the heading has no minutes",
		"minutes:" + counts + ":row=b": `no row has "b"`,
	} {
		if _, err := ParseArrivals(text); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: error %v, want %q", text, err, want)
		}
	}
}

func TestArrivalsTextRoundTrip(t *testing.T) {
	for _, text := range []string{"poisson:10/s", "gamma:10/s:cv=2", "mmpp:1/s@60s,20/s@5s", "closed:50:think=1s", "closed:1:think=0.5s:fixed"} {
		p, err := ParseArrivals(text)
		if err != nil {
			t.Fatal(err)
		}
		if p.String() != text {
			t.Errorf("%q reads as %q", text, p)
		}
	}
}

func TestArrivalsAllocateNothing(t *testing.T) {
	counts := write(t, "counts.csv", "f,1\na,100000\n")
	for _, text := range []string{"poisson:10/s", "gamma:10/s:cv=2", "gamma:10/s:cv=0.3", "mmpp:1/s@60s,20/s@5s", "minutes:" + counts} {
		a := open(t, text, 1)
		if n := testing.AllocsPerRun(1000, func() { a.Next() }); n != 0 {
			t.Errorf("%s: %v allocations per arrival", text, n)
		}
	}
}

// An instant that a clock cannot tell any more ends the arrivals.
func TestClockEnds(t *testing.T) {
	var c clock
	for range 3 {
		c.add(0.3e-9)
	}
	if c.add(0.2e-9); c.ns != 1 {
		t.Errorf("1.1 ns in four parts are %d ns", c.ns)
	}
	if c.add(1e18) || c.add(math.Inf(1)) || c.add(math.NaN()) {
		t.Error("the clock can tell an instant beyond its range")
	}
}

func BenchmarkArrivals(b *testing.B) {
	for _, text := range []string{"poisson:10/s", "gamma:10/s:cv=2", "mmpp:1/s@60s,20/s@5s"} {
		b.Run(text, func(b *testing.B) {
			a := open(b, text, 1)
			for b.Loop() {
				a.Next()
			}
		})
	}
}
