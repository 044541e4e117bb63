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

// profileFlags are the flags of live profile.
type profileFlags struct {
	live          liveFlags
	subject       subject
	limits        live.Limits
	need, config  string
	runs, warmUps int
	output        string
}

func liveProfileVerb() verb {
	var f profileFlags
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
			workflowFlag(&f.subject.workflow),
			textFlag(&f.subject.choice.Space, "space", "", "`NAME` of the space to try; default: the workflow's first"),
			countsFlag(&f.limits.MemoryMB, "memory", "`LIST` of the sizes in MB to try; default: all of the space"),
			countsFlag(&f.limits.Parallelism, "parallelism", "`LIST` of the parallelisms to try of stages that can be split; default: all of the space"),
			textFlag(&f.need, "need", "", "`FILE` that \"eevee fit --need --json\" printed: try what it asks for"),
			textFlag(&f.config, "config", "", "`FILE` that \"eevee solve -o\" wrote: try that configuration alone"),
			countFlag(&f.runs, "runs", "3", "`N` executions of every configuration"),
			countFlag(&f.warmUps, "warm-ups", "1", "`N` executions before them; they are epoch 0 of the trace"),
			textFlag(&f.subject.trace, "trace", "", "trace `FILE` that the expected spend is estimated from; default: the output if it exists, else the timeouts"),
			outputFlag(&f.output, "trace `FILE` (Parquet); it is added to if it exists"),
		}, f.live.flags()),
		need: []string{"workflow", "output"},
		run:  f.run,
	}
}

// check says what is wrong with the flags before anything is done.
func (f *profileFlags) check(c *call) error {
	if err := f.live.check(); err != nil {
		return err
	}
	if f.need != "" && f.config != "" || (f.need != "" || f.config != "") && len(f.limits.MemoryMB)+len(f.limits.Parallelism) > 0 {
		return usagef("--need, --config, and --memory with --parallelism exclude each other")
	}
	return checkLiveOutput(c, f.output, f.subject.workflow, f.subject.trace, f.live.functions, f.need, f.config)
}

func (f *profileFlags) run(c *call) error {
	if err := f.check(c); err != nil {
		return err
	}
	def, err := models.Load(f.subject.workflow)
	if err != nil {
		return err
	}
	r, err := f.live.request(def.Workflow)
	if err != nil {
		return err
	}
	if r.Configs, err = f.configs(def); err != nil {
		return err
	}
	r.Runs, r.WarmUps, r.Output = f.runs, f.warmUps, f.output
	if err := estimate(&r, def, &f.subject, f.output); err != nil {
		return err
	}
	client, err := f.live.open(c)
	if err != nil {
		return err
	}
	defer client.Close()
	done, _, err := f.live.execute(c, client, r)
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
}

// configs returns the configurations to execute the workflow under.
func (f *profileFlags) configs(def *models.Definition) ([]models.Config, error) {
	switch {
	case f.need != "":
		return experiments.ReadNeed(f.need, def)
	case f.config != "":
		one, err := experiments.ReadConfig(f.config, def)
		return []models.Config{one}, err
	}
	space, err := def.Space(f.subject.choice.Space)
	if err != nil {
		return nil, err
	}
	return live.Cover(space, f.limits)
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
