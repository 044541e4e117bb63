package live

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"eevee/models"
)

// Request is what a session is to do.
type Request struct {
	Workflow *models.Workflow
	Targets  Targets  // by stage; nil with Machine
	Machine  *Machine // the state machine to execute; nil: the functions are invoked directly

	Configs []models.Config // to execute one after the other
	Runs    int             // of every configuration
	WarmUps int             // before them; they are epoch 0 in the trace

	InPlace     bool    // change the functions themselves
	TimeoutS    int     // of the copies; 0: those of the functions
	MaxSpendUSD float64 // the cap; 0: nothing can be executed, only planned
	Price       string  // price book; empty: that of the functions' instruction set
	Services    string  // prices of Step Functions; empty: aws-us-east-1

	// Expected returns how long an instance of stage i runs, in seconds, and
	// whether that is known. nil: it is not.
	Expected func(i int, c models.StageConfig, inputParallelism int) (float64, bool)
	Basis    string // what Expected rests on, as "model" or "trace"

	Journals string // folder of the journal; empty: JournalFolder
	Output   string // trace file, which is appended to; empty: none
	Run      string // name of the session; empty: a random one
}

// Session is a request that has been planned. It has read the account and
// changed nothing yet.
type Session struct {
	Plan Plan

	client        *Client
	request       Request
	run           string
	functions     []*function
	at            []int // by stage: its function
	machine       *machine
	transitionUSD float64
	began         time.Time
}

// Prepare reads the functions of a request, and plans. It changes nothing.
func Prepare(ctx context.Context, c *Client, r Request) (*Session, error) {
	s := &Session{client: c, request: r, run: r.Run, began: time.Now()}
	if s.run == "" {
		// A session that is repeated with the same seed is another one.
		var id [4]byte
		rand.Read(id[:])
		s.run = hex.EncodeToString(id[:])
	}
	if err := s.check(); err != nil {
		return nil, err
	}
	if r.Machine != nil {
		if err := s.readMachine(ctx); err != nil {
			return nil, err
		}
	}
	if err := s.readFunctions(ctx); err != nil {
		return nil, err
	}
	return s, s.plan()
}

// check says what is wrong with the request by itself.
func (s *Session) check() error {
	r := &s.request
	var errs []error
	switch {
	case len(r.Configs) == 0:
		errs = append(errs, errors.New("live: there is no configuration to execute"))
	case r.Machine == nil && len(r.Targets) != r.Workflow.Len():
		errs = append(errs, errors.New("live: a function is needed for every stage"))
	case r.InPlace && r.TimeoutS > 0:
		errs = append(errs, errors.New("live: a timeout can be set on copies only; leave out --timeout or --in-place"))
	}
	for _, c := range r.Configs {
		for i, x := range c {
			stage := r.Workflow.Stage(i).Name
			if x.Memory < 128 || x.Memory > 10240 {
				errs = append(errs, fmt.Errorf("live: stage %q: AWS Lambda offers 128 to 10240 MB, not %d", stage, x.Memory))
			}
			if limit := s.client.settings.Concurrency; x.Parallelism > limit {
				errs = append(errs, fmt.Errorf("live: stage %q: %d instances at a time, but only %d invocations may be in flight; raise --concurrency", stage, x.Parallelism, limit))
			}
		}
		if len(errs) > 0 {
			break // the next configuration would say the same
		}
	}
	return errors.Join(errs...)
}

// readFunctions reads every function once, with the sizes that it is to have.
func (s *Session) readFunctions(ctx context.Context) error {
	r := &s.request
	known := make(map[string]int)
	var errs []error
	for i := range r.Workflow.Len() {
		name := s.target(i)
		short := name[strings.LastIndex(name, ":")+1:]
		k, ok := known[short]
		if !ok {
			f, err := s.client.readFunction(ctx, name)
			if err != nil {
				return err
			}
			if r.TimeoutS > 0 {
				f.limitS = r.TimeoutS
			}
			if f.price, err = s.priceOf(f); err != nil {
				return err
			}
			k = len(s.functions)
			known[short] = k
			s.functions = append(s.functions, f)
		}
		s.at = append(s.at, k)
		f := s.functions[k]
		for _, c := range r.Configs {
			if !slices.Contains(f.sizes, c[i].Memory) {
				f.sizes = append(f.sizes, c[i].Memory)
			}
		}
	}
	for _, f := range s.functions {
		slices.Sort(f.sizes)
	}
	return errors.Join(errs...)
}

