/*
 * notify.c - one datagram to the service manager's socket.
 */
#include "common/net/notify.h"

#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "common/base/auto.h"

enum sp_status
sp_notify(const char *state)
{
	const char *path = getenv("NOTIFY_SOCKET");
	struct sockaddr_un un = { .sun_family = AF_UNIX };
	size_t n = path != NULL ? strlen(path) : 0;
	SP_AUTO_FD fd = -1;

	if (n == 0)
		return SP_OK;
	if ((path[0] != '/' && path[0] != '@') || n >= sizeof(un.sun_path))
		return SP_E_ARGUMENT;
	memcpy(un.sun_path, path, n);
	if (path[0] == '@')
		un.sun_path[0] = 0;	/* the abstract name space */
	fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return SP_E_SYS;
	if (sendto(fd, state, strlen(state), MSG_NOSIGNAL, (const struct sockaddr *)&un,
	    (socklen_t)(offsetof(struct sockaddr_un, sun_path) + n)) < 0)
		return SP_E_IO;
	return SP_OK;
}
