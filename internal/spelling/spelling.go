// Package spelling answers a name that is none of those that are known: with the
// one that was probably meant, and with all that there are.
package spelling

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/xrash/smetrics"
)

// similarity above which a suggestion is more likely right than confusing.
const similarity = 0.8

// Nearest returns the known name that is nearest to the given one, whatever the
// case of its letters (Jaro and Winkler, Proc. Section on Survey Research
// Methods, ASA 1990), and "" where none is near. Of equally near ones it is the
// first. A name of one letter is near to everything, and not looked at.
func Nearest(name string, known []string) string {
	best, nearest := similarity, ""
	for _, k := range known {
		if len(k) < 2 {
			continue
		}
		if s := smetrics.JaroWinkler(strings.ToLower(name), strings.ToLower(k), 0.7, 4); s > best {
			best, nearest = s, k
		}
	}
	return nearest
}

// Unknown returns the error for a name, what being the noun for it, that is none
// of those known, as in
//
//	unknown method "exat"; did you mean "exact"? choose one of exact, random
func Unknown(what, name string, known []string) error {
	choice := "choose one of "
	if len(known) == 1 {
		choice = "there is only "
	}
	return fmt.Errorf("unknown %s %q%s %s%s", what, name, orMeant(name, known, ";"), choice, strings.Join(known, ", "))
}

// NeitherFile returns the error for what is neither bundled under a name nor a
// file of that name, as in
//
//	workflow "vidoe" is neither bundled (ml, tpcds, video) nor a file; did you mean "video"?
func NeitherFile(what, name string, bundled []string) error {
	return fmt.Errorf("%s %q is neither bundled (%s) nor a file%s", what, name, strings.Join(bundled, ", "), orMeant(name, bundled, ""))
}

// orMeant asks for the name that is near, or returns what to say where none is.
func orMeant(name string, known []string, otherwise string) string {
	if nearest := Nearest(name, known); nearest != "" {
		return "; did you mean " + strconv.Quote(nearest) + "?"
	}
	return otherwise
}
