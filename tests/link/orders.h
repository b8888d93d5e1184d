/*
 * orders.h - what a link is told, in words: "delay 50 rate 1G queue 50ms", "a>b loss 30", "b>a drop udp", "down".
 */
#ifndef SP_TESTS_LINK_ORDERS_H
#define SP_TESTS_LINK_ORDERS_H

#include "common/base/status.h"
#include "tests/link/wire.h"

/* Any number of orders in one line, for both directions (wires[0] is a>b) or the one that stands first; all of them or none:
 *   delay MS   jitter MS   rate BITS[k|M|G]   queue BYTES[k|M]|TIMEms   loss %   bursts ENTER% LEAVE% LOSS%
 *   duplicate %   reorder % MS   drop nothing|udp|tcp|all   seed NUMBER   down   up   perfect (all as at first) */
SP_MUST_CHECK enum sp_status orders_obey(struct wire wires[2], const char *line, struct sp_why *why);

#endif
