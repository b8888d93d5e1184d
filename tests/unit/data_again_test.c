/*
 * data_again_test.c - reading again what lies there from before a break may take long: what is under way on the same thread goes on
 * meanwhile, and what is ended meanwhile ends. A journal that is a pipe is one whose reading takes as long as a test wants.
 */
#include <sys/stat.h>

#include "tests/unit/data_in_test.h"

static char pipe_path[256];

static void
make_stage(void)
{
	stage_threads = 1;
	stage_new(0);
	tree_text("small", "a few bytes");
	tree_file("long", tree_dir, sizeof(tree_dir), 0644);
}

static void
on_look(void *arg)
{
	(void)arg;
	sp_loop_stop(loop);
}

/* A transfer that is connected and waits for its payment. */
static struct pair *
held(void)
{
	struct pair *p = agree(walk("long"));
	struct sp_timer *look = sp_timer_new(loop, on_look, NULL);

	p->receive.hold = true;
	expect(p);
	ck_status(data_send(alice, &p->send), SP_OK);
	while (p->connected < 2) {
		sp_timer_set(look, 5);
		ck_status(sp_loop_run(loop), SP_OK);
	}
	sp_timer_free(look);
	return p;
}

static void
make_pipe(const char *folder, const char *name, const char *ending)
{
	ck_status(sp_mkdirs(folder, 0700, &why), SP_OK);
	snprintf(pipe_path, sizeof(pipe_path), "%s/%s%s", folder, name, ending);
	ck_assert_int_eq(mkfifo(pipe_path, 0600), 0);
}

/* Whoever reads the journal finds nothing in it. */
static void
let_go(void)
{
	int fd = open(pipe_path, O_WRONLY);

	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(unlink(pipe_path), 0);
	close(fd);
}

/* A recipient's, about to be read. */
static struct pair *
reads_again(void)
{
	struct pair *p = agree(walk("small"));
	char folder[256], id[SP_ID_TEXT];

	snprintf(folder, sizeof(folder), "%s/.incoming", received_dir);
	make_pipe(folder, sp_id_text(&p->id, id), PLACE_DIGESTS);
	expect(p);
	return p;
}

static void
go_on(struct pair *p)
{
	ck_status(data_release(bob, &p->id, 7), SP_OK);
	wait_for(2);
	check_delivered(p);
}

START_TEST(rx05_others_go_on_while_a_recipient_reads_again_what_it_holds)
{
	struct pair *other, *p;

	make_stage();
	other = held();
	p = reads_again();
	go_on(other);
	ck_assert(!p->received);
	let_go();
	ck_status(data_send(alice, &p->send), SP_OK);
	wait_for(2);
	check_delivered(p);
	stage_done();
}
END_TEST

START_TEST(rx05_others_go_on_while_a_sender_reads_again_what_it_sent)
{
	struct pair *other, *p;
	char folder[256];

	make_stage();
	other = held();
	p = agree(walk("small"));
	snprintf(folder, sizeof(folder), "%s", tree_path("outgoing"));
	p->send.folder = folder;
	p->send.held = 1;
	make_pipe(p->send.folder, "digests", "");
	expect(p);
	ck_status(data_send(alice, &p->send), SP_OK);
	go_on(other);
	ck_assert(!p->sent && !p->received);
	let_go();
	wait_for(2);
	check_delivered(p);
	stage_done();
}
END_TEST

START_TEST(what_is_ended_while_it_is_read_again_ends)
{
	struct pair *other, *p;

	make_stage();
	other = held();
	p = reads_again();
	data_abort(bob, &p->id, false, SP_E_CANCELLED);
	go_on(other);
	ck_assert(!p->received);
	let_go();
	wait_for(1);
	ck_status(p->received_status, SP_E_CANCELLED);
	source_free(p->send.source);
	stage_done();
}
END_TEST

UNIT_MAIN("data/again", rx05_others_go_on_while_a_recipient_reads_again_what_it_holds,
    rx05_others_go_on_while_a_sender_reads_again_what_it_sent, what_is_ended_while_it_is_read_again_ends)
