#!/usr/bin/env bash
# What generated clips are worth to a network that learns EFs (Reynaud et al., MICCAI 2023, table 4), small: on drawn hearts.
#
#     docs/downstream.sh OUT             with echoif on the PATH, or ECHOIF=target/release/echoif
#
# One regressor, three times from nothing with the same steps, on N clips each: as recorded, most of them near the usual EF;
# the same, resampled until all EFs are as frequent; half of them recorded and half generated to fill the EFs that are rare.
# All are measured on clips of other hearts, whose EFs are spread evenly. Recorded clips are drawn here, and so is what is
# known of them; of EchoNet-Dynamic, give its folder to `dataset plan --echonet` and `train` instead (docs/datasets.md).
# What is there is not made again.
set -euo pipefail
out=${1:?"usage: downstream.sh OUT"}
echoif=${ECHOIF:-echoif}
: "${N:=128}" "${TEST:=96}" "${STEPS:=300}" "${BATCH:=8}" "${DEVICE:=auto}"
mkdir -p "$out"
out=$(cd "$out" && pwd)

# Drawn clips: a list of seed and EF, a folder.
draw() {
  local list=$1 folder=$2 seed ef
  mkdir -p "$folder"
  while read -r seed ef; do
    [ -e "$folder/heart$seed.avi" ] || "$echoif" phantom --seed "$seed" --ef "$ef" --rate 32 --seconds 2.2 \
      --out "$folder/heart$seed.avi" >/dev/null
  done <"$list"
  { echo file,ef_percent; awk '{ print "heart" $1 ".avi," $2 }' "$list"; } >"$folder/list.csv"
}

# EFs as clinics have them: a normal one about 58 with a deviation of 11; and evenly from 12 to 82.
awk -v n="$N" 'BEGIN { srand(1); for (i = 0; i < n; ++i) {
  ef = 0; while (ef < 12 || ef > 82) ef = 58 + 11 * sqrt(-2 * log(1 - rand())) * cos(6.2831853 * rand());
  printf "%d %.1f\n", 7000 + i, ef } }' >"$out/recorded.txt"
awk -v n="$TEST" 'BEGIN { for (i = 0; i < n; ++i) printf "%d %.1f\n", 9000 + i, 12 + 70 * (i + 0.5) / n }' >"$out/test.txt"
draw "$out/recorded.txt" "$out/recorded"
draw "$out/test.txt" "$out/test"

# Resampled: of seven bins of ten percent each the same number, clips again and again; a copy has a name of its own.
mkdir -p "$out/resampled"
awk -v n="$N" 'BEGIN { srand(2) } { bin = int(($2 - 12) / 10.001); of[bin, many[bin]++] = $0 }
  END { for (i = 0; i < n; ++i) { b = i % 7; if (many[b]) print i, of[b, int(many[b] * rand())];
    else { do b = int(7 * rand()); while (!many[b]); print i, of[b, int(many[b] * rand())] } } }' \
  "$out/recorded.txt" >"$out/resampled.txt"
{ echo file,ef_percent; while read -r i seed ef; do
  ln -f "$out/recorded/heart$seed.avi" "$out/resampled/$i.avi"; echo "$i.avi,$ef"; done <"$out/resampled.txt"; } \
  >"$out/resampled.csv"
mv "$out/resampled.csv" "$out/resampled/list.csv"

# Half generated: every other recorded clip stays, and the EFs that are rare among these are filled from their frames.
half=$((N / 2))
mkdir -p "$out/half"
awk 'NR % 2' "$out/recorded.txt" >"$out/half.txt"
awk -v n="$half" '{ bin = int(($2 - 12) / 10.001); ++many[bin] }
  END { srand(3); print "ef_percent"; for (i = 0; i < n; ++i) { least = 0;
    for (b = 1; b < 7; ++b) if (many[b] + 0 < many[least] + 0) least = b;
    ++many[least]; printf "%.1f\n", 12 + 10 * (least + rand()) } }' "$out/half.txt" >"$out/wanted.csv"
while read -r seed _; do ln -f "$out/recorded/heart$seed.avi" "$out/half/heart$seed.avi"; done <"$out/half.txt"
mkdir -p "$out/frames"
while read -r seed _; do ln -f "$out/recorded/heart$seed.avi" "$out/frames/heart$seed.avi"; done <"$out/half.txt"
[ -e "$out/generated/plan.json" ] || "$echoif" dataset plan --frames "$out/frames" --efs "$out/wanted.csv" \
  --seconds 2.2 --device "$DEVICE" --out "$out/generated" >/dev/null
"$echoif" dataset make "$out/generated" --frames "$out/frames" --device "$DEVICE" >/dev/null
"$echoif" dataset merge "$out/generated" >/dev/null
# Mixed: a step sees the next clips of the list, and is to see both kinds.
{ echo file,ef_percent
  { awk '{ print "heart" $1 ".avi," $2 }' "$out/half.txt"
    tail -n +2 "$out/generated/FileList.csv" | while IFS=, read -r name ef _; do
      ln -f "$out/generated/Videos/$name.avi" "$out/half/$name.avi"; echo "$name.avi,$ef"; done; } |
    awk 'BEGIN { srand(4) } { print rand() "\t" $0 }' | sort -g | cut -f 2-; } >"$out/half.csv"
mv "$out/half.csv" "$out/half/list.csv"

# The built-in regressor's kind, from nothing.
cat >"$out/regressor.yaml" <<END
network: r2plus1d
widths: [12, 24, 48, 96]
blocks: [1, 1, 1, 1]
stem_mid: 12
channels: 1
frames: 16
fps: 8.0
image_size: 56
resize: area
END
for set in recorded resampled half; do
  cat >"$out/$set.yaml" <<END
what: regressor
from: $out/regressor.yaml
clips: $out/$set
steps: $STEPS
batch: $BATCH
step_size: 0.002
moved: 8
falls: true
seed: 1
END
  if [ ! -e "$out/run-$set/done" ]; then
    rm -rf "$out/run-$set"
    "$echoif" train --config "$out/$set.yaml" --out "$out/run-$set" --device "$DEVICE" >/dev/null
    touch "$out/run-$set/done"
  fi
  { echo "FileName,GT EF,Gen EF"; while read -r seed ef; do
    "$echoif" measure "$out/test/heart$seed.avi" --regressor "$out/run-$set/regressor" --device "$DEVICE" --json |
      sed "s/.*\"measured_ef_percent\":\([-0-9.e]*\).*/heart$seed,$ef,\1/"; done <"$out/test.txt"; } >"$out/$set.csv"
done

echo "N = $N clips, $STEPS steps of $BATCH; measured on $TEST other hearts, EFs from 12 to 82 % evenly"
printf '%-28s%8s%8s%8s\n' "learned from" R2 MAE RMSE
for set in recorded resampled half; do
  case $set in
    recorded) name="$N recorded" ;;
    resampled) name="$N resampled" ;;
    half) name="$half recorded, $half generated" ;;
  esac
  "$echoif" evaluate --scores "$out/$set.csv" |
    awk -v name="$name" '/^single shot/ { printf "%-28s%8.3f%8.2f%8.2f\n", name, $3, $4, $5 }'
done
