package cli

import (
	"bytes"
	"encoding/json"
	"math"
	"math/big"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

type inner struct {
	Low  float64 `json:"low"`
	High float32 `json:"high,omitempty"`
}

type Embedded struct {
	Kind string `json:"kind"`
}

type Further struct {
	More string `json:"more"`
}

// sample has every kind of field that a result can have.
type sample struct {
	Embedded
	*Further
	Name     string            `json:"name"`
	Plain    int               // no tag
	Hidden   int               `json:"-"`
	private  int               //nolint:unused // must not be written
	Empty    []int             `json:"empty,omitempty"`
	Zero     inner             `json:"zero,omitzero"`
	Nested   inner             `json:"nested"`
	Named    Embedded          `json:"named"`
	List     []inner           `json:"list"`
	Pair     [2]float64        `json:"pair"`
	Pointer  *float64          `json:"pointer"`
	Any      any               `json:"any"`
	Map      map[string]inner  `json:"map"`
	Texts    map[string]string `json:"texts,omitempty"`
	Size     *big.Int          `json:"size"`
	When     time.Time         `json:"when"`
	Exact    json.Number       `json:"exact"`
	Bytes    []byte            `json:"bytes"`
	Unsigned uint64            `json:"unsigned"`
	Flag     bool              `json:"flag"`
}

// For values that JSON can hold, the bytes are those of encoding/json.
func TestMarshalAgreesWithEncodingJSON(t *testing.T) {
	number := rapid.Custom(func(t *rapid.T) float64 {
		// Float64 alone rarely draws the ends of the range.
		return rapid.OneOf(rapid.Float64(), rapid.SampledFrom([]float64{0, math.Copysign(0, -1), math.MaxFloat64, 5e-324, 1e21, 1e-7})).Draw(t, "number")
	}).Filter(func(x float64) bool { return !math.IsNaN(x) && !math.IsInf(x, 0) })
	nested := rapid.Custom(func(t *rapid.T) inner {
		return inner{number.Draw(t, "low"), rapid.Float32Range(-10, 10).Draw(t, "high")}
	})
	rapid.Check(t, func(t *rapid.T) {
		x := number.Draw(t, "x")
		v := sample{
			Embedded: Embedded{rapid.String().Draw(t, "kind")},
			Further:  rapid.SampledFrom([]*Further{nil, {"and more"}}).Draw(t, "further"),
			Name:     rapid.String().Draw(t, "name"), Plain: rapid.Int().Draw(t, "plain"), Hidden: 1, private: 1,
			Empty: rapid.SliceOf(rapid.Int()).Draw(t, "empty"), Zero: rapid.SampledFrom([]inner{{}, {Low: 1}}).Draw(t, "zero"),
			Nested: nested.Draw(t, "nested"), List: rapid.SliceOfN(nested, 0, 3).Draw(t, "list"), Pair: [2]float64{x, -x},
			Any:   rapid.SampledFrom([]any{nil, 1, "<&>", x, []any{true, "\u2028"}, &x}).Draw(t, "any"),
			Map:   rapid.MapOf(rapid.String(), nested).Draw(t, "map"),
			Texts: rapid.MapOf(rapid.String(), rapid.String()).Draw(t, "texts"),
			Size:  new(big.Int).Lsh(big.NewInt(rapid.Int64().Draw(t, "size")), 80),
			When:  time.Unix(rapid.Int64Range(0, 1<<33).Draw(t, "when"), 0).UTC(), Exact: "0.1000", Bytes: rapid.SliceOfN(rapid.Byte(), 1, 5).Draw(t, "bytes"),
			Unsigned: rapid.Uint64().Draw(t, "unsigned"), Flag: rapid.Bool().Draw(t, "flag"),
		}
		if rapid.Bool().Draw(t, "pointer set") {
			v.Pointer = &x
		}
		got, err := marshal(v)
		if err != nil {
			t.Fatal(err)
		}
		var want bytes.Buffer
		e := json.NewEncoder(&want)
		e.SetEscapeHTML(false)
		e.SetIndent("", "  ")
		if err := e.Encode(v); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want.String(), string(got)); diff != "" {
			t.Fatalf("-encoding/json +marshal:\n%s", diff)
		}
	})
}

// What JSON cannot hold is null, a list is a list, and size is written by a
// big.Int even where it is no pointer.
func TestMarshalDiffersFromEncodingJSON(t *testing.T) {
	nan := math.NaN()
	got, err := marshal(struct {
		NaN      float64            `json:"nan"`
		Inf      float32            `json:"inf"`
		Pointer  *float64           `json:"pointer"`
		Any      any                `json:"any"`
		List     []float64          `json:"list"`
		Map      map[string]float64 `json:"map"`
		None     []int              `json:"none"`
		Size     big.Int            `json:"size"`
		Brackets string             `json:"brackets"`
	}{
		nan, float32(math.Inf(-1)), &nan, math.Inf(1), []float64{1, nan}, map[string]float64{"b": 2, "a": nan},
		nil, *big.NewInt(7), "a < b && c",
	})
	if err != nil {
		t.Fatal(err)
	}
	want := `{
  "nan": null,
  "inf": null,
  "pointer": null,
  "any": null,
  "list": [
    1,
    null
  ],
  "map": {
    "a": null,
    "b": 2
  },
  "none": [],
  "size": 7,
  "brackets": "a < b && c"
}
`
	if diff := cmp.Diff(want, string(got)); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}

func TestMarshalNamesWhatItCannotWrite(t *testing.T) {
	_, err := marshal(map[string]any{"rows": []any{map[int]int{1: 2}}})
	if want := "cannot write the result as JSON: rows: map[int]int: only strings can be keys"; err == nil || err.Error() != want {
		t.Errorf("error %v, want %s", err, want)
	}
	if _, err := marshal(map[string]any{"f": func() {}}); err == nil {
		t.Error("a function was written as JSON")
	}
}
