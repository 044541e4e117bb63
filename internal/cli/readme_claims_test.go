package cli

import (
	"encoding/json"
	"math"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
)

// Every number that the README tells about a reproduced figure is one of the
// claims of a run on the recordings: a value, or part of what a verdict says. The
// folder of the run is in EEVEE_REPRODUCED; "make reproduce" makes one.
func TestReadmeNumbersAreClaims(t *testing.T) {
	dir := os.Getenv("EEVEE_REPRODUCED")
	if dir == "" {
		t.Skip("EEVEE_REPRODUCED names no folder that eevee reproduce wrote")
	}
	known := map[string]*knownNumbers{}
	for _, name := range []string{"claims.json", "timings.json"} {
		text, err := os.ReadFile(filepath.Join(dir, name))
		if err != nil {
			t.Fatal(err)
		}
		var list struct{ Claims []readClaim }
		if err := json.Unmarshal(text, &list); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		for _, c := range list.Claims {
			if known[c.Experiment] == nil {
				known[c.Experiment] = &knownNumbers{}
			}
			known[c.Experiment].learn(c)
		}
	}
	readme, err := os.ReadFile("../../README.md")
	if err != nil {
		t.Fatal(err)
	}
	row := regexp.MustCompile("^\\|[^|]*\\| `eevee reproduce ([a-z0-9-]+)` \\|(.*)\\|$")
	rows, numbers := 0, 0
	for line := range strings.Lines(string(readme)) {
		m := row.FindStringSubmatch(strings.TrimSpace(line))
		if m == nil {
			continue
		}
		rows++
		for _, n := range numbersIn(m[2]) {
			numbers++
			if k := known[m[1]]; k == nil || !k.hold(n) {
				t.Errorf("the README tells %s of %s, and no claim of the run does", n, m[1])
			}
		}
	}
	if rows < 10 || numbers < 10 {
		t.Errorf("%d rows with %d numbers: is the table still there?", rows, numbers)
	}
}

type readClaim struct {
	Experiment, Title, Tolerance, Why string
	Reported, Reproduced              []struct{ Value *float64 }
}

// knownNumbers are the numbers of an experiment's claims.
type knownNumbers struct {
	values []float64
	words  []string
	claims int
}

func (k *knownNumbers) learn(c readClaim) {
	k.claims++
	for _, v := range append(c.Reported, c.Reproduced...) {
		if v.Value != nil {
			k.values = append(k.values, *v.Value)
		}
	}
	k.words = append(k.words, numbersIn(c.Title+" "+c.Tolerance+" "+c.Why)...)
}

// hold reports whether a number is known: as it is written, or as a value
// rounded to its digits, in percent or US cents, or in thousandths.
func (k *knownNumbers) hold(number string) bool {
	v, err := strconv.ParseFloat(number, 64)
	if err != nil {
		return false
	}
	_, decimals, _ := strings.Cut(number, ".")
	half := 0.5*math.Pow(10, -float64(len(decimals))) + 1e-9
	near := func(x float64) bool { return math.Abs(math.Abs(x)-math.Abs(v)) <= half }
	for _, x := range k.values {
		if near(x) || near(100*x) || near(1000*x) {
			return true
		}
	}
	for _, w := range k.words {
		if x, err := strconv.ParseFloat(w, 64); err == nil && near(x) {
			return true
		}
	}
	return v == float64(k.claims)
}

// numbersIn returns the numbers of a text without separators of thousands. Parts
// of names, as in p95 or one of "C0", are none.
func numbersIn(text string) []string {
	var all []string
	for _, m := range regexp.MustCompile(`(?:^|[^A-Za-z0-9._])([-+−]?\d[\d,]*(?:\.\d+)?)`).FindAllStringSubmatch(text, -1) {
		n := strings.NewReplacer(",", "", "−", "-", "+", "").Replace(m[1])
		all = append(all, n)
	}
	return all
}

// A number that is not among the claims is found out, whatever its form.
func TestKnownNumbers(t *testing.T) {
	value := 0.0137
	var k knownNumbers
	c := readClaim{Title: "Figure 9", Why: "26 of 27 bounds (+24.5 %), 2,715 samples"}
	c.Reported = append(c.Reported, struct{ Value *float64 }{&value}, struct{ Value *float64 }{})
	k.learn(c)
	for _, n := range []string{"9", "26", "27", "24.5", "2715", "0.014", "0.0137", "1.37", "13.7", "14", "1"} {
		if !k.hold(n) {
			t.Errorf("%s is not known", n)
		}
	}
	for _, n := range []string{"28", "24.7", "0.0138", "3", "25.5", "x"} {
		if k.hold(n) {
			t.Errorf("%s is known", n)
		}
	}
	if got := strings.Join(numbersIn("p95 of C0: 1,234.5 and −3, fig9a (7); 0.5"), " "); got != "1234.5 -3 7 0.5" {
		t.Errorf("numbers %q", got)
	}
}
