package cli

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"
)

func TestCompareMatchesItsSchema(t *testing.T) {
	withoutRecordings(t)
	schema, err := jsonschema.NewCompiler().Compile("../../experiments/schemas/compare.schema.json")
	if err != nil {
		t.Fatal(err)
	}
	folder := filepath.Join(t.TempDir(), "pictures")
	for _, command := range []string{
		"compare --json --workflow ml --samples 800 --runs 200 --latency 40s -o " + folder,
		"compare --json --workflow ml --samples 800 --runs 200 --cost 0.01 --rule plugin --methods exact,powertuning,slam,ditto:cost",
	} {
		code, stdout, stderr := runProgram(strings.Fields(command)...)
		if code != 0 {
			t.Fatalf("%s: exit code %d: %s", command, code, stderr)
		}
		object, err := jsonschema.UnmarshalJSON(strings.NewReader(stdout))
		if err != nil {
			t.Fatal(err)
		}
		if err := schema.Validate(object); err != nil {
			t.Errorf("%s: %v", command, err)
		}
	}
	for _, name := range []string{"compare.png", "compare.svg", "compare.pdf", "compare.csv"} {
		if info, err := os.Stat(filepath.Join(folder, name)); err != nil || info.Size() == 0 {
			t.Errorf("%s was not drawn (%v)", name, err)
		}
	}
}

func TestBadCompareInput(t *testing.T) {
	withoutRecordings(t)
	s := newSession(t, "bad_compare")
	s.write("file", nil)
	for _, command := range []string{
		"compare", "compare --workflow ml", "compare --workflow ml --latency 40s --cost 1",
		"compare --workflow ml --latency 40s --methods magic", "compare --workflow ml --latency 40s --methods exact,ditto:fast",
		"compare --workflow ml --latency 40s --runs 0", "compare --workflow ml --latency 40s -o $DIR/file",
	} {
		s.run(command)
	}
	s.compare()
}
