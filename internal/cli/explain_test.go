package cli

import (
	"os"
	"strings"
	"testing"
)

// What explain prints, its JSON against the published schema, and bad input.
func TestExplain(t *testing.T) {
	if testing.Short() {
		t.Skip("solves dozens of problems")
	}
	withoutRecordings(t)
	s := newSession(t, "explain")
	s.run("solve --workflow ml --latency 40s --rule plugin --samples 600 --quiet -o $DIR/config.json")
	s.run("explain $DIR/config.json")
	s.run("solve --workflow ml --cost 0.012 --samples 1000 --model jolteon --method uniform --quiet -o $DIR/dear.json")
	s.run("explain $DIR/dear.json --quiet")
	_, text, _ := runProgram("explain", "--json", "--quiet", s.path("config.json"))
	matchesSchema(t, "explain", []byte(text))

	// What was found on a grid is explained, and simulated, on that grid.
	s.run("solve --workflow ml --latency 40s --rule plugin --samples 300 --quiet --memory 1792..3584/448 --parallelism 1..9/2 -o $DIR/grid.json")
	s.run("explain $DIR/grid.json --quiet")
	s.run("simulate --workflow ml --config $DIR/grid.json --runs 100 --quiet")
	_, text, _ = runProgram("explain", "--json", "--quiet", s.path("grid.json"))
	matchesSchema(t, "explain", []byte(text))
	if text, err := os.ReadFile(s.path("grid.json")); err != nil {
		t.Fatal(err)
	} else {
		matchesSchema(t, "solve", text)
	}

	s.write("notjson.json", []byte("{"))
	s.write("bare.json", []byte(`{"workflow":"ml","config":[]}`))
	_, stdout, _ := runProgram(strings.Fields("solve --json --quiet --workflow ml --latency 40s --rule plugin --samples 600")...)
	s.write("edited.json", []byte(strings.Replace(stdout, `"parallelism": 1`, `"parallelism": 3`, 1)))
	s.write("elsewhere.json", []byte(strings.Replace(stdout, `"sha256": "`, `"sha256": "0`, 1)))
	s.write("allowed.json", []byte(strings.Replace(stdout, `"allowed_violations": `, `"allowed_violations": -`, 1)))
	s.write("many.json", []byte(strings.Replace(stdout, `"allowed_violations": `, `"allowed_violations": 9`, 1)))
	s.write("half.json", []byte(strings.Replace(stdout, `"parallelism": 1`, `"parallelism": 1.5`, 1)))
	for _, command := range []string{
		"explain $DIR/allowed.json", "explain $DIR/many.json", "explain $DIR/half.json",
		"explain", "explain $DIR/config.json $DIR/config.json", "explain $DIR/missing.json", "explain $DIR/notjson.json", "explain $DIR/bare.json",
		"explain $DIR/edited.json", "explain $DIR/elsewhere.json", "explain $DIR/config.json --workflow video", "explain $DIR/config.json --model-file $DIR/missing.json",
	} {
		s.run(command)
	}
	s.compare()
}
