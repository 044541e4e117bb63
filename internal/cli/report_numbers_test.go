package cli

import (
	"encoding/json"
	"fmt"
	"html"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// The reports of a run on the recordings tell its claims; see
// TestReadmeNumbersAreClaims for the folder.
func TestReportNumbersAreClaims(t *testing.T) {
	dir := os.Getenv("EEVEE_REPRODUCED")
	if dir == "" {
		t.Skip("EEVEE_REPRODUCED names no folder that eevee reproduce wrote")
	}
	reportTellsClaims(t, dir)
}

// toldClaim is a claim as claims.json has it.
type toldClaim struct {
	ID, Verdict, Title, Tolerance, Why string
	Reported, Reproduced               []struct {
		At, Of string
		Value  *float64
	}
}

// reportTellsClaims checks that the verdicts and all numbers of report.md and
// report.html are those of claims.json, none left out, added or in another place.
func reportTellsClaims(t *testing.T, dir string) {
	t.Helper()
	read := func(name string) string {
		text, err := os.ReadFile(filepath.Join(dir, name))
		if err != nil {
			t.Fatal(err)
		}
		return string(text)
	}
	var list struct{ Claims []toldClaim }
	if err := json.Unmarshal([]byte(read("claims.json")), &list); err != nil {
		t.Fatal(err)
	}
	var rows [][]string
	reasons, values, counts := map[string]string{}, map[string][][]string{}, map[string]int{}
	for _, c := range list.Claims {
		rows = append(rows, []string{c.ID, c.Verdict, c.Title, c.Tolerance})
		reasons[c.ID] = c.Verdict + ": " + c.Why
		counts[c.Verdict]++
		if strings.Contains(c.Why, "timings.json") {
			continue // their values are in that file alone
		}
		for k, r := range c.Reported {
			values[c.ID] = append(values[c.ID], []string{r.At, r.Of, shortNumber(r.Value), shortNumber(c.Reproduced[k].Value)})
		}
	}
	for name, told := range map[string]toldReport{"report.md": toldByMarkdown(read("report.md")), "report.html": toldByPage(read("report.html"))} {
		if diff := cmp.Diff(rows, told.rows); diff != "" {
			t.Errorf("%s: the table of verdicts is not that of claims.json (-claims +report)\n%s", name, diff)
		}
		if diff := cmp.Diff(reasons, told.reasons); diff != "" {
			t.Errorf("%s: reasons are not those of claims.json (-claims +report)\n%s", name, diff)
		}
		for verdict, n := range counts {
			if told.counts[verdict] != fmt.Sprint(n) {
				t.Errorf("%s: %q claims are %s, and claims.json has %d", name, told.counts[verdict], verdict, n)
			}
		}
		if name == "report.html" {
			if diff := cmp.Diff(values, told.values); diff != "" {
				t.Errorf("%s: values are not those of claims.json (-claims +report)\n%s", name, diff)
			}
		}
	}
}

// shortNumber is a number as the report shows it.
func shortNumber(v *float64) string {
	if v == nil {
		return "–"
	}
	return fmt.Sprintf("%.5g", *v)
}

// toldReport is what a report says about claims.
type toldReport struct {
	rows    [][]string            // id, verdict, title, tolerance
	reasons map[string]string     // verdict and why, by id
	counts  map[string]string     // by verdict
	values  map[string][][]string // at, of, reported, ours; by id
}

func toldByMarkdown(text string) toldReport {
	r := toldReport{reasons: map[string]string{}, counts: map[string]string{}}
	_, claims, _ := strings.Cut(text, "\n## Claims\n")
	claims, sections, _ := strings.Cut(claims, "\n## ")
	for _, m := range regexp.MustCompile(`(\d+) ([a-z-]+)[,.]`).FindAllStringSubmatch(claims[:strings.Index(claims, "|")], -1) {
		r.counts[m[2]] = m[1]
	}
	for i, line := range strings.Split(claims[strings.Index(claims, "|"):], "\n") {
		if i < 2 || line == "" {
			continue // the heading and its rule
		}
		var cells []string
		for _, cell := range strings.Split(strings.Trim(strings.ReplaceAll(line, `\|`, "\x00"), "|"), "|") {
			cells = append(cells, strings.TrimSpace(strings.ReplaceAll(cell, "\x00", "|")))
		}
		r.rows = append(r.rows, []string{cells[0], cells[3], cells[1], cells[2]})
	}
	for _, m := range regexp.MustCompile(`(?m)^- \*\*([^ ]+): ([a-z-]+)\.\*\* (.*)$`).FindAllStringSubmatch(sections, -1) {
		r.reasons[m[1]] = m[2] + ": " + m[3]
	}
	return r
}

func toldByPage(text string) toldReport {
	r := toldReport{reasons: map[string]string{}, counts: map[string]string{}, values: map[string][][]string{}}
	for _, m := range regexp.MustCompile(`data-verdict="([^"]*)"> [^<]* <span class="count">(\d+)</span>`).FindAllStringSubmatch(text, -1) {
		r.counts[m[1]] = m[2]
	}
	for _, m := range regexp.MustCompile(`<tr data-verdict="([^"]*)">(.*)</tr>`).FindAllStringSubmatch(text, -1) {
		cells := cellsOf(m[2])
		if cells[1] != m[1] {
			cells[1] += ", filtered as " + m[1]
		}
		r.rows = append(r.rows, cells)
	}
	claim := regexp.MustCompile(`(?s)<li><span class="verdict [^"]*">([^<]*)</span> <strong>([^<]*)</strong> ([^<]*?)\s*(<details>.*?</details>)?</li>`)
	for _, m := range claim.FindAllStringSubmatch(text, -1) {
		id := html.UnescapeString(m[2])
		r.reasons[id] = m[1] + ": " + html.UnescapeString(m[3])
		for _, row := range regexp.MustCompile(`<tr>(<th scope="row">.*)</tr>`).FindAllStringSubmatch(m[4], -1) {
			r.values[id] = append(r.values[id], cellsOf(row[1]))
		}
	}
	return r
}

// cellsOf returns the texts of the cells of a row.
func cellsOf(row string) []string {
	var cells []string
	for _, m := range regexp.MustCompile(`<t[hd][^>]*>(.*?)</t[hd]>`).FindAllStringSubmatch(row, -1) {
		cells = append(cells, html.UnescapeString(regexp.MustCompile(`<[^>]*>`).ReplaceAllString(m[1], "")))
	}
	return cells
}

// A number, a verdict or a row that is another one in a report is found out.
func TestReportsAreReadAsTheyAre(t *testing.T) {
	page := `<label><input type="checkbox" checked data-verdict="shape"> shape <span class="count">2</span></label>
<tr data-verdict="shape"><th scope="row"><a href="#x">a&amp;b</a></th><td><span class="verdict shape">shape</span></td><td>1 &lt; 2</td><td>±6 %</td></tr>
<li><span class="verdict shape">shape</span> <strong>a&amp;b</strong> 3 of 4
<details><summary>1 values</summary><table><thead><tr><th scope="col">at</th></tr></thead>
<tr><th scope="row">ml</th><td>p95</td><td class="number">1.5</td><td class="number">–</td></tr></table></details></li>
<li><span class="verdict shape">shape</span> <strong>c</strong> why</li>`
	got := toldByPage(page)
	if want := [][]string{{"a&b", "shape", "1 < 2", "±6 %"}}; !slices.EqualFunc(got.rows, want, slices.Equal) {
		t.Errorf("rows %q", got.rows)
	}
	if got.counts["shape"] != "2" || got.reasons["a&b"] != "shape: 3 of 4" || got.reasons["c"] != "shape: why" || fmt.Sprint(got.values["a&b"]) != "[[ml p95 1.5 –]]" {
		t.Errorf("%+v", got)
	}
	got = toldByMarkdown("# R\n\n## Claims\n\n7 reproduced, 1 shape.\n\n| claim | title | tolerance | verdict |\n|---|---|---|---|\n| x | a \\| b | 5 % | shape |\n\n## x: t\n\n- **x: shape.** 3 of 4\n")
	if got.counts["reproduced"] != "7" || got.counts["shape"] != "1" || got.reasons["x"] != "shape: 3 of 4" || fmt.Sprint(got.rows) != "[[x shape a | b 5 %]]" {
		t.Errorf("%+v", got)
	}
}
