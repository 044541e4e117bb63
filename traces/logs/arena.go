package logs

// arena hands out the values that rows point to, many to an allocation.
type arena struct {
	int64s []int64
	int32s []int32
	texts  []string
}

const arenaValues = 512

func (a *arena) int64(v int64) *int64 { return put(&a.int64s, v) }

func (a *arena) int32(v int32) *int32 { return put(&a.int32s, v) }

func (a *arena) text(v string) *string { return put(&a.texts, v) }

func put[T any](values *[]T, v T) *T {
	if len(*values) == cap(*values) {
		*values = make([]T, 0, arenaValues)
	}
	*values = append(*values, v)
	return &(*values)[len(*values)-1]
}

// The two flags, which rows can share.
var yes, no = true, false
