package cli

import (
	"encoding/csv"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/chromedp/chromedp/kb"

	"eevee/internal/browser"
)

// reportInBrowser opens the report of a finished run as a reader does.
func reportInBrowser(t *testing.T, out string) {
	page := browser.Open(t, filepath.Join(out, "report.html"))
	// Nothing but what is meant to be scrolled is wider than the window, light
	// or dark.
	for _, width := range []int64{360, 768, 1280} {
		for _, dark := range []bool{false, true} {
			page.Look(width, 800, dark)
			if wide := browser.Value[int64](page, "document.documentElement.scrollWidth"); wide > width {
				t.Errorf("a window of %d px has to show %d", width, wide)
			}
			if ink := inkContrast(page); ink < 7 {
				t.Errorf("dark %v: text and paper have a contrast of %.1f", dark, ink)
			}
		}
	}
	named(t, page)
	claimFilter(t, page)
	exploreByKeyboard(t, page, out)
	if problems := page.Problems(); len(problems) > 0 {
		t.Errorf("the browser complains: %q", problems)
	}
}

// inkContrast is the contrast of text on the page, as WCAG 2 defines it.
func inkContrast(page *browser.Tab) float64 {
	colour := func(name string) (luminance float64) {
		text := browser.Value[string](page, "getComputedStyle(document.body)."+name)
		weights := []float64{0.2126, 0.7152, 0.0722}
		for i, v := range regexp.MustCompile(`\d+`).FindAllString(text, 3) {
			c, _ := strconv.ParseFloat(v, 64)
			if c /= 255; c <= 0.04045 {
				c /= 12.92
			} else {
				c = math.Pow((c+0.055)/1.055, 2.4)
			}
			luminance += weights[i] * c
		}
		return luminance
	}
	a, b := colour("color"), colour("backgroundColor")
	return (max(a, b) + 0.05) / (min(a, b) + 0.05)
}

// named checks that a screen reader has a name for everything that needs one.
func named(t *testing.T, page *browser.Tab) {
	t.Helper()
	seen := map[string]int{}
	for _, e := range page.Accessible() {
		switch e.Role {
		case "slider", "combobox", "checkbox", "link", "image", "img", "table", "region", "navigation", "heading", "columnheader", "DisclosureTriangle":
			seen[e.Role]++
			// Tables of a region have its name; a row has headings.
			if e.Name == "" && e.Role != "table" && e.Role != "columnheader" {
				t.Errorf("a %s has no name", e.Role)
			}
		}
	}
	for _, role := range []string{"slider", "combobox", "checkbox", "link", "table", "region", "navigation", "heading"} {
		if seen[role] == 0 {
			t.Errorf("there is no %s: %v", role, seen)
		}
	}
	if n := browser.Value[int](page, `[...document.querySelectorAll("table")].filter((t) => !t.querySelector("thead th[scope=col]")).length`); n > 0 {
		t.Errorf("%d tables have no headings", n)
	}
}

// claimFilter hides the claims of a verdict, and says how many are left.
func claimFilter(t *testing.T, page *browser.Tab) {
	t.Helper()
	all := browser.Value[int](page, `document.querySelectorAll(".claims tbody tr").length`)
	left := browser.Value[int](page, `(() => {
		document.querySelector(".filter input[data-verdict=not-reproducible]").click();
		return [...document.querySelectorAll(".claims tbody tr")].filter((r) => r.getClientRects().length > 0).length;
	})()`)
	want := browser.Value[int](page, `document.querySelectorAll(".claims tbody tr:not([data-verdict=not-reproducible])").length`)
	if left != want || left == all {
		t.Errorf("%d of %d claims are left, want %d", left, all, want)
	}
	if said := browser.Value[string](page, `document.getElementById("shown").textContent`); said != fmt.Sprintf("%d of %d claims", left, all) {
		t.Errorf("it says %q", said)
	}
	browser.Value[bool](page, `document.querySelector(".filter input[data-verdict=not-reproducible]").click(), true`)
}

