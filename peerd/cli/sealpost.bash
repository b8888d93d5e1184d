# Completion of the sealpost command for bash.
_sealpost() {
	local cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD - 1]} verb= home= i
	for ((i = 1; i < COMP_CWORD; i++)); do
		case ${COMP_WORDS[i]} in
		--home) home=${COMP_WORDS[++i]} ;;
		-*) ;;
		*) verb=${COMP_WORDS[i]}; break ;;
		esac
	done
	_sealpost_names() {
		sealpost ${home:+--home "$home"} --json book list 2>/dev/null | sed -n 's/.*"name":"\([^"]*\)","address.*/\1/p'
	}
	COMPREPLY=()
	case $prev in
	--home) COMPREPLY=($(compgen -d -- "$cur")); return ;;
	--to) COMPREPLY=($(compgen -W "$(_sealpost_names)" -- "$cur")); return ;;
	--receipt) COMPREPLY=($(compgen -W "none direct" -- "$cur")); return ;;
	-m | --message | --title | --address | -n) return ;;
	esac
	case $verb in
	'') COMPREPLY=($(compgen -W "--home --json --version --help enrol send log show cancel book who status receipt verify help" -- "$cur")) ;;
	send)
		if [[ $cur == -* ]]; then
			COMPREPLY=($(compgen -W "--to --message --title --receipt --address --no-wait --help" -- "$cur"))
		else
			COMPREPLY=($(compgen -f -- "$cur"))
		fi ;;
	log) COMPREPLY=($(compgen -W "--pending --sent --received --failed -n --help" -- "$cur")) ;;
	book)
		case $prev in
		book) COMPREPLY=($(compgen -W "add rm list" -- "$cur")) ;;
		rm) COMPREPLY=($(compgen -W "$(_sealpost_names)" -- "$cur")) ;;
		*) COMPREPLY=($(compgen -W "--address --help" -- "$cur")) ;;
		esac ;;
	who) COMPREPLY=($(compgen -W "$(_sealpost_names)" -- "$cur")) ;;
	receipt)
		if [[ $prev == receipt ]]; then
			COMPREPLY=($(compgen -W "show" -- "$cur"))
		else
			COMPREPLY=($(compgen -W "--openssl" -f -- "$cur"))
		fi ;;
	verify) COMPREPLY=($(compgen -f -- "$cur")) ;;
	esac
}
complete -o filenames -F _sealpost sealpost
