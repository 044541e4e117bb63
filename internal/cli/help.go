package cli

import (
	"fmt"
	"strings"

	"github.com/jedib0t/go-pretty/v6/text"
)

// programHelp is what "eevee help" says.
func programHelp(verbs []verb) string {
	var rows [][2]string
	for _, v := range verbs {
		rows = append(rows, [2]string{v.name, v.summary})
	}
	return "eevee - " + summary + "\n\n  eevee VERB [flags] [arguments]\n\nVerbs:\n" + listed(rows) +
		"\nEvery verb takes --json, --seed N, --quiet and --help; flags may stand anywhere.\n" +
		"Exit code: 0 optimal or done, 1 failed, 2 wrong usage, 3 infeasible or nothing\n" +
		"found, 130 interrupted.\n"
}

// help is what --help says of the verb that is found under a path.
func (v verb) help(path []string, common flags) string {
	name := strings.Join(append([]string{"eevee"}, path...), " ")
	all := name + " - " + v.summary + "\n"
	if v.run != nil {
		all += strings.TrimRight("\n  "+name+" [flags] "+v.args, " ") + "\n"
	}
	if v.detail != "" {
		all += "\n"
		for line := range strings.Lines(v.detail) {
			all += hanging(strings.TrimSuffix(line, "\n"))
		}
	}
	if len(v.shown) > 0 {
		// These are to be copied, and keep their lines.
		all += "\nExamples:\n  eevee " + strings.Join(v.shown, "\n  eevee ") + "\n"
	}
	if v.run != nil {
		var rows [][2]string
		for _, f := range append(v.flags[:len(v.flags):len(v.flags)], common...) {
			flag, usage, _ := strings.Cut(f.String(), "\t")
			rows = append(rows, [2]string{flag, usage})
		}
		all += "\nFlags:\n" + listed(rows)
	}
	if v.verbs != nil {
		var rows [][2]string
		for _, sub := range v.verbs {
			rows = append(rows, [2]string{strings.TrimRight(sub.name+" "+sub.args, " "), sub.summary})
		}
		all += "\nVerbs:\n" + listed(rows)
	}
	return all
}

// hanging wraps a line of a description. Of an entry in a list, which is indented,
// the further lines are so a little more.
func hanging(line string) string {
	entry := strings.TrimLeft(line, " ")
	indent := line[:len(line)-len(entry)]
	all := ""
	for part := range strings.SplitSeq(text.WrapSoft(entry, tableWidth-len(indent)-2), "\n") {
		all += indent + strings.TrimRight(part, " ") + "\n"
		if indent != "" {
			indent = strings.Repeat(" ", len(line)-len(entry)+2)
		}
	}
	return all
}

// listed lists names with what is said of them, in lines of at most tableWidth
// characters.
func listed(rows [][2]string) string {
	widest := 0
	for _, r := range rows {
		widest = max(widest, len(r[0]))
	}
	var b strings.Builder
	for _, r := range rows {
		name := r[0]
		for line := range strings.SplitSeq(text.WrapSoft(r[1], tableWidth-widest-4), "\n") {
			fmt.Fprintf(&b, "  %-*s  %s\n", widest, name, strings.TrimRight(line, " "))
			name = ""
		}
	}
	return b.String()
}
