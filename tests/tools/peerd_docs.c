/*
 * peerd_docs.c - writes etc/peerd.conf and the settings in docs/man/peerd.8 out of peerd/conf.def.
 */
#include "peerd/settings.h"
#include "tests/tools/conf_docs.h"

int
main(int argc, char **argv)
{
	return argc == 3 ? conf_docs_main(peer_conf, peer_conf_count, argv) : 2;
}
