package emulator

import (
	"maps"
	"net/http"
)

// tagsInput is what TagResource takes.
type tagsInput struct{ Tags map[string]string }

// maxTags is how many tags a function may have (Lambda developer guide, "Tags").
const maxTags = 50

func (e *Emulator) tagResource(in *request, f *function, input tagsInput) (reply, error) {
	tags := maps.Clone(f.tags)
	maps.Copy(tags, input.Tags)
	if len(tags) > maxTags {
		return reply{}, invalid("The number of tags on the function exceeds %d", maxTags)
	}
	f.tags = tags
	return reply{status: http.StatusNoContent}, nil
}

func (e *Emulator) untagResource(in *request, f *function, _ none) (reply, error) {
	for _, key := range in.query["tagKeys"] {
		delete(f.tags, key)
	}
	return reply{status: http.StatusNoContent}, nil
}

func (e *Emulator) listTags(in *request, f *function, _ none) (reply, error) {
	return answer(http.StatusOK, map[string]any{"Tags": f.tags})
}

// reservedTotal returns the concurrency that functions other than the named one
// have reserved. The caller holds e.mu.
func (e *Emulator) reservedTotal(except string) int {
	total := 0
	for name, f := range e.functions {
		if name != except && f.reserved != nil {
			total += *f.reserved
		}
	}
	return total
}

// minUnreserved is what an account must leave unreserved (Lambda developer
// guide, "Reserved concurrency").
const minUnreserved = 100

// concurrencyInput is what PutFunctionConcurrency takes.
type concurrencyInput struct{ ReservedConcurrentExecutions *int }

func (e *Emulator) putConcurrency(in *request, f *function, input concurrencyInput) (reply, error) {
	n := input.ReservedConcurrentExecutions
	if n == nil || *n < 0 {
		return reply{}, invalid("ReservedConcurrentExecutions must be a number of at least 0")
	}
	if left := e.options.Concurrency - e.reservedTotal(f.name) - *n; *n > 0 && left < min(minUnreserved, e.options.Concurrency/2) {
		return reply{}, invalid("Specified ReservedConcurrentExecutions for function decreases account's UnreservedConcurrentExecution below its minimum value of [%d].", minUnreserved)
	}
	f.reserved = n
	return answer(http.StatusOK, input)
}

func (e *Emulator) getConcurrency(in *request, f *function, _ none) (reply, error) {
	out := make(map[string]int)
	if f.reserved != nil {
		out["ReservedConcurrentExecutions"] = *f.reserved
	}
	return answer(http.StatusOK, out)
}

func (e *Emulator) deleteConcurrency(in *request, f *function, _ none) (reply, error) {
	f.reserved = nil
	return reply{status: http.StatusNoContent}, nil
}
