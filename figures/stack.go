package figures

import (
	"bytes"
	"encoding/csv"
	"errors"
	"fmt"
	"io"

	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
)

// Stack is several pictures in one, one below the other: small multiples.
type Stack []Panel

// Panel is one picture of a Stack.
type Panel struct {
	Name   string // in the data
	Figure framed
}

// framed is a drawing with axes, which can be laid out as a sheet.
type framed interface {
	frame() (frame, error)
	WriteCSV(w io.Writer) error
}

func (s Stack) formats(r Resolution) ([]format, error) {
	all, err := s.sheet()
	if err != nil {
		return nil, err
	}
	return all.formats(r, s.WriteCSV), nil
}

// panelGap is the room between two pictures, in points.
const panelGap = 10

func (s Stack) sheet() (sheet, error) {
	if len(s) == 0 {
		return sheet{}, errors.New("there is no picture to stack")
	}
	var sheets []sheet
	all := sheet{h: panelGap * vg.Length(len(s)-1)}
	for _, p := range s {
		f, err := p.Figure.frame()
		if err != nil {
			return sheet{}, fmt.Errorf("%s: %w", p.Name, err)
		}
		one := f.sheet()
		sheets = append(sheets, one)
		all.w, all.h = max(all.w, one.w), all.h+one.h
	}
	all.draw = func(c draw.Canvas) {
		top := c.Max.Y
		for _, one := range sheets {
			part := c
			part.Rectangle = vg.Rectangle{Min: vg.Point{X: c.Min.X, Y: top - one.h}, Max: vg.Point{X: c.Min.X + one.w, Y: top}}
			part.Push()
			part.Translate(vg.Point{X: part.Min.X, Y: part.Min.Y})
			part.Rectangle = rectangle(0, 0, one.w, one.h)
			one.draw(part)
			part.Pop()
			top -= one.h + panelGap
		}
	}
	return all, nil
}

// WriteCSV writes the rows of all pictures behind the name of their picture.
func (s Stack) WriteCSV(w io.Writer) error {
	var rows [][]string
	for i, p := range s {
		var b bytes.Buffer
		if err := p.Figure.WriteCSV(&b); err != nil {
			return err
		}
		lines, err := csv.NewReader(&b).ReadAll()
		if err != nil {
			return err
		}
		if i == 0 {
			rows = append(rows, append([]string{"panel"}, lines[0]...))
		}
		for _, line := range lines[1:] {
			rows = append(rows, append([]string{p.Name}, line...))
		}
	}
	return writeRows(w, rows)
}
