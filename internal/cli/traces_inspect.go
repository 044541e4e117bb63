package cli

import "eevee/traces"

func inspectTraceVerb() verb {
	return verb{
		name:    "inspect",
		summary: "print counts, ranges, configurations and missing values of a trace",
		shown:   []string{"traces inspect app.parquet"},
		args:    "TRACE",
		run: func(c *call) error {
			s, err := traces.InspectFile(c.args[0])
			if err != nil {
				return err
			}
			return c.result(s, s.WriteText)
		},
	}
}
