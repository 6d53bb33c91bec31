#!/bin/sh
# A data set in 16 parts on Slurm. Plan it first, then:  sbatch docs/examples/slurm.sh
# Submit it again after a failure, whole or with --array=3,7: what is there is not made again.
#SBATCH --job-name=echoif-dataset
#SBATCH --array=1-16
#SBATCH --cpus-per-task=8
#SBATCH --time=12:00:00
#SBATCH --requeue
# Ctrl-C's signal a minute before the time is up.
#SBATCH --signal=INT@60

# Of all parts, not of those that are submitted now.
parts=16
exec srun echoif dataset make balanced --echonet EchoNet-Dynamic --shard "$SLURM_ARRAY_TASK_ID/$parts"

# When all parts are done:  echoif dataset merge balanced
