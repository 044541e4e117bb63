package solverstest

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// The environment of the other process: the test whose method is to answer,
// and the file for the answers.
const (
	testVariable = "EEVEE_SOLVERSTEST_TEST"
	fileVariable = "EEVEE_SOLVERSTEST_FILE"
)

// isOtherProcess reports whether this process was started to answer for the
// subject.
func (s *subject) isOtherProcess() bool { return os.Getenv(testVariable) == s.test }

// answerParent writes the answers to all supported cases for the process that
// started this one.
func (s *subject) answerParent() error {
	text, err := json.Marshal(s.printed())
	if err != nil {
		return err
	}
	return os.WriteFile(os.Getenv(fileVariable), text, 0o600)
}

// printed returns the answers by the names of their cases.
func (s *subject) printed() map[string]string {
	answers := map[string]string{}
	for _, a := range s.answered() {
		answers[a.Case.Name] = fingerprint(a.solution)
	}
	return answers
}

// askOther runs the test of the subject in another process and returns its
// answers. The order of maps and the addresses of values are others there.
func (s *subject) askOther() (map[string]string, error) {
	program, err := os.Executable()
	if err != nil {
		return nil, err
	}
	dir, err := os.MkdirTemp("", "solverstest")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(dir)
	file := filepath.Join(dir, "answers.json")
	var pattern []string
	for _, part := range strings.Split(s.test, "/") {
		pattern = append(pattern, "^"+regexp.QuoteMeta(part)+"$")
	}
	command := exec.Command(program, "-test.run", strings.Join(pattern, "/"))
	if testing.Short() {
		command.Args = append(command.Args, "-test.short")
	}
	command.Env = append(os.Environ(), testVariable+"="+s.test, fileVariable+"="+file)
	if output, err := command.CombinedOutput(); err != nil {
		return nil, fmt.Errorf("%s in another process: %w\n%s", s.test, err, bytes.TrimSpace(output))
	}
	text, err := os.ReadFile(file)
	if err != nil {
		return nil, fmt.Errorf("%s in another process left no answers: %w", s.test, err)
	}
	var answers map[string]string
	return answers, json.Unmarshal(text, &answers)
}

// Another process, with other addresses and another order of maps, comes to
// the same answers.
func checkProcess(r Recorder, s *subject) {
	here := s.printed()
	there, err := s.askOther()
	if err != nil {
		r.Errorf("%v", err)
		return
	}
	if len(there) != len(here) {
		r.Errorf("another process supports %d problems, this one %d", len(there), len(here))
	}
	for _, c := range s.cases {
		if there[c.Name] != here[c.Name] {
			r.Errorf("%s: another process answers %.300s, this one %.300s", c.Name, there[c.Name], here[c.Name])
		}
	}
}
