#!/bin/sh
# SPDX-License-Identifier: MIT
# make.sh DIR: a small throw-away CA and server certificates for localhost and names like those of Azure.
# ca.pem <- inter.pem <- leaf; server.pem holds leaf and intermediate, server.key its key (EC P-256). rsa-… is the same in RSA 2048.
# all-ca.pem has both roots. The CA keys stay in DIR, so that a test can sign more.
set -eu
dir=$1
mkdir -p "$dir"
cd "$dir"
cat >make.cnf <<END
[req]
distinguished_name = name
[name]
[root]
basicConstraints = critical,CA:true
keyUsage = critical,keyCertSign,cRLSign
subjectKeyIdentifier = hash
[inter]
basicConstraints = critical,CA:true,pathlen:0
keyUsage = critical,keyCertSign,cRLSign
subjectKeyIdentifier = hash
authorityKeyIdentifier = keyid
[leaf]
basicConstraints = CA:false
keyUsage = critical,digitalSignature
extendedKeyUsage = serverAuth
subjectKeyIdentifier = hash
authorityKeyIdentifier = keyid
subjectAltName = DNS:localhost, DNS:*.scm.localhost, DNS:*.blob.localhost, DNS:*.scm.azurewebsites.net, DNS:*.blob.core.windows.net
END
quiet() { "$@" 2>make.log || { cat make.log >&2; exit 1; }; }

# key KIND FILE
key() {
	case $1 in
	ec) quiet openssl ecparam -name prime256v1 -genkey -noout -out "$2" ;;
	rsa) quiet openssl genrsa -out "$2" 2048 ;;
	esac
}
# sign SUBJECT KEY SECTION ISSUER OUT
sign() {
	quiet openssl req -new -config make.cnf -key "$2" -subj "/O=kudump tests/CN=$1" -out make.csr
	quiet openssl x509 -req -in make.csr -sha256 -days 3650 -CA "$4.pem" -CAkey "$4.key" -set_serial "0x$(openssl rand -hex 8)" \
		-extfile make.cnf -extensions "$3" -out "$5"
}
# chain KIND PREFIX
chain() {
	key "$1" "$2ca.key"; key "$1" "$2inter.key"; key "$1" "$2server.key"
	quiet openssl req -new -x509 -config make.cnf -extensions root -sha256 -days 3650 -key "$2ca.key" -subj "/O=kudump tests/CN=$1 root" -out "$2ca.pem"
	sign "$1 intermediate" "$2inter.key" inter "$2ca" "$2inter.pem"
	sign localhost "$2server.key" leaf "$2inter" "$2leaf.pem"
	cat "$2leaf.pem" "$2inter.pem" >"$2server.pem"
}
chain ec ""
chain rsa rsa-
cat ca.pem rsa-ca.pem >all-ca.pem
rm -f make.csr make.log
