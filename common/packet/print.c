/*
 * print.c - one file's fingerprint: its two forms, its text, and computing it as the bytes pass.
 */
#include <stdatomic.h>
#include <stdlib.h>

#include "common/base/limits.h"
#include "common/base/text.h"
#include "common/crypto/hash.h"
#include "common/crypto/sha256_lanes.h"
#include "common/packet/prints.h"

#define WHOLE "sha256:"
#define BLOCKS "sha256-1m:"

bool
sp_print_eq(const struct sp_print *a, const struct sp_print *b)
{
	return a->state == b->state && (a->state != SP_PRINT_HASH || sp_hash_eq(&a->hash, &b->hash));
}

bool
sp_print_by_blocks(uint64_t size)
{
	return size > SP_PRINT_WHOLE_MAX;
}

const char *
sp_print_text(const struct sp_print *print, uint64_t size, char out[SP_PRINT_TEXT])
{
	const char *form = sp_print_by_blocks(size) ? BLOCKS : WHOLE;

	if (print->state != SP_PRINT_HASH)
		return strcpy(out, print->state == SP_PRINT_CHANGED ? "changed" : "none");
	strcpy(out, form);
	sp_hex(print->hash.b, sizeof(print->hash.b), out + strlen(form));
	return out;
}

enum sp_status
sp_print_parse(struct sp_span text, uint64_t size, struct sp_print *ret_print)
{
	const char *form = sp_print_by_blocks(size) ? BLOCKS : WHOLE;
	struct sp_print print = { .state = SP_PRINT_HASH };
	size_t n = strlen(form);

	if (sp_span_eq(text, sp_span_str("changed"))) {
		*ret_print = (struct sp_print){ .state = SP_PRINT_CHANGED };
		return SP_OK;
	}
	if (text.n <= n || memcmp(text.p, form, n) != 0 ||
	    sp_unhex((const char *)text.p + n, text.n - n, print.hash.b, sizeof(print.hash.b)) != SP_OK)
		return SP_E_FORMAT;
	*ret_print = print;
	return SP_OK;
}

struct sp_printer {
	struct sp_hasher *bytes;	/* owned: the file's, or the block's that is begun, if none are held */
	struct sp_hasher *digests;	/* owned: of the blocks' digests */
	void (*on_block)(void *arg, uint64_t block, const struct sp_hash *digest);
	void *arg;
	uint64_t size;
	uint64_t at;
	bool beyond;			/* more came than the size */
	uint8_t *held;			/* owned: blocks that are to be hashed together; NULL = each is hashed as it passes */
	size_t nheld;			/* bytes, up to at; they begin with a block */
};

static atomic_uint holders;		/* printers that hold blocks */

static size_t
held_max(void)
{
	return sp_sha256_lanes() * SP_PRINT_BLOCK;
}

/* Without memory for it there is still the other way. */
static void
hold(struct sp_printer *p)
{
	if (p->held != NULL || sp_sha256_lanes() == 1)
		return;
	if (atomic_fetch_add(&holders, 1) >= SP_PRINT_HELD || (p->held = malloc(held_max())) == NULL)
		atomic_fetch_sub(&holders, 1);
}

static void
let_go(struct sp_printer *p)
{
	if (p->held == NULL)
		return;
	free(sp_take(&p->held));
	atomic_fetch_sub(&holders, 1);
}

struct sp_printer *
sp_printer_new(void)
{
	SP_AUTO(sp_printer) *p = calloc(1, sizeof(*p));

	if (p == NULL || (p->bytes = sp_hasher_new()) == NULL || (p->digests = sp_hasher_new()) == NULL)
		return NULL;
	sp_printer_reset(p, 0);
	return sp_take(&p);
}

void
sp_printer_free(struct sp_printer *p)
{
	if (p == NULL)
		return;
	let_go(p);
	sp_hasher_free(p->bytes);
	sp_hasher_free(p->digests);
	free(p);
}

void
sp_printer_on_block(struct sp_printer *p, void (*fn)(void *arg, uint64_t block, const struct sp_hash *digest),
    void *arg)
{
	p->on_block = fn;
	p->arg = arg;
}

