package traces

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
)

// parquet-go believes the sizes in a file: a list said to have 2^31 elements
// is allocated before the first of them is read, and an allocation that fails
// ends the program, which recover cannot prevent. The footer and the header of
// every page are therefore walked here first. Both are structures of Thrift's
// compact protocol, which can be skipped without knowing what they mean
// (github.com/apache/thrift, doc/specs/thrift-compact-protocol.md).

const (
	maxFooterBytes = 32 << 20  // a footer of 100 million rows has about 5 MB
	maxPageBytes   = 256 << 20 // before compression; the writer's pages have some 100 KB
	maxHeaderBytes = 1 << 20   // of one page
	maxDepth       = 16        // of structures inside structures
)

// The types of Thrift's compact protocol.
const (
	thriftStop = iota
	thriftTrue
	thriftFalse
	thriftByte
	thriftInt16
	thriftInt32
	thriftInt64
	thriftDouble
	thriftBinary
	thriftList
	thriftSet
	thriftMap
	thriftStruct
)

var (
	errShort    = errors.New("ends in the middle")
	errNoSense  = errors.New("is not well-formed")
	errTooLarge = errors.New("declares more than it can hold")
)

// thriftWalk walks over one structure.
type thriftWalk struct {
	data []byte
	at   int

	// field, if not nil, is called for every integer field at depth 0 or 1;
	// outer is the id of the field around it, 0 at depth 0.
	field func(outer, id, value int64)
}

func (w *thriftWalk) byte() (byte, error) {
	if w.at >= len(w.data) {
		return 0, errShort
	}
	w.at++
	return w.data[w.at-1], nil
}

func (w *thriftWalk) uvarint() (uint64, error) {
	v, n := binary.Uvarint(w.data[w.at:])
	switch {
	case n == 0:
		return 0, errShort
	case n < 0:
		return 0, errNoSense
	}
	w.at += n
	return v, nil
}

func (w *thriftWalk) varint() (int64, error) {
	u, err := w.uvarint()
	return int64(u>>1) ^ -int64(u&1), err
}

// bytes skips n bytes.
func (w *thriftWalk) bytes(n uint64) error {
	if n > uint64(len(w.data)-w.at) {
		return errTooLarge
	}
	w.at += int(n)
	return nil
}

// structure skips one structure, which is field outer of the one around it.
func (w *thriftWalk) structure(outer int64, depth int) error {
	if depth > maxDepth {
		return errNoSense
	}
	var id int64
	for {
		b, err := w.byte()
		if err != nil {
			return err
		}
		kind := b & 0xf
		if kind == thriftStop {
			return nil
		}
		if delta := b >> 4; delta != 0 {
			id += int64(delta)
		} else if id, err = w.varint(); err != nil {
			return err
		}
		switch kind {
		case thriftTrue, thriftFalse: // the value is in the type
		case thriftInt16, thriftInt32, thriftInt64:
			v, err := w.varint()
			if err != nil {
				return err
			}
			if w.field != nil && depth <= 1 {
				w.field(outer, id, v)
			}
		case thriftStruct:
			if err := w.structure(id, depth+1); err != nil {
				return err
			}
		default:
			if err := w.value(kind, depth); err != nil {
				return err
			}
		}
	}
}

// value skips one value of the given type, as an element of a list or map.
func (w *thriftWalk) value(kind byte, depth int) error {
	switch kind {
	case thriftTrue, thriftFalse, thriftByte:
		return w.bytes(1)
	case thriftInt16, thriftInt32, thriftInt64:
		_, err := w.varint()
		return err
	case thriftDouble:
		return w.bytes(8)
	case thriftBinary:
		n, err := w.uvarint()
		if err != nil {
			return err
		}
		return w.bytes(n)
	case thriftList, thriftSet:
		return w.list(depth)
	case thriftMap:
		return w.mapping(depth)
	case thriftStruct:
		return w.structure(-1, depth+1)
	}
	return errNoSense
}

func (w *thriftWalk) list(depth int) error {
	b, err := w.byte()
	if err != nil {
		return err
	}
	n := uint64(b >> 4)
	if n == 0xf {
		if n, err = w.uvarint(); err != nil {
			return err
		}
	}
	return w.elements(n, depth, b&0xf)
}

func (w *thriftWalk) mapping(depth int) error {
	n, err := w.uvarint()
	if err != nil || n == 0 {
		return err
	}
	b, err := w.byte()
	if err != nil {
		return err
	}
	return w.elements(n, depth, b>>4, b&0xf)
}

