package figures

import (
	"bytes"
	"encoding/binary"
	"hash/crc32"
	"image"
	"image/png"
	"io"
	"math"
)

// writePNG writes an image as PNG (ISO/IEC 15948), with its size in print: a chunk
// pHYs, which the encoder of the standard library does not write, stands after the
// header.
func writePNG(w io.Writer, m image.Image, pixelsPerInch float64) error {
	var b bytes.Buffer
	encoder := png.Encoder{CompressionLevel: png.BestSpeed}
	if err := encoder.Encode(&b, m); err != nil {
		return err
	}
	const header = 8 + 12 + 13 // bytes: the signature and the chunk IHDR
	perMetre := uint32(math.Round(pixelsPerInch / 0.0254))
	size := []byte("pHYs")
	size = binary.BigEndian.AppendUint32(size, perMetre)
	size = binary.BigEndian.AppendUint32(size, perMetre)
	size = append(size, 1) // the unit is the metre
	chunk := binary.BigEndian.AppendUint32(nil, uint32(len(size)-4))
	chunk = binary.BigEndian.AppendUint32(append(chunk, size...), crc32.ChecksumIEEE(size))
	for _, part := range [][]byte{b.Bytes()[:header], chunk, b.Bytes()[header:]} {
		if _, err := w.Write(part); err != nil {
			return err
		}
	}
	return nil
}
