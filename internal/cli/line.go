package cli

import (
	"fmt"
	"slices"
	"strings"

	ucli "github.com/urfave/cli/v2"

	"eevee/internal/spelling"
)

// line is a command line taken apart. Flags may stand anywhere in it; the
// package flag, which urfave/cli reads with, stops at the first argument.
type line struct {
	path  []string // the verbs
	verb  *verb    // the last of them; nil: there is none
	help  bool     // it asks for help; flags and args do not matter
	flags []string // as "--name=value", by the first name of the flag
	args  []string
}

// arguments returns the line in the order that urfave/cli can read.
func (l line) arguments() []string {
	all := append([]string{"eevee"}, l.path...)
	all = append(all, l.flags...)
	if len(l.args) > 0 {
		all = append(append(all, "--"), l.args...)
	}
	return all
}

// parseLine finds the verb, the flags and the arguments in args. Before the
// verb only the common flags can stand. An error is wrong usage and comes with
// the path found so far.
func parseLine(common flags, verbs []verb, args []string) (l line, err error) {
	if len(args) > 0 && args[0] == "help" {
		args = append(slices.Clone(args[1:]), "--help")
	}
	var at *verb
	known := common
	words, help := splitOff(args)
	given := make(map[string]bool)
	for k := 0; k < len(words); k++ {
		word := words[k]
		switch {
		case strings.HasPrefix(word, "-") && word != "-":
			var missing []verb
			if at == nil || at.run == nil {
				missing = verbs
			}
			flag, used, err := parseFlag(known, words[k:], missing)
			if err != nil {
				if help {
					continue // whoever asks for help need not get the rest right
				}
				return l, err
			}
			name, _, _ := strings.Cut(flag, "=")
			if given[name] && !repeatable(known, name) {
				return l, usagef("%s is given twice", name)
			}
			given[name] = true
			l.flags = append(l.flags, flag)
			k += used - 1
		case at != nil && at.run != nil && len(l.args) == 0 && words[k-1] != at.name && isVerb(verbs, word):
			return l, usagef("%s is a verb of its own behind %s; put it there at once, or write ./%s for a file", word, at.name, word)
		case at == nil || at.run == nil || len(l.args) == 0 && isVerb(verbs, word):
			i := slices.IndexFunc(verbs, func(v verb) bool { return v.name == word })
			if i < 0 {
				return l, unknownVerb(word, verbs)
			}
			at = &verbs[i]
			l.path = append(l.path, word)
			known = append(slices.Clone(at.flags), common...)
			verbs = at.verbs
		default:
			l.args = append(l.args, word)
		}
	}
	l.args = append(l.args, args[min(len(words)+1, len(args)):]...)
	switch {
	case help:
		return line{path: l.path, verb: at, help: true}, nil
	case at == nil:
		return l, usagef("a verb is missing: %s; \"eevee help\" explains them", names(verbs))
	case at.run == nil:
		return l, usagef("a verb is missing: %s", names(verbs))
	}
	return l, at.checkArgs(l.args)
}

func isVerb(verbs []verb, word string) bool {
	return slices.ContainsFunc(verbs, func(v verb) bool { return v.name == word })
}

// splitOff returns the words before "--", and whether help is asked for among
// them.
func splitOff(args []string) (words []string, help bool) {
	words = args
	if i := slices.Index(args, "--"); i >= 0 {
		words = args[:i]
	}
	return words, slices.ContainsFunc(words, func(w string) bool {
		return slices.Contains([]string{"-h", "-help", "--help"}, w)
	})
}

// parseFlag reads the flag at the start of words, and how many words it takes.
// Where the verb is still missing, verbs are what it can be.
func parseFlag(known flags, words []string, verbs []verb) (flag string, used int, err error) {
	name, value, hasValue := strings.Cut(strings.TrimPrefix(strings.TrimPrefix(words[0], "-"), "-"), "=")
	f := flagNamed(known, name)
	switch {
	case f == nil && isVerb(verbs, name):
		return "", 0, usagef("%s is a verb; write it without dashes", name)
	case f == nil && verbs != nil:
		return "", 0, usagef("unknown flag %s before the verb", dashes(name))
	case f == nil:
		return "", 0, usagef("unknown flag %s%s", dashes(name), didYouMean(name, flagNames(known), dashes))
	}
	takesValue := f.(ucli.DocGenerationFlag).TakesValue()
	switch {
	case !takesValue && hasValue:
		return "", 0, usagef("%s takes no value", dashes(name))
	case !takesValue:
		return "--" + f.Names()[0], 1, nil
	case hasValue:
		return "--" + f.Names()[0] + "=" + value, 1, nil
	case len(words) == 1:
		return "", 0, usagef("%s needs a value", dashes(name))
	case isFlag(known, words[1]):
		return "", 0, usagef("%s needs a value, but %s follows", dashes(name), words[1])
	}
	return "--" + f.Names()[0] + "=" + words[1], 2, nil
}

