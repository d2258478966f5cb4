#!/bin/bash
# SPDX-License-Identifier: MIT
# make.sh OUT [VARIANT...]: builds app.cs for every .NET that restores here, lets it crash with the runtime's own createdump,
# and keeps core, crash report and what the program said on stderr (the oracle) as OUT/VARIANT-MODE-TYPE.{core,out,…}.
# Variants: fd10 (framework-dependent), sc9 and sc8 (self-contained), sf10 (single file), r2r10 (ReadyToRun). Full dumps
# (type 4) of all modes and heap dumps (type 2) of throw; what is there already is not made again. About 3 GB.
set -uo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"
out=$(realpath -m "${1:?usage: make.sh OUT [VARIANT...]}")
shift
variants=("$@")
[ $# -gt 0 ] || variants=(fd10 sc9 sc8 sf10 r2r10)
export DOTNET_CLI_TELEMETRY_OPTOUT=1 DOTNET_NOLOGO=1

options() { # variant
	case $1 in
	fd*) echo "--self-contained false" ;;
	sc*) echo "--self-contained true" ;;
	sf*) echo "--self-contained true -p:PublishSingleFile=true" ;;
	r2r*) echo "--self-contained true -p:PublishReadyToRun=true" ;;
	esac
}

build() { # variant
	local at=$out/build/$1 version=${1#r2r}
	version=${version//[!0-9]/}
	[ -x "$at/bin/shop" ] && return
	mkdir -p "$at"
	cp app.cs "$at/app.cs"
	cat > "$at/shop.csproj" <<-XML
		<Project Sdk="Microsoft.NET.Sdk"><PropertyGroup>
		<OutputType>Exe</OutputType><TargetFramework>net$version.0</TargetFramework><AssemblyName>shop</AssemblyName>
		<InvariantGlobalization>true</InvariantGlobalization><Nullable>disable</Nullable>
		</PropertyGroup></Project>
	XML
	# shellcheck disable=SC2046
	(cd "$at" && timeout 600 dotnet publish shop.csproj -c Release -r linux-x64 $(options "$1") -o bin) > "$at.log" 2>&1
}

crash() { # variant mode type
	local name=$out/$1-$2-$3
	[ -e "$name.core" ] && return
	{ DOTNET_DbgEnableMiniDump=1 DOTNET_DbgMiniDumpType=$3 DOTNET_DbgMiniDumpName=$name.core DOTNET_EnableCrashReport=1 \
		timeout 120 "$out/build/$1/bin/shop" "$2" > "$name.out" 2>&1; } 2> /dev/null
	[ -s "$name.core" ] || { echo "no dump: $name"; return 1; }
}

mkdir -p "$out"
made=0 failed=0
for variant in "${variants[@]}"; do
	if ! build "$variant"; then
		echo "does not build here: $variant (see $out/build/$variant.log)"
		failed=$((failed + 1))
		continue
	fi
	for case in throw-4 throw-2 nullref-4 so-4 failfast-4; do
		if crash "$variant" "${case%-*}" "${case#*-}"; then made=$((made + 1)); else failed=$((failed + 1)); fi
	done
done
echo "$made dumps in $out, $failed failed"
