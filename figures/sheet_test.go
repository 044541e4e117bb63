package figures

import (
	"bytes"
	"compress/zlib"
	"encoding/xml"
	"fmt"
	"image"
	"io"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
)

func sortedKeys[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }

// pixelsPerPoint is the resolution Print, of 72 points to the inch.
const pixelsPerPoint = 4

// rendered returns the pixels of a sheet.
func rendered(s sheet) *image.RGBA { return s.pixels(Print).Image().(*image.RGBA) }

// Every picture is laid out and drawn twice, the second time beside others; all
// files must be equal to the last byte.
func TestSameBytes(t *testing.T) {
	files := func(s specimen) map[string]string {
		all := map[string]string{}
		for _, f := range s.sheet.formats(Print, s.WriteCSV) {
			b, err := f.contents()
			if err != nil {
				t.Errorf("%s.%s: %v", s.name, f.extension, err)
			}
			all[f.extension] = string(b)
		}
		return all
	}
	first, again := specimens(t), specimens(t)
	if testing.Short() {
		first, again = first[:2], again[:2] // one for either goroutine
	}
	drawn, redrawn := make([]map[string]string, len(first)), make([]map[string]string, len(first))
	for i, s := range first {
		drawn[i] = files(s)
	}
	var wg sync.WaitGroup
	for half := range 2 {
		wg.Go(func() {
			for i := half; i < len(again); i += 2 {
				redrawn[i] = files(again[i])
			}
		})
	}
	wg.Wait()
	for i, s := range first {
		for extension, contents := range drawn[i] {
			if contents == "" || redrawn[i][extension] != contents {
				t.Errorf("%s.%s: two drawings differ", s.name, extension)
			}
		}
	}
}

