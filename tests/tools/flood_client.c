/*
 * flood_client.c - floods a letter port, from many addresses of the loopback network, and counts what comes back.
 *
 * flood_client DIR ROLE HOST:PORT LETTERS [REPLAYS]
 *	DIR, ROLE: of the station or service that is flooded, for its certificate. REPLAYS: a file of letters to it as they were
 *	seen on their way, each behind its length (u16), which are played again.
 *	By turns: garbage; the right form with a wrong mac1; right macs and nothing that opens, of nobody and in the names that
 *	the replays have; whole letters of strangers, of which 64 are sealed, PING and OFFER; replays, a quarter of all.
 * Prints "sent N letters, N bytes; came back N letters, N bytes; addresses that got more than sent: N".
 */
#include <errno.h>
#include <stdio.h>
#include <sys/socket.h>

#include "common/base/clock.h"
#include "common/base/cursor.h"
#include "common/base/file.h"
#include "common/base/text.h"
#include "common/crypto/hash.h"
#include "common/crypto/rand.h"
#include "common/member/member.h"
#include "common/net/addr.h"
#include "common/net/loop.h"
#include "common/wire/letter.h"

#define SOCKETS 256		/* addresses: 127.3.N.1 */
#define SEALED 64
#define REPLAYS 256
#define PACE 64			/* letters between two looks at what came back */

static struct {
	int fd[SOCKETS];
	uint64_t out[SOCKETS], in[SOCKETS];
	uint64_t letters_out, letters_in;
	struct sp_letter_key key;
	struct sockaddr_storage to;
	socklen_t to_len;
	struct sp_buf strangers[SEALED], replays;
	struct sp_span seen[REPLAYS];	/* borrowed from replays */
	size_t nseen;
	uint8_t garbage[SP_LETTER_MAX];
} flood;

static _Noreturn void
die(const char *what, const struct sp_why *why)
{
	fprintf(stderr, "flood_client: %s: %s\n", what, why != NULL ? why->text : strerror(errno));
	exit(2);
}

