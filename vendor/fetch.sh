#!/bin/sh
# SPDX-License-Identifier: MIT
# Puts BearSSL's source into vendor/bearssl and jsmn.h into vendor/jsmn, from the archives that vendor/pins names.
# An archive already in vendor/archives is used as it is (that is the air-gapped way); a missing one comes from
# Debian. Nothing is unpacked before its SHA-256 matches. Needs no root and leaves apt's own lists alone.
set -eu
cd "$(dirname "$0")"
archives=$PWD/archives

pinned() { awk -v name="$1" '$1 == name { print $'"$2"' }' pins; }

# Is what stands in NAME/ unpacked from the archive that is pinned now?
current() { [ -f "$1/.from" ] && [ "$(cat "$1/.from")" = "$(pinned "$1" 4)" ]; }

if current bearssl && current jsmn; then exit 0; fi
mkdir -p "$archives"
if command -v flock > /dev/null; then # two makes at once: the second waits and finds all done
	exec 9> "$archives/.lock"
	flock 9
fi

matches() { # file sha256
	[ -f "$1" ] && [ "$(sha256sum "$1" | cut -d' ' -f1)" = "$2" ]
}

# A private copy of the system's source lists, with source packages switched on. Only Debian's own are kept: others
# (docker, microsoft) have "debian" in their addresses too, but no component named main or no such suite.
suites='(bookworm|trixie|forky|sid|oldstable|stable|testing|unstable)'
private_apt() {
	lists=$scratch/apt
	mkdir -p "$lists/etc" "$lists/lists/partial" "$lists/cache/archives/partial"
	for from in /etc/apt/sources.list /etc/apt/sources.list.d/*.list; do
		[ -f "$from" ] || continue
		grep -E "^deb .*/debian(-security)?/? $suites[^ ]* .*main" "$from" | sed 'p;s/^deb /deb-src /' >> "$lists/etc/copy.list" || true
	done
	for from in /etc/apt/sources.list.d/*.sources; do
		[ -f "$from" ] && grep -qE '^URIs:.*/debian(-security)?/?( |$)' "$from" && grep -qE "^Suites:.*$suites" "$from" || continue
		sed 's/^Types:.*/Types: deb deb-src/' "$from" > "$lists/etc/$(basename "$from")"
	done
	options="-o Dir::Etc::sourcelist=/dev/null -o Dir::Etc::sourceparts=$lists/etc -o Dir::State::Lists=$lists/lists -o Dir::Cache=$lists/cache -o APT::Sandbox::User="
	# shellcheck disable=SC2086
	apt-get -qq $options update || true # what is missing then is told by name below
}

refuse() {
	echo "vendor: $1" >&2
	exit 1
}

from_debian() { # name version file sum
	command -v apt-get > /dev/null || refuse "$3 is missing and there is no apt-get: put it into vendor/archives by hand"
	[ -n "${options-}" ] || private_apt
	# shellcheck disable=SC2086
	case $3 in
	*.deb) (cd "$scratch" && apt-get -qq $options download "libjsmn-dev=$2" > /dev/null) ;;
	*) (cd "$scratch" && apt-get -qq $options source --download-only "$1=$2" > /dev/null) ;;
	esac || refuse "cannot get $3 from Debian: put it into vendor/archives by hand (vendor/README.md says from where)"
	matches "$scratch/$3" "$4" || refuse "what Debian sent as $3 has not the SHA-256 that vendor/pins states: not used"
	cp "$scratch/$3" "$archives/.$3.new"
	mv "$archives/.$3.new" "$archives/$3"
}

fetch() { # name
	version=$(pinned "$1" 2) file=$(pinned "$1" 3) sum=$(pinned "$1" 4)
	[ -f "$archives/$file" ] || from_debian "$1" "$version" "$file" "$sum"
	matches "$archives/$file" "$sum" || refuse "$archives/$file has not the SHA-256 that vendor/pins states: not used; remove it or replace it"
}

unpack_bearssl() {
	rm -rf bearssl
	mkdir bearssl
	tar -xJmf "$archives/$(pinned bearssl 3)" -C bearssl --strip-components=1
}

unpack_jsmn() {
	rm -rf jsmn
	mkdir jsmn
	dpkg-deb --fsys-tarfile "$archives/$(pinned jsmn 3)" > "$scratch/jsmn.tar"
	tar -xOf "$scratch/jsmn.tar" ./usr/include/jsmn.h > jsmn/jsmn.h
}

scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
for name in bearssl jsmn; do
	if current "$name"; then continue; fi
	fetch "$name"
	"unpack_$name"
	pinned "$name" 4 > "$scratch/stamp"
	mv "$scratch/stamp" "$name/.from"
	echo "vendor: $name $(pinned "$name" 2) verified and unpacked"
done
