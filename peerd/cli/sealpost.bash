# Completion of the sealpost command for bash: verbs, options, names of the book, ids of events, files. It needs
# nothing but bash; names and ids are asked of peerd and simply left out if it is not running.

# Words of the command line up to the cursor, split at spaces only: bash itself also splits at @ and :.
_sealpost_words() {
	local line=${COMP_LINE:0:COMP_POINT}
	read -ra words <<<"$line"
	[[ $line == *[[:space:]] ]] && words+=("")
}

# Offers those of the words that begin as the last one does; bash wants them from its own last word break on (after
# a colon, but with the @).
_sealpost_offer() {
	local cur=${words[-1]} kept=
	case $cur in
	--*=*) cur=${cur#*=} ;;
	esac
	[[ ${COMP_WORDBREAKS-} == *@* && $cur == *@* ]] && kept=${cur%"@${cur##*@}"}
	[[ ${COMP_WORDBREAKS-} == *:* && $cur == *:* ]] && kept=${cur%"${cur##*:}"}
	mapfile -t COMPREPLY < <(compgen -W "$1" -- "$cur")
	COMPREPLY=("${COMPREPLY[@]#"$kept"}")
}

# Files are left to readline, which knows about quotes.
_sealpost_files() {
	compopt -o "${1:-default}"
}

_sealpost_ask() {
	local said
	said=$(sealpost ${home:+--home "${home/#\~\//$HOME/}"} --json "$@" 2>/dev/null) && printf '%s\n' "$said"
}

# Every name of the book, and those of its stations.
_sealpost_names() {
	_sealpost_ask book list | grep -o '"name":"[^"]*"' | cut -d'"' -f4
}

_sealpost_ids() {
	_sealpost_ask log "$@" | grep -o '^{"id":"[^"]*"' | cut -d'"' -f4
}

_sealpost() {
	local words verb='' home='' i cur prev
	local common="--home --json --help" verbs="enrol send log show cancel retry accept refuse book credits who status receipt verify"
	COMPREPLY=()
	_sealpost_words
	for ((i = 1; i < ${#words[@]} - 1; i++)); do
		case ${words[i]} in
		--home) home=${words[++i]} ;;
		--home=*) home=${words[i]#*=} ;;
		-*) ;;
		*)
			[[ -z $verb ]] && verb=${words[i]}
			;;
		esac
	done
	cur=${words[-1]} prev=${words[-2]}
	[[ $cur == --*=* ]] && prev=${cur%%=*}
	case $prev in
	--home) _sealpost_files dirnames; return ;;
	--to) _sealpost_offer "$(_sealpost_names)"; return ;;
	--receipt) _sealpost_offer "none direct postmarked"; return ;;
	-m | --message | --title | -a | --address | -n | --number | --account) return ;;
	esac
	case $verb in
	'') _sealpost_offer "$verbs help $common --version" ;;
	help) _sealpost_offer "$verbs" ;;
	send)
		if [[ $cur == -* ]]; then
			_sealpost_offer "--to --message --title --receipt --address --wait-for-peer --no-wait $common"
		else
			_sealpost_files
		fi ;;
	log) _sealpost_offer "--pending --sent --received --failed --number $common" ;;
	show) _sealpost_offer "$(_sealpost_ids) $common" ;;
	cancel | accept | refuse) _sealpost_offer "$(_sealpost_ids --pending) $common" ;;
	retry) _sealpost_offer "$(_sealpost_ids --failed) --no-wait $common" ;;
	book)
		case $prev in
		book) _sealpost_offer "add rm list $common" ;;
		rm) _sealpost_offer "$(_sealpost_names)" ;;
		*) [[ $cur == -* ]] && _sealpost_offer "--address $common" ;;
		esac ;;
	credits)
		case $prev in
		credits) _sealpost_offer "add $common" ;;
		add) _sealpost_offer "25 50 75 100 --account $common" ;;
		*) _sealpost_offer "--account $common" ;;
		esac ;;
	who) _sealpost_offer "$(_sealpost_names) $common" ;;
	receipt)
		if [[ $prev == receipt ]]; then
			_sealpost_offer "show $common"
		elif [[ $cur == -* ]]; then
			_sealpost_offer "--openssl $common"
		else
			[[ $cur != */* ]] && _sealpost_offer "$(_sealpost_ids --sent)"
			_sealpost_files
		fi ;;
	verify)
		if [[ $cur == -* ]]; then
			_sealpost_offer "$common"
		else
			_sealpost_files
		fi ;;
	enrol | status) _sealpost_offer "$common" ;;
	esac
}
complete -F _sealpost sealpost
