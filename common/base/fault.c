/*
 * fault.c - dies at a named point, in test builds only.
 */
#include "common/base/fault.h"

#ifdef SP_FAULTS
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

void
sp_fault(const char *name)
{
	static atomic_int passes;
	const char *want = getenv("SEALPOST_FAULT");
	size_t n = strlen(name);
	int at = 1;

	if (want == NULL || strncmp(want, name, n) != 0 || strncmp(want + n, "=kill", 5) != 0)
		return;
	if (want[n + 5] == ':')
		at = atoi(want + n + 6);
	if (atomic_fetch_add(&passes, 1) + 1 == at)
		kill(getpid(), SIGKILL);
}
#else
typedef int sp_fault_not_compiled_in;
#endif
