package cli

import (
	"fmt"
	"io"

	"eevee/traces"
)

// fetchedTraces is the result of "eevee traces fetch".
type fetchedTraces struct {
	Set     string         `json:"set"`
	From    string         `json:"from"` // address or folder
	Commit  string         `json:"commit"`
	Licence string         `json:"licence"`
	Traces  []fetchedTrace `json:"traces"`
}

type fetchedTrace struct {
	Workflow    string `json:"workflow"`
	Path        string `json:"path"`
	InputSHA256 string `json:"input_sha256"`
}

func fetchTracesVerb() verb {
	var from, cache string
	detail := "SET is a set of published recordings\n"
	var sets []string
	for _, s := range traces.Sets() {
		sets = append(sets, s.Name)
		detail += fmt.Sprintf("  %s: %s at %.7s, licence %s\n", s.Name, s.BaseURL, s.Commit, s.Licence)
	}
	return verb{
		name:    "fetch",
		summary: "fetch published recordings into the cache",
		shown:   []string{"traces fetch jolteon"},
		detail:  detail[:len(detail)-1],
		args:    "SET",
		offers:  sets,
		flags: flags{
			textFlag(&from, "from", "", "`DIR` of a local copy to read instead of the network"),
			textFlag(&cache, "cache", "", "`DIR` to keep the traces in (default: the user's cache folder)"),
		},
		run: func(c *call) error {
			set, err := traces.FindSet(c.args[0])
			if err != nil {
				return usagef("%w", err)
			}
			if cache == "" {
				if cache, err = recordingsCache(); err != nil {
					return err
				}
			}
			paths, err := traces.Fetch(c.ctx, nil, set, from, cache, func(p traces.Progress) {
				if p.Err != nil {
					c.remark("%s: %s: %v", p.File.Name, p.Event, p.Err)
				} else {
					c.remark("%s: %s", p.File.Name, p.Event)
				}
			})
			if err != nil {
				return err
			}
			r := fetchedTraces{Set: set.Name, From: from, Commit: set.Commit, Licence: set.Licence}
			if from == "" {
				r.From = set.BaseURL
			}
			for i, f := range set.Files {
				r.Traces = append(r.Traces, fetchedTrace{f.Workflow, paths[i], f.SHA256})
			}
			return c.result(r, func(w io.Writer) error {
				for _, t := range r.Traces {
					fmt.Fprintf(w, "%s: %s\n", t.Workflow, t.Path)
				}
				return nil // w is a buffer
			})
		},
	}
}
