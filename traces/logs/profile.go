package logs

import (
	"strings"

	"eevee/traces"
)

// profileFormats are those that package traces reads: whole files of
// aggregates, in which a defect is an error.
func profileFormats() []Format {
	var formats []Format
	for _, f := range traces.Formats() {
		formats = append(formats, Format{
			Name: f.Name, Description: f.Description, strict: true,
			detect: func(head string) bool {
				return isJSON(head) && strings.Contains(head, `"cold"`) && strings.Contains(head, `"compute"`) && strings.Contains(head, `"stage`)
			},
			read: func(in *input, out *sink) error {
				rows, err := f.Read(in, in.name, out.options.Workflow)
				if err != nil {
					return err
				}
				for i := range rows {
					row, err := out.row()
					if err != nil {
						return err
					}
					*row = rows[i]
				}
				return nil
			},
		})
	}
	return formats
}
