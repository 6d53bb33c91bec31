#!/bin/sh
# Writes the two MP4 files beside this one, which tests/mp4.rs reads: 12 gray frames of 64 x 48 at
# 12.5 a second, pixel (x, y) of frame f being 2 x + y + 6 f, with frames that are coded out of
# order, in the video range (16..235) and in the full one. Needs ffmpeg with libx264.
set -e
cd "$(dirname "$0")"
frames=$(mktemp)
python3 - "$frames" <<'P'
import sys
with open(sys.argv[1], "wb") as out:
    for f in range(12):
        out.write(bytes(2 * x + y + 6 * f for y in range(48) for x in range(64)))
P
for range in tv pc; do
  ffmpeg -loglevel error -y -f rawvideo -pixel_format gray -video_size 64x48 -framerate 12.5 \
    -i "$frames" -vf "scale=out_range=$range" -pix_fmt yuv420p -color_range $range \
    -c:v libx264 -profile:v main -crf 4 -g 6 -bf 2 -b_strategy 0 -map_metadata -1 -fflags +bitexact \
    -flags:v +bitexact -movflags +faststart clip_$range.mp4
done
rm "$frames"
