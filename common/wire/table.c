/*
 * table.c - the rows of messages.def as data, and finding one. What the rows mean is in codec.c.
 */
#include "common/wire/msg.h"

#include "common/base/limits.h"

/* FIELD doesn't say which struct its row belongs to; these names, private to this file, do. */
#define STATEMENT(number, NAME, name, ROLE, text) \
	typedef struct sp_stmt_##name row_##name; static const struct sp_field fields_##name[] = {
#define MSG(number, NAME, name, TRANSPORT, text) \
	typedef struct sp_msg_##name row_##name; static const struct sp_field fields_##name[] = {
enum need { NEED_OPT, NEED_REQ, NEED_HIDE };
#define FIELD(name, tag, member, KIND, min, max, NEED, text) \
	{ tag, #member, SP_KIND_##KIND, min, max, NEED_##NEED != NEED_OPT, NEED_##NEED == NEED_HIDE, \
	  offsetof(row_##name, member), text },
#define END(name) { 0 } };
#include "common/wire/messages.def"
#undef STATEMENT
#undef MSG
#undef FIELD
#undef END

#define COUNT(name) (sizeof(fields_##name) / sizeof(fields_##name[0]) - 1)

static const struct sp_desc rows[] = {
#define STATEMENT(number, NAME, name, ROLE, text) \
	{ number, #name, SP_TRANSPORT_STATEMENT, #ROLE, text, fields_##name, COUNT(name), sizeof(row_##name) },
#define MSG(number, NAME, name, TRANSPORT, text) \
	{ number, #name, SP_TRANSPORT_##TRANSPORT, NULL, text, fields_##name, COUNT(name), sizeof(row_##name) },
#define FIELD(name, tag, member, KIND, min, max, NEED, text)
#define END(name)
#include "common/wire/messages.def"
#undef STATEMENT
#undef MSG
#undef FIELD
#undef END
};

const struct sp_desc *
sp_desc_all(size_t *ret_count)
{
	*ret_count = sizeof(rows) / sizeof(rows[0]);
	return rows;
}

static const struct sp_desc *
find(unsigned number, bool statement)
{
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		if (rows[i].number == number && (rows[i].transport == SP_TRANSPORT_STATEMENT) == statement)
			return &rows[i];
	return NULL;
}

const struct sp_desc *
sp_desc_msg(unsigned number)
{
	return find(number, false);
}

const struct sp_desc *
sp_desc_statement(unsigned purpose)
{
	return find(purpose, true);
}

const struct sp_desc *
sp_desc_part(const struct sp_field *list)
{
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		if (rows[i].transport == SP_TRANSPORT_PART && strcmp(rows[i].name, list->text) == 0)
			return &rows[i];
	return NULL;
}

static size_t
field_max(const struct sp_field *f)
{
	static const size_t fixed[] = { [SP_KIND_U8] = 1, [SP_KIND_U16] = 2, [SP_KIND_U32] = 4, [SP_KIND_U64] = 8,
		[SP_KIND_ID] = sizeof(struct sp_id), [SP_KIND_HASH] = sizeof(struct sp_hash) };

	if (f->kind < SP_KIND_BYTES)
		return fixed[f->kind];
	return f->max > 0 ? (size_t)f->max : UINT32_MAX;
}

size_t
sp_desc_max(const struct sp_desc *desc)
{
	size_t n = SP_FRAME_SLACK;

	for (size_t i = 0; i < desc->nfields; i++)
		n += 6 + field_max(&desc->fields[i]);
	return n;
}
