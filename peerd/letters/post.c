/*
 * post.c - making and freeing the post, and who handles what.
 */
#include "peerd/letters/post.h"

#include "common/base/clock.h"
#include "peerd/letters/post_in.h"

static void
on_letter(void *arg, const struct sp_return *from, struct sp_span bytes)
{
	struct post *p = arg;

	p->counts.in++;
	post_receive(p, from, bytes, false);
}

static void
on_failed(void *arg, const struct sp_addr *addr, enum sp_status st, const struct sp_why *why)
{
	out_tcp_failed(arg, addr, st, why);
}

static enum sp_status
open_box(struct post *p, const struct post_settings *settings, struct sp_why *why)
{
	struct sp_letterbox_conf conf = { .on_letter = on_letter, .on_failed = on_failed, .arg = p };
	enum sp_status st;

	if (settings->bind != NULL && settings->bind[0] != '\0') {
		st = sp_addr_parse(sp_span_str(settings->bind), SP_PORT_COMMAND, &conf.bind[0]);
		if (st != SP_OK)
			return sp_fail(SP_E_CONFIG, why, "\"%s\" is no numeric address to listen on", settings->bind);
		conf.bind[0].port = settings->port;
		return sp_letterbox_new(p->loop, &conf, &p->box, why);
	}
	return sp_letterbox_new_any(p->loop, &conf, settings->port, &p->box, why);
}

enum sp_status
post_new(struct sp_loop *loop, struct member *station, struct book *book, const struct post_settings *settings,
    struct post **ret_post, struct sp_why *why)
{
	SP_AUTO(post) *p = calloc(1, sizeof(*p));
	enum sp_status st;

	if (p == NULL || (p->memory = memory_new()) == NULL ||
	    (p->guard = sp_guard_new(settings->opens)) == NULL)
		return SP_E_NOMEM;
	p->loop = loop;
	p->station = station;
	p->book = book;
	p->silent_to_strangers = settings->silent_to_strangers;
	p->tries = settings->tries != 0 ? settings->tries : SP_LETTER_TRIES;
	p->first_ms = settings->first_ms != 0 ? settings->first_ms : SP_LETTER_FIRST_MS;
	p->tcp_ms = settings->tcp_ms != 0 ? settings->tcp_ms : SP_LETTER_TCP_MS;
	if (!counts_begin(p))
		return SP_E_NOMEM;
	if ((st = sp_resolver_new(loop, &p->resolver, why)) != SP_OK ||
	    (st = open_box(p, settings, why)) != SP_OK)
		return st;
	*ret_post = sp_take(&p);
	return SP_OK;
}

void
post_free(struct post *p)
{
	if (p == NULL)
		return;
	while (p->outs != NULL)
		out_free(p->outs);
	while (p->strangers != NULL)
		stranger_free(p->strangers);
	while (p->ins != NULL)
		in_free(p, p->ins);
	sp_letterbox_free(p->box);
	sp_resolver_free(p->resolver);
	sp_timer_free(p->minute);
	sp_guard_free(p->guard);
	memory_free(p->memory);
	free(p);
}

uint16_t
post_port(const struct post *p)
{
	return sp_letterbox_port(p->box);
}

void
post_on_heard(struct post *p, post_heard_fn *fn, void *arg)
{
	p->heard.fn = fn;
	p->heard.arg = arg;
}

void
post_on(struct post *p, unsigned type, post_handler_fn *fn, void *arg)
{
	if (type >= POST_TYPES)
		return;
	p->handlers[type].fn = fn;
	p->handlers[type].arg = arg;
}

void
post_counts(const struct post *p, struct post_counts *ret_counts)
{
	*ret_counts = p->counts;
}

bool
post_is_loaded(const struct post *p)
{
	return sp_guard_is_loaded(p->guard, sp_clock_boot_ms());
}
