package figures

import (
	"bytes"
	"embed"
	"encoding/base64"
	"fmt"
	"html/template"
	"strings"

	"eevee/experiments"
)

//go:embed page
var pageFiles embed.FS

// pageFile is the report for people: one file that needs no other.
const pageFile = "report.html"

// page is what the template of the report shows.
type page struct {
	Style     template.CSS
	Script    template.JS
	Seed      uint64
	Only      string // ids of the experiments, if not all
	Quick     string
	IsQuick   bool
	Traces    []experiments.TraceUsed
	Generated bool
	Counts    []verdictCount
	Claims    []experiments.Claim
	Sections  []pageSection
}

type verdictCount struct {
	Verdict experiments.Verdict
	N       int
}

// pageSection is one experiment.
type pageSection struct {
	experiments.Statement
	Claims   []pageClaim
	Notes    []string
	Pictures []pagePicture
}

type pageClaim struct {
	experiments.Claim
	Values []pageValue
}

type pageValue struct{ At, Of, Reported, Ours string }

// pagePicture is a picture or a table with its data, inside the page.
type pagePicture struct {
	Name, Caption, Alt string
	Image, CSV         template.URL
	Width, Height      int
	Table              template.HTML
	Beside             bool // the picture is not in the page, but in files beside it
}

// pageOf writes the report for people. It holds the pictures as SVG and their
// data as CSV, so that it can be sent around and opened without a network.
func pageOf(f experiments.Findings, drawings [][]picture) ([]byte, error) {
	style, err := pageFiles.ReadFile("page/report.css")
	if err != nil {
		return nil, err
	}
	script, err := pageFiles.ReadFile("page/report.js")
	if err != nil {
		return nil, err
	}
	p := page{
		Style: template.CSS(style), Script: template.JS(script), Seed: f.Seed, Quick: quickNote(f.Quick), IsQuick: f.Quick,
		Traces: f.Traces, Claims: withoutTimes(f.Claims()).Claims,
	}
	var ids []string
	for _, one := range f.Findings {
		ids = append(ids, one.Statement.ID)
	}
	if len(ids) < len(experiments.ReproductionIDs()) {
		p.Only = strings.Join(ids, " ")
	}
	for _, t := range f.Traces {
		p.Generated = p.Generated || t.Source == experiments.OriginBundled
	}
	for _, v := range experiments.Verdicts() {
		n := 0
		for _, c := range p.Claims {
			if c.Verdict == v {
				n++
			}
		}
		p.Counts = append(p.Counts, verdictCount{v, n})
	}
	for i, one := range f.Findings {
		s := pageSection{Statement: one.Statement, Notes: one.Notes}
		for _, c := range withoutTimes(experiments.ClaimList{Claims: one.Claims}).Claims {
			s.Claims = append(s.Claims, pageClaim{c, pageValues(c)})
		}
		for _, d := range drawings[i] {
			shown, err := pagePictureOf(d)
			if err != nil {
				return nil, fmt.Errorf("%s: %w", d.name, err)
			}
			s.Pictures = append(s.Pictures, shown)
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
func pageValues(c experiments.Claim) []pageValue {
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

func pagePictureOf(d picture) (pagePicture, error) {
	p := pagePicture{Name: d.name, Caption: capital(d.caption)}
	if strings.HasSuffix(d.name, timingsSuffix) {
		// Times differ from run to run; they stay in their own files.
		p.Beside = true
		return p, nil
	}
	var data bytes.Buffer
	switch drawn := d.drawing.(type) {
	case Table:
		if err := drawn.WriteCSV(&data); err != nil {
			return p, err
		}
		p.Table = drawn.html()
	case listing:
		if err := drawn.WriteCSV(&data); err != nil {
			return p, err
		}
	case framed:
		f, err := drawn.frame()
		if err != nil {
			return p, err
		}
		s := f.sheet()
		svg, err := s.svg()
		if err != nil {
			return p, err
		}
		if err := drawn.WriteCSV(&data); err != nil {
			return p, err
		}
		p.Image, p.Alt = dataURL("image/svg+xml", svg), p.Caption
		// The picture's own size, in CSS pixels of 1/96 inch.
		p.Width, p.Height = int(float64(s.w)*96/72), int(float64(s.h)*96/72)
	default:
		return p, fmt.Errorf("figures: a report cannot show %T", d.drawing)
	}
	p.CSV = dataURL("text/csv", data.Bytes())
	return p, nil
}

func dataURL(kind string, contents []byte) template.URL {
	return template.URL("data:" + kind + ";base64," + base64.StdEncoding.EncodeToString(contents))
}

// html returns the table for the report.
func (t Table) html() template.HTML {
	var b strings.Builder
	cell := func(tag, attributes, text string) {
		fmt.Fprintf(&b, "<%s%s>%s</%s>", tag, attributes, template.HTMLEscapeString(text), tag)
	}
	b.WriteString("<table><thead><tr>")
	for _, c := range t.Columns {
		cell("th", ` scope="col"`, c.heading())
	}
	b.WriteString("</tr></thead><tbody>")
	for _, row := range t.Rows {
		b.WriteString("<tr>")
		for i, v := range row {
			switch v := v.(type) {
			case string:
				if i == 0 {
					cell("th", ` scope="row"`, v)
				} else {
					cell("td", "", v)
				}
			default:
				cell("td", ` class="number"`, t.Columns[i].cell(v))
			}
		}
		b.WriteString("</tr>")
	}
	b.WriteString("</tbody></table>")
	return template.HTML(b.String())
}
