#!/bin/sh
# instructions_test.sh <objdump> <nm> <object>...: no object holds an instruction that may be missing where it runs.
#
# Objects are told apart by the name of their source. What is not an ISA's own runs on every processor of the architecture. An ISA's object
# must show that it has the instructions it is for, too: so a disassembler that printed nothing would be noticed.
set -eu

objdump=$1
nm=$2
shift 2

avx512='%zmm|%k[0-7]|%[xy]mm(1[6-9]|2[0-9]|3[01])'
failures=0

fail() {
    echo "$*" >&2
    failures=$((failures + 1))
}

instructions() {
    "$objdump" -d --no-show-raw-insn "$1" | sed -n 's/^ *[0-9a-f]*:[[:space:]]*//p'
}

# has <object> <what> <pattern>, and likewise lacks.
has() {
    instructions "$1" | grep -Eq -- "$3" || fail "$1: expected $2, got none"
}

lacks() {
    found=$(instructions "$1" | grep -E -m 1 -- "$3" || :)
    [ -z "$found" ] || fail "$1: expected no $2, got: $found"
}

for object; do
    case $object in
        */avx2.cpp.*)
            has "$object" AVX '%ymm'
            lacks "$object" AVX-512 "$avx512"
            ;;
        */avx512.cpp.*)
            has "$object" AVX-512 '%zmm'
            lacks "$object" 'VNNI, BF16 or VBMI' '^(vpdp|vdpbf16|vcvtne|vpmultishift|vpermi2b|vpermt2b|vpermb)'
            ;;
        */avx512vnni.cpp.*)
            has "$object" VNNI '^vpdpbusd[[:space:]].*%zmm'
            lacks "$object" 'saturation, BF16 or VBMI' '^(vpdpbusds|vpdpwssds|vdpbf16|vcvtne|vpmultishift|vpermi2b|vpermt2b|vpermb)'
            ;;
        */neon.cpp.*)
            has "$object" 'a vector fma' '^fmla[[:space:]]+v[0-9]+\.4s'
            ;;
        *)
            has "$object" 'a return' '^ret'
            lacks "$object" 'AVX or AVX-512' "^v|%[yz]mm|$avx512"
            ;;
    esac
    # An inline function or template of linkage would be merged over all objects, and one copy of it kept.
    shared=$("$nm" "$object" | grep -E ' [VWuvw] ' || :)
    [ -z "$shared" ] || fail "$object: expected nothing that the linker merges, got: $shared"
done
[ "$failures" = 0 ]
