# office.sh - for what stands in bench/: packages, and a release build with the load program. Sourced, not run.
here=$(cd "$(dirname "$0")/.." && pwd)
. "$here/tests/office/setup.sh"
need_packages "$here/tests/office/packages" "$here/bench/packages"
build=${SEALPOST_BUILD:-$here/build}
build_in "$here" "$build" --enable-werror
(cd "$build" && quiet make bench/service_load)
export PYTHONPATH="$here/tests:$here/bench" SEALPOST_BUILD="$build"
