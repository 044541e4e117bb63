package emulator_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"testing"
)

// built holds the packages of the functions, each built once per test run.
var built sync.Map

// function builds one of the functions for the runtime provided.al2023 and
// returns its package.
func function(t *testing.T, name string) []byte {
	t.Helper()
	once, _ := built.LoadOrStore(name, sync.OnceValues(func() ([]byte, error) {
		dir, err := os.MkdirTemp("", "eevee-function-")
		if err != nil {
			return nil, err
		}
		defer os.RemoveAll(dir)
		path := filepath.Join(dir, "bootstrap")
		build := exec.Command("go", "build", "-ldflags=-s -w", "-o", path, "eevee/live/emulator/functions/"+name)
		build.Env = append(os.Environ(), "CGO_ENABLED=0")
		build.Stderr = os.Stderr
		if err := build.Run(); err != nil {
			return nil, err
		}
		program, err := os.ReadFile(path)
		if err != nil {
			return nil, err
		}
		return zipped("bootstrap", string(program))
	}))
	data, err := once.(func() ([]byte, error))()
	if err != nil {
		t.Fatalf("%s cannot be built: %v", name, err)
	}
	return data
}
