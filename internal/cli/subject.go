package cli

import (
	"os"
	"strings"

	ucli "github.com/urfave/cli/v2"

	"eevee/experiments"
	"eevee/models"
)

// subject is what most verbs work on: a workflow with its trace and model.
type subject struct {
	workflow, trace, recordings, modelFile string
	choice                                 experiments.Choice
}

// traceFlags are the flags that say which workflow and which trace.
func (s *subject) traceFlags() flags {
	return flags{
		workflowFlag(&s.workflow),
		textFlag(&s.trace, "trace", "", "trace `FILE` (Parquet or a published profile); default: the recordings, else the bundled trace"),
		recordingsFlag(&s.recordings),
	}
}

// workflowFlag is the flag that names the workflow.
func workflowFlag(to *string) ucli.Flag {
	return offering(textFlag(to, "workflow", "", "bundled workflow or workflow `FILE`"), models.Bundled()...)
}

// priceFlag is the flag that names a price book. The usage says what is the
// default.
func priceFlag(to *string, fallback, usage string) ucli.Flag {
	return offering(textFlag(to, "price", fallback, "price book, bundled ("+strings.Join(models.Prices(), ", ")+") or `FILE`"+usage), models.Prices()...)
}

// recordingsFlag is the flag that names the folder of the published
// recordings.
func recordingsFlag(to *string) ucli.Flag {
	return textFlag(to, "recordings", "", "`FOLDER` with the published recordings; default: EEVEE_RECORDINGS, then what \"traces fetch\" fetched")
}

// fitFlags are the flags that say which model.
func (s *subject) fitFlags() flags {
	return flags{
		choiceFlag(&s.choice.Model, "model", "", "`MODEL` to fit: "+strings.Join(experiments.ModelNames(), ", ")+"; default: "+experiments.ModelNames()[0], experiments.ModelNames()),
	}
}

// problemFlags are the flags that say which space and price.
func (s *subject) problemFlags() flags {
	return flags{
		textFlag(&s.modelFile, "model-file", "", "model `FILE` that \"eevee fit\" wrote, in place of a trace"),
		textFlag(&s.choice.Space, "space", "", "`NAME` of the space to search; default: the workflow's first"),
		priceFlag(&s.choice.Price, "", "; default: the workflow's"),
	}
}

// gridFlags are the flags that replace the choices of the space.
func (s *subject) gridFlags() flags {
	return flags{
		flagOf(&s.choice.Grid.Memory, "memory", "", "every size of a `RANGE` in MB for all stages, as 128..10240/64, in place of the space's", models.ParseRange),
		flagOf(&s.choice.Grid.Parallelism, "parallelism", "", "every number of instances of a `RANGE`, as 1..100, in place of the space's", models.ParseRange),
	}
}

// sources returns the places where recordings are looked for.
func (s *subject) sources() experiments.Sources {
	return sourcesAt(s.recordings)
}

func sourcesAt(recordings string) experiments.Sources {
	from := experiments.Sources{Recordings: recordings}
	if from.Recordings == "" {
		from.Recordings = os.Getenv("EEVEE_RECORDINGS")
	}
	if cache, err := recordingsCache(); err == nil {
		from.Cache = cache
	}
	return from
}

// load returns the definition and the trace that the flags name.
func (s *subject) load(c *call) (*models.Definition, experiments.Trace, error) {
	def, err := models.Load(s.workflow)
	if err != nil {
		return nil, experiments.Trace{}, err
	}
	t, err := s.sources().Trace(def.Workflow.Name(), s.trace)
	if err == nil {
		switch {
		case t.Origin == experiments.OriginBundled:
			c.remark("no recordings of %s are at hand, using the bundled trace, which is generated", def.Workflow.Name())
		default:
			c.remark("trace %s", t.Path)
		}
	}
	return def, t, err
}

// setup fits the model, or reads it where a file is named.
func (s *subject) setup(c *call) (*experiments.Setup, error) {
	if s.modelFile != "" {
		for _, flag := range []string{"trace", "recordings", "model"} {
			if c.isSet(flag) {
				return nil, usagef("--model-file and --%s exclude each other", flag)
			}
		}
		def, err := models.Load(s.workflow)
		if err != nil {
			return nil, err
		}
		return experiments.LoadSetup(def, s.modelFile, s.choice)
	}
	def, trace, err := s.load(c)
	if err != nil {
		return nil, err
	}
	return experiments.NewSetup(def, trace, s.choice)
}
