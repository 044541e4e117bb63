package functions

import (
	"archive/zip"
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// Names are the functions, in the order of a workflow that uses them all.
var Names = []string{"hash", "exchange", "walk"}

// Package builds a function with the Go toolchain, for this machine and without
// cgo, and returns what Lambda takes as its code: a zip file with an executable
// called bootstrap.
func Package(ctx context.Context, name string) ([]byte, error) {
	dir, err := os.MkdirTemp("", "eevee-function-")
	if err != nil {
		return nil, fmt.Errorf("functions: %w", err)
	}
	defer os.RemoveAll(dir)
	path := filepath.Join(dir, "bootstrap")
	build := exec.CommandContext(ctx, "go", "build", "-ldflags=-s -w", "-o", path, "eevee/live/emulator/functions/"+name)
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if output, err := build.CombinedOutput(); err != nil {
		return nil, fmt.Errorf("functions: %s cannot be built within this module: %w: %s", name, err, strings.TrimSpace(string(output)))
	}
	program, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("functions: %w", err)
	}
	return Zip("bootstrap", program)
}

// Zip packs one file, which may be executed.
func Zip(name string, content []byte) ([]byte, error) {
	var b bytes.Buffer
	w := zip.NewWriter(&b)
	header := &zip.FileHeader{Name: name, Method: zip.Deflate}
	header.SetMode(0o755)
	f, err := w.CreateHeader(header)
	if err != nil {
		return nil, fmt.Errorf("functions: %w", err)
	}
	if _, err := f.Write(content); err != nil {
		return nil, fmt.Errorf("functions: %w", err)
	}
	if err := w.Close(); err != nil {
		return nil, fmt.Errorf("functions: %w", err)
	}
	return b.Bytes(), nil
}
