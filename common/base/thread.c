/*
 * thread.c - the signals are blocked before the thread is there, so that there is no moment in between.
 */
#include "common/base/thread.h"

#include <signal.h>

bool
sp_thread_start(pthread_t *ret_id, void *(*fn)(void *arg), void *arg)
{
	sigset_t all, before;
	int failed;

	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	failed = pthread_create(ret_id, NULL, fn, arg);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	return failed == 0;
}
