package report

import (
	"bytes"
	"encoding/xml"
	"html"
	"io"
	"net/url"
	"regexp"
	"strings"
	"testing"

	"eevee/experiments"
	"eevee/experiments/papers"
	"eevee/figures"
)

// findingsForPage has a claim and a chart whose texts need escaping.
func findingsForPage() (papers.Findings, [][]figures.Picture) {
	three, four := 3.0, 4.5
	statement := papers.Statement{ID: papers.IDs()[0], Paper: "Paper <1>", Title: "A & B", Claim: "a < b", Data: "none"}
	f := papers.Findings{Seed: 7, Traces: []papers.TraceUsed{{Workflow: "ml", Source: experiments.OriginBundled, SHA256: "abc"}},
		Findings: []papers.Finding{{Statement: statement, Notes: []string{"1 < 2"}, Claims: []papers.Claim{{
			ID: "c.1", Experiment: statement.ID, Title: "<b>bold</b>", Verdict: papers.Shape, Why: "because", Unit: "s",
			Reported:   []papers.Value{{At: "x", Of: "p95", Value: &three}, {At: "y", Of: "p95"}},
			Reproduced: []papers.Value{{At: "x", Of: "p95", Value: &four}, {At: "y", Of: "p95", Value: &three}},
		}}}}}
	chart := figures.Chart{Title: "<chart>", Series: []figures.Series{{Name: "a&b", Points: []figures.Point{{X: 1, Y: 2}, {X: 2, Y: 3}}}}}
	table := figures.Table{Columns: []figures.Column{{Name: "who"}, {Name: "how much", Unit: "s", Decimals: 1}}, Rows: [][]any{{"<me>", 1.25}, {"you", nil}}}
	return f, [][]figures.Picture{{{Name: "chart", Caption: "a chart", Drawing: chart}, {Name: "list", Caption: "a list", Drawing: figures.Listing{Table: table}}, {Name: "table", Caption: "a table", Drawing: table}, {Name: "slow-timings", Caption: "times", Drawing: chart}}}
}

func pageText(t *testing.T) string {
	t.Helper()
	f, drawings := findingsForPage()
	shown := make([][]pagePicture, len(drawings))
	for i := range drawings {
		for _, d := range drawings[i] {
			p, err := pagePictureOf(d)
			if err != nil {
				t.Fatal(err)
			}
			shown[i] = append(shown[i], p)
		}
	}
	text, err := pageOf(f, shown)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// The page needs nothing but itself: no address of anything but its own parts
// and data that it holds.
func TestPageIsSelfContained(t *testing.T) {
	text := pageText(t)
	for _, m := range regexp.MustCompile(`(?:src|href)="([^"]*)"`).FindAllStringSubmatch(text, -1) {
		if !strings.HasPrefix(m[1], "#") && !strings.HasPrefix(m[1], "data:") {
			t.Errorf("refers to %s", m[1])
		}
	}
	// Inside of pictures the address of SVG is a name, and nothing is fetched.
	text = strings.NewReplacer("http://www.w3.org/2000/svg", "", "http://www.w3.org/1999/xlink", "").Replace(text)
	for _, word := range []string{"@import", "url(", "fetch(", "http:", "<link"} {
		if strings.Contains(text, word) {
			t.Errorf("contains %s", word)
		}
	}
}

// Every reference leads somewhere, and every id is there once.
func TestPageLinksLead(t *testing.T) {
	text := pageText(t)
	ids := map[string]int{}
	for _, m := range regexp.MustCompile(` id="([^"]*)"`).FindAllStringSubmatch(text, -1) {
		ids[m[1]]++
	}
	for id, n := range ids {
		if n > 1 {
			t.Errorf("id %s is there %d times", id, n)
		}
	}
	for _, m := range regexp.MustCompile(`href="#([^"]*)"`).FindAllStringSubmatch(text, -1) {
		if ids[m[1]] == 0 {
			t.Errorf("#%s leads nowhere", m[1])
		}
	}
}

// What a reader takes from the page is the data behind the picture.
func TestPageHoldsItsData(t *testing.T) {
	text := pageText(t)
	held := map[string][]byte{}
	hold := func(name, address string) {
		_, encoded, _ := strings.Cut(html.UnescapeString(address), ",")
		data, err := url.PathUnescape(encoded)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		held[name] = []byte(data)
	}
	for _, m := range regexp.MustCompile(`download="([^"]*)" href="(data:[^"]*)"`).FindAllStringSubmatch(text, -1) {
		hold(m[1], m[2])
	}
	// The link to a picture takes it from the picture itself.
	for _, m := range regexp.MustCompile(`(?s)<img src="(data:image/svg[^"]*)".*?download="([^"]*)" data-of-image`).FindAllStringSubmatch(text, -1) {
		hold(m[2], m[1])
	}
	_, drawings := findingsForPage()
	for _, d := range drawings[0][:3] {
		var want bytes.Buffer
		if err := d.Drawing.(interface{ WriteCSV(io.Writer) error }).WriteCSV(&want); err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(held[d.Name+".csv"], want.Bytes()) {
			t.Errorf("%s.csv is\n%s\nwant\n%s", d.Name, held[d.Name+".csv"], want.Bytes())
		}
	}
	if err := xml.Unmarshal(held["chart.svg"], new(struct{})); err != nil {
		t.Errorf("chart.svg is no SVG: %v", err)
	}
	if held["slow-timings.csv"] != nil {
		t.Error("holds what was measured in time, which differs from run to run")
	}
}

func TestPageEscapesTexts(t *testing.T) {
	text := pageText(t)
	for _, want := range []string{"&lt;b&gt;bold&lt;/b&gt;", "A &amp; B", "1 &lt; 2", "Paper &lt;1&gt;", "&lt;me&gt;"} {
		if !strings.Contains(text, want) {
			t.Errorf("no %q", want)
		}
	}
	for _, want := range []string{`<td class="number">3</td><td class="number">4.5</td>`, `<td class="number">–</td><td class="number">3</td>`} {
		if !strings.Contains(text, want) {
			t.Errorf("values: no %q", want)
		}
	}
	if !strings.Contains(text, "generated from workload cards") {
		t.Error("does not say that the trace is generated")
	}
}
