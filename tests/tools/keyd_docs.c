/*
 * keyd_docs.c - writes etc/keyd.conf and the settings in docs/man/keyd.8 out of keyd/conf.def.
 */
#include "keyd/settings.h"
#include "tests/tools/conf_docs.h"

int
main(int argc, char **argv)
{
	return argc == 3 ? conf_docs_main(settings_keys, SETTINGS_KEYS, argv) : 2;
}
