#!/bin/bash
# SPDX-License-Identifier: MIT
# make.sh OUT [VARIANT...]: builds app.cs in every way that works here, lets it crash in every way it knows, and keeps the
# dumps with what the program said (the oracle) as OUT/VARIANT-MODE-TYPE.{core,dmp,out,…}, and what `dotnet-dump analyze` says
# of them as ….dotnet-dump.txt (by ./ask). One run goes through to its end by itself, makes nothing twice, and leaves in
# OUT/table.txt what there is and what could not be made, and why.
#
# Variants: fdN framework-dependent, scN self-contained, sfN single file, r2rN ReadyToRun, aotN NativeAOT, of .NET N on Linux;
# winN self-contained, winsfN single file, winr2rN ReadyToRun, wowN self-contained of 32 bits, for Windows, run by wine and
# dumped by catch.c.
# Types: 1 mini, 2 heap, 3 triage, 4 full, as the runtime's createdump counts them, k the kernel's own core; cm, ch, ct, cf the
# same four by `dotnet-dump collect`, of a process that goes on; of Windows only mini and full.
# ONLY="throw-4 big-4" makes these cases alone, and of each variant. The programs get an empty environment, as it is in their dumps.
# Needs dotnet; for NativeAOT clang; for Windows wine64 and gcc-mingw-w64-x86-64, of 32 bits wine32 and gcc-mingw-w64-i686.
# dotnet-dump is taken from DOTNET_DUMP or PATH, or installed into OUT. DUMPS_MAX_GIB (14) bounds OUT.
set -uo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"
out=$(realpath -m "${1:?usage: make.sh OUT [VARIANT...]}")
shift
variants=("$@")
[ $# -gt 0 ] || variants=(fd10 sc9 sc8 sc6 sc3 win10 win9 win8 win6 wow10 sf10 r2r10 winsf10 winr2r10 sf9 sf8 r2r9 r2r8 aot10 aot9 aot8)
most=${DUMPS_MAX_GIB:-14}
export DOTNET_CLI_TELEMETRY_OPTOUT=1 DOTNET_NOLOGO=1 WINEPREFIX=$out/wine WINEDEBUG=-all
all='throw-4 nullref-4 aggregate-4 generic-4 async-4 pool-4 failfast-4 throw-2 throw-1 throw-3 so-4 asyncvoid-4 failfastex-4 emit-4 hang-4'
collected='hang-cf hang-ch hang-cm hang-ct caughthang-cf caughthang-ch'
clean=(env -i "PATH=$PATH" "HOME=${HOME:-/}" "WINEPREFIX=$WINEPREFIX" "WINEDEBUG=$WINEDEBUG" ${DOTNET_ROOT:+"DOTNET_ROOT=$DOTNET_ROOT"})
rows=()

note() { # variant mode-type result
	rows+=("$(printf '%-9s %-15s %s' "$1" "$2" "$3")")
	echo "${rows[-1]}"
}

cases() { # variant
	[ -z "${ONLY:-}" ] || { echo "$ONLY"; return; }
	case $1 in
	fd*) echo "$all silent-4 index-4 cast-4 genericvalue-4 caughthang-4 nullref-2 throw-k $collected" ;;
	sc*) echo "$all $collected" ;;
	r2r* | sf*) echo "throw-4 nullref-4 generic-4 throw-2 throw-1" ;;
	aot*) echo "throw-4 nullref-4 failfast-4 so-4 throw-k so-k throw-1" ;;
	winsf* | winr2r*) echo "throw-4" ;;
	win10 | wow*) echo "throw-4 throw-1 nullref-4 failfast-4 so-4 generic-4 aggregate-4 async-4 pool-4" ;;
	win*) echo "throw-4 throw-1 nullref-4 failfast-4" ;;
	esac
}

options() { # variant
	case $1 in
	fd*) echo "-r linux-x64 --self-contained false" ;;
	sc*) echo "-r linux-x64 --self-contained true" ;;
	sf*) echo "-r linux-x64 --self-contained true -p:PublishSingleFile=true" ;;
	r2r*) echo "-r linux-x64 --self-contained true -p:PublishReadyToRun=true" ;;
	aot*) echo "-r linux-x64 -p:PublishAot=true" ;;
	winsf*) echo "-r win-x64 --self-contained true -p:PublishSingleFile=true" ;;
	winr2r*) echo "-r win-x64 --self-contained true -p:PublishReadyToRun=true" ;;
	wow*) echo "-r win-x86 --self-contained true" ;;
	win*) echo "-r win-x64 --self-contained true" ;;
	esac
	[ -z "$(oldest "$1")" ] || echo "-p:OldRuntime=$(oldest "$1")"
}

