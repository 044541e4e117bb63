package papers

// SideBySide are values of several series in groups, in one or more panels.
type SideBySide struct{ Panels []SideBySidePanel }

func (SideBySide) rows() {}

// SideBySidePanel is one picture: in every group one value per series.
type SideBySidePanel struct {
	Name     string // of the picture
	Title    string
	Caption  string
	Recorded bool
	By       string // what the groups are
	Quantity string // what the values are
	Unit     string // of the values; empty: they have none
	Groups   []string
	Series   []SideBySideSeries
}

// JolteonReported names the series of what is reported of Jolteon.
const JolteonReported = "reported"

// SideBySideSeries are the values of one series, one per group; NaN where there
// is none.
type SideBySideSeries struct {
	Name   string
	Values []float64
}