// elements skips n times one value of each of the given types. Every value has
// at least one byte.
func (w *thriftWalk) elements(n uint64, depth int, kinds ...byte) error {
	if depth > maxDepth {
		return errNoSense
	}
	if n > uint64(len(w.data)-w.at) {
		return errTooLarge
	}
	for range n {
		for _, kind := range kinds {
			if err := w.value(kind, depth+1); err != nil {
				return err
			}
		}
	}
	return nil
}

// checkFooter checks that a file has the frame of a Parquet file and a footer
// that can be decoded in memory proportional to its size.
func checkFooter(file io.ReaderAt, size int64) error {
	const magic = "PAR1"
	if size == 0 {
		return errors.New("is empty")
	}
	var head [4]byte
	if n, err := file.ReadAt(head[:], 0); n < len(head) || string(head[:]) != magic {
		if err != nil && err != io.EOF {
			return err
		}
		return errors.New("is not a Parquet file; \"eevee traces import\" makes one of logs and tables")
	}
	var tail [8]byte
	if size < int64(len(head)+len(tail)) {
		return errors.New("truncated: a Parquet file without a footer")
	}
	if _, err := file.ReadAt(tail[:], size-int64(len(tail))); err != nil {
		return err
	}
	if string(tail[4:]) != magic {
		return errors.New("truncated: a Parquet file without a footer")
	}
	length := int64(binary.LittleEndian.Uint32(tail[:]))
	if length > size-int64(len(head)+len(tail)) || length > maxFooterBytes {
		return fmt.Errorf("corrupted: a footer of %d bytes in a file of %d", length, size)
	}
	footer := make([]byte, length)
	if _, err := file.ReadAt(footer, size-int64(len(tail))-length); err != nil {
		return err
	}
	w := thriftWalk{data: footer}
	err := w.structure(0, 0)
	if err == nil && w.at != len(footer) {
		err = errNoSense
	}
	if err != nil {
		return fmt.Errorf("corrupted: the footer %w", err)
	}
	return nil
}

// Ids in the structure PageHeader of the Parquet format.
const (
	idUncompressedSize = 2
	idCompressedSize   = 3
	idDataHeader       = 5
	idDictionaryHeader = 7
	idDataHeaderV2     = 8
	idNumValues        = 1 // in all three headers
)

// checkPages checks the headers of the pages of one column in one group of
// rows: bytes [from, from+length) of the file, holding the given number of
// values.
func checkPages(file io.ReaderAt, from, length, values int64) error {
	window := make([]byte, 4<<10)
	var found int64
	for at := int64(0); at < length; {
		var uncompressed, compressed, data, dictionary int64
		size, err := pageHeader(file, from+at, min(length-at, maxHeaderBytes), &window, func(outer, id, value int64) {
			switch {
			case outer == 0 && id == idUncompressedSize:
				uncompressed = value
			case outer == 0 && id == idCompressedSize:
				compressed = value
			case (outer == idDataHeader || outer == idDataHeaderV2) && id == idNumValues:
				data = value
			case outer == idDictionaryHeader && id == idNumValues:
				dictionary = value
			}
		})
		if err != nil {
			return fmt.Errorf("the header of a page %w", err)
		}
		at += size
		if uncompressed < 0 || compressed < 0 || data < 0 || dictionary < 0 ||
			uncompressed > maxPageBytes || compressed > length-at || data > values || dictionary > values {
			return fmt.Errorf("the header of a page %w", errTooLarge)
		}
		at += compressed
		found += data
	}
	if found != values {
		return fmt.Errorf("%d values where there should be %d", found, values)
	}
	return nil
}

// pageHeader walks over one page header of at most limit bytes and returns how
// many it has. The window grows until the header fits.
func pageHeader(file io.ReaderAt, at, limit int64, window *[]byte, field func(outer, id, value int64)) (int64, error) {
	for {
		data := (*window)[:min(int64(len(*window)), limit)]
		if _, err := file.ReadAt(data, at); err != nil {
			return 0, err
		}
		w := thriftWalk{data: data, field: field}
		err := w.structure(0, 0)
		if err == nil {
			return int64(w.at), nil
		}
		if errors.Is(err, errNoSense) || int64(len(data)) >= limit {
			return 0, err
		}
		*window = make([]byte, 4*len(*window))
	}
}
