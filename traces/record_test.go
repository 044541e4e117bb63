package traces

import (
	"fmt"
	"math"
	"reflect"
	"testing"

	"github.com/parquet-go/parquet-go"
	"pgregory.net/rapid"
)

// The numbers that a file must keep bit for bit.
var (
	extremeFloats = []float64{
		0, math.Copysign(0, -1), 1, -1, math.MaxFloat64, -math.MaxFloat64, math.SmallestNonzeroFloat64,
		math.Inf(1), math.Inf(-1), math.NaN(), math.Float64frombits(0x7ff0000000000001), 0.1 + 0.2,
	}
	extremeInts = []int64{0, 1, -1, math.MaxInt32, math.MinInt32, math.MaxInt64, math.MinInt64}
	someTexts   = []string{"", "a", "stage0", "ml/epoch1/1792MBx8", "\x00", "zwölf Boxkämpfer", "\xff not UTF-8"}
)

// drawRecord draws every field of a record by its type, so that a new field
// cannot be forgotten.
func drawRecord(t *rapid.T) Record {
	var r Record
	v := reflect.ValueOf(&r).Elem()
	for i := range v.NumField() {
		drawField(t, v.Field(i), v.Type().Field(i).Name)
	}
	return r
}

func drawField(t *rapid.T, v reflect.Value, name string) {
	switch v.Kind() {
	case reflect.Pointer:
		if rapid.Bool().Draw(t, name+" known") {
			v.Set(reflect.New(v.Type().Elem()))
			drawField(t, v.Elem(), name)
		}
	case reflect.String:
		v.SetString(rapid.OneOf(rapid.SampledFrom(someTexts), rapid.String()).Draw(t, name))
	case reflect.Int32:
		v.SetInt(int64(int32(rapid.OneOf(rapid.SampledFrom(extremeInts), rapid.Int64()).Draw(t, name))))
	case reflect.Int64:
		v.SetInt(rapid.OneOf(rapid.SampledFrom(extremeInts), rapid.Int64()).Draw(t, name))
	case reflect.Float64:
		v.SetFloat(rapid.OneOf(rapid.SampledFrom(extremeFloats), rapid.Float64()).Draw(t, name))
	case reflect.Bool:
		v.SetBool(rapid.Bool().Draw(t, name))
	default:
		panic(fmt.Sprintf("no way to draw a field of type %v", v.Type()))
	}
}

// sameRows compares rows bit for bit: NaN equals NaN of the same bits, 0 and -0
// differ, null and 0 differ.
func sameRows(a, b []Record) error {
	if len(a) != len(b) {
		return fmt.Errorf("%d rows and %d", len(a), len(b))
	}
	for i := range a {
		x, y := reflect.ValueOf(a[i]), reflect.ValueOf(b[i])
		for f := range x.NumField() {
			if p, q := x.Field(f), y.Field(f); !same(p, q) {
				return fmt.Errorf("row %d, field %s: %s and %s", i, x.Type().Field(f).Name, exactly(p), exactly(q))
			}
		}
	}
	return nil
}

func same(a, b reflect.Value) bool {
	switch a.Kind() {
	case reflect.Pointer:
		if a.IsNil() || b.IsNil() {
			return a.IsNil() == b.IsNil()
		}
		return same(a.Elem(), b.Elem())
	case reflect.Float64:
		return math.Float64bits(a.Float()) == math.Float64bits(b.Float())
	}
	return a.Equal(b)
}

func exactly(v reflect.Value) string {
	switch v.Kind() {
	case reflect.Pointer:
		if v.IsNil() {
			return "null"
		}
		return "known " + exactly(v.Elem())
	case reflect.Float64:
		return fmt.Sprintf("%#x", math.Float64bits(v.Float()))
	case reflect.String:
		return fmt.Sprintf("%q", v.String())
	}
	return fmt.Sprint(v.Interface())
}

// The columns of the reader are written by hand; those of the writer are
// derived from the type.
func TestColumnsAreThoseOfTheType(t *testing.T) {
	fields := parquet.SchemaOf(Record{}).Fields()
	if len(fields) != len(columns) {
		t.Fatalf("%d columns, the type has %d", len(columns), len(fields))
	}
	for i, field := range fields {
		if columns[i].title() != field.Name() {
			t.Errorf("column %d is %s, in the type it is %s", i, columns[i].title(), field.Name())
		}
		_, text := columns[i].(textColumn)
		_, memory := columns[i].(memoryColumn)
		if required := text || memory; required == field.Optional() {
			t.Errorf("column %s: required %v, in the type optional %v", field.Name(), required, field.Optional())
		}
	}
	for _, name := range StepColumns() {
		if _, unknown := pick([]string{name}); len(unknown) > 0 {
			t.Errorf("StepColumns names %s, which is no column", name)
		}
	}
}

// syntheticRows returns n plausible rows: runs of a workflow of four stages
// under the grid of ml, one row per invocation.
func syntheticRows(n int) []Record {
	layout, _ := JolteonLayout("ml")
	rows := make([]Record, n)
	for i := range rows {
		run := i / 16
		config := layout.Grid[run%len(layout.Grid)]
		d, index, start := config.Parallelism, int32(i%4), int64(1_700_000_000_000_000_000+i*7_919_000)
		end := start + int64(1e9+i%1000*1e6)
		times := [4]float64{0.2 + float64(i%97)/1000, 1.5 + math.Sqrt(float64(i)), 10 / float64(1+i%13), float64(i%11) / 7}
		environment := fmt.Sprintf("2024/01/01/[$LATEST]%032x", i%5000)
		rows[i] = Record{
			Workflow: "ml", Execution: fmt.Sprintf("ml/run%d", run), Stage: layout.Stages[i/4%4], Statistic: Invocation,
			MemoryMB: config.MemoryMB, Parallelism: &d,
			Cold: &times[0], Read: &times[1], Compute: &times[2], Write: &times[3],
			MapIndex: &index, EnvironmentID: &environment, StartNS: &start, EndNS: &end,
			Source: Synthetic,
		}
	}
	return rows
}

// groupRows is the size of the groups of rows that writeGroups makes.
const groupRows = 2 * rowsPerBatch

// writeGroups is Write with small groups of rows, the rows written in portions
// of the given size.
func writeGroups(path string, rows []Record, meta Meta, portion int) error {
	w, err := newWriter(path, meta, groupRows)
	if err != nil {
		return err
	}
	defer w.Abort()
	for len(rows) > 0 {
		n := min(portion, len(rows))
		if err := w.Write(rows[:n]...); err != nil {
			return err
		}
		rows = rows[n:]
	}
	return w.Close()
}
