/*
 * status.h - what functions return, and the reason they give to people.
 * The list itself is status.def; numbers are stable and travel on the wire.
 */
#ifndef SP_BASE_STATUS_H
#define SP_BASE_STATUS_H

#include <stdarg.h>
#include <stdbool.h>

#define SP_MUST_CHECK __attribute__((warn_unused_result))
#define SP_PRINTF(f, a) __attribute__((format(printf, f, a)))

enum sp_status {
#define SP_STATUS(number, NAME, CLASS, text) SP_##NAME = number,
#include "common/base/status.def"
#undef SP_STATUS
};

/* What the caller of a failed function should do. */
enum sp_class { SP_CLASS_OK, SP_CLASS_RETRY, SP_CLASS_PEER, SP_CLASS_OURS, SP_CLASS_FINAL };

/* A reason in plain words, filled by the function that fails; text is always terminated, empty if nothing is known. */
struct sp_why {
	char text[256];
};

/* The plain sentence of a status ("unknown status" for a number not listed). Never NULL. */
const char *sp_status_text(enum sp_status st);

/* The short name, as in the logs: "NOMEM", "SHORT", "OK". Never NULL. */
const char *sp_status_name(enum sp_status st);

/* The class of a status; a number not listed counts as PEER. */
enum sp_class sp_status_class(enum sp_status st);

/* Is there no room now, on a disk or in a queue? Others may end that. */
static inline bool sp_status_no_room(enum sp_status st) { return st == SP_E_SPACE || st == SP_E_FULL; }

/* A status read from the wire: its value if listed, SP_E_UNKNOWN otherwise. */
enum sp_status sp_status_from_number(unsigned number);

/* Writes a reason (cut at its size). The arguments may point into why itself. why may be NULL. */
void sp_why_set(struct sp_why *why, const char *fmt, ...) SP_PRINTF(2, 3);

/* Writes a reason and is st, so that "return sp_fail(SP_E_X, why, …)" is one line. A macro, so that the compiler sees which
 * status it is. */
#define sp_fail(st, why, ...) (sp_why_set((why), __VA_ARGS__), sp_status_is(st))
static inline enum sp_status sp_status_is(enum sp_status st) { return st; }

/* The same with errno's text appended; SP_E_SPACE for ENOSPC/EDQUOT, SP_E_NOMEM for ENOMEM, else st. */
enum sp_status sp_fail_errno(enum sp_status st, struct sp_why *why, const char *fmt, ...) SP_PRINTF(3, 4);

#endif
