package papers

import "context"

// UnbuiltItems are rows of a system that is not built yet.
type UnbuiltItems struct {
	Name string // of the table
	Rows []UnbuiltItem
}

func (UnbuiltItems) rows() {}

// UnbuiltItem is one of them: what is reported, and what comparing it takes.
type UnbuiltItem struct {
	Item     string `yaml:"item"`
	Reported string `yaml:"reported"`
	Takes    string `yaml:"takes"`
}

// jointlambda lists what is to be compared once the system is built.
type jointlambda struct {
	About Statement     `yaml:",inline"`
	Items []UnbuiltItem `yaml:"items"`
}

func newJointlambda() Experiment { return mustFacts[jointlambda]("data/jointlambda.yaml") }

func (j *jointlambda) Statement() Statement { return j.About }

func (j *jointlambda) Cells(bool) []Cell { return nil }

func (j *jointlambda) Find(context.Context, *Lab) (Finding, error) {
	return Finding{Rows: UnbuiltItems{Name: j.About.ID, Rows: j.Items}, Notes: []string{
		"Jointλ is not built here yet, so that nothing about it has a verdict",
		"its first version claims up to 4.5 times lower cost than cross-cloud orchestrators; its third version only calls the cost competitive",
	}}, nil
}
