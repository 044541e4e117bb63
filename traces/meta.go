package traces

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
)

// SchemaVersion is the version of the columns that this package writes. It
// changes whenever a column is added, removed or changes its meaning.
const SchemaVersion = 1

// Meta is what a trace says about all of its rows. It is stored in the footer
// of the file.
type Meta struct {
	SchemaVersion int               `json:"schema_version"`         // 0 when writing: SchemaVersion
	Source        string            `json:"source"`                 // recorded, synthetic, simulated or live, as in Record.Source
	InputSHA256   string            `json:"input_sha256,omitempty"` // of the file imported; of several, in their order, with blanks between
	Workflow      string            `json:"workflow,omitempty"`     // empty where the rows belong to several
	Generator     string            `json:"generator,omitempty"`    // program and version that wrote the file
	Extra         map[string]string `json:"extra,omitempty"`        // anything else, such as the settings of a simulation
}

// Keys of the footer.
const (
	keySchemaVersion = "eevee.schema_version"
	keySource        = "eevee.source"
	keyInputSHA256   = "eevee.input_sha256"
	keyWorkflow      = "eevee.workflow"
	keyGenerator     = "eevee.generator"
	keyRows          = "eevee.rows"
	keyExtra         = "eevee.extra." // and the key in Extra
)

// pairs returns the entries of the footer that m is stored as.
func (m Meta) pairs() (map[string]string, error) {
	if m.SchemaVersion != 0 && m.SchemaVersion != SchemaVersion {
		return nil, fmt.Errorf("cannot write schema version %d, only %d", m.SchemaVersion, SchemaVersion)
	}
	pairs := map[string]string{keySchemaVersion: strconv.Itoa(SchemaVersion)}
	for key, value := range map[string]string{
		keySource: m.Source, keyInputSHA256: m.InputSHA256, keyWorkflow: m.Workflow, keyGenerator: m.Generator,
	} {
		if value != "" {
			pairs[key] = value
		}
	}
	for key, value := range m.Extra {
		pairs[keyExtra+key] = value
	}
	return pairs, nil
}

// metaOf reads what pairs wrote, and the number of rows.
func metaOf(pairs map[string]string) (m Meta, rows int64, err error) {
	version, ok := pairs[keySchemaVersion]
	if !ok {
		return m, 0, errors.New("is a Parquet file, but not a trace of eevee (no " + keySchemaVersion + " in its footer); import it with \"eevee traces import\"")
	}
	m.SchemaVersion, err = strconv.Atoi(version)
	switch {
	case err != nil || m.SchemaVersion < 1:
		return m, 0, fmt.Errorf("corrupted: schema version %q", version)
	case m.SchemaVersion > SchemaVersion:
		return m, 0, fmt.Errorf("has schema version %d, this eevee reads up to %d; use a newer eevee", m.SchemaVersion, SchemaVersion)
	}
	rows, err = strconv.ParseInt(pairs[keyRows], 10, 64)
	if err != nil || rows < 0 {
		return m, 0, fmt.Errorf("corrupted: %q rows", pairs[keyRows])
	}
	m.Source, m.InputSHA256 = pairs[keySource], pairs[keyInputSHA256]
	m.Workflow, m.Generator = pairs[keyWorkflow], pairs[keyGenerator]
	for key, value := range pairs {
		if key, ok := strings.CutPrefix(key, keyExtra); ok {
			if m.Extra == nil {
				m.Extra = make(map[string]string)
			}
			m.Extra[key] = value
		}
	}
	return m, rows, nil
}