# Of runtimes out of support not the newest, but the one that can be had for each system.
oldest() { # variant
	case $1 in
	*6) echo 6.0.13 ;;
	*3) echo 3.1.3 ;;
	esac
}

version_of() { sed -E 's/^(winr2r|r2r|[a-z]+)//' <<< "$1"; }

framework() { # variant
	case $(version_of "$1") in
	3) echo netcoreapp3.1 ;;
	*) echo "net$(version_of "$1").0" ;;
	esac
}

project() { # name framework
	cat <<-XML
		<Project Sdk="Microsoft.NET.Sdk"><PropertyGroup>
		<OutputType>Exe</OutputType><TargetFramework>$2</TargetFramework><AssemblyName>$1</AssemblyName>
		<InvariantGlobalization>true</InvariantGlobalization><Nullable>disable</Nullable>
		<CheckEolTargetFramework>false</CheckEolTargetFramework>
		<DisableTransitiveFrameworkReferenceDownloads>true</DisableTransitiveFrameworkReferenceDownloads>
		</PropertyGroup>
		<Target Name="OldRuntimeNewHost" BeforeTargets="ProcessFrameworkReferences" Condition="'\$(OldRuntime)' != ''"><ItemGroup>
		<KnownFrameworkReference LatestRuntimeFrameworkVersion="\$(OldRuntime)" />
		<KnownAppHostPack AppHostPackVersion="\$(BundledNETCoreAppPackageVersion)" />
		</ItemGroup></Target></Project>
	XML
}

# A build is made again only when the program changed.
build() { # variant
	local at=$out/build/$1
	cmp -s app.cs "$at/app.cs" && [ -d "$at/bin" ] && return
	rm -rf "$at"
	mkdir -p "$at"
	project shop "$(framework "$1")" > "$at/shop.csproj"
	cp app.cs "$at/app.cs"
	# shellcheck disable=SC2046
	if (cd "$at" && timeout 600 nice dotnet publish shop.csproj -c Release $(options "$1") -o bin) > "$at.log" 2>&1; then
		case $1 in aot*) add_createdump "$(version_of "$1")" "$at/bin" ;; esac
		return
	fi
	rm -rf "$at/bin"
	return 1
}

# NativeAOT starts the createdump that lies beside the program; that of the runtime's package does.
add_createdump() { # version folder
	local packages=${NUGET_PACKAGES:-$HOME/.nuget/packages}/microsoft.netcore.app.runtime.linux-x64 tool
	tool=$(find "$packages" -path "*/$1.*/createdump" 2> /dev/null | sort -V | tail -1)
	[ -n "$tool" ] && install -m 755 "$tool" "$2/createdump"
}

build_catch() { # bits
	local compiler=x86_64-w64-mingw32-gcc
	[ "$1" = 64 ] || compiler=i686-w64-mingw32-gcc
	[ "$out/build/catch$1.exe" -nt catch.c ] || "$compiler" -O1 -Wall -Wextra -o "$out/build/catch$1.exe" catch.c -ldbghelp 2> "$out/build/catch.log"
}

# The last reason in a log, on one line.
reason() {
	local words
	words=$(grep -aE 'error|upport|FAILED|[Uu]nable|cannot|catch:|wine:' "$1" | grep -v '^oracle' | tail -1 | sed -E 's/^\S*\/shop\.csproj : //; s/ \[\/.*//' | tr -s ' \t\r' ' ' | cut -c1-150)
	echo "${words:-it ended, and nothing was said of a dump}"
}

crash_linux() { # variant mode type name
	local report=1
	case $1 in sf* | aot*) report=0 ;; esac # createdump refuses a report there, and the dump with it
	[ "$3" != k ] || { kernel_core "$1" "$2" "$4"; return; }
	local prefix=DOTNET_
	case $1 in *3) prefix=COMPlus_ ;; esac
	"${clean[@]}" ${prefix}DbgEnableMiniDump=1 ${prefix}DbgMiniDumpType="$3" ${prefix}DbgMiniDumpName="$4.core" ${prefix}EnableCrashReport=$report \
		timeout 180 "$out/build/$1/bin/shop" "$2" > "$4.out" 2>&1
}

