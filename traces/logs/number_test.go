package logs

import (
	"fmt"
	"math/big"
	"strconv"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"eevee/traces"
)

// scaled agrees with exact arithmetic, halves away from 0.
func TestScaledIsExact(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		text := rapid.StringMatching(`[+-]?[0-9]{1,12}(\.[0-9]{1,6})?([eE][+-]?[0-9])?`).Draw(t, "text")
		shift := rapid.IntRange(-6, 9).Draw(t, "shift")
		factor := rapid.SampledFrom([]int64{1, 60, 1024}).Draw(t, "factor")
		exact, ok := new(big.Rat).SetString(text)
		if !ok {
			t.Fatalf("%q is no number", text)
		}
		exact.Mul(exact, new(big.Rat).SetInt64(factor))
		power := new(big.Rat).SetInt(new(big.Int).Exp(big.NewInt(10), big.NewInt(int64(max(shift, -shift))), nil))
		if shift >= 0 {
			exact.Mul(exact, power)
		} else {
			exact.Quo(exact, power)
		}
		half := big.NewRat(1, 2)
		if exact.Sign() < 0 {
			half.Neg(half)
		}
		exact.Add(exact, half)
		want := new(big.Int).Quo(exact.Num(), exact.Denom()) // towards 0
		got, err := scaled(text, shift, factor)
		switch {
		case err == nil && (!want.IsInt64() || got != want.Int64()):
			t.Errorf("%q times %d times 10^%d: got %d, want %d", text, factor, shift, got, want)
		case err != nil && new(big.Int).Abs(want).Cmp(big.NewInt(1<<59)) < 0:
			t.Errorf("%q times %d times 10^%d: %v, want %d", text, factor, shift, err, want)
		}
	})
}

func TestScaledRefuses(t *testing.T) {
	for _, text := range []string{"", "-", ".", "x", "1x", "1e", "1e+", "1e9999", "1.2.3", " 1", "NaN", "Inf", "99999999999999999999"} {
		if n, err := scaled(text, 0, 1); err == nil {
			t.Errorf("%q is read as %d", text, n)
		}
	}
	if _, err := scaled("9000000000", 9, 60); err == nil {
		t.Error("an overflow is not noticed")
	}
}

// cutInstant agrees with package time.
func TestInstantsAgreeWithTime(t *testing.T) {
	layouts := []string{
		"2006-01-02T15:04:05.999999999Z07:00", "2006-01-02T15:04:05.000000-07:00", "2006-01-02T15:04:05.000-0700", "2006-01-02 15:04:05.000", "2006-01-02T15:04:05Z",
	}
	rapid.Check(t, func(t *rapid.T) {
		ns := rapid.Int64Range(0, 9_000_000_000_000_000_000).Draw(t, "ns")
		layout := rapid.SampledFrom(layouts).Draw(t, "layout")
		zone := time.UTC
		if strings.Contains(layout, "07") {
			zone = time.FixedZone("", rapid.IntRange(-14*4, 14*4).Draw(t, "quarters")*900)
		}
		text := time.Unix(0, ns).In(zone).Format(layout)
		want, err := time.Parse(layout, text)
		if err != nil {
			t.Fatal(err)
		}
		got, rest, ok := cutInstant(text + " and more")
		if before1970 := want.UnixNano() < 0; before1970 || strings.HasPrefix(text, "2262") || strings.HasPrefix(text, "1969") {
			return
		}
		if !ok || got != want.UnixNano() || rest != "and more" {
			t.Errorf("%q: got %d, %q, %t; want %d", text, got, rest, ok, want.UnixNano())
		}
	})
	for _, text := range []string{"", "2026-10-08", "2026-13-08T14:05:27Z", "2026-10-00T14:05:27Z", "2026-10-08T24:05:27Z", "2026-10-08Q14:05:27Z", "2026-10-08T14:05:27Zx", "1969-10-08T14:05:27Z"} {
		if ns, ok := wholeInstant(text); ok {
			t.Errorf("%q is read as %d", text, ns)
		}
	}
}

