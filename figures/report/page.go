package report

import (
	"bytes"
	"embed"
	"fmt"
	"html/template"
	"strings"

	"eevee/experiments"
	"eevee/experiments/papers"
	"eevee/figures"
)

//go:embed page
var pageFiles embed.FS

// pageFile is the report for people: one file that needs no other.
const pageFile = "report.html"

// page is what the template of the report shows.
type page struct {
	Style     template.CSS
	Scripts   []template.JS
	Seed      uint64
	Only      string // ids of the experiments, if not all
	Quick     string
	IsQuick   bool
	Traces    []papers.TraceUsed
	Generated bool
	Counts    []verdictCount
	Claims    []papers.Claim
	Sections  []pageSection
}

type verdictCount struct {
	Verdict papers.Verdict
	N       int
}

// pageSection is one experiment.
type pageSection struct {
	papers.Statement
	Claims   []pageClaim
	Notes    []string
	Explorer template.JS // data of the explorer; empty: this is another section
	Pictures []pagePicture
}

type pageClaim struct {
	papers.Claim
	Values []pageValue
}

type pageValue struct{ At, Of, Reported, Ours string }

// pagePicture is a picture or a table with its data, inside the page.
type pagePicture struct {
	Name, Caption, Alt string
	Image, CSV         template.URL
	Width, Height      int
	Table              template.HTML
	Folded             bool // the table is shown on demand
	Beside             bool // the picture is not in the page, but in files beside it
}

// pageOf writes the report for people, with the pictures of every finding. It
// holds them as SVG and their data as CSV, so that it can be sent around and
// opened without a network.
func pageOf(f papers.Findings, shown [][]pagePicture) ([]byte, error) {
	style, err := pageFiles.ReadFile("page/report.css")
	if err != nil {
		return nil, err
	}
	var scripts []template.JS
	for _, name := range []string{"page/report.js", "page/explorer.js"} {
		text, err := pageFiles.ReadFile(name)
		if err != nil {
			return nil, err
		}
		scripts = append(scripts, template.JS(text))
	}
	p := page{
		Style: template.CSS(style), Scripts: scripts, Seed: f.Seed, Quick: quickNote(f.Quick), IsQuick: f.Quick,
		Traces: f.Traces, Claims: withoutTimes(f.Claims()).Claims,
	}
	var ids []string
	for _, one := range f.Findings {
		ids = append(ids, one.Statement.ID)
	}
	if len(ids) < len(papers.IDs()) {
		p.Only = strings.Join(ids, " ")
	}
	for _, t := range f.Traces {
		p.Generated = p.Generated || t.Source == experiments.OriginBundled
	}
	for _, v := range papers.Verdicts() {
		n := 0
		for _, c := range p.Claims {
			if c.Verdict == v {
				n++
			}
		}
		p.Counts = append(p.Counts, verdictCount{v, n})
	}
	for i, one := range f.Findings {
		s := pageSection{Statement: one.Statement, Notes: one.Notes, Pictures: shown[i]}
		for _, c := range withoutTimes(papers.ClaimList{Claims: one.Claims}).Claims {
			s.Claims = append(s.Claims, pageClaim{c, pageValues(c)})
		}
		if rows, ok := one.Rows.(papers.Explorer); ok {
			if s.Explorer, err = explorerData(rows); err != nil {
				return nil, err
			}
		}
		p.Sections = append(p.Sections, s)
	}
	t, err := template.ParseFS(pageFiles, "page/report.html")
	if err != nil {
		return nil, err
	}
	var b bytes.Buffer
	err = t.Execute(&b, p)
	return b.Bytes(), err
}

// pageValues pairs the reported values with ours, which come in one order.
func pageValues(c papers.Claim) []pageValue {
	if c.Timed {
		return nil
	}
	text := func(v *float64) string {
		if v == nil {
			return "–"
		}
		return fmt.Sprintf("%.5g", *v)
	}
	var values []pageValue
	for k, r := range c.Reported {
		ours := "–"
		if k < len(c.Reproduced) {
			ours = text(c.Reproduced[k].Value)
		}
		values = append(values, pageValue{r.At, r.Of, text(r.Value), ours})
	}
	return values
}

func pagePictureOf(d figures.Picture) (pagePicture, error) {
	p := pagePicture{Name: d.Name, Caption: capital(d.Caption)}
	if strings.HasSuffix(d.Name, timingsSuffix) {
		// Times differ from run to run; they stay in their own files.
		p.Beside = true
		return p, nil
	}
	var data bytes.Buffer
	if err := d.Drawing.WriteCSV(&data); err != nil {
		return p, err
	}
	p.CSV = dataURL("text/csv", data.Bytes())
	if t, ok := d.Drawing.(figures.Table); ok {
		p.Table = t.HTML()
		p.Folded = len(t.Rows) > foldedRows
	}
	v, drawn, err := figures.VectorOf(d.Drawing)
	if err != nil || !drawn {
		return p, err
	}
	p.Image, p.Alt = dataURL("image/svg+xml", v.SVG), p.Caption
	// The picture's own size, in CSS pixels of 1/96 inch.
	p.Width, p.Height = int(v.Width*96/72), int(v.Height*96/72)
	return p, nil
}

// foldedRows is how many rows of a table a page shows unasked.
const foldedRows = 12

// inURL writes text as a data URL has it. It takes a third less room than base64:
// what has no meaning there may stay as it is.
var inURL = strings.NewReplacer("%", "%25", "#", "%23", "\n", "%0A", "\r", "%0D", "\t", "%09", "<", "%3C", ">", "%3E", `"`, "%22", "&", "%26", "+", "%2B", "'", "%27")

func dataURL(kind string, contents []byte) template.URL {
	return template.URL("data:" + kind + ";charset=utf-8," + inURL.Replace(string(contents)))
}