// isFlag reports whether a word is one of the known flags, and not, say, a
// negative number.
func isFlag(known flags, word string) bool {
	name, _, _ := strings.Cut(strings.TrimLeft(word, "-"), "=")
	return strings.HasPrefix(word, "-") && flagNamed(known, name) != nil
}

func flagNamed(known flags, name string) ucli.Flag {
	for _, f := range known {
		if slices.Contains(f.Names(), name) {
			return f
		}
	}
	return nil
}

func repeatable(known flags, dashedName string) bool {
	s, ok := flagNamed(known, strings.TrimLeft(dashedName, "-")).(ucli.DocGenerationSliceFlag)
	return ok && s.IsSliceFlag()
}

func flagNames(flags flags) []string {
	var all []string
	for _, f := range flags {
		all = append(all, f.Names()...)
	}
	return all
}

// dashes returns the name of a flag as it is written.
func dashes(name string) string {
	if len(name) == 1 {
		return "-" + name
	}
	return "--" + name
}

// dashed returns all names of a flag, as "--output (-o)".
func dashed(f ucli.Flag) string {
	s := dashes(f.Names()[0])
	for _, alias := range f.Names()[1:] {
		s += " (" + dashes(alias) + ")"
	}
	return s
}

func unknownVerb(word string, verbs []verb) error {
	var known []string
	for _, v := range verbs {
		known = append(known, v.name)
	}
	hint := didYouMean(word, known, func(s string) string { return s })
	if hint == "" {
		hint = "; known are " + names(verbs)
	}
	return usagef("unknown verb %q%s", word, hint)
}

func names(verbs []verb) string {
	var all []string
	for _, v := range verbs {
		all = append(all, v.name)
	}
	return strings.Join(all, ", ")
}

// didYouMean suggests the known word that is nearest to the given one, nothing
// if none is near.
func didYouMean(word string, known []string, show func(string) string) string {
	nearest := spelling.Nearest(word, known)
	if nearest == "" {
		return ""
	}
	return "; did you mean " + show(nearest) + "?"
}

// checkArgs checks the number of arguments against the verb's args.
func (v verb) checkArgs(args []string) error {
	wanted := strings.Fields(v.args)
	for i, w := range wanted {
		switch {
		case strings.HasPrefix(w, "["):
		case i >= len(args):
			return usagef("%s is missing", strings.TrimSuffix(w, "..."))
		}
		if strings.Contains(w, "...") {
			return nil
		}
	}
	if len(args) > len(wanted) {
		if len(wanted) == 0 {
			return usagef("takes no argument, but got %q", args[0])
		}
		return usagef("takes %s only, but got also %q", v.args, args[len(wanted)])
	}
	return nil
}

// checkNeeded names the flags that must be given and are not.
func checkNeeded(known flags, need []string, isSet func(string) bool) error {
	var missing []string
	for _, name := range need {
		if !isSet(name) {
			missing = append(missing, dashed(flagNamed(known, name)))
		}
	}
	switch len(missing) {
	case 0:
		return nil
	case 1:
		return usagef("%s is missing", missing[0])
	}
	return usagef("%s are missing", strings.Join(missing, ", "))
}

// flagError returns what is wrong with a flag's value in the words of the
// value; the package flag wraps them into its own.
func flagError(flags flags, err error) error {
	for _, f := range flags {
		if v := valueOf(f); v != nil && v.failure() != nil {
			return statusError{exitUsage, fmt.Errorf("%s %w", dashes(f.Names()[0]), v.failure())}
		}
	}
	return statusError{exitUsage, err}
}
