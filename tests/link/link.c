/*
 * link.c - joins two network namespaces by a TUN device in each, with delay, rate, loss and whatever else wire.h knows on the way.
 *
 * link NETNS_A NETNS_B DEVICE [ORDER…]     the namespaces as in /run/netns; each gets a device of that name
 *
 * Says "ready" on standard output, then obeys lines of orders (orders.h) from standard input and answers each with "ok", "error: why"
 * or, for "counts", one line of JSON. Ends, and its devices with it, when standard input does. Addresses are given by whoever calls
 * (tests/office/link.py). One thread; needs root.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <linux/if.h>
#include <linux/if_tun.h>
#include <poll.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/uio.h>
#include <time.h>

#include "common/base/auto.h"
#include "tests/link/orders.h"
#include "tests/link/split.h"
#include "tests/link/wire.h"

#define PACKET_MAX 65536
#define TURN 64				/* packets taken from one device before the other has its turn */
#define ON_THE_WAY_MAX (512u << 20)	/* bytes, both directions: what a delay without a rate may hold */
#define GRAIN_NS 200000			/* packets of one large segment that arrive within this travel on as one */

/* What a device handed over; runs of it refer to it. */
struct parcel {
	unsigned users;
	struct split split;
	struct virtio_net_hdr vnet;
	uint8_t ip[];
};

struct run {
	struct parcel *parcel;
	unsigned first, count, direction;
};

struct link {
	int device[2];		/* direction 0 is from device[0] to device[1] */
	struct wire wires[2];
	struct wire_heap heap;	/* of runs */
	size_t on_the_way;
	uint64_t crowded, refused;	/* packets lost for ON_THE_WAY_MAX; runs that a device did not take */
	uint64_t runs, late_ns, latest_ns;	/* runs delivered, later than due: in sum and at most */
	char line[1024];
	size_t line_length;
};

static uint64_t
now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

static _Noreturn void
die(const char *what, const char *name)
{
	fprintf(stderr, "link: %s %s: %s\n", what, name, strerror(errno));
	exit(1);
}

/* A device in a namespace, not up yet. */
static int
device_in(const char *netns, const char *name)
{
	/* large TCP segments as they are: a packet costs two system calls otherwise, and two thirds of a core at 1 Gbit/s */
	unsigned offload = TUN_F_CSUM | TUN_F_TSO4 | TUN_F_TSO6 | TUN_F_TSO_ECN;
	struct ifreq r = { .ifr_flags = IFF_TUN | IFF_NO_PI | IFF_VNET_HDR };
	SP_AUTO_FD space = -1;
	char path[256];
	int fd;

	snprintf(path, sizeof(path), "/run/netns/%s", netns);
	if ((space = open(path, O_RDONLY | O_CLOEXEC)) < 0 || setns(space, CLONE_NEWNET) != 0)
		die("cannot enter", path);
	if ((fd = open("/dev/net/tun", O_RDWR | O_NONBLOCK | O_CLOEXEC)) < 0)
		die("cannot open", "/dev/net/tun");
	snprintf(r.ifr_name, sizeof(r.ifr_name), "%s", name);
	if (ioctl(fd, TUNSETIFF, &r) != 0 || ioctl(fd, TUNSETOFFLOAD, offload) != 0)
		die("cannot make", name);
	return fd;
}

static void
parcel_unref(struct link *l, struct parcel *p)
{
	if (--p->users > 0)
		return;
	l->on_the_way -= p->split.length;
	free(p);
}

/* ---- in ---- */

/* Puts a run on its way; joins it to the one before if it follows within the grain. */
static void
launch(struct link *l, struct run *r, uint64_t due_ns)
{
	struct run *run = malloc(sizeof(*run));

	if (run == NULL || !wire_heap_push(&l->heap, due_ns, run)) {
		free(run);
		l->crowded += r->count;
		return;
	}
	*run = *r;
	run->parcel->users++;
}

/* Each packet of a parcel meets its fate; neighbours that share it stay together. */
static void
enter(struct link *l, unsigned direction, struct parcel *p)
{
	struct run open = { .parcel = p, .direction = direction };
	uint64_t now = now_ns(), begun_ns = 0, due_ns = 0;

	for (unsigned i = 0; i < p->split.count; i++) {
		struct wire_copy copy[2] = { 0 };
		unsigned copies = wire_pass(&l->wires[direction], now, p->split.protocol, split_bytes(&p->split, i), copy);
		bool joins = copies == 1 && !copy[0].apart && open.count > 0 && copy[0].due_ns - begun_ns < GRAIN_NS;

		if (!joins && open.count > 0) {
			launch(l, &open, due_ns);
			open.count = 0;
		}
		if (copies > 0 && open.count == 0) {
			open.first = i;
			begun_ns = copy[0].due_ns;
		}
		if (copies > 0) {
			open.count++;
			due_ns = copy[0].due_ns;
		}
		if (open.count > 0 && (copies > 1 || copy[0].apart)) {
			launch(l, &open, due_ns);
			open.count = 0;
		}
		for (unsigned c = 1; c < copies; c++)
			launch(l, &(struct run){ .parcel = p, .first = i, .count = 1, .direction = direction }, copy[c].due_ns);
	}
	if (open.count > 0)
		launch(l, &open, due_ns);
}

