package cli

func tracesVerb() verb {
	return verb{
		name:    "traces",
		summary: "import, fetch and look at recorded executions",
		verbs: []verb{
			importTraceVerb(),
			fetchTracesVerb(),
			recordTraceVerb(),
			inspectTraceVerb(),
			validateTraceVerb(),
		},
	}
}