// A REPORT line is read whatever the order of its fields and the blanks
// between them are.
func TestReportLineInAnyOrder(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		us := rapid.Int64Range(0, 900_000_000).Draw(t, "us")
		billed := rapid.Int64Range(0, 900_000).Draw(t, "billed")
		init := rapid.Int64Range(0, 15_000_000).Draw(t, "init")
		memory := rapid.Int64Range(128, 10_240).Draw(t, "memory")
		ms := func(us int64) string { return strconv.FormatFloat(float64(us)/1000, 'f', -1, 64) + " ms" }
		fields := rapid.Permutation([]string{
			"RequestId: " + requestA, "Duration: " + ms(us), fmt.Sprintf("Billed Duration: %d ms", billed), fmt.Sprintf("Memory Size: %d MB", memory),
			"Max Memory Used: 77 MB", "Init Duration: " + ms(init), "Restore Duration: 1.5 ms", "Billed Restore Duration: 2 ms", "Status: error", "Error Type: Runtime.ExitError",
		}).Draw(t, "fields")
		line := strings.Join(fields, rapid.SampledFrom([]string{"\t", " \t", "  ", "\n", " "}).Draw(t, "blank")) + rapid.SampledFrom([]string{"", "\t", " \t\n"}).Draw(t, "end")
		var got reportLine
		if !got.parse(line) || !got.complete() {
			t.Fatalf("%q is not understood", line)
		}
		want := reportLine{
			requestID: requestA, durationUS: us, billedMS: billed, memoryMB: memory, maxMemoryMB: 77, initUS: init, restoreUS: 1500, billedRestoreMS: 2,
			status: "error", errorType: "Runtime.ExitError",
		}
		if got != want {
			t.Errorf("%q:\ngot  %+v\nwant %+v", line, got, want)
		}
	})
}

// The rules, on figures of logs that were published (formats.md section 5).
func TestBilledRule(t *testing.T) {
	ms := func(v float64) *int64 { return ptr(int64(v * 1000)) }
	for _, c := range []struct {
		row  traces.Record
		want string
	}{
		{traces.Record{DurationUS: ms(412.43), InitUS: ms(581.22), BilledMS: ptr(int64(413))}, BilledDuration},        // July 2025
		{traces.Record{DurationUS: ms(4155.33), InitUS: ms(858.66), BilledMS: ptr(int64(4156))}, BilledDuration},      // August 2025
		{traces.Record{DurationUS: ms(1233.96), InitUS: ptr(int64(463_512)), BilledMS: ptr(int64(1698))}, BilledInit}, // October 2026
		{traces.Record{DurationUS: ms(812.05), BilledMS: ptr(int64(900))}, BilledHundreds},
		{traces.Record{DurationUS: ms(10), BilledMS: ptr(int64(11))}, BilledDurationPlusOne},
		{traces.Record{DurationUS: ms(10), BilledMS: ptr(int64(10))}, BilledDuration},
		{traces.Record{DurationUS: ms(10.5), BilledMS: ptr(int64(37)), BilledRestoreMS: ptr(int64(26))}, BilledRestore},
		{traces.Record{DurationUS: ms(10.5), BilledMS: ptr(int64(55))}, BilledOtherwise},
		{traces.Record{DurationUS: ms(10.5)}, ""},
		{traces.Record{BilledMS: ptr(int64(55))}, ""},
	} {
		got := ""
		if rule := BilledRule(&c.row); rule != nil {
			got = *rule
		}
		if got != c.want {
			t.Errorf("%d us, billed %v: got %q, want %q", c.row.DurationUS, c.row.BilledMS, got, c.want)
		}
	}
}

// The compact set counts as a map does.
func TestIDSetCounts(t *testing.T) {
	set, want := newIDSet(), make(map[string]bool)
	for i := range 300_000 {
		id := fmt.Sprintf("%08x-1c1f-4a2b-9c3d-%012x", i%200_003, i%200_003*7)
		if fresh := set.add(id); fresh == want[id] {
			t.Fatalf("%s: new is %t", id, fresh)
		}
		want[id] = true
	}
}
