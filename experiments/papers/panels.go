package papers

// Panels are the data of several pictures of one finding.
type Panels []Panel

func (Panels) rows() {}

// Panel is one picture. One of its kinds of data is not nil.
type Panel struct {
	Name      string // of its files
	Title     string
	Caption   string
	Generated bool // rests on a trace that is not recorded, which the title is to say

	Curves  *Curves
	Fields  *Fields
	Spreads *Spreads
	Levels  *Levels
}

// Quantity is what an axis counts.
type Quantity struct {
	Label, Unit string
	Log         bool
}

// Curves are numbers over numbers.
type Curves struct {
	X, Y   Quantity
	Curves []Curve
	Marks  []CurveMark
	Cast   []string // names whose looks are fixed; nil: those of methods
}

// Curve is one series of Curves.
type Curve struct {
	Name   string
	Line   bool
	Marker bool
	Like   string // the curve whose colour this one has; empty: its own
	Points []CurvePoint
}

// CurvePoint is one point. Lo and Hi that are both 0 mean that there is no
// interval.
type CurvePoint struct{ X, Y, Lo, Hi float64 }

// CurveMark is a line to compare with.
type CurveMark struct {
	Vertical bool // else horizontal
	Diagonal bool // y = x; At does not matter
	At       float64
	Text     string
}

// Fields are numbers over two lists of names.
type Fields struct {
	X, Y   string
	Names  [2][]string // of the columns, of the rows
	Value  Quantity
	Values [][]float64 // per row, per column; NaN: nothing is known
}

// Spreads are distributions side by side.
type Spreads struct {
	X      string
	Groups []string
	Y      Quantity
	Series []SpreadSeries
	Limits []float64 // one per group
	Limit  string    // what they are
}

// SpreadSeries is the distributions of one method, one per group.
type SpreadSeries struct {
	Name string
	Five [][5]float64 // 5th percentile, quartiles, 95th percentile
}

// Levels are bars, one per group and series.
type Levels struct {
	X      string
	Groups []string
	Y      Quantity
	Series []LevelSeries
}

// LevelSeries is the bars of one series, one per group.
type LevelSeries struct {
	Name   string
	Like   string    // the series whose colour this one has, in outline; empty: its own
	Values []float64 // NaN: nothing is known
}
