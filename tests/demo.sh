#!/bin/sh
# SPDX-License-Identifier: MIT
# The main job, against the bundled Kudu stand-in: lists the processes of a site, dumps its worker into ./dumps over TLS,
# and checks the dump against the digest the stand-in took of what it sent.
set -eu
here=$PWD
. "$(dirname "$0")/lib.sh"
trap - EXIT # lib.sh counts tests; this is a demonstration
trap 'for server_pid in $servers; do kill "$server_pid" 2>/dev/null || true; done; rm -rf "$scratch"' EXIT

standin_start
standin_set auth=basic dump_bytes=67108864 dump_delay=2 route=first
export KUDUMP_PASSWORD=correct-horse # the stand-in's
export KUDUMP_SCM=$standin

say() { printf '\n$ %s\n' "$*"; }
say kudump ps --user "'\$contoso'"
"$KUDUMP" ps --user '$contoso' --ca "$pki/ca.pem"
say kudump dump --user "'\$contoso'" --type full --to dumps
"$KUDUMP" dump --user '$contoso' --ca "$pki/ca.pem" --type full --to "$here/dumps" > "$scratch/line"
sed "s|$here/||g" "$scratch/line"

file=$(sed 's/  .*//' "$scratch/line")
took=$(sha256sum "$file" | cut -d' ' -f1)
sent=$(standin_sha256)
if [ "$took" != "$sent" ]; then
	echo "the dump differs from what was sent: $took, not $sent" >&2
	exit 1
fi
printf '\nverified: SHA-256 of the file is that of what the stand-in sent\n%s\n' "${file#"$here"/}"
