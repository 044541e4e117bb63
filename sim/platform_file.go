package sim

import (
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"slices"
	"strings"

	"github.com/goccy/go-yaml"

	"eevee/internal/spelling"
	"eevee/models"
)

//go:embed data
var data embed.FS

// Platforms returns the names of the bundled platforms, sorted.
func Platforms() []string {
	files, err := fs.ReadDir(data, "data/platforms")
	if err != nil {
		panic(err) // the folder is part of the program
	}
	var names []string
	for _, f := range files {
		names = append(names, strings.TrimSuffix(f.Name(), ".yaml"))
	}
	slices.Sort(names)
	return names
}

// LoadPlatform returns a bundled platform by its name, or the platform in a
// YAML file. A file may begin with "extends: NAME" and then holds only what
// differs from that platform, which is bundled or a file too.
func LoadPlatform(nameOrPath string) (*Platform, error) {
	return loadPlatform(nameOrPath, 0)
}

// MustPlatform returns a bundled platform and panics where there is none of
// that name.
func MustPlatform(name string) *Platform {
	p, err := LoadPlatform(name)
	if err != nil {
		panic(err)
	}
	return p
}

// maxExtends bounds how many files a platform may be spread over; more are a
// circle.
const maxExtends = 8

func loadPlatform(nameOrPath string, depth int) (*Platform, error) {
	text, err := data.ReadFile(path.Join("data/platforms", nameOrPath+".yaml"))
	if err != nil {
		text, err = os.ReadFile(nameOrPath)
	}
	switch {
	case errors.Is(err, fs.ErrNotExist) && !strings.ContainsAny(nameOrPath, `./\`):
		return nil, spelling.NeitherFile("platform", nameOrPath, Platforms())
	case err != nil:
		return nil, err
	case depth == maxExtends:
		return nil, fmt.Errorf("%s: more than %d platforms extend each other", nameOrPath, maxExtends)
	}
	return parsePlatform(nameOrPath, text, depth)
}

// ParsePlatform reads a platform file. Unknown keys are errors with their line,
// and every contradiction is reported at once. The name from is used in
// errors.
func ParsePlatform(from string, text []byte) (*Platform, error) {
	return parsePlatform(from, text, 0)
}

// platformFile is the YAML form of a Platform.
type platformFile struct {
	Extends  string `yaml:"extends"`
	Platform `yaml:",inline"`
	Price    priceEntry   `yaml:"price"`
	Services serviceEntry `yaml:"services"`
}

func parsePlatform(from string, text []byte, depth int) (*Platform, error) {
	wrong := func(err error) error { return fmt.Errorf("%s: %w", from, err) }
	var f platformFile
	var head struct {
		Extends string `yaml:"extends"`
	}
	if err := yaml.Unmarshal(text, &head); err != nil {
		return nil, wrong(firstLine(err))
	}
	if head.Extends != "" {
		base, err := loadPlatform(head.Extends, depth+1)
		if err != nil {
			return nil, wrong(err)
		}
		f.Platform, f.Price.PriceBook, f.Services.ServicePrices = *base, base.Price, base.Services
	}
	if err := yaml.UnmarshalWithOptions(text, &f, yaml.Strict()); err != nil {
		return nil, wrong(firstLine(err))
	}
	p := f.Platform
	p.Price, p.Services = f.Price.PriceBook, f.Services.ServicePrices
	if p.Name == "" {
		return nil, wrong(errors.New("the platform has no name"))
	}
	if p.ColdStart.Measured {
		init, err := MeasuredInit(p.Runtime, p.Arch, p.Package)
		if err != nil {
			return nil, wrong(fmt.Errorf("cold_start.measured: %w", err))
		}
		p.ColdStart.Init = init
	}
	if p.Storage.Measured {
		read, write, err := MeasuredLatency(p.Storage.Kind)
		if err != nil {
			return nil, wrong(fmt.Errorf("storage.measured: %w", err))
		}
		p.Storage.Read.Latency, p.Storage.Write.Latency = read, write
	}
	if err := p.Check(); err != nil {
		var errs []error
		for line := range strings.Lines(err.Error()) {
			errs = append(errs, wrong(errors.New(strings.TrimSpace(line))))
		}
		return nil, errors.Join(errs...)
	}
	return &p, nil
}

// firstLine returns the first line of a YAML error: position and complaint; the
// lines after it draw the source.
func firstLine(err error) error {
	line, _, _ := strings.Cut(err.Error(), "\n")
	return errors.New(line)
}

// priceEntry is a price book in a platform file: the name of a bundled one, a
// file, or the prices themselves, which replace those of the extended platform
// one by one.
type priceEntry struct{ models.PriceBook }

// UnmarshalYAML reads a name or a mapping.
func (e *priceEntry) UnmarshalYAML(decode func(any) error) (err error) {
	var name string
	if decode(&name) == nil {
		e.PriceBook, err = models.LoadPrice(name)
		return err
	}
	return decode(&e.PriceBook)
}

// serviceEntry is to service prices what priceEntry is to a price book.
type serviceEntry struct{ models.ServicePrices }

// UnmarshalYAML reads a name or a mapping.
func (e *serviceEntry) UnmarshalYAML(decode func(any) error) (err error) {
	var name string
	if decode(&name) == nil {
		e.ServicePrices, err = models.LoadServices(name)
		return err
	}
	return decode(&e.ServicePrices)
}
