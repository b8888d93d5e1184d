/*
 * log.h - key=value lines on stderr with a <N> level that journald knows. The function that decides logs, once.
 * No keys, no user's file names, no contents.
 */
#ifndef SP_BASE_LOG_H
#define SP_BASE_LOG_H

#include <stdbool.h>
#include <stdint.h>

#include "common/base/status.h"

enum sp_level { SP_LOG_ERR = 3, SP_LOG_WARN = 4, SP_LOG_INFO = 6, SP_LOG_DEBUG = 7 };

/* Program name of every line, and the highest level written (default INFO; SEALPOST_LOG=debug raises it). */
void sp_log_open(const char *program);

/* One line: "<6>2026-…Z peerd event key=value …". event is a fixed word with dashes; the rest is key=value pairs whose
 * foreign parts the caller has made printable. Thread-safe (one write). */
void sp_log(enum sp_level level, const char *event, const char *fmt, ...) SP_PRINTF(3, 4);

/* The common line of a failure: event status=NAME reason="…". */
void sp_log_fail(enum sp_level level, const char *event, enum sp_status st, const struct sp_why *why);

/* A gate for lines that others can cause at will: at most SP_LOG_BURST a minute pass. Zeroes are a fresh gate; one thread. */
struct sp_log_gate {
	uint64_t from_ms;
	unsigned passed, held;
};

/* Whether the next line may be written; ret_held: lines held back since the last one that passed. */
bool sp_log_pass(struct sp_log_gate *gate, unsigned *ret_held);

#endif
