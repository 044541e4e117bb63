package emulator_test

import (
	"context"
	"sync"
	"testing"

	"eevee/live/emulator/functions"
)

// built holds the packages of the functions, each built once per test run.
var built sync.Map

// function returns the package of one of the functions.
func function(t *testing.T, name string) []byte {
	t.Helper()
	once, _ := built.LoadOrStore(name, sync.OnceValues(func() ([]byte, error) { return functions.Package(context.Background(), name) }))
	data, err := once.(func() ([]byte, error))()
	if err != nil {
		t.Fatal(err)
	}
	return data
}
