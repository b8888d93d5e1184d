/*
 * certd_docs.c - writes etc/certd.conf and the settings in docs/man/certd.8 out of certd/conf.def.
 */
#include "certd/settings.h"
#include "tests/tools/conf_docs.h"

int
main(int argc, char **argv)
{
	return argc == 3 ? conf_docs_main(settings_keys, SETTINGS_KEYS, argv) : 2;
}
