package emulator

import (
	"archive/zip"
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"
)

// code is an uploaded package.
type code struct {
	zip    []byte
	sha256 string // base64

	once   sync.Once
	folder string // unpacked
	err    error
}

// codeInput is where a package comes from.
type codeInput struct {
	ZipFile  []byte
	S3Bucket string
	ImageUri string
}

// maxUnpacked bounds a package: 250 MB (Lambda quotas).
const maxUnpacked = 250 << 20

// load checks a package.
func (in *codeInput) load() (*code, error) {
	if in.S3Bucket != "" || in.ImageUri != "" {
		return nil, invalid("The emulator takes packages as ZipFile only.")
	}
	if len(in.ZipFile) == 0 {
		return nil, invalid("Please provide a source for function code.")
	}
	archive, err := zip.NewReader(bytes.NewReader(in.ZipFile), int64(len(in.ZipFile)))
	if err != nil {
		return nil, failure(http.StatusBadRequest, "InvalidZipFileException", "Could not unzip uploaded file. Please check your file, then try to upload again.")
	}
	total := uint64(0)
	for _, f := range archive.File {
		if total += f.UncompressedSize64; total > maxUnpacked {
			return nil, invalid("Unzipped size must be smaller than %d bytes", maxUnpacked)
		}
	}
	sum := sha256.Sum256(in.ZipFile)
	return &code{zip: in.ZipFile, sha256: base64.StdEncoding.EncodeToString(sum[:])}, nil
}

// unpack returns the folder with the files of the package, in a folder of the
// emulator.
func (c *code) unpack(dir string) (string, error) {
	c.once.Do(func() { c.folder, c.err = c.extract(dir) })
	return c.folder, c.err
}

func (c *code) extract(dir string) (string, error) {
	archive, err := zip.NewReader(bytes.NewReader(c.zip), int64(len(c.zip)))
	if err != nil {
		return "", err
	}
	folder, err := os.MkdirTemp(dir, "code-")
	if err != nil {
		return "", err
	}
	for _, f := range archive.File {
		if !filepath.IsLocal(f.Name) {
			return "", fmt.Errorf("%q leads out of the package", f.Name)
		}
		path := filepath.Join(folder, filepath.FromSlash(f.Name))
		if strings.HasSuffix(f.Name, "/") {
			err = os.MkdirAll(path, 0o755)
		} else {
			err = extractFile(f, path)
		}
		if err != nil {
			return "", err
		}
	}
	return folder, nil
}

func extractFile(f *zip.File, path string) error {
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return err
	}
	in, err := f.Open()
	if err != nil {
		return err
	}
	defer in.Close()
	out, err := os.OpenFile(path, os.O_CREATE|os.O_EXCL|os.O_WRONLY, f.Mode().Perm()|0o600)
	if err != nil {
		return err
	}
	if _, err := io.Copy(out, io.LimitReader(in, maxUnpacked)); err != nil {
		out.Close()
		return err
	}
	return out.Close()
}

// codePath is where packages are served.
const codePath = "/snapshots/"

// codeURL returns the address of a package, valid for 10 minutes as those of
// Lambda are.
func (e *Emulator) codeURL(c *code, now time.Time) string {
	values := url.Values{"X-Amz-Expires": {"600"}, "X-Amz-Date": {now.UTC().Format("20060102T150405Z")}}
	return e.url + codePath + url.PathEscape(c.sha256) + "?" + values.Encode()
}

// serveCode answers a request for a package. As with a presigned address, who
// knows it may read.
func (e *Emulator) serveCode(w http.ResponseWriter, r *http.Request, sha string) {
	signed, err := time.Parse("20060102T150405Z", r.URL.Query().Get("X-Amz-Date"))
	if now := e.now(); err != nil || now.Sub(signed) > 10*time.Minute {
		http.Error(w, "<Error><Code>AccessDenied</Code><Message>Request has expired</Message></Error>", http.StatusForbidden)
		return
	}
	if c := e.findCode(sha); c != nil {
		w.Header().Set("Content-Type", "application/zip")
		_, _ = w.Write(c.zip)
		return
	}
	http.Error(w, "<Error><Code>NoSuchKey</Code></Error>", http.StatusNotFound)
}

func (e *Emulator) findCode(sha string) *code {
	e.mu.Lock()
	defer e.mu.Unlock()
	for _, f := range e.functions {
		for _, v := range append([]*version{f.latest}, f.versions...) {
			if v.settings.code.sha256 == sha {
				return v.settings.code
			}
		}
	}
	return nil
}
