package traces

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
)

// FileSHA256 returns the SHA-256 of a file in lower-case hexadecimal.
func FileSHA256(path string) (string, error) {
	f, err := os.Open(path)
	if err != nil {
		return "", fmt.Errorf("traces: %w", err)
	}
	defer f.Close()
	sum, err := readerSHA256(f)
	if err != nil {
		return "", fmt.Errorf("traces: %w", err)
	}
	return sum, nil
}

func readerSHA256(r io.Reader) (string, error) {
	h := sha256.New()
	if _, err := io.Copy(h, r); err != nil {
		return "", err
	}
	return hex.EncodeToString(h.Sum(nil)), nil
}

// sidePath is where the checksum of a trace is kept.
func sidePath(path string) string { return path + ".sha256" }

// sideLine is the content of the side file, in the format of sha256sum.
func sideLine(sum, path string) string {
	return sum + "  " + filepath.Base(path) + "\n"
}

// maxSideFile bounds what is read of a side file: a sum and a file name.
const maxSideFile = 1 << 13

// storedSHA256 returns the sum in the side file of a trace, "" where there is
// no side file.
func storedSHA256(path string) (string, error) {
	f, err := os.Open(sidePath(path))
	if errors.Is(err, fs.ErrNotExist) {
		return "", nil
	}
	if err != nil {
		return "", err
	}
	defer f.Close()
	line, err := io.ReadAll(io.LimitReader(f, maxSideFile))
	if err != nil {
		return "", err
	}
	sum, _, _ := bytes.Cut(line, []byte(" "))
	if b, err := hex.DecodeString(string(sum)); err != nil || len(b) != sha256.Size {
		return "", fmt.Errorf("%s holds no SHA-256; remove it to read the trace unchecked", sidePath(path))
	}
	return string(bytes.ToLower(sum)), nil
}

// checkSide compares a trace with its side file. It reports whether there is
// one.
func checkSide(path string, content io.Reader) (checked bool, err error) {
	want, err := storedSHA256(path)
	if err != nil || want == "" {
		return false, err
	}
	got, err := readerSHA256(content)
	if err != nil {
		return false, err
	}
	if got != want {
		return false, fmt.Errorf("corrupted or changed: SHA-256 %s, but %s says %s", got, filepath.Base(sidePath(path)), want)
	}
	return true, nil
}
