package sweep

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"math"
	"strconv"
	"strings"

	"eevee/solvers"
)

// Cell is one question for one method: the inputs that its answer follows
// from, and nothing else.
type Cell struct {
	Workflow     string // name of the workflow
	Definition   string // SHA-256 of the text of its definition
	Trace        string // SHA-256 of the trace
	Origin       string // of the trace: recorded, bundled or file
	Space        string
	Model        string
	Method       string
	Metric       solvers.Metric // that is bounded
	Limit        float64        // s or USD
	Percentile   float64
	Confidence   float64
	Rule         solvers.Rule
	Samples      int // scenarios; never 0
	Seed         uint64
	Replications int     // simulated runs; 0: none
	Platform     string  // of the simulated runs; replay: none
	PlatformHash string  // of what the platform is; empty: none
	Deadline     float64 // s of search; 0: none
}

// version is part of the name of every cell. It changes whenever the answers
// of this program change, so that old results are not taken for new ones.
const version = "eevee.sweep/1"

// The names of the JSON forms of what "eevee sweep" prints.
const (
	RunSchema    = "eevee.sweep.run/1"
	MergeSchema  = "eevee.sweep.merge/1"
	SubmitSchema = "eevee.sweep.submit/1"
	StatusSchema = "eevee.sweep.status/1"
)

// Key names the cell: 32 hexadecimal digits of the SHA-256 of its inputs.
func (c Cell) Key() string {
	var b strings.Builder
	b.WriteString(version)
	for _, field := range []string{
		c.Workflow, c.Definition, c.Trace, c.Space, c.Model, c.Method, string(c.Metric),
		number(c.Limit), number(c.Percentile), number(c.Confidence), string(c.Rule),
		strconv.Itoa(c.Samples), strconv.FormatUint(c.Seed, 10), strconv.Itoa(c.Replications), c.PlatformHash, number(c.Deadline),
	} {
		fmt.Fprintf(&b, "\n%q", field)
	}
	return hash(b.String())
}

// hash returns 32 hexadecimal digits of the SHA-256 of a text.
func hash(text string) string {
	sum := sha256.Sum256([]byte(text))
	return hex.EncodeToString(sum[:16])
}

func number(x float64) string { return strconv.FormatFloat(x, 'g', -1, 64) }

// Bound returns the bound of the cell.
func (c Cell) Bound() solvers.Bound {
	return solvers.Bound{Metric: c.Metric, Limit: c.Limit, Percentile: c.Percentile, Confidence: c.Confidence, Rule: c.Rule}
}

// String names the cell for messages.
func (c Cell) String() string {
	unit := "s"
	if c.Metric == solvers.Cost {
		unit = "USD"
	}
	return fmt.Sprintf("%s, %s, %s at most %v %s at p%v, confidence %v, rule %s, %d scenarios, seed %d",
		c.Workflow, c.Method, c.Metric, c.Limit, unit, c.Percentile, c.Confidence, c.Rule, c.Samples, c.Seed)
}

// significant rounds x to the given number of significant decimal digits, so
// that a limit is the decimal that a user can write down.
func significant(x float64, digits int) float64 {
	if x == 0 || math.IsInf(x, 0) || math.IsNaN(x) {
		return x
	}
	y, err := strconv.ParseFloat(strconv.FormatFloat(x, 'g', digits, 64), 64)
	if err != nil {
		panic(fmt.Sprintf("sweep: %v does not print as a number: %v", x, err))
	}
	return y
}
