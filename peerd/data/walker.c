/*
 * walker.c - a walk as a job: everything that it needs is copied, for whoever asked may be gone when it ends.
 */
#include "peerd/data/walker.h"

#include <string.h>

struct job {
	struct sp_work work;		/* first */
	data_happening_fn *fn;
	void *arg;
	struct data_happening h;	/* result is owned */
	char **paths;			/* owned, as they are themselves */
	size_t count;
	struct sp_manifest_head head;	/* its texts are owned */
	char *folder;			/* owned; NULL = the source is not kept */
};

static void
job_free(struct job *j)
{
	for (size_t i = 0; j->paths != NULL && i < j->count; i++)
		free(j->paths[i]);
	free(j->paths);
	free((char *)j->head.person);
	free((char *)j->head.station);
	free((char *)j->head.organisation);
	free((char *)j->head.title);
	free((char *)j->head.message);
	free(j->folder);
	data_result_free(j->h.result);
	free(j);
}

/* What was offered once stays what it was; only what was never kept whole is walked. */
static enum sp_status
make_source(struct job *j, struct source **ret_source)
{
	enum sp_status st = SP_E_NOTFOUND;

	if (j->folder != NULL)
		st = source_load(j->folder, ret_source, &j->h.why);
	if (st != SP_E_NOTFOUND)
		return st;
	st = source_walk((const char *const *)j->paths, j->count, &j->head, ret_source, &j->h.why);
	return st == SP_OK && j->folder != NULL ? source_save(*ret_source, j->folder, &j->h.why) : st;
}

static void
run(struct sp_work *work)
{
	struct job *j = (struct job *)work;
	struct data_result *r = calloc(1, sizeof(*r));

	j->h.status = SP_E_NOMEM;
	if (r != NULL)
		j->h.status = make_source(j, &r->source);
	if (j->h.status == SP_OK) {
		source_manifest_hash(r->source, &r->manifest_hash);
		j->h.result = sp_take(&r);
	}
	data_result_free(r);
}

static void
done(struct sp_work *work)
{
	struct job *j = (struct job *)work;

	j->fn(j->arg, &j->h);
	job_free(j);
}

static void
dropped(struct sp_work *work)
{
	job_free((struct job *)work);
}

static bool
copy_text(const char *from, const char **to)
{
	if (from == NULL)
		return true;
	*to = strdup(from);
	return *to != NULL;
}

static bool
fill(struct job *j, const char *const *paths, size_t count, const struct sp_manifest_head *head)
{
	j->head.kind = head->kind;
	memcpy(j->head.salt, head->salt, sizeof(j->head.salt));
	j->paths = calloc(count > 0 ? count : 1, sizeof(*j->paths));
	if (j->paths == NULL || !copy_text(head->person, &j->head.person) ||
	    !copy_text(head->station, &j->head.station) || !copy_text(head->organisation, &j->head.organisation) ||
	    !copy_text(head->title, &j->head.title) || !copy_text(head->message, &j->head.message))
		return false;
	for (j->count = 0; j->count < count; j->count++)
		if ((j->paths[j->count] = strdup(paths[j->count])) == NULL)
			return false;
	return true;
}

enum sp_status
data_walker_submit(struct sp_worker *worker, data_happening_fn *fn, void *arg, const struct sp_id *transfer,
    uint64_t generation, const char *const *paths, size_t count, const struct sp_manifest_head *head, const char *folder)
{
	struct job *j = calloc(1, sizeof(*j));
	enum sp_status st = SP_E_NOMEM;

	if (j == NULL)
		return st;
	j->work = (struct sp_work){ .run = run, .done = done, .dropped = dropped };
	j->fn = fn;
	j->arg = arg;
	j->h = (struct data_happening){ .what = DATA_WALKED, .transfer = *transfer, .sending = true,
	    .generation = generation };
	if (copy_text(folder, (const char **)&j->folder) && fill(j, paths, count, head))
		st = sp_worker_submit(worker, &j->work);
	if (st != SP_OK)
		job_free(j);
	return st;
}
