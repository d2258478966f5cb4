#!/bin/sh
# Prints C source with the root certificates that Azure's servers chain to, as far as this machine has them among
# Debian's CA certificates (or in the folder given). Each must have the SHA-256 fingerprint written here; one that is
# missing is left out with a word on stderr. See docs/roots.md. Needs openssl.
set -eu
folder=${1:-/usr/share/ca-certificates/mozilla}

# name of Debian's file | SHA-256 of the DER | must it be there
roots() {
	cat <<'LIST'
DigiCert_Global_Root_G2|cb3ccbb76031e5e0138f8dd39a23f9de47ffc35e43c1144cea27d46a5ab1cb5f|needed
DigiCert_Global_Root_G3|31ad6648f8104138c738f39ea4320133393e3a18cc02296ef97c2ac9ef6731d0|
DigiCert_TLS_RSA4096_Root_G5|371a00dc0533b3721a7eeb40e8419e70799d2b0a0f2c1d80693165f7cec4ad75|
DigiCert_TLS_ECC_P384_Root_G5|018e13f0772532cf809bd1b17281867283fc48c6e13be9c69812854a490c1b05|
Microsoft_RSA_Root_Certificate_Authority_2017|c741f70f4b2a8d88bf2e71c14122ef53ef10eba0cfa5e64cfa20f418853073e0|
Microsoft_ECC_Root_Certificate_Authority_2017|358df39d764af9e1b766e9c972df352ee15cfac227af6ad1d70e8e4a6edcba02|
LIST
}

note() { echo "vendor/roots.sh: $1" >&2; }

# DER of one root as a C array; nothing and false when it is not there or is another one.
array() { # name fingerprint index
	file=$folder/$1.crt
	if [ ! -f "$file" ]; then
		note "$1 is not in $folder: left out"
		return 1
	fi
	found=$(openssl x509 -in "$file" -outform der | sha256sum | cut -d' ' -f1)
	if [ "$found" != "$2" ]; then
		note "$file has the SHA-256 $found, not $2: left out"
		return 1
	fi
	echo "/* $1: $(openssl x509 -in "$file" -noout -enddate | cut -d= -f2) */"
	echo "static const unsigned char root_$3[] = {"
	openssl x509 -in "$file" -outform der | od -An -v -tx1 -w20 | sed 's/ \(..\)/0x\1,/g; s/^/\t/'
	echo "};"
	echo
}

cat <<'HEAD'
/* Made by vendor/roots.sh; not to be edited. Root certificates of Azure's servers, from Debian's ca-certificates.
 * Not among them: Microsoft TLS RSA Root G2 and Microsoft TLS ECC Root G2, which Debian 12 does not ship; a server that
 * sends only a chain up to those needs them in the system bundle or with --ca. docs/roots.md has the table. */
#include "net/trust.h"

HEAD

count=0 places='' sizes=''
for line in $(roots); do
	name=${line%%|*} rest=${line#*|}
	if array "$name" "${rest%%|*}" "$count"; then
		places="$places root_$count," sizes="$sizes sizeof root_$count,"
		count=$((count + 1))
	elif [ "${rest#*|}" = needed ]; then
		note "without $name most of Azure could not be trusted: install the package ca-certificates"
		exit 1
	fi
done
cat <<TAIL
const unsigned char *const trust_roots[] = {$places};
const size_t trust_root_sizes[] = {$sizes};
const size_t trust_root_count = $count;
TAIL