# The kernel's core, with the pages of files in it.
kernel_core() { # variant mode name
	[ "$(cat /proc/sys/kernel/core_pattern)" = core ] || { echo "cannot: the kernel's core_pattern is not 'core'" > "$3.out"; return; }
	local at=$out/cores
	rm -rf "$at" && mkdir -p "$at"
	(cd "$at" && ulimit -c unlimited && echo 0x3f > /proc/self/coredump_filter && exec "${clean[@]}" timeout 180 "$out/build/$1/bin/shop" "$2" > "$3.out" 2>&1)
	find "$at" -type f -name 'core*' -exec mv {} "$3.core" \;
	rm -rf "$at"
}

# The folder with a variant's runtime: createdump and the DAC lie there.
runtime_of() { # variant
	local at=$out/build/$1/bin
	case $1 in
	fd*) at=$(dirname "$(realpath "$(command -v dotnet)")")/shared/Microsoft.NETCore.App/$(dotnet --list-runtimes | awk '/NETCore.App/ {v = $2} END {print v}') ;;
	sf*) at=$(dirname "$(find "${NUGET_PACKAGES:-$HOME/.nuget/packages}/microsoft.netcore.app.runtime.linux-x64" -path "*/$(version_of "$1").*/libmscordaccore.so" | sort -V | tail -1)") ;;
	esac
	echo "$at"
}

# A process that goes on, dumped from outside: by the runtime's createdump, or through the runtime by `dotnet-dump collect`.
dump_waiting() { # variant mode type name
	local pid
	"${clean[@]}" "$out/build/$1/bin/shop" "$2" > "$4.out" 2>&1 &
	pid=$!
	for _ in $(seq 100); do grep -q waiting "$4.out" && break; sleep 0.1; done
	case $3 in
	4) timeout 120 "$(runtime_of "$1")/createdump" --full --name "$4.core" "$pid" ;;
	*) timeout 120 "$DOTNET_DUMP" collect --process-id "$pid" --type "$(collect_type "$3")" --output "$4.core" ;;
	esac >> "$4.out" 2>&1
	kill -KILL "$pid"
	wait "$pid"
}

collect_type() {
	case $1 in
	cf) echo Full ;;
	ch) echo Heap ;;
	cm) echo Mini ;;
	ct) echo Triage ;;
	esac
}

# What dotnet-dump says of a dump; of 262,000 frames that takes half a minute.
ask() { # variant dump
	local runtime tool=$DOTNET_DUMP
	[ -n "$tool" ] && [ ! -s "$2.dotnet-dump.txt" ] || return
	runtime=$(runtime_of "$1")
	case $1 in
	wow* | win*)
		tool=$out/build/winedump64/bin/winedump.exe
		case $1 in wow*) tool=${tool/winedump64/winedump32} ;; esac
		[ -e "$tool" ] || return
		tool="wine $tool"
		runtime=Z:${runtime//\//\\}
		;;
	esac
	DOTNET_DUMP=$tool timeout 180 nice ./ask "$2" "$runtime" 2> "$2.ask.log"
}

# dotnet-dump for dumps of Windows, with a runtime of its own, run by wine; the log is all that tells when it fails.
build_winedump() { # bits
	local at=$out/build/winedump$1 system=win-x64
	[ "$1" = 64 ] || system=win-x86
	[ -n "$DOTNET_DUMP_FILES" ] && [ ! -e "$at/bin/winedump.exe" ] || return 0
	mkdir -p "$at"
	cp winedump.cs "$at/"
	project winedump net10.0 > "$at/winedump.csproj"
	(cd "$at" && timeout 600 nice dotnet publish winedump.csproj -c Release -r $system --self-contained true -o bin) > "$at.log" 2>&1
}

# dotnet-dump from DOTNET_DUMP, PATH or OUT/tools, where it is installed otherwise; empty: none.
find_dotnet_dump() {
	DOTNET_DUMP=${DOTNET_DUMP:-$(command -v dotnet-dump)}
	[ -n "$DOTNET_DUMP" ] || DOTNET_DUMP=$out/tools/dotnet-dump
	if [ ! -x "$DOTNET_DUMP" ] && ! dotnet tool install --tool-path "$out/tools" dotnet-dump > "$out/build/dotnet-dump.log" 2>&1; then
		note dotnet-dump - "NOT INSTALLED: $(reason "$out/build/dotnet-dump.log")"
		DOTNET_DUMP=
	fi
	DOTNET_DUMP_FILES=$([ -z "$DOTNET_DUMP" ] || find "$(dirname "$(realpath "$DOTNET_DUMP")")/.store/dotnet-dump" -name dotnet-dump.dll -printf 'Z:%h' -quit 2> /dev/null | tr / '\\')
	export DOTNET_DUMP DOTNET_DUMP_FILES
}

