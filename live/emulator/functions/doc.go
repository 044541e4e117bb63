// Package functions builds the Lambda functions in its folders: small and real,
// made with github.com/aws/aws-lambda-go for the runtime provided.al2023. Each
// does a fixed amount of work, divided among the instances of its stage, and
// says how long reading, computing and writing took.
//
//   - hash is bound by the CPU: SHA-256 over and over.
//   - exchange is bound by its object store: it reads and writes megabytes.
//   - walk is bound by memory: random steps through an array.
//
// All take the same event,
//
//	{"instance": 0, "parallelism": 4, "work": 1.0}
//
// where work scales the amount (default 1), and return
//
//	{"instance": 0, "digest": "9f86d081", "steps": {"read_s": 0, "compute_s": 0.12, "write_s": 0}}
//
// where the digest tells that the work was done. They read and write objects at
// the address in the variable STORE_URL, that of a bucket (see package store),
// by plain S3 requests without a signature; without it, hash and walk read and
// write nothing and exchange fails.
//
// They are part of the main module: what they need is in its go.sum, and is
// linked into nothing else.
package functions
