package cli

import (
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"

	"eevee/experiments"
	"eevee/live"
	"eevee/models"
)

// liveProfileSchema names the JSON form of a profile; see
// experiments/schemas/live-profile.schema.json.
const liveProfileSchema = "eevee.live-profile/1"

// liveProfile is the result of "eevee live profile".
type liveProfile struct {
	Schema   string `json:"schema"`
	Workflow string `json:"workflow"`
	Seed     uint64 `json:"seed"`
	*liveRun
}

func liveProfileVerb() verb {
	var l liveFlags
	var s subject
	var limits live.Limits
	var runs, warmUps int
	var output, need, config string
	return verb{
		name:    "profile",
		summary: "execute a workflow under many configurations, and write a trace",
		shown: []string{
			"live profile --workflow app.yaml --functions functions.yaml -o app.parquet --dry-run",
			"live profile --workflow app.yaml --functions functions.yaml -o app.parquet --live --account 123456789012 --max-spend 2",
		},
		detail: "Configurations are such that every admissible size and parallelism of every stage\n" +
			"occurs in one of them (--memory and --parallelism narrow that down), or those that\n" +
			"\"eevee fit --need --json\" asks for (--need), or one (--config).\n\n" +
			"FILE of --functions, in YAML:\n\n" +
			"  functions:\n" +
			"    STAGE:\n" +
			"      function: NAME or ARN\n" +
			"      payload: {key: \"in/${instance}\", parts: \"${parallelism}\"}\n\n" +
			"Places in a payload: ${instance}, ${parallelism}, ${memory_mb}, ${stage}, ${execution},\n" +
			"${parallelism.STAGE}, ${outputs.STAGE} (a list of answers).\n\n" +
			"A function may report its steps in its answer, as {\"steps\": {\"read_s\": 0.1,\n" +
			"\"compute_s\": 2, \"write_s\": 0.3}}; what is left out took no time, and what of the\n" +
			"duration is in none of them counts as computing.",
		flags: slices.Concat(flags{
			workflowFlag(&s.workflow),
			textFlag(&s.choice.Space, "space", "", "`NAME` of the space to try; default: the workflow's first"),
			countsFlag(&limits.MemoryMB, "memory", "`LIST` of the sizes in MB to try; default: all of the space"),
			countsFlag(&limits.Parallelism, "parallelism", "`LIST` of the parallelisms to try of stages that can be split; default: all of the space"),
			textFlag(&need, "need", "", "`FILE` that \"eevee fit --need --json\" printed: try what it asks for"),
			textFlag(&config, "config", "", "`FILE` that \"eevee solve -o\" wrote: try that configuration alone"),
			countFlag(&runs, "runs", "3", "`N` executions of every configuration"),
			countFlag(&warmUps, "warm-ups", "1", "`N` executions before them; they are epoch 0 of the trace"),
			textFlag(&s.trace, "trace", "", "trace `FILE` that the expected spend is estimated from; default: the output if it exists, else the timeouts"),
			outputFlag(&output, "trace `FILE` (Parquet); it is added to if it exists"),
		}, l.flags()),
		need: []string{"workflow", "output"},
		run: func(c *call) error {
			if err := l.check(); err != nil {
				return err
			}
			if need != "" && config != "" || (need != "" || config != "") && len(limits.MemoryMB)+len(limits.Parallelism) > 0 {
				return usagef("--need, --config, and --memory with --parallelism exclude each other")
			}
			if err := checkLiveOutput(c, output, s.workflow, s.trace, l.functions, need, config); err != nil {
				return err
			}
			def, err := models.Load(s.workflow)
			if err != nil {
				return err
			}
			r, err := l.request(def.Workflow)
			if err != nil {
				return err
			}
			switch {
			case need != "":
				r.Configs, err = experiments.ReadNeed(need, def)
			case config != "":
				var one models.Config
				one, err = experiments.ReadConfig(config, def)
				r.Configs = []models.Config{one}
			default:
				var space *models.Space
				if space, err = def.Space(s.choice.Space); err == nil {
					r.Configs, err = live.Cover(space, limits)
				}
			}
			if err != nil {
				return err
			}
			r.Runs, r.WarmUps, r.Output = runs, warmUps, output
			if err := estimate(&r, def, &s, output); err != nil {
				return err
			}
			client, err := l.open(c)
			if err != nil {
				return err
			}
			defer client.Close()
			done, _, err := l.execute(c, client, r)
			if done == nil {
				return err
			}
			result := liveProfile{Schema: liveProfileSchema, Workflow: def.Workflow.Name(), Seed: c.seed, liveRun: done}
			return errors.Join(c.result(result, func(w io.Writer) error {
				var b strings.Builder
				if done.Outcome == nil {
					writePlan(&b, *done.Plan)
				} else {
					writeOutcome(&b, done)
				}
				_, err := io.WriteString(w, b.String())
				return err
			}), err)
		},
	}
}

// estimate lets the plan expect what a trace says: the one that is named, or the
// one that is added to.
func estimate(r *live.Request, def *models.Definition, s *subject, output string) error {
	path := s.trace
	if path == "" {
		if missing(output) {
			return nil
		}
		path = output
	}
	t, err := s.sources().Trace(def.Workflow.Name(), path)
	if err != nil {
		return err
	}
	if r.Expected, err = expected(def, t); err != nil {
		if s.trace == "" {
			return nil // what was recorded so far is not enough
		}
		return fmt.Errorf("%s: %w", path, err)
	}
	r.Basis = "trace"
	return nil
}

// missing reports that there is no file of a name.
func missing(path string) bool {
	_, err := os.Stat(path)
	return err != nil
}
