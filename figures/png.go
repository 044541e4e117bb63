package figures

import (
	"bytes"
	"compress/zlib"
	"encoding/binary"
	"hash/crc32"
	"image"
	"io"
	"math"
)

// pngSignature begins every PNG file.
const pngSignature = "\x89PNG\r\n\x1a\n"

// writePNG writes an opaque image as PNG (ISO/IEC 15948), with its size in print.
// Its rows are compressed as they are. The encoder of the standard library tries
// five filters on every row before, which makes it three times as slow, and
// pictures of lines and letters only a twentieth smaller.
func writePNG(w io.Writer, m *image.RGBA, pixelsPerInch float64) error {
	width, height := m.Rect.Dx(), m.Rect.Dy()
	header := binary.BigEndian.AppendUint32(nil, uint32(width))
	header = binary.BigEndian.AppendUint32(header, uint32(height))
	header = append(header,
		8, // bits per sample
		2, // red, green and blue
		0, // the compression and
		0, // the filters that there are
		0, // rows from top to bottom
	)
	perMetre := uint32(math.Round(pixelsPerInch / 0.0254))
	print := binary.BigEndian.AppendUint32(nil, perMetre)
	print = binary.BigEndian.AppendUint32(print, perMetre)
	print = append(print, 1) // the unit is the metre
	data, err := compressedRows(m)
	if err != nil {
		return err
	}
	if _, err := io.WriteString(w, pngSignature); err != nil {
		return err
	}
	for _, chunk := range []struct {
		name string
		data []byte
	}{{"IHDR", header}, {"pHYs", print}, {"IDAT", data}, {"IEND", nil}} {
		b := binary.BigEndian.AppendUint32(nil, uint32(len(chunk.data)))
		b = append(append(b, chunk.name...), chunk.data...)
		if _, err := w.Write(binary.BigEndian.AppendUint32(b, crc32.ChecksumIEEE(b[4:]))); err != nil {
			return err
		}
	}
	return nil
}

// compressedRows returns the rows of an image, each after the number of its
// filter, as one zlib stream.
func compressedRows(m *image.RGBA) ([]byte, error) {
	var b bytes.Buffer
	z, err := zlib.NewWriterLevel(&b, zlib.BestSpeed)
	if err != nil {
		return nil, err
	}
	width := m.Rect.Dx()
	row := make([]byte, 1+3*width) // filter 0: none
	for y := range m.Rect.Dy() {
		from, to := m.Pix[y*m.Stride:][:4*width], row[1:]
		for ; len(from) > 0; from, to = from[4:], to[3:] {
			to[0], to[1], to[2] = from[0], from[1], from[2]
		}
		if _, err := z.Write(row); err != nil {
			return nil, err
		}
	}
	err = z.Close()
	return b.Bytes(), err
}
