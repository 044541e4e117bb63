package cli

// The texts of --help, as templates of urfave/cli.
const (
	programHelp = `eevee - {{.Usage}}

  eevee VERB [flags] [arguments]

Verbs:
{{range .VisibleCommands}}  {{.Name}}{{"\t"}}{{.Usage}}
{{end}}
Every verb takes --json, --seed N, --quiet and --help; flags may stand anywhere.
Exit code: 0 optimal or done, 1 failed, 2 wrong usage, 3 infeasible or nothing
found, 130 interrupted.
`

	groupHelp = `{{.HelpName}} - {{.Usage}}
{{if .Description}}
{{.Description}}
{{end}}
Verbs:
{{range .VisibleCommands}}  {{.Name}}{{if .ArgsUsage}} {{.ArgsUsage}}{{end}}{{"\t"}}{{.Usage}}
{{end}}`

	verbHelp = `{{.HelpName}} - {{.Usage}}

  {{.HelpName}} [flags]{{if .ArgsUsage}} {{.ArgsUsage}}{{end}}
{{if .Description}}
{{.Description}}
{{end}}
Flags:
{{range .VisibleFlags}}  {{.}}
{{end}}{{if .VisibleCommands}}
Verbs:
{{range .VisibleCommands}}  {{.Name}}{{if .ArgsUsage}} {{.ArgsUsage}}{{end}}{{"\t"}}{{.Usage}}
{{end}}{{end}}`
)
