package cli

import (
	"errors"
	"fmt"
	"io"
	"strings"

	"eevee/live"
)

// liveRestoreSchema names the JSON form of a restoration; see
// experiments/schemas/live-restore.schema.json.
const liveRestoreSchema = "eevee.live-restore/1"

// liveRestore is the result of "eevee live restore".
type liveRestore struct {
	Schema   string          `json:"schema"`
	Journals []live.Restored `json:"journals"`
}

func liveRestoreVerb() verb {
	var journals, region string
	return verb{
		name:    "restore",
		summary: "undo what a session left that crashed or was killed",
		shown:   []string{"live restore"},
		detail: "JOURNAL is what the session noted down before every change. Without one, all journals\n" +
			"are taken that have something left to undo. Doing it twice does no harm. What is not\n" +
			"eevee's to undo, such as a memory size that somebody else has set since, is left as it\n" +
			"is and named. A journal of another account or region is refused.",
		args: "[JOURNAL...]",
		flags: flags{
			textFlag(&journals, "journal", "", "`FOLDER` with the journals; default: $XDG_STATE_HOME/eevee/live"),
			textFlag(&region, "region", "", "`REGION`; default: that of the AWS configuration"),
		},
		run: func(c *call) error {
			paths := c.args
			if len(paths) == 0 {
				folder := journals
				if folder == "" {
					var err error
					if folder, err = live.JournalFolder(); err != nil {
						return err
					}
				}
				var err error
				if paths, err = live.Journals(folder); err != nil {
					return err
				}
			}
			r := liveRestore{Schema: liveRestoreSchema, Journals: []live.Restored{}}
			var errs []error
			if len(paths) > 0 {
				client, err := live.Open(c.ctx, live.Settings{Region: region, Streams: c.streams()})
				if err != nil {
					return err
				}
				defer client.Close()
				for _, path := range paths {
					done, err := live.Restore(c.ctx, client, path)
					if done.Run != "" { // it could be read
						r.Journals = append(r.Journals, done)
					}
					errs = append(errs, err)
				}
			}
			return errors.Join(c.result(r, func(w io.Writer) error {
				var b strings.Builder
				for _, j := range r.Journals {
					fmt.Fprintf(&b, "%s\n", j.Journal)
					writeRestored(&b, j)
				}
				if len(paths) == 0 {
					b.WriteString("nothing is left to undo\n")
				}
				_, err := io.WriteString(w, b.String())
				return err
			}), errors.Join(errs...))
		},
	}
}

func livePolicyVerb() verb {
	var o live.PolicyOptions
	return verb{
		name:    "policy",
		summary: "print the IAM policy that the live verbs need",
		shown:   []string{"live policy my-split my-resize"},
		detail: "The policy allows no more than what eevee calls: reading the functions that are named,\n" +
			"making, invoking and deleting copies whose names begin with eevee-. --in-place adds\n" +
			"what changes the functions themselves.",
		args: "FUNCTION...",
		flags: flags{
			textFlag(&o.Account, "account", "*", "`ID` of the account"),
			textFlag(&o.Region, "region", "*", "`REGION`"),
			textFlag(&o.Role, "role", "*", "`NAME` of the functions' role, which is passed on to the copies"),
			textFlag(&o.Machine, "state-machine", "", "`NAME` of the state machine to execute"),
			switchFlag(&o.InPlace, "in-place", "allow to change the functions themselves"),
		},
		run: func(c *call) error {
			o.Functions = c.args
			p := live.Policy(o)
			return c.result(p, func(w io.Writer) error {
				text, err := marshal(p)
				if err != nil {
					return err
				}
				_, err = w.Write(text)
				return err
			})
		},
	}
}