/* Up to a turn of packets; false if the device had none. */
static bool
take(struct link *l, unsigned direction)
{
	static uint8_t bytes[PACKET_MAX];
	struct virtio_net_hdr vnet;
	struct iovec in[2] = { { &vnet, sizeof(vnet) }, { bytes, sizeof(bytes) } };

	for (unsigned i = 0; i < TURN; i++) {
		ssize_t n = readv(l->device[direction], in, 2);
		size_t length = n < (ssize_t)sizeof(vnet) ? 0 : (size_t)n - sizeof(vnet);
		struct parcel *p;

		if (length == 0)
			return i > 0;
		if (l->on_the_way + length > ON_THE_WAY_MAX || (p = malloc(sizeof(*p) + length)) == NULL) {
			l->crowded++;
			continue;
		}
		*p = (struct parcel){ .users = 1, .vnet = vnet, .split = split_look(&vnet, bytes, length) };
		memcpy(p->ip, bytes, length);
		l->on_the_way += length;
		enter(l, direction, p);
		parcel_unref(l, p);
	}
	return true;
}

/* ---- out ---- */

static void
arrive(struct link *l, struct run *r)
{
	struct wire *w = &l->wires[r->direction];
	struct parcel *p = r->parcel;
	uint8_t headers[SPLIT_HEADERS_MAX];
	struct virtio_net_hdr vnet;
	size_t from, length;

	if (w->set.down) {
		w->counts.dropped += r->count;
	} else {
		split_run(&p->split, &p->vnet, p->ip, r->first, r->count, &vnet, headers, &from, &length);
		if (writev(l->device[1 - r->direction], (struct iovec[]){ { &vnet, sizeof(vnet) },
		    { headers, p->split.headers }, { p->ip + from, length } }, 3) < 0)
			l->refused++;
	}
	parcel_unref(l, p);
	free(r);
}

static void
deliver(struct link *l)
{
	uint64_t now = now_ns();

	for (uint64_t due; (due = wire_heap_due(&l->heap)) <= now;) {
		l->runs++;
		l->late_ns += now - due;
		l->latest_ns = now - due > l->latest_ns ? now - due : l->latest_ns;
		arrive(l, wire_heap_pop(&l->heap));
	}
}

/* ---- orders ---- */

static void
say_counts(const struct link *l)
{
	printf("{");
	for (unsigned i = 0; i < 2; i++) {
		const struct wire_counts *c = &l->wires[i].counts;

		printf("\"%s\": {\"packets\": %" PRIu64 ", \"bytes\": %" PRIu64 ", \"lost\": %" PRIu64 ", \"full\": %" PRIu64
		    ", \"dropped\": %" PRIu64 ", \"doubled\": %" PRIu64 ", \"reordered\": %" PRIu64 "}, ",
		    i == 0 ? "a>b" : "b>a", c->packets, c->bytes, c->lost, c->full, c->dropped, c->doubled, c->reordered);
	}
	printf("\"crowded\": %" PRIu64 ", \"refused\": %" PRIu64 ", \"late_ms\": %.3f, \"latest_ms\": %.3f}\n", l->crowded, l->refused,
	    l->runs > 0 ? (double)l->late_ns / (double)l->runs / 1e6 : 0, (double)l->latest_ns / 1e6);
}

static void
obey(struct link *l, const char *line)
{
	struct sp_why why = { 0 };

	if (strcmp(line, "counts") == 0)
		say_counts(l);
	else if (orders_obey(l->wires, line, &why) == SP_OK)
		printf("ok\n");
	else
		printf("error: %s\n", why.text);
	fflush(stdout);
}

/* False at the end of standard input. */
static bool
listen_to(struct link *l)
{
	ssize_t n = read(STDIN_FILENO, l->line + l->line_length, sizeof(l->line) - 1 - l->line_length);
	char *end;

	if (n <= 0)
		return n < 0 && errno == EINTR;
	l->line_length += (size_t)n;
	l->line[l->line_length] = '\0';
	while ((end = strchr(l->line, '\n')) != NULL) {
		*end++ = '\0';
		obey(l, l->line);
		l->line_length -= (size_t)(end - l->line);
		memmove(l->line, end, l->line_length + 1);
	}
	return l->line_length < sizeof(l->line) - 1;
}

static void
run(struct link *l)
{
	for (;;) {
		struct pollfd p[3] = { { l->device[0], POLLIN, 0 }, { l->device[1], POLLIN, 0 }, { STDIN_FILENO, POLLIN, 0 } };
		uint64_t due = wire_heap_due(&l->heap), now = now_ns(), wait = due > now ? due - now : 0;
		struct timespec t = { (time_t)(wait / 1000000000u), (long)(wait % 1000000000u) };

		if (ppoll(p, 3, due == UINT64_MAX ? NULL : &t, NULL) < 0 && errno != EINTR)
			die("cannot wait", "");
		for (unsigned d = 0; d < 2; d++) {
			if (p[d].revents & POLLIN)
				take(l, d);
			deliver(l);
		}
		if (p[2].revents != 0 && !listen_to(l))
			return;
	}
}

int
main(int argc, char **argv)
{
	struct link l = { 0 };
	struct sp_why why = { 0 };

	if (argc < 4) {
		fprintf(stderr, "usage: link NETNS_A NETNS_B DEVICE [ORDER…]\n");
		return 2;
	}
	for (unsigned i = 0; i < 2; i++) {
		l.device[i] = device_in(argv[1 + i], argv[3]);
		wire_init(&l.wires[i], i + 1);
	}
	for (int i = 4; i < argc; i++)
		if (orders_obey(l.wires, argv[i], &why) != SP_OK) {
			fprintf(stderr, "link: %s\n", why.text);
			return 2;
		}
	/* who measures others must not be late itself */
	prctl(PR_SET_TIMERSLACK, 1);
	setpriority(PRIO_PROCESS, 0, -20);
	printf("ready\n");
	fflush(stdout);
	run(&l);
	while (l.heap.count > 0) {
		struct run *r = wire_heap_pop(&l.heap);

		parcel_unref(&l, r->parcel);
		free(r);
	}
	wire_heap_done(&l.heap);
	close(l.device[0]);
	close(l.device[1]);
	return 0;
}
