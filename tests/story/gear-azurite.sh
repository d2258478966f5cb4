#!/bin/bash
# SPDX-License-Identifier: MIT
# The tests' own gear: both Azurites start over http and https, and tests/azurite.py sees and signs as it should. When
# this fails, the blob stories say nothing about kudump.
. "$(dirname "$0")/../lib.sh"
. "$tests/azurite.sh"

head -c 300000 /dev/urandom > "$scratch/file"
sum=$(sha256sum < "$scratch/file" | cut -d' ' -f1)

# The status of a Put Blob with this query or header.
put() { # path query [header]
	curl -s -o "$scratch/put.out" -w '%{http_code}' --noproxy '*' ${AZURITE_CA:+--cacert "$AZURITE_CA"} -H x-ms-version:2021-12-02 \
		-H 'x-ms-blob-type: BlockBlob' ${3:+-H "$3"} -T "$scratch/file" "$azurite/$1${2:+?$2}"
}

one() { # version [--tls]
	local at="$1 ${2:-http}" oauth=()
	if ! azurite_there "$1"; then skip "azurite $1 is not installed"; return; fi
	[ -n "${2:-}" ] && oauth=(--oauth basic)
	azurite_start "$@" "${oauth[@]}"
	check "$at: create a container, twice" eval 'blobs create dumps && blobs create dumps'
	check "$at: put" blobs put dumps/a/b.dmp "$scratch/file"
	check_text "$at: get gives the digest" "$sum" "$(blobs get dumps/a/b.dmp | blob_field sha256)"
	check "$at: put a block" blobs put-block dumps/unfinished 0001 "$scratch/file"
	check_text "$at: list" '[{"name": "a/b.dmp", "bytes": 300000, "committed": true}]' "$(blobs list dumps)"
	check_text "$at: list with uncommitted" '[{"name": "a/b.dmp", "bytes": 300000, "committed": true}, {"name": "unfinished", "bytes": 0, "committed": false}]' \
		"$(blobs list dumps --uncommitted)"
	check_text "$at: blocks" '{"committed": [], "uncommitted": [{"id": "MDAwMQ==", "bytes": 300000}]}' "$(blobs blocks dumps/unfinished)"
	check_text "$at: container SAS" 201 "$(put dumps/c "$(blobs sas dumps)")"
	check_text "$at: blob SAS, odd name" 201 "$(put dumps/a%20b+c "$(blobs sas 'dumps/a b+c' --sp w)")"
	check_text "$at: blob SAS of another blob" 403 "$(put dumps/d "$(blobs sas dumps/e --sp w)")"
	check_text "$at: SAS that has expired" 403 "$(put dumps/c "$(blobs sas dumps --minutes -1)")"
	check_text "$at: SAS that is not valid yet" 403 "$(put dumps/c "$(blobs sas dumps --start 30)")"
	check_text "$at: SAS that only reads" 403 "$(put dumps/c "$(blobs sas dumps --sp r)")"
	check_text "$at: account SAS" 201 "$(put dumps/c "$(blobs account-sas)")"
	if [ -n "${2:-}" ]; then
		check_text "$at: token" 201 "$(put dumps/t "" "Authorization: Bearer $(blobs token)")"
		check_text "$at: token that has expired" 403 "$(put dumps/t "" "Authorization: Bearer $(blobs token --minutes -1)")"
	fi
	check "$at: lease" blobs lease dumps/c
	check_text "$at: a leased blob is refused" 412 "$(put dumps/c "$(blobs account-sas)")"
	azurite_stop
	azurite_again
	check_text "$at: blobs outlive a restart" 300000 "$(blobs head dumps/a/b.dmp | blob_field bytes)"
	check_exit "$at: a missing blob is told" 1 blobs get dumps/none
	check_text "$at: with its code" '{"status": 404, "code": "BlobNotFound"}' "$(cat "$scratch/out")"
	azurite_stop
}
one 3.35
one 3.35 --tls
one 3.37
one 3.37 --tls
