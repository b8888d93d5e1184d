/*
 * caller.h - a service calls stations back: one sealed letter, sent again until the station has answered or the tries are
 * over. Also answers whoever asks for the service's own certificate. Loop thread only.
 */
#ifndef SP_DAEMON_CALLER_H
#define SP_DAEMON_CALLER_H

#include "common/member/member.h"
#include "common/net/letterbox.h"

struct sp_caller;

#define SP_CALLS_MAX 4096	/* calls under way */

/* Opens a socket of its own on a free port. */
SP_MUST_CHECK enum sp_status sp_caller_new(struct sp_loop *loop, struct member *member, struct sp_caller **ret_caller,
    struct sp_why *why);
void sp_caller_free(struct sp_caller *c);	/* calls under way end with SP_E_CANCELLED */
SP_AUTO_DEFINE(sp_caller);

/* SP_OK: the station has answered ANSWER{0}. SP_E_TIMEOUT, or the status that it answered. */
typedef void sp_called_fn(void *arg, enum sp_status st);

/* Calls the station of this letter key at "host:port" with a message of a LETTER row, encoded at once. SP_E_FULL,
 * SP_E_FORMAT (no address), what sealing says: fn is not called then. */
SP_MUST_CHECK enum sp_status sp_call(struct sp_caller *c, const uint8_t letter_key[SP_X25519], const char *hostport,
    unsigned type, const void *msg, sp_called_fn *fn, void *arg, struct sp_why *why);

#endif
