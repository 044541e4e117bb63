package traces_test

import (
	"fmt"
	"os"
	"path/filepath"

	"eevee/traces"
)

// A trace is written once and then read column by column, in bounded memory.
func ExampleScan() {
	dir, err := os.MkdirTemp("", "example")
	if err != nil {
		panic(err)
	}
	defer os.RemoveAll(dir)
	path := filepath.Join(dir, "t.parquet")

	var rows []traces.Record
	for run, seconds := range []float64{2.5, 3.5, 6} {
		rows = append(rows, traces.Record{
			Workflow: "w", Execution: fmt.Sprintf("w/%d", run), Stage: "resize",
			Statistic: traces.Mean, MemoryMB: 1792, Compute: &seconds, Source: traces.Simulated,
		})
	}
	if err := traces.Write(path, rows, traces.Meta{Source: traces.Simulated, Workflow: "w"}); err != nil {
		panic(err)
	}

	var sum float64
	meta, err := traces.Scan(path, []string{"compute_s"}, func(rows []traces.Record) error {
		for _, r := range rows {
			sum += *r.Compute
		}
		return nil
	})
	if err != nil {
		panic(err)
	}
	fmt.Printf("workflow %s, %v s of compute\n", meta.Workflow, sum)
	// Output: workflow w, 12 s of compute
}

// Every defect is reported at once, with its row and column.
func ExampleValidate() {
	negative := -0.5
	for _, d := range traces.Validate([]traces.Record{
		{Workflow: "w", Execution: "w/0", Stage: "resize", Statistic: traces.Mean, MemoryMB: 64, Read: &negative, Source: traces.Recorded},
	}) {
		fmt.Println(d)
	}
	// Output:
	// row 0, column memory_mb: 64 is not among the 128 to 10240 MB of AWS Lambda (warning)
	// row 0, column read_s: negative: -0.5
}