// target returns the function behind a stage as the user named it.
func (s *Session) target(i int) string {
	if s.machine != nil {
		return s.machine.functions[i]
	}
	return s.request.Targets[i].Function
}

// Price books by instruction set.
var archPrices = map[string]string{"x86_64": models.PriceAWS, "arm64": "aws-arm"}

func (s *Session) priceOf(f *function) (models.PriceBook, error) {
	name := s.request.Price
	if name == "" {
		name = archPrices[f.arch()]
	}
	p, err := models.LoadPrice(name)
	if err == nil && (p.NominalMemory || p.BillingStepS == 0 || p.BillingStepS > 1) {
		// The cap rests on it.
		err = fmt.Errorf("live: price book %s does not charge as AWS does; give one that does with --price", p.Name)
	}
	return p, err
}

// Price returns the price book that the bill is kept by; that of the first
// function where there are several.
func (s *Session) Price() models.PriceBook { return s.functions[0].price }

// Execution is what one run of the workflow did.
type Execution struct {
	Name          string  `json:"execution"`
	Configuration string  `json:"configuration"`
	Epoch         int     `json:"epoch"` // 0: a warm-up
	Status        string  `json:"status"`
	Error         string  `json:"error,omitempty"`
	LatencyS      float64 `json:"latency_s"`
	CostUSD       float64 `json:"cost_usd"` // of what was billed
}

// The values of Execution.Status.
const (
	succeeded = "succeeded"
	failed    = "failed"
)

// Outcome is what a session did.
type Outcome struct {
	Executions  []Execution `json:"executions"`
	Invocations int         `json:"invocations"` // that were answered
	Retried     int         `json:"throttled"`   // attempts that were throttled, and made again
	Lost        int         `json:"lost"`        // invocations that ended without an answer; they are not repeated
	Spend       Spend       `json:"spend"`
	Restored    Restored    `json:"restore"`
	Warnings    []string    `json:"warnings"`
}

// Steps is how many steps Execute takes: versions to be made and executions.
func (s *Session) Steps() int {
	n := len(s.request.Configs) * (s.request.WarmUps + s.request.Runs)
	for _, f := range s.functions {
		n += len(f.sizes)
	}
	return n
}

// Execute does what was planned, and undoes every change, whatever happens:
// when ctx ends, nothing new is begun, and the account is brought back to what
// it was. What was executed up to an error is in the outcome and in the trace.
// progress is told of every step; it may be nil.
func (s *Session) Execute(ctx context.Context, progress func()) (Outcome, error) {
	if progress == nil {
		progress = func() {}
	}
	folder := s.request.Journals
	if folder == "" {
		var err error
		if folder, err = JournalFolder(); err != nil {
			return Outcome{}, err
		}
	}
	rec, err := openRecording(s.request.Output, s.request.Workflow.Name(), s.run)
	if err != nil {
		return Outcome{}, err
	}
	defer rec.close()
	j, err := createJournal(folder, begin{
		Schema: journalSchema, Run: s.run, Account: s.client.Account, Region: s.client.Region,
		Began: time.Now().UTC().Format(time.RFC3339),
	})
	if err != nil {
		return Outcome{}, err
	}
	defer j.close()
	r := newRunner(s, &stand{client: s.client, journal: j, inPlace: s.request.InPlace}, rec)
	err = r.stand.build(ctx, s.functions, progress)
	if err == nil {
		err = r.all(ctx, progress)
	}
	err = errors.Join(err, rec.flush())
	out := r.outcome()
	var undo error
	out.Restored, undo = s.client.restore(context.WithoutCancel(ctx), j)
	if undo != nil {
		err = errors.Join(err, undo, fmt.Errorf("live: not everything is as it was; run \"eevee live restore %s\"", j.path))
	}
	return out, err
}
