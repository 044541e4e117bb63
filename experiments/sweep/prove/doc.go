// Package prove holds the proofs of sweeps against systems that are not ours:
// the types of the Kubernetes API, another implementation of Parquet, and
// Slurm itself (slurm.sh). It is a module of its own, so that what these need
// does not become a dependency of eevee.
package prove
