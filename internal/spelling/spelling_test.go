package spelling

import "testing"

func TestNearest(t *testing.T) {
	known := []string{"o", "exact", "exhaustive", "jolteon", "jolteon:compat", "orion", "fig8", "fig18"}
	for name, want := range map[string]string{
		"exat": "exact", "exhausive": "exhaustive", "ORION": "orion", "joltoen": "jolteon", "jolteon:compatt": "jolteon:compat",
		"fg8": "fig8", "fig8-ml": "fig8",
		"o": "", "nope": "", "": "", "münchen": "",
	} {
		if got := Nearest(name, known); got != want {
			t.Errorf("%q: %q, want %q", name, got, want)
		}
	}
	if got := Nearest("exact", nil); got != "" {
		t.Errorf("of no names %q is near", got)
	}
}

func TestErrors(t *testing.T) {
	known := []string{"ml", "video"}
	for want, err := range map[string]error{
		`unknown method "vidoe"; did you mean "video"? choose one of ml, video`:             Unknown("method", "vidoe", known),
		`unknown method "x"; choose one of ml, video`:                                       Unknown("method", "x", known),
		`unknown method "vidoe"; did you mean "video"? there is only video`:                 Unknown("method", "vidoe", known[1:]),
		`workflow "vidoe" is neither bundled (ml, video) nor a file; did you mean "video"?`: NeitherFile("workflow", "vidoe", known),
		`workflow "some file" is neither bundled (ml, video) nor a file`:                    NeitherFile("workflow", "some file", known),
		`workflow "\x1b[31m\n" is neither bundled (ml, video) nor a file`:                   NeitherFile("workflow", "\x1b[31m\n", known),
		`workflow "ML" is neither bundled (ml, video) nor a file; did you mean "ml"?`:       NeitherFile("workflow", "ML", known),
	} {
		if err.Error() != want {
			t.Errorf("%v\nwant %s", err, want)
		}
	}
}
