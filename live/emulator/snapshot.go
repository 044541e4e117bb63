package emulator

import "maps"

// Snapshot is the settings of a function, for tests that compare before and
// after. It holds nothing that changes by itself.
type Snapshot struct {
	Latest   VersionSettings            // of $LATEST
	Versions map[string]VersionSettings // that are published, by number
	Aliases  map[string]string          // version by alias
	Tags     map[string]string
	Reserved *int // concurrency; nil: none
}

// VersionSettings are what can be set of a version.
type VersionSettings struct {
	MemoryMB    int
	TimeoutS    int
	StorageMB   int
	Runtime     string
	Handler     string
	Role        string
	Description string
	Variables   map[string]string
	CodeSHA256  string // base64
}

// Snapshots returns the settings of all functions, by name.
func (e *Emulator) Snapshots() map[string]Snapshot {
	e.mu.Lock()
	defer e.mu.Unlock()
	all := make(map[string]Snapshot, len(e.functions))
	for name, f := range e.functions {
		s := Snapshot{
			Latest: f.latest.settings.export(), Versions: make(map[string]VersionSettings), Aliases: make(map[string]string), Tags: maps.Clone(f.tags),
		}
		for _, v := range f.versions {
			s.Versions[v.number] = v.settings.export()
		}
		for _, a := range f.aliases {
			s.Aliases[a.name] = a.version
		}
		if f.reserved != nil {
			n := *f.reserved
			s.Reserved = &n
		}
		all[name] = s
	}
	return all
}

func (s *settings) export() VersionSettings {
	return VersionSettings{
		MemoryMB: s.Memory, TimeoutS: s.Timeout, StorageMB: s.Storage, Runtime: s.Runtime, Handler: s.Handler, Role: s.Role,
		Description: s.Description, Variables: maps.Clone(s.Variables), CodeSHA256: s.code.sha256,
	}
}
