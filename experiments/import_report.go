package experiments

// ImportReport says what came of an import, and how good the data are.
type ImportReport struct {
	Schema    string             `json:"schema"`
	Machine   string             `json:"machine"`
	Workflow  string             `json:"workflow"`
	Output    string             `json:"output,omitempty"`
	States    int                `json:"states"`
	Inputs    []ImportInput      `json:"inputs"`
	Functions []ImportedFunction `json:"functions"`
	Join      JoinReport         `json:"join"`
	Quality   Quality            `json:"quality"`
	Learned   LearnReport        `json:"learned"`
	Costs     *CostReport        `json:"costs"`    // null where no execution has a recorded cost
	Lowering  *LowerReport       `json:"lowering"` // null where the machine cannot become a workflow of stages
	Model     ModelReport        `json:"model"`
	Next      []string           `json:"profile_next"` // what to record next
	Warnings  []string           `json:"warnings"`
}

// ImportSchema names the JSON form of an ImportReport; see
// schemas/workflow-import.schema.json.
const ImportSchema = "eevee.workflow-import/1"

// LearnReport says what was learnt of choices and widths.
type LearnReport struct {
	Executions   int      `json:"executions"`   // that were used
	Inconsistent int      `json:"inconsistent"` // that no way through the machine explains
	Choices      int      `json:"choices"`
	Widths       int      `json:"widths"`
	Unknown      []string `json:"unknown"` // what the behaviour still needs
	Notes        []string `json:"notes"`
}

// LowerReport says what the workflow of stages does not.
type LowerReport struct {
	Stages int      `json:"stages"`
	Edges  int      `json:"edges"`
	Lost   []string `json:"lost"`
}

// ModelReport says which model was fitted, or why none was.
type ModelReport struct {
	Fitted bool   `json:"fitted"`
	Name   string `json:"name,omitempty"`
	Why    string `json:"why,omitempty"`
}

// fillLists makes empty lists of those that are missing: JSON has them as [], not
// as null.
func (r *ImportReport) fillLists() {
	lists := []*[]string{&r.Next, &r.Warnings, &r.Learned.Unknown, &r.Learned.Notes}
	if r.Lowering != nil {
		lists = append(lists, &r.Lowering.Lost)
	}
	for i := range r.Functions {
		f := &r.Functions[i]
		lists = append(lists, &f.InLogs)
		if f.Sizes == nil {
			f.Sizes = []RecordedSize{}
		}
	}
	for _, l := range lists {
		if *l == nil {
			*l = []string{}
		}
	}
}
