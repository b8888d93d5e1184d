/*
 * outgoing.c - HOME/outgoing: a folder for each sending, with what was walked and what was sent of it, so that it can go on
 * after a restart. Made by the walk; removed here.
 */
#include "peerd/events/live.h"

#include <dirent.h>

#include "common/base/fault.h"
#include "common/base/file.h"
#include "common/base/log.h"

/* Worker: removes one folder, or all but those to be kept. */
struct clearing {
	struct sp_work work;
	struct events *all;		/* borrowed */
	struct sp_buf dir;
	bool sweep;
	struct sp_id *keep;		/* owned */
	size_t nkeep;
	uint64_t before_ms;		/* younger ones belong to orders given since */
};

static void
clear_free(struct sp_work *work)
{
	struct clearing *c = (struct clearing *)work;

	sp_buf_done(&c->dir);
	free(c->keep);
	free(c);
}

static void
remove_tree(const char *path)
{
	struct sp_why why;

	if (sp_rmtree(path, &why) != SP_OK)
		sp_log(SP_LOG_WARN, "not-removed", "reason=\"%s\"", why.text);
}

static bool
is_kept(const struct clearing *c, const struct sp_id *id)
{
	if (sp_id_ms(id) >= c->before_ms)
		return true;
	for (size_t i = 0; i < c->nkeep; i++)
		if (sp_id_eq(&c->keep[i], id))
			return true;
	return false;
}

static void
clear_run(struct sp_work *work)
{
	struct clearing *c = (struct clearing *)work;
	struct dirent *e;
	struct sp_id id;
	DIR *dir;

	if (!c->sweep) {
		SP_FAULT("outgoing-remove-before");
		remove_tree(sp_buf_cstr(&c->dir));
		SP_FAULT("outgoing-remove-after");
		return;
	}
	dir = opendir(sp_buf_cstr(&c->dir));
	if (dir == NULL)
		return;
	while ((e = readdir(dir)) != NULL) {
		SP_AUTO_DONE(sp_buf) path = { 0 };

		if (sp_id_parse(e->d_name, &id) != SP_OK || is_kept(c, &id))
			continue;
		sp_buf_addf(&path, "%s/%s", sp_buf_cstr(&c->dir), e->d_name);
		remove_tree(sp_buf_cstr(&path));
	}
	closedir(dir);
}

static struct clearing *
clearing_new(struct events *e)
{
	struct clearing *c = calloc(1, sizeof(*c));

	if (c == NULL)
		return NULL;
	c->work = (struct sp_work){ clear_run, clear_free, clear_free };
	c->all = e;
	return c;
}

/* What cannot be removed now is at the next start. */
static void
submit(struct clearing *c)
{
	if (sp_worker_submit(c->all->files, &c->work) != SP_OK)
		clear_free(&c->work);
}

void
outgoing_dir(const struct events *e, const struct sp_id *id, struct sp_buf *out)
{
	char text[SP_ID_TEXT];

	sp_buf_addf(out, "%s/outgoing/%s", e->conf.home, sp_id_text(id, text));
}

void
outgoing_remove(struct events *e, const struct sp_id *id)
{
	struct clearing *c = clearing_new(e);

	if (c == NULL)
		return;
	outgoing_dir(e, id, &c->dir);
	submit(c);
}

static void
failed_ones(void *arg, enum sp_status st, struct event_row **rows, size_t count)
{
	struct clearing *c = arg;
	uint64_t now = sp_clock_wall_ms();
	struct sp_id *keep = realloc(c->keep, (c->nkeep + count + 1) * sizeof(*c->keep));

	if (keep != NULL)
		c->keep = keep;
	if (st == SP_OK && keep != NULL) {
		for (size_t i = 0; i < count; i++)
			if (rows[i]->kind == EVENT_SEND && rows[i]->until_ms > now)
				c->keep[c->nkeep++] = rows[i]->id;
		submit(c);
	} else {
		clear_free(&c->work);
	}
	event_rows_free(rows, count);
}

void
outgoing_sweep(struct events *e, const struct sp_id *live, size_t count)
{
	struct clearing *c = clearing_new(e);

	if (c == NULL)
		return;
	c->sweep = true;
	c->before_ms = sp_clock_wall_ms();
	sp_buf_addf(&c->dir, "%s/outgoing", e->conf.home);
	c->keep = calloc(count + 1, sizeof(*c->keep));
	if (c->keep != NULL) {
		memcpy(c->keep, live, count * sizeof(*live));
		c->nkeep = count;
	}
	if (c->keep == NULL || store_events_list(e->parts.store, EVENTS_FAILED, 0, SP_STORE_ROWS, failed_ones, c) != SP_OK)
		clear_free(&c->work);
}
