package baselines

import (
	"fmt"
	"strconv"
	"strings"
)

// option is one setting of a method as a name has it after a colon: a switch,
// as "mean", or a value, as "step=64".
type option struct {
	form string                   // as help shows it: "mean", "step=10"
	set  func(value string) error // value is what stands behind "="; of a switch ""
	text func() string            // what a name says of it, "" where it is the default
}

// readOptions reads the options of a method's name.
func readOptions(method string, given []string, known []option) error {
next:
	for _, text := range given {
		name, value, valued := strings.Cut(text, "=")
		for _, o := range known {
			if n, _, takes := strings.Cut(o.form, "="); n != name || takes != valued {
				continue
			}
			if err := o.set(value); err != nil {
				return fmt.Errorf("%s: option %s: %w", method, text, err)
			}
			continue next
		}
		forms := make([]string, len(known))
		for i, o := range known {
			forms[i] = o.form
		}
		last := len(forms) - 1
		list := forms[last]
		if last > 0 {
			list = strings.Join(forms[:last], ", ") + " and " + list
		}
		return fmt.Errorf("%s has no option %q; it has %s", method, text, list)
	}
	return nil
}

// nameWith returns the name of a method with the options that are not their
// defaults. readOptions leads back to them.
func nameWith(method string, known []option) string {
	for _, o := range known {
		if text := o.text(); text != "" {
			method += ":" + text
		}
	}
	return method
}

// toggle is a switch that sets a field.
func toggle(name string, field *bool) option {
	return option{name, func(string) error { *field = true; return nil }, func() string {
		if *field {
			return name
		}
		return ""
	}}
}

// oneOf are switches that exclude each other: the last one given counts.
func oneOf[S ~string](field *S, words ...S) []option {
	var list []option
	for _, w := range words {
		list = append(list, option{string(w), func(string) error { *field = w; return nil }, func() string {
			if *field == w {
				return string(w)
			}
			return ""
		}})
	}
	return list
}

// count is a whole number of at least 1; 0 is the default, which form shows.
func count(form string, field *int) option {
	name, _, _ := strings.Cut(form, "=")
	return option{form, func(value string) (err error) {
		if *field, err = strconv.Atoi(value); err != nil || *field < 1 {
			return fmt.Errorf("%q is not a whole number of at least 1", value)
		}
		return nil
	}, func() string {
		if *field == 0 {
			return ""
		}
		return fmt.Sprintf("%s=%d", name, *field)
	}}
}

// amount is a number above 0 and below a limit; 0 is the default.
func amount(form string, field *float64, below float64) option {
	name, _, _ := strings.Cut(form, "=")
	return option{form, func(value string) (err error) {
		if *field, err = strconv.ParseFloat(value, 64); err != nil || !(*field > 0 && *field < below) {
			return fmt.Errorf("%q is not a number above 0 and below %g", value, below)
		}
		return nil
	}, func() string {
		if *field == 0 {
			return ""
		}
		return fmt.Sprintf("%s=%g", name, *field)
	}}
}

// instances is the parallelism of every stage; nil is the default.
func instances(field *Instances) option {
	return option{"parallelism=1/8/8/1", func(value string) error {
		*field = nil
		for text := range strings.SplitSeq(value, "/") {
			d, err := strconv.Atoi(text)
			if err != nil || d < 1 {
				return fmt.Errorf("%q is not a number of instances", text)
			}
			*field = append(*field, d)
		}
		return nil
	}, func() string {
		if *field == nil {
			return ""
		}
		parts := make([]string, len(*field))
		for i, d := range *field {
			parts[i] = strconv.Itoa(d)
		}
		return "parallelism=" + strings.Join(parts, "/")
	}}
}
