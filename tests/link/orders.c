/*
 * orders.c - words to settings; no word is half understood.
 */
#include "tests/link/orders.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define LINE_MAX_BYTES 1024
#define BETWEEN " \t\r\n"

/* What is left of a line, and why it cannot be obeyed. */
struct reader {
	char *rest;
	struct sp_why *why;
	enum sp_status st;
};

static const char *
word(struct reader *r)
{
	return strtok_r(NULL, BETWEEN, &r->rest);
}

/* A number up to most with one of the units behind it (text pairs: unit, factor); 0 and an error otherwise. */
struct unit {
	const char *name;
	double factor;
};

static double
number(struct reader *r, const char *what, double most, const struct unit *units)
{
	const char *text = word(r);
	char *end = NULL;
	double v = text != NULL ? strtod(text, &end) : NAN;

	for (; end != NULL && units->name != NULL; units++)
		if (strcmp(end, units->name) == 0) {
			v *= units->factor;
			break;
		}
	if (r->st == SP_OK && (end == NULL || end == text || units->name == NULL || !(v >= 0 && v <= most)))
		r->st = sp_fail(SP_E_FORMAT, r->why, "%s is no value for %s", text != NULL ? text : "nothing", what);
	return r->st == SP_OK ? v : 0;
}

static const struct unit plain[] = { { "", 1 }, { NULL, 0 } };
static const struct unit milliseconds[] = { { "", 1e6 }, { "ms", 1e6 }, { NULL, 0 } };
static const struct unit percent[] = { { "", 0.01 }, { "%", 0.01 }, { NULL, 0 } };
static const struct unit bits[] = { { "", 1 }, { "k", 1e3 }, { "M", 1e6 }, { "G", 1e9 }, { NULL, 0 } };
/* a queue in ms comes out negative, so that one number tells both */
static const struct unit queue[] = { { "", 1 }, { "k", 1024 }, { "M", 1024 * 1024 }, { NULL, 0 } };

static uint64_t
time_ns(struct reader *r, const char *what)
{
	return (uint64_t)number(r, what, 3600e9, milliseconds);
}

static double
chance(struct reader *r, const char *what)
{
	return number(r, what, 1, percent);
}

static void
set_queue(struct reader *r, struct wire_settings *s)
{
	const char *text = r->rest + strspn(r->rest, BETWEEN);
	size_t n = strcspn(text, BETWEEN);

	s->queue_ns = s->queue_bytes = 0;
	if (n > 2 && memcmp(text + n - 2, "ms", 2) == 0)
		s->queue_ns = time_ns(r, "queue");
	else
		s->queue_bytes = (uint64_t)number(r, "queue", 1e12, queue);
}

static void
set_drop(struct reader *r, struct wire_settings *s)
{
	static const char *const names[] = { "nothing", "udp", "tcp", "all" };
	const char *text = word(r);

	for (size_t i = 0; text != NULL && i < sizeof(names) / sizeof(names[0]); i++)
		if (strcmp(text, names[i]) == 0) {
			s->drop = (enum wire_drop)i;
			return;
		}
	r->st = sp_fail(SP_E_FORMAT, r->why, "drop takes nothing, udp, tcp or all");
}

static void
obey(struct reader *r, struct wire *w, const char *order)
{
	struct wire_settings *s = &w->set;

	if (strcmp(order, "delay") == 0)
		s->delay_ns = time_ns(r, order);
	else if (strcmp(order, "jitter") == 0)
		s->jitter_ns = time_ns(r, order);
	else if (strcmp(order, "rate") == 0)
		s->rate_bit_s = (uint64_t)number(r, order, 1e12, bits);
	else if (strcmp(order, "queue") == 0)
		set_queue(r, s);
	else if (strcmp(order, "loss") == 0)
		s->loss = chance(r, order);
	else if (strcmp(order, "bursts") == 0) {
		s->burst_enter = chance(r, order);
		s->burst_leave = chance(r, order);
		s->burst_loss = chance(r, order);
		w->bad = false;
	} else if (strcmp(order, "duplicate") == 0)
		s->doubled = chance(r, order);
	else if (strcmp(order, "reorder") == 0) {
		s->reordered = chance(r, order);
		s->reorder_ns = time_ns(r, order);
	} else if (strcmp(order, "drop") == 0)
		set_drop(r, s);
	else if (strcmp(order, "seed") == 0)
		w->chance = (uint64_t)number(r, order, 0x1p53, plain);
	else if (strcmp(order, "down") == 0 || strcmp(order, "up") == 0)
		s->down = order[0] == 'd';
	else if (strcmp(order, "perfect") == 0) {
		struct wire fresh;

		wire_init(&fresh, w->chance);
		fresh.counts = w->counts;
		*w = fresh;
	} else
		r->st = sp_fail(SP_E_FORMAT, r->why, "there is no order %s", order);
}

/* The line for one wire. */
static enum sp_status
obey_line(struct wire *w, const char *line, struct sp_why *why)
{
	char copy[LINE_MAX_BYTES];
	struct reader r = { .rest = copy, .why = why };
	struct wire new = *w;
	const char *order;

	if (strlen(line) >= sizeof(copy))
		return sp_fail(SP_E_RANGE, why, "a line of orders has at most %d bytes", LINE_MAX_BYTES);
	strcpy(copy, line);
	while (r.st == SP_OK && (order = word(&r)) != NULL)
		obey(&r, &new, order);
	if (r.st == SP_OK)
		*w = new;
	return r.st;
}

enum sp_status
orders_obey(struct wire wires[2], const char *line, struct sp_why *why)
{
	enum sp_status st;

	line += strspn(line, BETWEEN);
	if (strncmp(line, "a>b ", 4) == 0)
		return obey_line(&wires[0], line + 4, why);
	if (strncmp(line, "b>a ", 4) == 0)
		return obey_line(&wires[1], line + 4, why);
	/* what one understands the other does, too */
	st = obey_line(&wires[0], line, why);
	return st == SP_OK ? obey_line(&wires[1], line, why) : st;
}