static void
open_sockets(const struct sp_addr *target)
{
	for (size_t i = 0; i < SOCKETS; i++) {
		struct sp_addr at = { .family = target->family, .ip = { 127, 3, (uint8_t)i, 1 } };
		struct sockaddr_storage ss;
		socklen_t len;

		if (at.family == 6)
			memcpy(at.ip, target->ip, sizeof(at.ip));
		len = sp_addr_to_sockaddr(&at, &ss);
		flood.fd[i] = socket(ss.ss_family, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
		if (flood.fd[i] < 0 || bind(flood.fd[i], (struct sockaddr *)&ss, len) != 0)
			die("no socket", NULL);
	}
	flood.to_len = sp_addr_to_sockaddr(target, &flood.to);
}

static void
seal_strangers(void)
{
	for (size_t i = 0; i < SEALED; i++) {
		const struct sp_letter_head head = { .id = sp_id_new(), .time_ms = sp_clock_wall_ms(), .pad_to = SP_LETTER_QUESTION };
		const struct sp_span statement = sp_span(flood.garbage, 400);
		const struct sp_msg_ping ping = { 0 };
		const struct sp_msg_offer_letter offer = { .statement = statement, .signature = sp_span(flood.garbage, 64),
			.title = sp_span_str("An offer"), .title_salt = sp_span(flood.garbage, 16) };
		const unsigned type = i % 2 == 0 ? SP_MSG_PING : SP_MSG_OFFER_LETTER;
		struct sp_x25519_pair pair;

		if (sp_x25519_new(&pair) != SP_OK || sp_letter_seal(&pair, &flood.key, &head, sp_desc_msg(type),
		    type == SP_MSG_PING ? (const void *)&ping : &offer, &flood.strangers[i], NULL) != SP_OK)
			die("no letter", NULL);
	}
}

static void
read_replays(const char *path)
{
	struct sp_why why = { "" };
	struct sp_cursor c;

	if (sp_file_read(path, REPLAYS * (SP_LETTER_MAX + 2), &flood.replays, &why) != SP_OK)
		die(path, &why);
	c = sp_cursor(sp_buf_span(&flood.replays));
	while (sp_cursor_left(&c) > 0 && flood.nseen < REPLAYS)
		flood.seen[flood.nseen++] = sp_cursor_bytes(&c, sp_cursor_u16(&c));
	if (sp_cursor_end(&c) != SP_OK || flood.nseen == 0 || flood.seen[0].n < SP_LETTER_OVER)
		die("no letters in REPLAYS", &why);
}

/* What mac1 proves, over bytes that open to nothing. named: a sender that was seen, if one was. */
static struct sp_span
forge(bool right, bool named, unsigned number)
{
	uint8_t *g = flood.garbage, mac[32];
	const size_t n = SP_LETTER_QUESTION;

	g[0] = SP_LETTER_VERSION;
	g[1] = SP_LETTER_SEALED;
	memcpy(g + 2, flood.key.id, sizeof(flood.key.id));
	memcpy(g + 10, &number, sizeof(number));
	if (named && flood.nseen > 0)
		memcpy(g + 10, flood.seen[0].p + 10, SP_X25519);
	memcpy(g + 10 + SP_X25519, &number, sizeof(number));
	sp_hmac(sp_span(flood.key.mac, 32), sp_span(g, n - SP_LETTER_MACS), mac);
	mac[0] ^= right ? 0 : 1;
	memcpy(g + n - SP_LETTER_MACS, mac, 16);
	return sp_span(g, n);
}

static struct sp_span
letter(unsigned number)
{
	switch (number % 8) {
	case 0:
		flood.garbage[0] = (uint8_t)number;
		return sp_span(flood.garbage, 1 + number % SP_LETTER_MAX);
	case 1:
	case 2:
		return forge(false, false, number);
	case 3:
		return forge(true, false, number);
	case 4:
		return forge(true, true, number);
	case 5:
		return sp_buf_span(&flood.strangers[number / 8 % SEALED]);
	default:
		return flood.nseen > 0 ? flood.seen[number / 8 % flood.nseen] : forge(true, false, number);
	}
}

static void
look(void)
{
	uint8_t bytes[2048];
	ssize_t n;

	for (size_t i = 0; i < SOCKETS; i++)
		while ((n = recv(flood.fd[i], bytes, sizeof(bytes), 0)) > 0) {
			flood.in[i] += (uint64_t)n;
			flood.letters_in++;
		}
}

static void
run(unsigned letters)
{
	for (unsigned i = 0; i < letters; i++) {
		struct sp_span bytes = letter(i);
		size_t at = i % SOCKETS;

		/* what does not fit the socket's buffer was never sent */
		if (sendto(flood.fd[at], bytes.p, bytes.n, 0, (struct sockaddr *)&flood.to, flood.to_len) == (ssize_t)bytes.n) {
			flood.out[at] += bytes.n;
			flood.letters_out++;
		}
		if (i % PACE == 0)
			look();
	}
	usleep(300 * 1000);
	look();
}

static void
tell(void)
{
	uint64_t out = 0, in = 0;
	unsigned more = 0;

	for (size_t i = 0; i < SOCKETS; i++) {
		out += flood.out[i];
		in += flood.in[i];
		more += flood.in[i] > flood.out[i];
	}
	printf("sent %llu letters, %llu bytes; came back %llu letters, %llu bytes; addresses that got more than sent: %u\n",
	    (unsigned long long)flood.letters_out, (unsigned long long)out, (unsigned long long)flood.letters_in,
	    (unsigned long long)in, more);
}

int
main(int argc, char **argv)
{
	struct sp_loop *loop = NULL;
	struct member *member = NULL;
	struct sp_addr target;
	struct sp_why why = { "" };

	if (argc < 5 || sp_addr_parse(sp_span_str(argv[3]), SP_PORT_COMMAND, &target) != SP_OK) {
		fprintf(stderr, "usage: flood_client DIR ROLE HOST:PORT LETTERS [REPLAYS]\n");
		return 2;
	}
	if (sp_loop_new(&loop, &why) != SP_OK ||
	    member_open(loop, argv[1], sp_role_from_text(sp_span_str(argv[2])), &member, &why) != SP_OK)
		die(argv[1], &why);
	if (argc > 5)
		read_replays(argv[5]);
	sp_letter_key_init(&flood.key, member_letter_pair(member)->public_key);
	sp_random(flood.garbage, sizeof(flood.garbage));
	open_sockets(&target);
	seal_strangers();
	run((unsigned)atoi(argv[4]));
	tell();
	sp_buf_done(&flood.replays);
	member_free(member);
	sp_loop_free(loop);
	return 0;
}
