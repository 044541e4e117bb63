package papers

import "context"

// MissingItems are published figures and numbers that nothing can be compared
// with.
type MissingItems struct {
	Name string // of the table
	Rows []MissingItem
}

func (MissingItems) rows() {}

// MissingItem is one of them, and what is missing.
type MissingItem struct{ ID, Paper, Title, Missing string }

// missing lists what cannot be reproduced.
type missing struct {
	About Statement `yaml:",inline"`
	Items []struct {
		ID       string `yaml:"id"`
		Paper    string `yaml:"paper"`
		Title    string `yaml:"title"`
		Unit     string `yaml:"unit"`
		Missing  string `yaml:"missing"`
		Reported []struct {
			At    string  `yaml:"at"`
			Of    string  `yaml:"of"`
			Value float64 `yaml:"value"`
		} `yaml:"reported"`
	} `yaml:"items"`
}

func newMissing() Experiment { return mustFacts[missing]("data/missing.yaml") }

func (m *missing) Statement() Statement { return m.About }

func (m *missing) Cells(bool) []Cell { return nil }

func (m *missing) Find(context.Context, *Lab) (Finding, error) {
	rows := MissingItems{Name: m.About.ID}
	var found Finding
	for _, item := range m.Items {
		claim := Claim{
			ID: m.About.ID + "." + item.ID, Paper: item.Paper, Title: item.Title, Unit: item.Unit, Tolerance: "none",
			Reported: []Value{}, Reproduced: []Value{},
			Verdict: NotReproducible, Why: "missing: " + item.Missing, Data: rows.Name + ".csv",
		}
		for _, v := range item.Reported {
			claim.Reported = append(claim.Reported, valueOf(v.At, v.Of, v.Value))
			claim.Reproduced = append(claim.Reproduced, Value{At: v.At, Of: v.Of})
		}
		found.Claims = append(found.Claims, claim)
		rows.Rows = append(rows.Rows, MissingItem{item.ID, item.Paper, item.Title, item.Missing})
	}
	found.Rows = rows
	return found, nil
}