void
sp_printer_reset(struct sp_printer *p, uint64_t size)
{
	p->size = size;
	p->at = 0;
	p->beyond = false;
	p->nheld = 0;
	if (sp_print_by_blocks(size))
		hold(p);
	else
		let_go(p);
	sp_hasher_reset(p->bytes);
	sp_hasher_reset(p->digests);
}

static void
add_digest(struct sp_printer *p, uint64_t block, const struct sp_hash *digest)
{
	sp_hasher_add(p->digests, digest->b, sizeof(digest->b));
	if (p->on_block != NULL)
		p->on_block(p->arg, block, digest);
}

/* The block that ends at p->at is whole, or the file's last. */
static void
end_block(struct sp_printer *p)
{
	struct sp_hash digest;

	sp_hasher_end(p->bytes, &digest);
	sp_hasher_reset(p->bytes);
	add_digest(p, (p->at - 1) / SP_PRINT_BLOCK, &digest);
}

/* All that are held; a part of a block among them is the file's last. */
static void
end_held(struct sp_printer *p)
{
	uint64_t first = (p->at - p->nheld) / SP_PRINT_BLOCK;
	size_t whole = p->nheld / SP_PRINT_BLOCK, rest = p->nheld % SP_PRINT_BLOCK;
	struct sp_hash digests[SP_SHA256_LANES_MAX + 1];

	sp_sha256_each(p->held, SP_PRINT_BLOCK, whole, digests);
	if (rest > 0)
		sp_sha256(sp_span(p->held + whole * SP_PRINT_BLOCK, rest), &digests[whole]);
	for (size_t i = 0; i < whole + (rest > 0); i++)
		add_digest(p, first + i, &digests[i]);
	p->nheld = 0;
}

static void
add_held(struct sp_printer *p, const uint8_t *bytes, size_t n)
{
	while (n > 0) {
		size_t room = held_max() - p->nheld, some = n < room ? n : room;

		memcpy(p->held + p->nheld, bytes, some);
		p->nheld += some;
		p->at += some;
		bytes += some;
		n -= some;
		if (some == room)
			end_held(p);
	}
}

void
sp_printer_add(struct sp_printer *p, const void *bytes, size_t n)
{
	const uint8_t *from = bytes;

	if (n > p->size - p->at) {
		p->beyond = true;
		n = (size_t)(p->size - p->at);
	}
	if (p->held != NULL) {
		add_held(p, from, n);
		return;
	}
	while (n > 0) {
		size_t some = n, left = (size_t)(SP_PRINT_BLOCK - p->at % SP_PRINT_BLOCK);

		if (sp_print_by_blocks(p->size) && some > left)
			some = left;
		sp_hasher_add(p->bytes, from, some);
		p->at += some;
		from += some;
		n -= some;
		if (sp_print_by_blocks(p->size) && p->at % SP_PRINT_BLOCK == 0)
			end_block(p);
	}
}

enum sp_status
sp_printer_add_block(struct sp_printer *p, const struct sp_hash *digest)
{
	if (!sp_print_by_blocks(p->size) || p->at % SP_PRINT_BLOCK != 0 || p->size - p->at < SP_PRINT_BLOCK)
		return SP_E_STATE;
	if (p->nheld > 0)
		end_held(p);
	sp_hasher_add(p->digests, digest->b, sizeof(digest->b));
	p->at += SP_PRINT_BLOCK;
	return SP_OK;
}

uint64_t
sp_printer_at(const struct sp_printer *p)
{
	return p->at;
}

enum sp_status
sp_printer_end(struct sp_printer *p, struct sp_print *ret_print)
{
	struct sp_print print = { .state = SP_PRINT_HASH };
	bool blocks = sp_print_by_blocks(p->size);

	if (p->at != p->size || p->beyond)
		return SP_E_SIZE;
	if (p->nheld > 0)
		end_held(p);
	else if (blocks && p->held == NULL && p->at % SP_PRINT_BLOCK != 0)
		end_block(p);
	sp_hasher_end(blocks ? p->digests : p->bytes, &print.hash);
	*ret_print = print;
	return SP_OK;
}
