/*
 * inodes.c - a hash table of (device, inode).
 */
#include "common/base/inodes.h"

#define FIRST_SLOTS 256

static struct sp_inode *
find(const struct sp_inodes *t, uint64_t dev, uint64_t ino)
{
	uint64_t h = (ino ^ (dev << 32 | dev >> 32)) * 0x9e3779b97f4a7c15ull;
	size_t i = (size_t)(h >> 20) & (t->nslots - 1);

	while (t->slots[i].used && (t->slots[i].ino != ino || t->slots[i].dev != dev))
		i = (i + 1) & (t->nslots - 1);
	return &t->slots[i];
}

static enum sp_status
grow(struct sp_inodes *t)
{
	struct sp_inodes larger = { .nslots = t->nslots == 0 ? FIRST_SLOTS : t->nslots * 2, .count = t->count };

	larger.slots = calloc(larger.nslots, sizeof(*larger.slots));
	if (larger.slots == NULL)
		return SP_E_NOMEM;
	for (size_t i = 0; i < t->nslots; i++)
		if (t->slots[i].used)
			*find(&larger, t->slots[i].dev, t->slots[i].ino) = t->slots[i];
	free(t->slots);
	*t = larger;
	return SP_OK;
}

enum sp_status
sp_inodes_meet(struct sp_inodes *t, uint64_t dev, uint64_t ino, uint32_t number, bool *ret_known,
    uint32_t *ret_number)
{
	struct sp_inode *slot;
	enum sp_status st;

	if (t->count * 2 >= t->nslots && (st = grow(t)) != SP_OK)
		return st;
	slot = find(t, dev, ino);
	*ret_known = slot->used;
	if (!slot->used) {
		*slot = (struct sp_inode){ .dev = dev, .ino = ino, .number = number, .used = true };
		t->count++;
	}
	*ret_number = slot->number;
	return SP_OK;
}

bool
sp_inodes_find(const struct sp_inodes *t, uint64_t dev, uint64_t ino, uint32_t *ret_number)
{
	const struct sp_inode *slot = t->count > 0 ? find(t, dev, ino) : NULL;

	if (slot == NULL || !slot->used)
		return false;
	*ret_number = slot->number;
	return true;
}

void
sp_inodes_done(struct sp_inodes *t)
{
	free(t->slots);
	*t = (struct sp_inodes){ 0 };
}
