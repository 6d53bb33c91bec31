#!/bin/sh
# A data set in 16 parts on the machines of hosts.txt, one part at a time on each, by GNU parallel. The folders lie where
# all machines see them under the same path. Plan it first.
set -eu
parts=16

seq "$parts" | parallel --sshloginfile hosts.txt --workdir . --jobs 1 --retries 3 \
  echoif dataset make balanced --echonet EchoNet-Dynamic --shard "{}/$parts"

echoif dataset merge balanced
