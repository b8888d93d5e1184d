/*
 * notify.h - tells a service manager how this program is (the sd_notify protocol), without its library.
 */
#ifndef SP_NET_NOTIFY_H
#define SP_NET_NOTIFY_H

#include "common/base/status.h"

/* Sends "READY=1", "STOPPING=1", "WATCHDOG=1", "STATUS=…" to $NOTIFY_SOCKET. SP_OK also when there is none;
 * never blocks. */
enum sp_status sp_notify(const char *state);

#endif
