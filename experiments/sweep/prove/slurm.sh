#!/usr/bin/env bash
# Proves sweeps on a real Slurm, on this machine alone: starts munge, slurmctld
# and slurmd on loopback, as root and without systemd; runs a grid as an array
# of 8 tasks; kills one of them with SIGKILL and puts it in again; merges; and
# compares the bytes with those of one process without Slurm.
#
#   apt-get install slurm-wlm munge
#   experiments/sweep/prove/slurm.sh [GRID]
#
# Nothing is left behind: all files lie in one temporary folder, and the
# daemons that it started end with it.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../../.."

for program in munged slurmctld slurmd sbatch scontrol squeue scancel; do
	PATH=$PATH:/usr/sbin command -v $program >/dev/null || { echo "slurm.sh: $program is missing; apt-get install slurm-wlm munge"; exit 1; }
done
PATH=$PATH:/usr/sbin
[ "$(id -u)" = 0 ] || { echo "slurm.sh: Slurm's daemons need root"; exit 1; }

dir=$(mktemp -d)
chmod 755 "$dir"
pids=()
finish() {
	code=$?
	[ ${#pids[@]} = 0 ] || kill "${pids[@]}" 2>/dev/null || true
	[ ${#pids[@]} = 0 ] || wait "${pids[@]}" 2>/dev/null || true
	if [ $code != 0 ]; then
		echo "slurm.sh: FAILED; the logs:"
		tail -n 15 "$dir"/*.log || true
	fi
	rm -rf "$dir"
}
trap finish EXIT

grid=${1:-$dir/grid.yaml}
if [ $# = 0 ]; then
	# Small, but long enough to be killed in.
	cat >"$grid" <<-'GRID'
		name: slurm
		workflows: [ml, video]
		methods: [exact, jolteon]
		latency_s: {points: 40}
		percentiles: [50, 75, 90, 95, 99]
		rules: [plugin]
		samples: [2000]
	GRID
fi

go build -o "$dir/eevee" .

mkdir -m 700 "$dir/munge"
dd if=/dev/urandom of="$dir/munge/key" bs=1024 count=1 status=none
chmod 400 "$dir/munge/key"
chmod 755 "$dir/munge"
munged --foreground --force --key-file="$dir/munge/key" --socket="$dir/munge/socket" \
	--pid-file="$dir/munge/pid" --log-file="$dir/munge/log" --seed-file="$dir/munge/seed" >"$dir/munged.log" 2>&1 &
pids+=($!)

host=$(hostname -s)
cat >"$dir/slurm.conf" <<-CONF
	ClusterName=eevee
	SlurmctldHost=$host(127.0.0.1)
	SlurmctldPort=16817
	SlurmdPort=16818
	# Listen on the addresses above, not on every one.
	CommunicationParameters=NoCtldInAddrAny,NoInAddrAny
	SlurmUser=root
	SlurmdUser=root
	AuthType=auth/munge
	AuthInfo=socket=$dir/munge/socket
	CredType=cred/munge
	StateSaveLocation=$dir/state
	SlurmdSpoolDir=$dir/spool
	SlurmctldPidFile=$dir/slurmctld.pid
	SlurmdPidFile=$dir/slurmd.pid
	ProctrackType=proctrack/linuxproc
	TaskPlugin=task/none
	MpiDefault=none
	SchedulerType=sched/backfill
	SelectType=select/cons_tres
	SelectTypeParameters=CR_Core
	ReturnToService=2
	JobRequeue=1
	NodeName=$host NodeAddr=127.0.0.1 CPUs=$(nproc) RealMemory=4000 State=UNKNOWN
	PartitionName=all Nodes=$host Default=YES MaxTime=INFINITE State=UP
CONF
mkdir "$dir/state" "$dir/spool"
export SLURM_CONF=$dir/slurm.conf
for _ in $(seq 100); do [ -S "$dir/munge/socket" ] && break; sleep 0.1; done
slurmctld -D -f "$SLURM_CONF" >"$dir/slurmctld.log" 2>&1 &
pids+=($!)
slurmd -D -f "$SLURM_CONF" >"$dir/slurmd.log" 2>&1 &
pids+=($!)
for _ in $(seq 300); do
	case $(sinfo -h -o %t 2>/dev/null || true) in idle*) break ;; esac
	sleep 0.2
done
sinfo
if ss -ltn 2>/dev/null | grep -E ':1681[78] ' | grep -vq 127.0.0.1; then
	echo "slurm.sh: a daemon listens on more than loopback"
	exit 1
fi

cd "$dir"
./eevee sweep submit "$grid" --engine slurm --folder "$dir/array" --program "$dir/eevee" --tasks 8 --cores 1 --memory 400 --hours 1 -o "$dir" --quiet
job=$(sbatch --parsable "$dir/sweep.sbatch")
echo "array job $job of 8 tasks"

# The first task that has begun to write is killed in its work.
victim=
for _ in $(seq 600); do
	victim=$(squeue -h -j "$job" -t R -o %a_%K 2>/dev/null | head -n 1 | sed 's/.*_//')
	[ -n "$victim" ] && [ "$(cat array/journals/*.jsonl 2>/dev/null | wc -l)" -gt 2 ] && break
	sleep 0.1
done
scancel --signal=KILL --batch "${job}_$victim"
echo "killed task $victim after $(cat array/journals/*.jsonl 2>/dev/null | wc -l) journalled cells"
for _ in $(seq 300); do
	state=$(scontrol show job "${job}_$victim" | grep -o 'JobState=[A-Z_]*')
	case $state in JobState=RUNNING | JobState=COMPLETING) sleep 0.1 ;; *) break ;; esac
done
echo "task $victim: $state"
[ "$state" = JobState=FAILED ] || { echo "slurm.sh: the task was to fail by the signal"; exit 1; }
./eevee sweep status array --quiet
if ./eevee sweep merge array -o early.parquet 2>/dev/null; then
	echo "slurm.sh: a sweep that is not complete was merged"
	exit 1
fi
scontrol requeue "${job}_$victim"
while [ -n "$(squeue -h -j "$job" 2>/dev/null)" ]; do sleep 0.5; done

./eevee sweep merge array -o array.parquet
./eevee sweep "$grid" -o alone --quiet
./eevee sweep merge alone -o alone.parquet
cmp array.parquet alone.parquet
echo "slurm.sh: the array of 8 with a killed task gives the bytes of one process: $(sha256sum <array.parquet | cut -c1-16)"
