package sweep

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"eevee/experiments"
	"eevee/models"
	"eevee/solvers"
)

// The bundled traces are enough for everything here.
var noRecordings = experiments.Sources{}

const smallGrid = `
models: [jolteon]
workflows: [ml]
methods: [exact, uniform]
latency_s: {points: 3}
percentiles: [50, 95]
rules: [plugin]
samples: [200]
`

func newPlan(t *testing.T, text string) *Plan {
	t.Helper()
	g, err := ParseGrid("grid.yaml", []byte(text))
	if err != nil {
		t.Fatal(err)
	}
	p, err := NewPlan(t.Context(), g, noRecordings)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func openStore(t *testing.T, dir string, p *Plan) *Store {
	t.Helper()
	s, err := OpenStore(dir)
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Expect(p); err != nil {
		t.Fatal(err)
	}
	return s
}

func runAll(t *testing.T, p *Plan, s *Store, o Options) Outcome {
	t.Helper()
	o.Now = time.Now
	out, err := p.Run(t.Context(), s, o)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// merged returns the bytes of the merged file of a folder.
func merged(t *testing.T, dir string) []byte {
	t.Helper()
	s, err := FindStore(dir)
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "merged.parquet")
	if _, err := s.Merge(path, false); err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return text
}

// A row holds what "eevee solve" says to the same question.
func TestRowsAreTheAnswersOfSolve(t *testing.T) {
	if testing.Short() {
		t.Skip("solves many problems, one after the other")
	}
	p := newPlan(t, smallGrid)
	dir := t.TempDir()
	runAll(t, p, openStore(t, dir, p), Options{})
	rows, err := decodeRows(merged(t, dir))
	if err != nil {
		t.Fatal(err)
	}
	if len(rows) != 12 {
		t.Fatalf("%d rows, want 3 limits x 2 percentiles x 2 methods", len(rows))
	}
	def, err := models.Load("ml")
	if err != nil {
		t.Fatal(err)
	}
	trace, err := noRecordings.Trace("ml", "")
	if err != nil {
		t.Fatal(err)
	}
	setup, err := experiments.NewSetup(def, trace, experiments.Choice{Model: "jolteon"})
	if err != nil {
		t.Fatal(err)
	}
	for _, row := range rows {
		m, err := experiments.NewMethod(row.Method)
		if err != nil {
			t.Fatal(err)
		}
		answer, err := setup.Solve(t.Context(), experiments.Request{
			Bound:  solvers.Bound{Metric: solvers.Latency, Limit: *row.LimitS, Percentile: row.Percentile, Confidence: row.Confidence, Rule: solvers.Rule(row.Rule)},
			Method: m, Samples: 200, Seed: 1,
		})
		if err != nil {
			t.Fatal(err)
		}
		want := setup.Result(answer)
		var config []string
		for _, s := range want.Config {
			config = append(config, fmt.Sprintf("%dx%d", s.Parallelism, s.MemoryMB))
		}
		if d := cmp.Diff(*row.Config, strings.Join(config, " ")); d != "" {
			t.Errorf("%s at %v: configuration %s", row.Method, *row.LimitS, d)
		}
		got := []any{row.Status, *row.ObjectiveMeanUSD, *row.LatencyP95S, *row.CostMeanUSD, int(*row.HoldoutExceed), *row.HoldoutRiskHi, int(*row.Exceed)}
		solve := []any{string(want.Status), *want.Objective.MeanUSD, want.Predicted.Latency.P95, want.Predicted.Cost.Mean, want.Holdout.Violations, want.Holdout.RiskHi, *want.Bound.Violations}
		if d := cmp.Diff(solve, got); d != "" {
			t.Errorf("%s at %v (-solve +sweep)\n%s", row.Method, *row.LimitS, d)
		}
	}
}

// The ends of the attainable range: at the upper one the bound costs nothing,
// at the lower one only little is feasible, and below it ever less.
func TestAttainableRange(t *testing.T) {
	if testing.Short() {
		t.Skip("solves many problems, one after the other")
	}
	p := newPlan(t, "workflows: [ml]\nmodels: [jolteon]\nlatency_s: {points: 5}\ncost_usd: {points: 5}\nrules: [plugin]\nseeds: [3]\n")
	limits := map[solvers.Metric][]float64{}
	for _, c := range p.Cells {
		limits[c.Metric] = append(limits[c.Metric], c.Limit)
	}
	b := p.of[0]
	solve := func(m solvers.Metric, limit float64) experiments.Result {
		answer, err := b.Solve(t.Context(), experiments.Request{
			Bound:  solvers.Bound{Metric: m, Limit: limit, Percentile: 95, Confidence: 99.9, Rule: solvers.Plugin},
			Method: solvers.Exact{}, Samples: 10_000, Seed: 3,
		})
		if err != nil {
			t.Fatal(err)
		}
		return b.Result(answer)
	}
	for _, m := range []solvers.Metric{solvers.Latency, solvers.Cost} {
		list := limits[m]
		if len(list) != 5 {
			t.Fatalf("%s: %d limits, want 5", m, len(list))
		}
		objective := func(limit float64) float64 {
			r := solve(m, limit)
			if r.Status != solvers.Optimal {
				t.Fatalf("%s at %v: %s", m, limit, r.Status)
			}
			if m == solvers.Cost {
				return *r.Objective.MeanS
			}
			return *r.Objective.MeanUSD
		}
		// Limits have four digits: half a unit of the last is the slack.
		if free, at := objective(unbound), objective(list[4]*(1+1e-3)); free != at {
			t.Errorf("%s: at the upper end %v the objective is %v, without a bound %v", m, list[4], at, free)
		}
		if below, free := objective(list[3]), objective(unbound); below <= free {
			t.Errorf("%s: below the upper end, at %v, the bound costs nothing", m, list[3])
		}
		if objective(list[0]*(1+1e-3)) <= objective(list[4]) {
			t.Errorf("%s: the lower end %v costs no more than the upper one", m, list[0])
		}
	}
}

func TestShardsGiveTheSameBytes(t *testing.T) {
	p := newPlan(t, strings.Replace(smallGrid, "points: 3", "points: 18", 1))
	whole := t.TempDir()
	runAll(t, p, openStore(t, whole, p), Options{Workers: 1})
	want := merged(t, whole)
	shards := []int{2, 8}
	if testing.Short() {
		shards = shards[:1]
	}
	for _, n := range shards {
		dir := t.TempDir()
		answered := 0
		for i := n; i >= 1; i-- {
			answered += runAll(t, p, openStore(t, dir, p), Options{Shard: Shard{i, n}, Workers: 2}).Answered
		}
		if answered != len(p.Cells) {
			t.Errorf("%d shards answered %d cells of %d", n, answered, len(p.Cells))
		}
		if !bytes.Equal(merged(t, dir), want) {
			t.Errorf("%d shards give other bytes than one process", n)
		}
	}
}

func TestSecondRunFindsEverything(t *testing.T) {
	p := newPlan(t, smallGrid)
	dir := t.TempDir()
	runAll(t, p, openStore(t, dir, p), Options{})
	before := merged(t, dir)
	if out := runAll(t, p, openStore(t, dir, p), Options{}); out.Answered != 0 || out.Found != len(p.Cells) {
		t.Errorf("the second run answers %d cells and finds %d, want 0 and %d", out.Answered, out.Found, len(p.Cells))
	}
	if !bytes.Equal(before, merged(t, dir)) {
		t.Error("the second run changes the result")
	}
}

func TestChangedGridKeepsWhatApplies(t *testing.T) {
	dir := t.TempDir()
	p := newPlan(t, strings.Replace(smallGrid, "{points: 3}", "[30, 50]", 1))
	runAll(t, p, openStore(t, dir, p), Options{})
	p = newPlan(t, strings.Replace(smallGrid, "{points: 3}", "[30, 40, 60]", 1))
	s := openStore(t, dir, p)
	if out := runAll(t, p, s, Options{}); out.Answered != 8 || out.Found != 4 {
		t.Errorf("the changed grid answers %d cells and finds %d, want 8 and 4", out.Answered, out.Found)
	}
	o, err := s.Status()
	if err != nil {
		t.Fatal(err)
	}
	if o.Cells != 12 || o.Answered != 12 || o.Others != 4 {
		t.Errorf("status: %d of %d answered, %d of an earlier grid; want 12 of 12 and 4", o.Answered, o.Cells, o.Others)
	}
	fresh := t.TempDir()
	runAll(t, p, openStore(t, fresh, p), Options{})
	if !bytes.Equal(merged(t, dir), merged(t, fresh)) {
		t.Error("the changed grid gives other bytes than a fresh run")
	}
}

// Any change of any byte of a part is noticed.
func TestCorruptedPartIsComputedAnew(t *testing.T) {
	p := newPlan(t, smallGrid)
	dir := t.TempDir()
	runAll(t, p, openStore(t, dir, p), Options{})
	want := merged(t, dir)
	parts, err := filepath.Glob(filepath.Join(dir, partsDir, "*.parquet"))
	if err != nil || len(parts) != 1 {
		t.Fatalf("parts %v, %v", parts, err)
	}
	random := rand.New(rand.NewPCG(1, 2))
	for name, damage := range map[string]func([]byte) []byte{
		"a byte changed": func(b []byte) []byte { b[random.IntN(len(b))] ^= 1 << random.IntN(8); return b },
		"cut off":        func(b []byte) []byte { return b[:random.IntN(len(b))] },
		"emptied":        func([]byte) []byte { return nil },
	} {
		text, err := os.ReadFile(parts[0])
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(parts[0], damage(text), 0o666); err != nil {
			t.Fatal(err)
		}
		s := openStore(t, dir, p)
		if len(s.Broken) != 1 {
			t.Fatalf("%s: broken parts %v, want one", name, s.Broken)
		}
		if _, err := os.Stat(s.Broken[0]); err != nil {
			t.Errorf("%s: the broken part was not set aside: %v", name, err)
		}
		if _, err := s.Merge(filepath.Join(t.TempDir(), "m"), false); err == nil || !strings.Contains(err.Error(), "12 of 12 cells are still open") {
			t.Errorf("%s: merging says %v", name, err)
		}
		if out := runAll(t, p, s, Options{}); out.Answered != 12 {
			t.Errorf("%s: %d cells are computed anew, want 12", name, out.Answered)
		}
		if !bytes.Equal(merged(t, dir), want) {
			t.Errorf("%s: other bytes than before", name)
		}
	}
}

// The last line of a journal counts only if it is whole, wherever it was cut.
func TestCutOffJournal(t *testing.T) {
	if testing.Short() {
		t.Skip("is about one process")
	}
	p := newPlan(t, smallGrid)
	dir := t.TempDir()
	s := openStore(t, dir, p)
	id := p.Chunks[0].ID
	c, err := s.claim(id)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := c.begin(nil); err != nil {
		t.Fatal(err)
	}
	for _, cell := range p.Cells[:3] {
		row, err := p.of[0].answer(t.Context(), cell)
		if err != nil {
			t.Fatal(err)
		}
		if err := c.add(row, 1); err != nil {
			t.Fatal(err)
		}
	}
	if err := c.end(); err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(s.journalPath(id))
	if err != nil {
		t.Fatal(err)
	}
	for cut := range len(text) + 1 {
		if err := os.WriteFile(s.journalPath(id), text[:cut], 0o666); err != nil {
			t.Fatal(err)
		}
		rows, whole, err := readJournal(s.journalPath(id))
		if err != nil {
			t.Fatal(err)
		}
		if lines := bytes.Count(text[:cut], []byte("\n")); len(rows) != lines || int(whole) != bytes.LastIndexByte(text[:cut], '\n')+1 {
			t.Fatalf("cut at %d of %d: %d rows in %d bytes, want %d whole lines", cut, len(text), len(rows), whole, lines)
		}
	}
	if err := os.WriteFile(s.journalPath(id), text[:len(text)-5], 0o666); err != nil {
		t.Fatal(err)
	}
	if out := runAll(t, p, openStore(t, dir, p), Options{}); out.Found != 2 || out.Answered != 10 {
		t.Errorf("%d found, %d answered, want 2 and 10", out.Found, out.Answered)
	}
	fresh := t.TempDir()
	runAll(t, p, openStore(t, fresh, p), Options{})
	if !bytes.Equal(merged(t, dir), merged(t, fresh)) {
		t.Error("a journal that was taken up gives other bytes")
	}
}

func TestFailingCellsDoNotStopTheOthers(t *testing.T) {
	text := strings.NewReplacer("[plugin]", "[plugin, certified]", "[exact, uniform]", "[exact, \"powertuning:cost\"]").Replace(smallGrid)
	p := newPlan(t, text)
	dir := t.TempDir()
	s := openStore(t, dir, p)
	out := runAll(t, p, s, Options{})
	// 200 scenarios cannot certify p95 over 23,667 configurations, nor p50
	// with much room: count what a direct question says.
	failed := 0
	for i, c := range p.Cells {
		problem, err := p.of[i].Problem(c.Bound(), c.Samples, c.Seed)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := problem.Allowed(); err != nil && c.Method == "exact" {
			failed++
		}
	}
	if failed == 0 || out.Failed != failed {
		t.Errorf("%d cells failed, want %d", out.Failed, failed)
	}
	o, err := s.Status()
	if err != nil {
		t.Fatal(err)
	}
	if o.Answered != len(p.Cells) || len(o.Failures) == 0 || !strings.Contains(o.Failures[0].Error, "cannot certify") {
		t.Errorf("status: %+v", o)
	}
	if out := runAll(t, p, openStore(t, dir, p), Options{}); out.Answered != 0 {
		t.Errorf("a second run tries %d cells again", out.Answered)
	}
	if out := runAll(t, p, openStore(t, dir, p), Options{Retry: true}); out.Answered != failed {
		t.Errorf("with retry %d cells are tried again, want %d", out.Answered, failed)
	}
}

// A chunk that another process holds is left to it.
func TestTwoProcessesDoNotClash(t *testing.T) {
	p := newPlan(t, smallGrid)
	dir := t.TempDir()
	first, second := openStore(t, dir, p), openStore(t, dir, p)
	held, err := first.claim(p.Chunks[0].ID)
	if err != nil || held == nil {
		t.Fatalf("claim %v, %v", held, err)
	}
	if out := runAll(t, p, second, Options{}); out.Busy != 12 || out.Answered != 0 {
		t.Errorf("%d cells busy, %d answered, want 12 and 0", out.Busy, out.Answered)
	}
	if err := held.end(); err != nil {
		t.Fatal(err)
	}
	runAll(t, p, first, Options{})
	// The second store was opened before the part was there.
	if out := runAll(t, p, second, Options{}); out.Found != 12 || out.Answered != 0 {
		t.Errorf("%d cells found, %d answered, want 12 and 0", out.Found, out.Answered)
	}
}

func TestCancelledRunKeepsWhatItHas(t *testing.T) {
	p := newPlan(t, smallGrid)
	dir := t.TempDir()
	ctx, cancel := context.WithCancel(t.Context())
	n := 0
	_, err := p.Run(ctx, openStore(t, dir, p), Options{Workers: 1, Now: time.Now, Tell: func(Row, bool) {
		if n++; n == 5 {
			cancel()
		}
	}})
	if err != context.Canceled {
		t.Errorf("the run ends with %v", err)
	}
	if out := runAll(t, p, openStore(t, dir, p), Options{}); out.Found != 5 || out.Answered != 7 {
		t.Errorf("%d found, %d answered, want 5 and 7", out.Found, out.Answered)
	}
}

// killedFolder tells this test program that it is to run the sweep, to be
// killed in it.
const killedFolder = "EEVEE_TEST_SWEEP"

func TestMain(m *testing.M) {
	dir := os.Getenv(killedFolder)
	if dir == "" {
		os.Exit(m.Run())
	}
	if err := sweepForKill(dir); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

var killGrid = strings.Replace(smallGrid, "points: 3", "points: 18", 1)

func sweepForKill(dir string) error {
	g, err := ParseGrid("grid.yaml", []byte(killGrid))
	if err != nil {
		return err
	}
	p, err := NewPlan(context.Background(), g, noRecordings)
	if err != nil {
		return err
	}
	s, err := OpenStore(dir)
	if err != nil {
		return err
	}
	if err := s.Expect(p); err != nil {
		return err
	}
	fmt.Println("running")
	_, err = p.Run(context.Background(), s, Options{Now: time.Now})
	return err
}

// Ten kills at random moments lose nothing but the cells in flight, and end in
// the same bytes.
func TestKilledSweepsEndInTheSameBytes(t *testing.T) {
	p := newPlan(t, killGrid)
	whole := t.TempDir()
	start := time.Now()
	runAll(t, p, openStore(t, whole, p), Options{})
	took := time.Since(start)
	want := merged(t, whole)

	dir := t.TempDir()
	random := rand.New(rand.NewPCG(1, 2))
	kills, known := 0, 0
	attempts := 10
	if testing.Short() {
		attempts = 3
	}
	for range attempts {
		cmd := exec.Command(os.Args[0])
		cmd.Env = append(os.Environ(), killedFolder+"="+dir)
		cmd.Stderr = os.Stderr
		stdout, err := cmd.StdoutPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		if _, err := bufio.NewReader(stdout).ReadString('\n'); err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Duration(random.Float64() * float64(took) / 4))
		if err := cmd.Process.Kill(); err != nil {
			t.Fatal(err)
		}
		if err := cmd.Wait(); err != nil {
			if status, ok := cmd.ProcessState.Sys().(syscall.WaitStatus); !ok || !status.Signaled() {
				t.Fatalf("the sweep ended before it was killed: %v", err)
			}
			kills++
		}
		s, err := OpenStore(dir)
		if err != nil {
			t.Fatal(err)
		}
		if len(s.Broken) > 0 {
			t.Errorf("a kill broke %v", s.Broken)
		}
		now := 0
		for _, c := range p.Cells {
			if s.has(c.Key()) {
				now++
			}
		}
		if now < known {
			t.Errorf("a kill lost %d cells", known-now)
		}
		known = now
	}
	runAll(t, p, openStore(t, dir, p), Options{})
	t.Logf("%d kills, %d of %d cells after them", kills, known, len(p.Cells))
	if !bytes.Equal(merged(t, dir), want) {
		t.Error("killed sweeps end in other bytes")
	}
}

// On a platform a run also pays and waits for what the platform adds.
func TestPlatformsOfSimulatedRuns(t *testing.T) {
	p := newPlan(t, "workflows: [ml]\nmodels: [jolteon]\nlatency_s: [60]\nsamples: [200]\nrules: [plugin]\nreplications: [50]\nplatforms: [replay, ideal, aws-lambda-x86]\n")
	dir := t.TempDir()
	runAll(t, p, openStore(t, dir, p), Options{})
	rows, err := decodeRows(merged(t, dir))
	if err != nil {
		t.Fatal(err)
	}
	mean := map[string]float64{}
	for _, r := range rows {
		if r.Status != "optimal" {
			t.Fatalf("%s: %s", r.Platform, *r.Error)
		}
		mean[r.Platform] = *r.SimulatedMeanS
	}
	if len(mean) != 3 {
		t.Fatalf("platforms %v", mean)
	}
	// An ideal platform adds nothing but what its draws differ in; a real one
	// adds orchestration and cold starts, here well below a tenth.
	if math.Abs(mean["ideal"]/mean["replay"]-1) > 0.05 || mean["aws-lambda-x86"] <= mean["ideal"] || mean["aws-lambda-x86"] > 1.1*mean["ideal"] {
		t.Errorf("mean latencies %v", mean)
	}
}
