package main

import "time"

// settle is how long the emulator takes to change a function.
const settle = 100 * time.Millisecond

// account is that of the emulator.
const account = "123456789012"

// functions are the names of the functions, and of their programs in
// live/emulator/functions.
var functions = []string{"exchange", "hash", "walk"}

// files are what a user would write.
var files = map[string]string{
	"workflow.yaml": `name: demo
title: fetch, then hash and walk beside each other, then store
stages:
  - {name: fetch}
  - {name: hash, after: [fetch]}
  - {name: walk, after: [fetch]}
  - {name: store, after: [hash, walk], max_parallelism: 1}
spaces:
  - name: small
    stages:
      - {stage: fetch, choices: [{parallelism: [1, 2], memory_mb: [512, 1024]}]}
      - {stage: hash, choices: [{parallelism: [1, 2, 4], memory_mb: [512, 1024, 1769]}]}
      - {stage: walk, choices: [{parallelism: [1, 2], memory_mb: [512, 1024, 1769]}]}
      - {stage: store, choices: [{parallelism: [1], memory_mb: [512, 1024]}]}
`,
	"functions.yaml": `functions:
  fetch: {function: exchange, payload: &task {instance: "${instance}", parallelism: "${parallelism}", work: 0.5}}
  hash: {function: hash, payload: {instance: "${instance}", parallelism: "${parallelism}", work: 1}}
  walk: {function: walk, payload: {instance: "${instance}", parallelism: "${parallelism}", work: 1}}
  store: {function: exchange, payload: *task}
`,
}

// commands are the loop.
var commands = [][]string{
	{"live", "profile", "--workflow", "workflow.yaml", "--functions", "functions.yaml", "-o", "trace.parquet", "--runs", "4",
		"--live", "--max-spend", "0.1", "--timeout", "10s", "--account", account, "--yes"},
	{"fit", "--workflow", "workflow.yaml", "--trace", "trace.parquet", "-o", "model.json"},
	{"solve", "--workflow", "workflow.yaml", "--trace", "trace.parquet", "--cost", "0.0001", "--percentile", "95", "-o", "config.json"},
	{"live", "validate", "--workflow", "workflow.yaml", "--functions", "functions.yaml", "--trace", "trace.parquet", "--config", "config.json",
		"--runs", "60", "-o", "trace.parquet", "--report", "report",
		"--live", "--max-spend", "0.1", "--timeout", "10s", "--account", account, "--yes"},
}