// exploreByKeyboard moves the slider with the keyboard, and compares what it
// shows with the frontier beside the page.
func exploreByKeyboard(t *testing.T, page *browser.Tab, out string) {
	t.Helper()
	for i, name := range []string{"explorer-ml-latency", "explorer-ml-cost", "explorer-video-latency"} {
		browser.Value[bool](page, fmt.Sprintf(`(() => {
			const trade = document.getElementById("trade");
			trade.selectedIndex = %d;
			trade.dispatchEvent(new Event("change"));
			trade.focus();
			return true;
		})()`, i))
		page.Press(kb.Tab)
		if at := browser.Value[string](page, "document.activeElement.id"); at != "bound" {
			t.Fatalf("the key Tab leads to %q, not to the slider", at)
		}
		if outline := browser.Value[string](page, `getComputedStyle(document.activeElement).outlineStyle`); outline == "none" {
			t.Error("nothing shows that the slider has the focus")
		}
		frontier := readRecords(t, filepath.Join(out, name+"-frontier.csv"))
		scale, unit, metric := 1.0, "s", "latency_s"
		if strings.HasSuffix(name, "cost") {
			scale, unit, metric = 100, "¢", "cost_usd"
		}
		configs := map[string]bool{}
		for _, keys := range [][]string{nil, {kb.ArrowRight, kb.ArrowRight}, {kb.PageDown}, {kb.PageUp, kb.PageUp, kb.PageUp}, {kb.End}, {kb.Home}} {
			before := browser.Value[float64](page, `Number(document.getElementById("bound").value)`)
			for _, key := range keys {
				page.Press(key)
			}
			bound := browser.Value[float64](page, `Number(document.getElementById("bound").value)`)
			if len(keys) > 0 && bound == before {
				t.Errorf("%s: %v keys do not move the slider from %v", name, len(keys), bound)
			}
			answer := browser.Value[string](page, `document.getElementById("answer").textContent`)
			shown := browser.Value[string](page, `[...document.querySelectorAll("#config tbody tr")].map((r) => r.children[1].textContent + "x" + r.children[2].textContent).join(" ")`)
			spoken := browser.Value[string](page, `document.getElementById("bound").getAttribute("aria-valuetext")`)
			if !strings.Contains(answer, "at most "+spoken+":") || !strings.HasSuffix(spoken, " "+unit) {
				t.Errorf("%s: the slider says %q, the answer %q", name, spoken, answer)
			}
			best, mean := "", math.Inf(1)
			for _, p := range frontier {
				if at := parsed(t, p["percentile_"+metric]); at*scale <= bound*(1+1e-6) {
					if m := parsed(t, p[otherMean(metric)]); m < mean {
						best, mean = p["config"], m
					}
				}
			}
			if best == "" {
				if shown != "" || !strings.Contains(answer, "proved infeasible") {
					t.Errorf("%s: nothing keeps %s, but it shows %q: %s", name, spoken, shown, answer)
				}
				continue
			}
			configs[best] = true
			// What is proved of a point holds for every bound up to its own; the
			// points come with the percentile rising.
			proved := frontier[len(frontier)-1]
			for _, p := range slices.Backward(frontier) {
				if parsed(t, p["percentile_"+metric])*scale >= bound*(1-1e-9) {
					proved = p
				}
			}
			least := parsed(t, proved[strings.Replace(otherMean(metric), "mean", "lower_bound", 1)])
			if unit == "s" {
				least *= 100
			}
			if want := "less than " + strconv.FormatFloat(rounded(least), 'f', -1, 64) + " "; !strings.Contains(answer, want) {
				t.Errorf("%s under %s: no %q in %q", name, spoken, want, answer)
			}
			if want := instancesAndSizes(best); shown != want {
				t.Errorf("%s under %s: shows %q, the frontier has %q", name, spoken, shown, want)
			}
			other := 100 * mean
			if unit == "¢" {
				other = mean
			}
			if want := strconv.FormatFloat(rounded(other), 'f', -1, 64); !strings.Contains(answer, " "+want+" ") {
				t.Errorf("%s under %s: no mean of %s in %q", name, spoken, want, answer)
			}
		}
		if len(configs) < 3 {
			t.Errorf("%s: the slider shows %d configurations", name, len(configs))
		}
		if rows := browser.Value[int](page, `document.querySelectorAll("#methods tbody tr").length`); rows < 10 {
			t.Errorf("%s: %d methods", name, rows)
		}
		if curves := browser.Value[int](page, `document.querySelectorAll("#frontier .curve").length`); curves != 1 {
			t.Errorf("%s: %d curves", name, curves)
		}
	}
}

func otherMean(metric string) string {
	if metric == "latency_s" {
		return "mean_cost_usd"
	}
	return "mean_latency_s"
}

// rounded is a number with the four digits that a reader sees.
func rounded(v float64) float64 {
	six, _ := strconv.ParseFloat(strconv.FormatFloat(v, 'g', 6, 64), 64)
	four, _ := strconv.ParseFloat(strconv.FormatFloat(six, 'g', 4, 64), 64)
	return four
}

// instancesAndSizes writes a configuration as the explorer shows it.
func instancesAndSizes(config string) string {
	var all []string
	for _, m := range regexp.MustCompile(`(\d+)x(\d+)MB`).FindAllStringSubmatch(config, -1) {
		all = append(all, m[1]+"x"+m[2])
	}
	return strings.Join(all, " ")
}

func parsed(t *testing.T, text string) float64 {
	t.Helper()
	v, err := strconv.ParseFloat(text, 64)
	if err != nil {
		t.Fatal(err)
	}
	return v
}

// readRecords reads a CSV file with headings.
func readRecords(t *testing.T, path string) []map[string]string {
	t.Helper()
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	rows, err := csv.NewReader(f).ReadAll()
	if err != nil || len(rows) < 2 {
		t.Fatalf("%s: %d rows, %v", path, len(rows), err)
	}
	var records []map[string]string
	for row := range slices.Values(rows[1:]) {
		r := map[string]string{}
		for i, name := range rows[0] {
			r[name] = row[i]
		}
		records = append(records, r)
	}
	return records
}
