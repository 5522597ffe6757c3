# shellcheck shell=bash
# Shared by the run-* scripts: finds a JDK 25, builds what is stale, knows where results go.

bench=$(CDPATH='' cd -- "$(dirname -- "${BASH_SOURCE[0]}")" && pwd -P)
root=$(dirname -- "$bench")
jar=$bench/target/ostinato-bench.jar
flags=(--add-modules=jdk.incubator.vector --enable-native-access=ALL-UNNAMED -XX:+UseSerialGC -Xms512m -Xmx512m)

say() { printf '%s: %s\n' "${0##*/}" "$*" >&2; }
die() {
    say "$*"
    exit 1
}

find_java() {
    local home
    for home in "${JAVA_HOME:-}" /usr/lib/jvm/* /usr/java/* /opt/java/* \
        /Library/Java/JavaVirtualMachines/*/Contents/Home "$HOME"/.sdkman/candidates/java/* "$HOME"/.jdks/*; do
        if [ -x "$home/bin/javac" ] && grep -qs '^JAVA_VERSION="25[".]' "$home/release"; then
            export JAVA_HOME=$home
            java=$home/bin/java
            return
        fi
    done
    die 'needs a JDK 25: set JAVA_HOME to one'
}

# build NAME [MAVEN OPTION...]: the stamp says which kind of build the jar is of.
build() {
    local stamp=$bench/target/$1.stamp
    shift
    if [ -f "$jar" ] && [ "$stamp" -nt "$jar" ] && [ -z "$(find "$root/pom.xml" "$bench/pom.xml" "$bench/src" \
        "$root"/java/{kernels,openblas,nn,formats}/{pom.xml,src/main} -newer "$jar" -print -quit)" ]; then
        return
    fi
    say 'building ...'
    rm -f "$jar"
    (cd "$root" && ./mvnw -q "$@" -Dmaven.test.skip=true -pl bench -am package) < /dev/null >&2 || die 'the build failed'
    touch "$stamp"
}

run_java() { "$java" "${flags[@]}" -Dbench.commit="$commit" -cp "$jar" "$@" 2> >(grep -v 'Using incubator modules' >&2); }

# begin NAME: opens a result file, whose first line is the environment.
begin() {
    commit=$(git -C "$root" describe --always --dirty --abbrev=12 2>/dev/null || echo unknown)
    mkdir -p "$bench/target/results"
    results=$bench/target/results/$1-$(date +%Y%m%d-%H%M%S).jsonl
    run_java dev.ostinato.bench.Environment > "$results"
    cat "$results" >&2
}

# For awk: field(name) is a member of the JSON object on this line, an array without its brackets.
# shellcheck disable=SC2016,SC2034 # awk's own $0; used by the scripts
awk_field='function field(name,    at, rest) {
    at = index($0, "\"" name "\":")
    if (!at) return ""
    rest = substr($0, at + length(name) + 3)
    if (substr(rest, 1, 1) == "\"") return substr(rest, 2, index(substr(rest, 2), "\"") - 1)
    if (substr(rest, 1, 1) == "[") return substr(rest, 2, index(rest, "]") - 2)
    match(rest, /^[^,}]*/)
    return substr(rest, 1, RLENGTH)
}
'
