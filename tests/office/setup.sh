# setup.sh - for ./demo and ./check: Debian packages that are missing, and the build. Sourced, not run.

# need_packages FILE… : installs what is missing of the packages listed in these files. No PostgreSQL cluster of the system
# is made by that: the setting that would make one is off while postgresql is installed.
need_packages() {
	local missing=() p conf=/etc/postgresql-common/createcluster.conf
	for p in $(grep -hv '^#' "$@"); do
		dpkg-query -W -f='${Status}\n' "$p" 2>/dev/null | grep -q '^install ok installed$' || missing+=("$p")
	done
	[ ${#missing[@]} -gt 0 ] || return 0
	if [ "$(id -u)" -ne 0 ]; then
		echo "These Debian packages are missing; install them as root, then call this again:" >&2
		echo "  apt-get install ${missing[*]}" >&2
		exit 1
	fi
	echo "Installing Debian packages: ${missing[*]}"
	export DEBIAN_FRONTEND=noninteractive
	local apt=(apt-get -y -q --no-install-recommends -o Dpkg::Use-Pty=0)
	"${apt[@]}" update >/dev/null || { echo "apt-get update failed" >&2; exit 1; }
	case " ${missing[*]} " in
	*" postgresql-15 "*)
		quiet "${apt[@]}" install postgresql-common
		cp -a "$conf" "$conf.before"
		echo "create_main_cluster = false" >>"$conf"
		trap 'mv -f "$conf.before" "$conf"' EXIT
		quiet "${apt[@]}" install "${missing[@]}"
		mv -f "$conf.before" "$conf"
		trap - EXIT
		;;
	*) quiet "${apt[@]}" install "${missing[@]}" ;;
	esac
}

# quiet COMMAND… : what it prints is shown only when it fails.
quiet() {
	local out
	out=$(mktemp)
	if ! "$@" >"$out" 2>&1; then
		tail -40 "$out" >&2
		echo "failed: $*" >&2
		rm -f "$out"
		exit 1
	fi
	rm -f "$out"
}

# build_in SOURCE BUILD [CONFIGURE OPTION…] : configure once, then make ($MAKE_WHAT, or all); says how long it may take.
build_in() {
	local source=$1 build=$2
	shift 2
	if [ ! -x "$source/configure" ] || [ -n "$(find "$source/configure.ac" "$source/Makefile.am" -newer "$source/configure")" ]; then
		(cd "$source" && quiet autoreconf -i)
	fi
	mkdir -p "$build"
	if [ ! -f "$build/config.status" ]; then
		echo "Building in $build (a minute or two the first time)"
		(cd "$build" && quiet "$source/configure" "$@")
	fi
	(cd "$build" && quiet make -j"$(nproc)" ${MAKE_WHAT:-all})
}
