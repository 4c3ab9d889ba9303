# What run and sanitize share: the Java runtime of the bundle and how it is started.
here=$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")
OUT=$(realpath -m "${OUT:-gpu-results}")
mkdir -p "$OUT"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# Beside the bundle, so that the next command finds it unpacked; elsewhere if that cannot be written.
home=$here/java
if [[ ! -x $home/bin/java ]]; then
  if [[ -w $here ]]; then
    tar -C "$here" -xzf "$here/java.tar.gz"
  else
    tar -C "$work" -xzf "$here/java.tar.gz"
    home=$work/java
  fi
fi

case "${LC_ALL:-${LC_CTYPE:-${LANG:-C}}}" in C | POSIX) export LC_ALL=C.UTF-8 ;; esac

# The JVM's own messages go to stderr; JCuda unpacks its libraries to a folder of this run.
mkdir "$work/tmp"
java=("$home/bin/java" -Xlog:disable -Xlog:all=error:stderr --add-modules jdk.incubator.vector
  --enable-native-access=ALL-UNNAMED -XX:MaxDirectMemorySize=1t -Djava.awt.headless=true
  -Djava.io.tmpdir="$work/tmp" -Dstdout.encoding=UTF-8 -Dstderr.encoding=UTF-8)
downhill=("${java[@]}" -jar "$here/downhill.jar")
# One test after the other: they share the device.
junit=("${java[@]}" -Dslf4j.internal.verbosity=ERROR -Djunit.jupiter.execution.parallel.enabled=false)
# All on the JVM's own class path, which tests hand on to programs that they start.
launcher=(-cp "$(printf '%s:' "$here"/downhill.jar "$here"/{lib,test}/*.jar)"
  org.junit.platform.console.ConsoleLauncher execute --disable-banner --disable-ansi-colors
  --details=testfeed --fail-if-no-tests --include-engine=junit-jupiter
  --scan-classpath="$here/test/downhill-tests.jar")

# The numbers of a test run, as JSON fields; also of one that was stopped.
counts() {
  awk '/ :: [A-Z]+$/ {n[$NF]++}
    END {printf "\"successful\":%d,\"failed\":%d,\"skipped\":%d", n["SUCCESSFUL"], n["FAILED"], n["SKIPPED"] + n["ABORTED"]}' "$1"
}