func read(t testing.TB, path ...string) []byte {
	t.Helper()
	b, err := os.ReadFile(filepath.Join(path...))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

var pdfStream = regexp.MustCompile(`(?s)stream\n(.*?)\nendstream`)

// pdfPage returns the drawing commands of the only page of a PDF document.
func pdfPage(t testing.TB, s sheet) (page string, document []byte) {
	t.Helper()
	document, err := s.pdf()
	if err != nil {
		t.Fatal(err)
	}
	for _, m := range pdfStream.FindAllSubmatch(document, -1) {
		z, err := zlib.NewReader(bytes.NewReader(m[1]))
		if err != nil {
			continue
		}
		b, err := io.ReadAll(z)
		if err == nil && bytes.Contains(b, []byte(" Tf ")) {
			return string(b), document
		}
	}
	t.Fatal("no page found")
	return "", nil
}

func TestPDFDoesNotHoldTheTime(t *testing.T) {
	_, document := pdfPage(t, of(t, "c", Chart{X: Axis{Label: "x"}}).sheet)
	for _, key := range []string{"CreationDate", "ModDate"} {
		if !bytes.Contains(document, []byte("/"+key+" (D:19700101000000)")) {
			t.Errorf("%s is not pinned", key)
		}
	}
}

// Text stays text where Windows-1252 has all of it, in its own bytes; what it
// has not is drawn, not written in wrong letters.
func TestPDFText(t *testing.T) {
	page, document := pdfPage(t, of(t, "c", Chart{
		Title: "Bold title", X: Axis{Label: "cost", Unit: "¢"}, Y: Axis{Label: "Jointλ"},
		Series: []Series{{Name: "8 × 1792 MB", Points: points(-1, 1, 2, 2)}},
	}).sheet)
	for _, want := range []string{"(cost \\(\xa2\\))", "(8 \xd7 1792 MB)", "(0.0)"} {
		if !strings.Contains(page, want) {
			t.Errorf("the page has no text %q", want)
		}
	}
	for _, not := range []string{"\xc2\xa2", "\xce\xbb", "Joint", "Bold"} {
		if strings.Contains(page, not) {
			t.Errorf("the page has the text %q", not)
		}
	}
	if n := bytes.Count(document, []byte("/FontFile2 ")); n != 1 {
		t.Errorf("%d fonts are embedded, want 1", n)
	}
}

// A translucent blue stays the same blue: 0, 114, 178 of 255.
func TestPDFKeepsTranslucentColours(t *testing.T) {
	page, _ := pdfPage(t, of(t, "c", Chart{Series: []Series{
		{Name: "band", Band: true, Points: []Point{{X: 1, Y: 1, YLo: 0, YHi: 2}, {X: 2, Y: 1, YLo: 0, YHi: 2}}},
	}}).sheet)
	if !strings.Contains(page, "0.000 0.447 0.698 rg") {
		t.Error("the colour of the band is not that of its line")
	}
}

func TestSVGIsSound(t *testing.T) {
	for _, s := range specimens(t) {
		b, err := s.sheet.svg()
		if err != nil {
			t.Fatal(err)
		}
		var texts []string
		d := xml.NewDecoder(bytes.NewReader(b))
		for {
			token, err := d.Token()
			if err == io.EOF {
				break
			}
			if err != nil {
				t.Fatalf("%s: %v", s.name, err)
			}
			if e, ok := token.(xml.StartElement); ok {
				for _, a := range e.Attr {
					if strings.Contains(a.Value, "NaN") || strings.Contains(a.Value, "Inf") {
						t.Errorf("%s: <%s %s=%q>", s.name, e.Name.Local, a.Name.Local, a.Value)
					}
					if e.Name.Local == "text" && a.Name.Local == "style" && !strings.Contains(a.Value, "Arial,Helvetica") {
						t.Errorf("%s: a text has no second font: %q", s.name, a.Value)
					}
				}
				if e.Name.Local == "text" {
					var text string
					if err := d.DecodeElement(&text, &e); err != nil {
						t.Fatal(err)
					}
					texts = append(texts, text)
				}
			}
		}
		var drawn []string
		for _, text := range inkOf(s.sheet).texts {
			drawn = append(drawn, text.text)
		}
		if !slices.Equal(texts, drawn) {
			t.Errorf("%s: texts %q, want %q", s.name, texts, drawn)
		}
	}
}

func TestSaveWritesFourFilesAndNothingElse(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "new", "folder")
	paths, err := Save(dir, "fig9", Chart{}, Print)
	if err != nil {
		t.Fatal(err)
	}
	var want, found []string
	for _, e := range []string{"png", "svg", "pdf", "csv"} {
		want = append(want, filepath.Join(dir, "fig9."+e))
	}
	if !slices.Equal(paths, want) {
		t.Errorf("paths %q, want %q", paths, want)
	}
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		found = append(found, filepath.Join(dir, e.Name()))
	}
	slices.Sort(want)
	if !slices.Equal(found, want) {
		t.Errorf("the folder holds %q, want %q", found, want)
	}
}

func TestSaveWritesNothingOnError(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "folder")
	for _, name := range []string{"", ".hidden", "a/b", `a\b`, "../x"} {
		if _, err := Save(dir, name, Chart{}, Print); err == nil || !strings.Contains(err.Error(), "file name") {
			t.Errorf("name %q: error %v", name, err)
		}
	}
	bad := Chart{Series: []Series{{Name: "s", Points: points(0, 1)}}, X: Axis{Log: true}}
	if _, err := Save(dir, "fig", bad, Print); err == nil {
		t.Error("no error")
	}
	if _, err := os.Stat(dir); !os.IsNotExist(err) {
		t.Errorf("something was written: %v", err)
	}
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := Save(file, "fig", Chart{}, Print); err == nil {
		t.Error("no error for a folder that is a file")
	}
}

func BenchmarkSave(b *testing.B) {
	dir := b.TempDir()
	for _, s := range specimens(b) {
		if s.name != "frontier" && s.name != "gantt" {
			continue
		}
		b.Run(s.name, func(b *testing.B) {
			for i := range b.N {
				if _, err := Save(dir, fmt.Sprint("fig", i%2), s, Print); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
