package emulator

import (
	"maps"
	"net/http"
)

// tagged finds the function of a request about tags, which names it by its ARN
// without a qualifier. The caller holds e.mu.
func (e *Emulator) tagged(in *request) (*function, error) {
	name, qualifier, err := e.functionName(in.path["resource"])
	if err != nil {
		return nil, err
	}
	if qualifier != "" {
		return nil, invalid("Tags on function aliases and versions are not supported. Please specify a function ARN.")
	}
	f := e.functions[name]
	if f == nil {
		return nil, notFound("Function not found: %s", e.functionARN(name, ""))
	}
	return f, nil
}

// maxTags is how many tags a function may have (Lambda developer guide, "Tags").
const maxTags = 50

func (e *Emulator) tagResource(in *request) (reply, error) {
	var input struct{ Tags map[string]string }
	if err := in.read(&input); err != nil {
		return reply{}, err
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	f, err := e.tagged(in)
	if err != nil {
		return reply{}, err
	}
	tags := maps.Clone(f.tags)
	maps.Copy(tags, input.Tags)
	if len(tags) > maxTags {
		return reply{}, invalid("The number of tags on the function exceeds %d", maxTags)
	}
	f.tags = tags
	return reply{status: http.StatusNoContent}, nil
}

func (e *Emulator) untagResource(in *request) (reply, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	f, err := e.tagged(in)
	if err != nil {
		return reply{}, err
	}
	for _, key := range in.query["tagKeys"] {
		delete(f.tags, key)
	}
	return reply{status: http.StatusNoContent}, nil
}

func (e *Emulator) listTags(in *request) (reply, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	f, err := e.tagged(in)
	if err != nil {
		return reply{}, err
	}
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

func (e *Emulator) putConcurrency(in *request) (reply, error) {
	var input struct{ ReservedConcurrentExecutions *int }
	if err := in.read(&input); err != nil {
		return reply{}, err
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	f, _, _, err := e.lookup(in)
	if err != nil {
		return reply{}, err
	}
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

func (e *Emulator) getConcurrency(in *request) (reply, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	f, _, _, err := e.lookup(in)
	if err != nil {
		return reply{}, err
	}
	out := make(map[string]int)
	if f.reserved != nil {
		out["ReservedConcurrentExecutions"] = *f.reserved
	}
	return answer(http.StatusOK, out)
}

func (e *Emulator) deleteConcurrency(in *request) (reply, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	f, _, _, err := e.lookup(in)
	if err != nil {
		return reply{}, err
	}
	f.reserved = nil
	return reply{status: http.StatusNoContent}, nil
}
