/*
 * letter_again.c - says once more what was said: opens letters of one station to another and seals what is in them anew, under a
 * new id and with the time of now, so that the handler runs again. For tests that have the folders of both.
 *
 * letter_again SENDERDIR RECIPIENTDIR PORT FILE…
 *	Folders as member_open() takes them; FILE: a datagram as it was sent. An answer to another letter is passed over.
 *
 * Prints a line for each letter: its message, then that of its answer, with the status where it is an ANSWER; or silence.
 */
#include <stdio.h>

#include "common/base/clock.h"
#include "common/base/file.h"
#include "common/base/text.h"
#include "common/member/member.h"
#include "common/net/letterbox.h"
#include "common/wire/letter.h"

#define AGAIN_MS 400
#define TRIES 8

struct tool {
	char **file;			/* the next one */
	struct sp_loop *loop;
	struct member *sender, *recipient;
	struct sp_letterbox *box;
	struct sp_timer *timer;
	struct sp_addr to;
	struct sp_letter_key receiver;
	struct sp_id open;		/* the letter that waits for its answer */
	struct sp_buf letter;
	unsigned tries;
	struct sp_why why;
};

static void
must(const struct tool *t, enum sp_status st)
{
	if (st == SP_OK)
		return;
	printf("%s %s\n", sp_status_name(st), t->why.text);
	exit(2);
}

static void
post(struct tool *t)
{
	must(t, sp_letterbox_send(t->box, &t->to, sp_buf_span(&t->letter)));
	sp_timer_set(t->timer, AGAIN_MS);
}

/* false: there was nothing to ask in it. */
static bool
say_again(struct tool *t, const char *path)
{
	SP_AUTO_DONE(sp_buf) bytes = { 0 }, text = { .secret = true };
	struct sp_letter letter;
	struct sp_letter_head head = { .id = sp_id_new(), .time_ms = sp_clock_wall_ms() };
	uint64_t msg[512];

	must(t, sp_file_read(path, SP_LETTER_MAX, &bytes, &t->why));
	must(t, sp_letter_open(member_letter_pair(t->recipient), sp_buf_span(&bytes), &text, &letter));
	if (!sp_id_is_zero(&letter.head.answers))
		return false;
	must(t, letter.desc != NULL && letter.desc->size <= sizeof(msg) ? SP_OK : SP_E_UNKNOWN);
	must(t, sp_decode(letter.desc, letter.body, msg, &t->why));
	sp_buf_clear(&t->letter);
	must(t, sp_letter_seal(member_letter_pair(t->sender), &t->receiver, &head, letter.desc, msg, &t->letter, &t->why));
	printf("%s ", letter.desc->name);
	t->open = head.id;
	t->tries = 0;
	post(t);
	return true;
}

static void
next(struct tool *t)
{
	while (*t->file != NULL)
		if (say_again(t, *t->file++))
			return;
	sp_loop_stop(t->loop);
}

static void
on_timer(void *arg)
{
	struct tool *t = arg;

	if (++t->tries < TRIES) {
		post(t);
		return;
	}
	puts("silence");
	next(t);
}

static void
on_letter(void *arg, const struct sp_return *from, struct sp_span bytes)
{
	struct tool *t = arg;
	SP_AUTO_DONE(sp_buf) text = { .secret = true };
	struct sp_letter letter;
	struct sp_msg_answer plain;

	(void)from;
	if (sp_letter_open(member_letter_pair(t->sender), bytes, &text, &letter) != SP_OK || letter.desc == NULL ||
	    !sp_id_eq(&letter.head.answers, &t->open))
		return;
	sp_timer_stop(t->timer);
	t->open = (struct sp_id){ { 0 } };
	printf("%s", letter.desc->name);
	if (letter.type == SP_MSG_ANSWER) {
		must(t, sp_decode(letter.desc, letter.body, &plain, &t->why));
		printf(" %s", sp_status_name(sp_status_from_number(plain.status)));
	}
	puts("");
	next(t);
}

int
main(int argc, char **argv)
{
	struct tool t = { .file = argv + 4 };
	struct sp_letterbox_conf conf = { .on_letter = on_letter, .arg = &t };
	uint64_t port;

	if (argc < 5 || sp_loop_new(&t.loop, &t.why) != SP_OK)
		return 2;
	must(&t, member_open(t.loop, argv[1], SP_ROLE_STATION, &t.sender, &t.why));
	must(&t, member_open(t.loop, argv[2], SP_ROLE_STATION, &t.recipient, &t.why));
	must(&t, sp_parse_u64(sp_span_str(argv[3]), UINT16_MAX, &port));
	sp_letter_key_init(&t.receiver, member_identity(t.recipient)->letter_key);
	must(&t, sp_addr_parse(sp_span_str("127.0.0.1"), (uint16_t)port, &t.to));
	conf.bind[0] = t.to;
	conf.bind[0].port = 0;
	must(&t, sp_letterbox_new(t.loop, &conf, &t.box, &t.why));
	if ((t.timer = sp_timer_new(t.loop, on_timer, &t)) == NULL)
		return 2;
	next(&t);
	if (sp_loop_run(t.loop) != SP_OK)
		return 2;
	sp_letterbox_free(t.box);
	sp_timer_free(t.timer);
	sp_buf_done(&t.letter);
	member_free(t.recipient);
	member_free(t.sender);
	sp_loop_free(t.loop);
	return 0;
}
