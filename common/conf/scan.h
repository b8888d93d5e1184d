/*
 * scan.h - prepares a settings file for libconfig. Within common/conf only.
 */
#ifndef SP_CONF_SCAN_H
#define SP_CONF_SCAN_H

#include "common/base/buf.h"

/* Copies the text with an L behind each bare integer: without it libconfig 1.5 quietly cuts numbers to 32 bits. False if the
 * text wants to include another file, which libconfig would look for wherever the daemon was started. */
bool sp_conf_scan(const char *text, struct sp_buf *out);

#endif
