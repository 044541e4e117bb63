package emulator

import (
	"maps"
	"net/http"
	"regexp"
	"slices"
)

// aliasConfiguration is AliasConfiguration as Lambda writes it.
type aliasConfiguration struct {
	AliasArn        string
	Name            string
	FunctionVersion string
	Description     string
	RoutingConfig   *routing `json:",omitempty"`
	RevisionId      string
}

type routing struct{ AdditionalVersionWeights map[string]float64 }

// aliasInput is what CreateAlias and UpdateAlias take.
type aliasInput struct {
	Name            string
	FunctionVersion *string
	Description     *string
	RoutingConfig   *routing
	RevisionId      string
}

func (e *Emulator) aliasConfiguration(f *function, a *alias) aliasConfiguration {
	c := aliasConfiguration{
		AliasArn: e.functionARN(f.name, a.name), Name: a.name, FunctionVersion: a.version, Description: a.description, RevisionId: a.revision,
	}
	if len(a.weights) > 0 {
		c.RoutingConfig = &routing{a.weights}
	}
	return c
}

// apply changes an alias, or nothing if an error is returned.
func (e *Emulator) apply(in *aliasInput, f *function, a *alias) error {
	next := *a
	if in.FunctionVersion != nil {
		next.version = *in.FunctionVersion
	}
	if in.Description != nil {
		next.description = *in.Description
	}
	if in.RoutingConfig != nil {
		next.weights = maps.Clone(in.RoutingConfig.AdditionalVersionWeights)
	}
	if f.find(next.version) == nil {
		return notFound("Function not found: %s", e.functionARN(f.name, next.version))
	}
	for _, number := range slices.Sorted(maps.Keys(next.weights)) {
		switch w := next.weights[number]; {
		case f.find(number) == nil || number == latest || next.version == latest:
			return invalid("Invalid version %s in the routing of alias %s", number, a.name)
		case w < 0 || w > 1:
			return invalid("Weight %v of version %s is not between 0 and 1", w, number)
		}
	}
	next.revision = uuid()
	*a = next
	return nil
}

var nameOfAlias = regexp.MustCompile(`^[a-zA-Z0-9-_]*[a-zA-Z-_][a-zA-Z0-9-_]*$`)

func (e *Emulator) createAlias(in *request, f *function, input aliasInput) (reply, error) {
	if !nameOfAlias.MatchString(input.Name) || len(input.Name) > 128 {
		return reply{}, validation("Value '%s' at 'name' failed to satisfy constraint: Member must satisfy regular expression pattern: (?!^[0-9]+$)([a-zA-Z0-9-_]+)", input.Name)
	}
	if f.aliases[input.Name] != nil {
		return reply{}, conflict("Alias already exists: %s", e.functionARN(f.name, input.Name))
	}
	a := &alias{name: input.Name}
	if err := e.apply(&input, f, a); err != nil {
		return reply{}, err
	}
	f.aliases[a.name] = a
	return answer(http.StatusCreated, e.aliasConfiguration(f, a))
}

func (e *Emulator) getAlias(in *request, f *function, a *alias, _ none) (reply, error) {
	return answer(http.StatusOK, e.aliasConfiguration(f, a))
}

func (e *Emulator) updateAlias(in *request, f *function, a *alias, input aliasInput) (reply, error) {
	if err := checkRevision(input.RevisionId, a.revision); err != nil {
		return reply{}, err
	}
	if err := e.apply(&input, f, a); err != nil {
		return reply{}, err
	}
	return answer(http.StatusOK, e.aliasConfiguration(f, a))
}

// deleteAlias succeeds where there is no such alias, as Lambda does.
func (e *Emulator) deleteAlias(in *request, f *function, _ none) (reply, error) {
	delete(f.aliases, in.path["alias"])
	return reply{status: http.StatusNoContent}, nil
}

func (e *Emulator) listAliases(in *request, f *function, _ none) (reply, error) {
	list := []aliasConfiguration{}
	for _, name := range slices.Sorted(maps.Keys(f.aliases)) {
		if v := in.query.Get("FunctionVersion"); v == "" || v == f.aliases[name].version {
			list = append(list, e.aliasConfiguration(f, f.aliases[name]))
		}
	}
	part, next, err := page(list, in, 50)
	if err != nil {
		return reply{}, err
	}
	return answer(http.StatusOK, struct {
		Aliases    []aliasConfiguration
		NextMarker *string
	}{part, next})
}