# Windows starts catch64.exe, or catch32.exe, for a process with an unhandled exception: the runtime runs as if alone until
# then. (Under a debugger from the start the one of .NET 10 fails in wine 8.)
crash_windows() { # variant mode type name
	local kind=full drive=Z:${out//\//\\} bits=64
	[ "$3" = 4 ] || kind=mini
	case $1 in wow*) bits=32 ;; esac
	wine reg add 'HKLM\Software\Microsoft\Windows NT\CurrentVersion\AeDebug' /f /v Debugger \
		/d "$drive\\build\\catch$bits.exe $drive\\$(basename "$4").dmp $kind %ld %ld" > /dev/null 2>&1
	"${clean[@]}" timeout 150 wine "$out/build/$1/bin/shop.exe" "$2" > "$4.out" 2>&1
	wine reg delete 'HKLM\Software\Microsoft\Windows NT\CurrentVersion\AeDebug' /f /v Debugger > /dev/null 2>&1
}

crash() { # variant mode type
	local name=$out/$1-$2-$3 made=$out/$1-$2-$3.core
	case $1 in win* | wow*) made=$name.dmp ;; esac
	if ! [ -s "$made" ]; then
		[ "$(du -s --block-size=1M "$out" | cut -f1)" -lt $((most * 1024 - 150)) ] || { note "$1" "$2-$3" "left out: $out would grow beyond $most GiB"; return; }
		case $1:$2 in
		win*:* | wow*:*) (cd "$out" && crash_windows "$1" "$2" "$3" "$name") ;;
		*hang) [ "$3" != 4 ] && [ -z "$DOTNET_DUMP" ] || dump_waiting "$1" "$2" "$3" "$name" ;;
		*) crash_linux "$1" "$2" "$3" "$name" ;;
		esac 2> /dev/null
		[ -s "$made" ] && fallocate -d "$made" # pages of zeros need no room
	fi
	if [ -s "$made" ]; then
		ask "$1" "$made"
		note "$1" "$2-$3" "$(($(stat -c %s "$made") >> 20)) MiB $(sed -nE 's/^oracle .*"runtime":"([^"]*)".*/\1/p' "$name.out" | head -1)"
	else
		note "$1" "$2-$3" "NO DUMP: $(reason "$name.out")"
	fi
}

windows_ready() { # variant
	local bits=64
	command -v wine x86_64-w64-mingw32-gcc > /dev/null || { echo "wine with wine64 or gcc-mingw-w64-x86-64 is not installed"; return 1; }
	case $1 in
	wow*)
		bits=32
		command -v i686-w64-mingw32-gcc > /dev/null && [ -d /usr/lib/i386-linux-gnu/wine ] || { echo "wine32 or gcc-mingw-w64-i686 is not installed"; return 1; }
		;;
	esac
	build_catch $bits || { echo "catch.c does not build"; return 1; }
	[ -z "$DOTNET_DUMP" ] || build_winedump $bits
	[ -d "$WINEPREFIX/drive_c" ] || timeout 120 wine wineboot -i > "$out/build/wine.log" 2>&1 || { echo "wineboot fails"; return 1; }
	wine reg add 'HKLM\Software\Microsoft\Windows NT\CurrentVersion\AeDebug' /f /v Auto /d 1 > /dev/null 2>&1
}

mkdir -p "$out/build"
find_dotnet_dump
for variant in "${variants[@]}"; do
	if ! build "$variant"; then
		note "$variant" - "DOES NOT BUILD: $(reason "$out/build/$variant.log")"
		continue
	fi
	case $variant in win* | wow*) why=$(windows_ready "$variant") || { note "$variant" - "NOT RUN: $why"; continue; } ;; esac
	for case in $(cases "$variant"); do crash "$variant" "${case%-*}" "${case#*-}"; done
done
{ echo "variant   mode-type       result"; printf '%s\n' "${rows[@]}"; } > "$out/table.txt"
echo "$(grep -c ' MiB' "$out/table.txt") dumps in $out, $(grep -cE 'NO DUMP|NOT RUN|DOES NOT' "$out/table.txt") could not be made; all in $out/table.txt"
