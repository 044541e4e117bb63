package logs

import (
	"bytes"
	"embed"
	"errors"
	"fmt"
	"os"
	"path"
	"slices"
	"strings"

	"github.com/goccy/go-yaml"

	"eevee/internal/spelling"
	"eevee/traces"
)

// MappingSchema names the version of the mappings that this package reads.
const MappingSchema = "eevee.csv-mapping/1"

// NoMeaning is the meaning of a column that is not read.
const NoMeaning = "none"

// Mapping says what the columns of a CSV file mean.
type Mapping struct {
	Schema  string          `yaml:"schema"`
	Comment string          `yaml:"comment,omitempty"` // which files it is for
	Columns []MappingColumn `yaml:"columns"`
	// Values are the same in all rows, in the units of the trace, for what the
	// file does not say: memory_mb: 1024.
	Values map[string]string `yaml:"values,omitempty"`
}

// MappingColumn says what one column of a CSV file means.
type MappingColumn struct {
	Column string `yaml:"column"` // as in the header of the file
	// Unit of the values: ns, us, ms, s, min or h of a duration, ns, us, ms, s
	// or datetime of an instant, B, MB or GB of memory (1 MB is 1,000,000 B, 1
	// GB is 1,024 MB, as the logs of AWS have it), B, KB, MB, GB, KiB, MiB or
	// GiB of an amount of data, USD, mUSD or uUSD. Texts, flags and counts
	// have none.
	Unit string `yaml:"unit,omitempty"`
	// Meaning is the column of the trace that it fills, under the name that it
	// has there, or NoMeaning.
	Meaning string `yaml:"meaning"`
}

//go:embed mappings/*.yaml
var mappings embed.FS

// Mappings returns the names of the bundled mappings.
func Mappings() []string {
	entries, err := mappings.ReadDir("mappings")
	if err != nil {
		panic("logs: the bundled mappings are missing: " + err.Error())
	}
	var names []string
	for _, e := range entries {
		names = append(names, strings.TrimSuffix(e.Name(), ".yaml"))
	}
	return names
}

// LoadMapping returns a bundled mapping, or one from a file.
func LoadMapping(name string) (Mapping, error) {
	if slices.Contains(Mappings(), name) {
		data, err := mappings.ReadFile(path.Join("mappings", name+".yaml"))
		if err != nil {
			return Mapping{}, fmt.Errorf("logs: %w", err)
		}
		return ParseMapping(data, name)
	}
	data, err := os.ReadFile(name)
	if errors.Is(err, os.ErrNotExist) && !strings.ContainsAny(name, `./\`) {
		return Mapping{}, fmt.Errorf("logs: %w", spelling.NeitherFile("mapping", name, Mappings()))
	}
	if err != nil {
		return Mapping{}, fmt.Errorf("logs: %w", err)
	}
	return ParseMapping(data, name)
}

// ParseMapping reads a mapping (YAML). name stands for it in errors. All of its
// defects are reported.
func ParseMapping(data []byte, name string) (Mapping, error) {
	var m Mapping
	if err := yaml.NewDecoder(bytes.NewReader(data), yaml.Strict()).Decode(&m); err != nil {
		return Mapping{}, fmt.Errorf("logs: %s: %s", name, yaml.FormatError(err, false, false))
	}
	if _, err := m.compile(); err != nil {
		return Mapping{}, fmt.Errorf("logs: %s: %w", name, err)
	}
	return m, nil
}

// filler sets one field of a row from the text of one column.
type filler struct {
	column string
	field  string
	set    func(r *traces.Record, value string) error
}

// compiled is a mapping that can be applied.
type compiled struct {
	row     traces.Record // what all rows have in common
	columns map[string]*filler
}

// compile checks the mapping and reports all of its defects.
func (m Mapping) compile() (compiled, error) {
	c := compiled{columns: make(map[string]*filler)}
	var errs []error
	if m.Schema != MappingSchema {
		errs = append(errs, fmt.Errorf("schema is %q, must be %q", m.Schema, MappingSchema))
	}
	filled := make(map[string]string)
	for i, column := range m.Columns {
		at := fmt.Sprintf("columns[%d] (%s)", i, column.Column)
		if _, ok := c.columns[column.Column]; ok {
			errs = append(errs, fmt.Errorf("%s: is there twice", at))
			continue
		}
		if column.Meaning == NoMeaning {
			c.columns[column.Column] = nil
			continue
		}
		f, err := findField(column.Meaning)
		if err != nil {
			errs = append(errs, fmt.Errorf("%s: %w", at, err))
			continue
		}
		set, err := f.setter(column.Unit)
		if err != nil {
			errs = append(errs, fmt.Errorf("%s: %w", at, err))
			continue
		}
		if first, ok := filled[f.name]; ok {
			errs = append(errs, fmt.Errorf("%s: means %s as column %q does", at, f.name, first))
			continue
		}
		filled[f.name] = column.Column
		c.columns[column.Column] = &filler{column.Column, f.name, set}
	}
	for _, name := range sortedKeys(m.Values) {
		if err := c.common(name, m.Values[name], filled); err != nil {
			errs = append(errs, fmt.Errorf("values: %s: %w", name, err))
		}
	}
	if len(filled) == 0 {
		errs = append(errs, errors.New("columns: none has a meaning"))
	}
	return c, errors.Join(errs...)
}

// common sets what all rows have in common.
func (c *compiled) common(name, value string, filled map[string]string) error {
	f, err := findField(name)
	if err != nil {
		return err
	}
	if column, ok := filled[name]; ok {
		return fmt.Errorf("column %q has it", column)
	}
	set, err := f.setter(f.base)
	if err == nil {
		err = set(&c.row, value)
	}
	if err != nil {
		return fmt.Errorf("%q %w", value, err)
	}
	return nil
}

func sortedKeys[V any](m map[string]V) []string {
	var keys []string
	for key := range m {
		keys = append(keys, key)
	}
	slices.Sort(keys)
	return keys
}
