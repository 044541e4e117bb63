package cli

import (
	"fmt"
	"io"
	"strings"

	ucli "github.com/urfave/cli/v2"

	"eevee/experiments/sweep"
	"eevee/figures"
)

func figuresVerb() verb {
	var x, y, by, panel, output string
	where := ucli.NewStringSlice()
	columns := columnNames(sweep.Columns())
	return verb{
		name:    "figures",
		summary: "draw the result of a sweep",
		shown: []string{
			"figures sweep.parquet -o pictures",
			"figures sweep.parquet --x percentile --y cost --by method --where workflow=ml -o pictures",
		},
		detail: "FILE is what \"sweep merge\" wrote. Without --x and --y the pictures one looks at\n" +
			"first are drawn: heat maps over confidence and percentile, and lines over the limits.\n" +
			"Columns are those of the file, and " + strings.Join(columnNames(sweep.DerivedColumns()), ", ") + ".",
		args: "FILE",
		flags: flags{
			offering(textFlag(&x, "x", "", "`COLUMN` along the horizontal axis"), columns...),
			offering(textFlag(&y, "y", "", "`COLUMN` along the vertical axis; several rows at one place: their mean and range"), columns...),
			offering(textFlag(&by, "by", "", "`COLUMN` of which every value is a line"), columns...),
			offering(textFlag(&panel, "panel", "", "`COLUMN` of which every value is a picture"), columns...),
			&ucli.StringSliceFlag{Name: "where", Usage: "`COLUMN=VALUE` that rows must have; repeatable", Destination: where},
			textFlag(&output, "output,o", "out", "`FOLDER` to write into"),
		},
		run: func(c *call) error {
			if (x == "") != (y == "") || x == "" && (by != "" || panel != "") {
				return usagef("--x and --y go together, and --by and --panel with them")
			}
			var e figures.Exploration
			for _, f := range []struct {
				flag, name string
				to         *sweep.Column
			}{{"x", x, &e.X}, {"y", y, &e.Y}, {"by", by, &e.By}, {"panel", panel, &e.Panel}} {
				if f.name == "" {
					continue
				}
				var err error
				if *f.to, err = sweep.FindColumn(f.name); err != nil {
					return usagef("--%s: %w", f.flag, err)
				}
			}
			if err := checkFolder(output); err != nil {
				return err
			}
			rows, err := sweep.ReadRows(c.args[0])
			if err != nil {
				return err
			}
			result := sweep.NewResult(rows)
			for _, w := range where.Value() {
				name, value, ok := strings.Cut(w, "=")
				if !ok {
					return usagef("--where %s: write COLUMN=VALUE", w)
				}
				column, err := sweep.FindColumn(name)
				if err != nil {
					return usagef("--where: %w", err)
				}
				if result, err = result.Where(column, value); err != nil {
					return err
				}
			}
			var pictures []figures.Picture
			if x == "" {
				pictures, err = figures.SweepPictures(result)
			} else {
				pictures, err = figures.Explore(result, e)
			}
			if err != nil {
				return err
			}
			type drawn struct {
				Schema string   `json:"schema"`
				Files  []string `json:"files"`
			}
			d := drawn{Schema: "eevee.figures/1"}
			progress := c.track("drawing", len(pictures))
			for _, p := range pictures {
				files, err := p.Save(output, figures.Print)
				if err != nil {
					return err
				}
				d.Files = append(d.Files, files...)
				progress.add(1)
				if err := c.ctx.Err(); err != nil {
					return err
				}
			}
			return c.result(d, func(w io.Writer) error {
				for _, f := range d.Files {
					if strings.HasSuffix(f, ".png") {
						fmt.Fprintln(w, f)
					}
				}
				return nil
			})
		},
	}
}

func columnNames(columns []sweep.Column) []string {
	var names []string
	for _, c := range columns {
		names = append(names, c.Name)
	}
	return names
}
