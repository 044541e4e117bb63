package cli

import (
	"fmt"
	"io"
	"strings"

	ucli "github.com/urfave/cli/v2"

	"eevee/experiments/sweep"
	"eevee/figures"
)

// drawnFigures is the result of "eevee figures".
type drawnFigures struct {
	Schema string   `json:"schema"`
	Files  []string `json:"files"`
}

// figuresFlags are the flags of figures.
type figuresFlags struct {
	exploration figures.Exploration
	where       []condition
	output      string
}

// condition is one value of --where: what rows must have in a column.
type condition struct {
	column sweep.Column
	value  string
}

func figuresVerb() verb {
	var f figuresFlags
	columns := columnNames(sweep.Columns())
	columnFlag := func(to *sweep.Column, name, usage string) ucli.Flag {
		return offering(flagOf(to, name, "", usage, sweep.FindColumn), columns...)
	}
	e := &f.exploration
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
			columnFlag(&e.X, "x", "`COLUMN` along the horizontal axis"),
			columnFlag(&e.Y, "y", "`COLUMN` along the vertical axis; several rows at one place: their mean and range"),
			columnFlag(&e.By, "by", "`COLUMN` of which every value is a line"),
			columnFlag(&e.Panel, "panel", "`COLUMN` of which every value is a picture"),
			listFlag(&f.where, "where", "`COLUMN=VALUE` that rows must have; repeatable", parseCondition),
			textFlag(&f.output, "output,o", "out", "`FOLDER` to write into"),
		},
		run: f.run,
	}
}

func parseCondition(s string) (k condition, err error) {
	name, value, ok := strings.Cut(s, "=")
	if !ok {
		return k, fmt.Errorf("%s: write COLUMN=VALUE", s)
	}
	k.column, err = sweep.FindColumn(name)
	k.value = value
	return k, err
}

func (f *figuresFlags) run(c *call) error {
	explores := c.isSet("x")
	if c.isSet("y") != explores || !explores && (c.isSet("by") || c.isSet("panel")) {
		return usagef("--x and --y go together, and --by and --panel with them")
	}
	if err := checkFolder(f.output); err != nil {
		return err
	}
	rows, err := sweep.ReadRows(c.args[0])
	if err != nil {
		return err
	}
	result := sweep.NewResult(rows)
	for _, k := range f.where {
		if result, err = result.Where(k.column, k.value); err != nil {
			return err
		}
	}
	var pictures []figures.Picture
	if explores {
		pictures, err = figures.Explore(result, f.exploration)
	} else {
		pictures, err = figures.SweepPictures(result)
	}
	if err != nil {
		return err
	}
	d := drawnFigures{Schema: "eevee.figures/1"}
	progress := c.track("drawing", len(pictures))
	for _, p := range pictures {
		files, err := p.Save(f.output, figures.Print)
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
		for _, path := range d.Files {
			if strings.HasSuffix(path, ".png") {
				fmt.Fprintln(w, path)
			}
		}
		return nil // w is a buffer
	})
}

func columnNames(columns []sweep.Column) []string {
	var names []string
	for _, c := range columns {
		names = append(names, c.Name)
	}
	return names
}
