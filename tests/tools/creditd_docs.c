/*
 * creditd_docs.c - writes etc/creditd.conf and the settings in docs/man/creditd.8 out of creditd/conf.def.
 */
#include "creditd/settings.h"
#include "tests/tools/conf_docs.h"

int
main(int argc, char **argv)
{
	return argc == 3 ? conf_docs_main(settings_keys, SETTINGS_KEYS, argv) : 2;
}
