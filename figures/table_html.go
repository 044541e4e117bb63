package figures

import (
	"fmt"
	"html/template"
	"strings"
)

// HTML returns the table for a page.
func (t Table) HTML() template.HTML {
	var b strings.Builder
	cell := func(tag, attributes, text string) {
		fmt.Fprintf(&b, "<%s%s>%s</%s>", tag, attributes, template.HTMLEscapeString(text), tag)
	}
	b.WriteString("<table><thead><tr>")
	for i, c := range t.Columns {
		attributes := ` scope="col"`
		if t.numeric(i) {
			attributes += ` class="number"`
		}
		cell("th", attributes, c.heading())
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
