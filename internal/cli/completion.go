package cli

import (
	"io"
	"slices"
	"strings"

	ucli "github.com/urfave/cli/v2"

	"eevee/internal/spelling"
)

// completeWord is the first word of a command line whose last word is to be
// completed. It is for the script, not for people.
const completeWord = "__complete"

// bashScript makes Bash ask the program. Where that knows of nothing, Bash
// completes names of files.
const bashScript = `_eevee() {
    local IFS=$'\n'
    COMPREPLY=($("${COMP_WORDS[0]}" ` + completeWord + ` "${COMP_WORDS[@]:1:COMP_CWORD}" 2>/dev/null))
}
complete -o default -F _eevee eevee
`

// shells are the shells that there is a script for.
var shells = []string{"bash"}

func completionVerb() verb {
	type script struct {
		Shell  string `json:"shell"`
		Script string `json:"script"`
	}
	return verb{
		name:    "completion",
		summary: "print a script that lets a shell complete verbs, flags and names",
		shown:   []string{"completion bash"},
		detail:  "SHELL is " + strings.Join(shells, " or ") + ". Put \"source <(eevee completion bash)\" into ~/.bashrc.",
		args:    "SHELL",
		offers:  shells,
		run: func(c *call) error {
			if !slices.Contains(shells, c.args[0]) {
				return usagef("%w", spelling.Unknown("shell", c.args[0], shells))
			}
			return c.result(script{c.args[0], bashScript}, func(w io.Writer) error {
				_, err := io.WriteString(w, bashScript)
				return err
			})
		},
	}
}

// completionText returns what the last of some words can be completed to, one on
// a line. Bash takes a word apart at : and =, and replaces its last part only.
func completionText(common flags, verbs []verb, words []string) string {
	words = joinedWords(words)
	if len(words) == 0 {
		words = []string{""}
	}
	typed := words[len(words)-1]
	fixed := strings.LastIndexAny(typed, ":=") + 1
	text := ""
	for _, word := range completions(common, verbs, words[:len(words)-1], typed) {
		text += word[fixed:] + "\n"
	}
	return text
}

// joinedWords puts together what Bash takes apart.
func joinedWords(parts []string) (words []string) {
	open := false
	for _, part := range parts {
		separates := part != "" && strings.Trim(part, ":=") == ""
		if len(words) > 0 && (open || separates) {
			words[len(words)-1] += part
		} else {
			words = append(words, part)
		}
		open = separates
	}
	return words
}

// completions returns the words that begin with what is typed and may stand
// behind those before it: values of a flag, flags, verbs, or arguments.
func completions(common flags, verbs []verb, before []string, typed string) []string {
	known, top := common, true
	var offered []string  // arguments of the verb
	var waiting ucli.Flag // for its value
	arguments := 0
	for _, word := range before {
		switch {
		case waiting != nil:
			waiting = nil
		case strings.HasPrefix(word, "-"):
			name, _, hasValue := strings.Cut(strings.TrimLeft(word, "-"), "=")
			if f := flagNamed(known, name); f != nil && !hasValue && f.(ucli.DocGenerationFlag).TakesValue() {
				waiting = f
			}
		case top && word == "help":
		case arguments == 0 && isVerb(verbs, word):
			v := verbs[slices.IndexFunc(verbs, func(v verb) bool { return v.name == word })]
			known, verbs, offered, top = append(slices.Clone(v.flags), common...), v.verbs, v.offers, false
		default:
			arguments++
		}
	}
	name, value, hasValue := strings.Cut(typed, "=")
	switch {
	case waiting != nil:
		return valuesOf(waiting, "", typed)
	case strings.HasPrefix(typed, "-") && hasValue:
		if f := flagNamed(known, strings.TrimLeft(name, "-")); f != nil {
			return valuesOf(f, name+"=", value)
		}
		return nil
	case strings.HasPrefix(typed, "-"):
		var all []string
		for _, f := range known {
			all = append(all, dashes(f.Names()[0]))
		}
		return beginning(all, typed)
	}
	var all []string
	if arguments == 0 {
		for _, v := range verbs {
			all = append(all, v.name)
		}
	}
	if top {
		all = append(all, "help")
	}
	return beginning(append(all, offered...), typed)
}

// valuesOf returns the words that a flag offers for what is typed behind some
// text, which may be a list.
func valuesOf(f ucli.Flag, behind, typed string) []string {
	v := valueOf(f)
	if v == nil {
		return nil
	}
	last := strings.LastIndex(typed, ",") + 1
	var all []string
	for _, word := range v.words() {
		all = append(all, behind+typed[:last]+word)
	}
	return beginning(all, behind+typed)
}

func beginning(words []string, with string) []string {
	return slices.DeleteFunc(words, func(w string) bool { return !strings.HasPrefix(w, with) })
}
