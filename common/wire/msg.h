/*
 * msg.h - the structs, numbers and codec that messages.def declares.
 *
 * A decoded struct borrows from the bytes it was read from: copy what outlives them. Encoding: tag u16, length u32, value;
 * tags ascend, none twice; unknown odd tags are skipped, unknown even ones refuse the message; statements refuse both.
 * No struct here knows its own type: pass the row (sp_desc_msg(SP_MSG_PING)) and the struct that belongs to it.
 */
#ifndef SP_WIRE_MSG_H
#define SP_WIRE_MSG_H

#include "common/base/buf.h"
#include "common/base/cursor.h"
#include "common/base/id.h"

enum sp_transport { SP_TRANSPORT_LETTER, SP_TRANSPORT_SERVICE, SP_TRANSPORT_RECORD, SP_TRANSPORT_PART, SP_TRANSPORT_STATEMENT };
enum sp_kind { SP_KIND_U8, SP_KIND_U16, SP_KIND_U32, SP_KIND_U64, SP_KIND_ID, SP_KIND_HASH, SP_KIND_BYTES, SP_KIND_TEXT,
	SP_KIND_LIST };

/* Numbers: SP_MSG_PING … of messages, SP_STMT_OFFER … of statements. */
enum sp_msg_number {
#define STATEMENT(number, NAME, name, ROLE, text)
#define MSG(number, NAME, name, TRANSPORT, text) SP_MSG_##NAME = number,
#define FIELD(name, tag, member, KIND, min, max, NEED, text)
#define END(name)
#include "common/wire/messages.def"
#undef STATEMENT
#undef MSG
	SP_MSG_NONE = 0
};
enum sp_purpose {
#define STATEMENT(number, NAME, name, ROLE, text) SP_STMT_##NAME = number,
#define MSG(number, NAME, name, TRANSPORT, text)
#include "common/wire/messages.def"
#undef STATEMENT
#undef MSG
#undef FIELD
#undef END
	SP_STMT_NONE = 0
};

/* Structs: struct sp_msg_ping … and struct sp_stmt_offer …, one member a field. */
#define SP_C_U8 uint8_t
#define SP_C_U16 uint16_t
#define SP_C_U32 uint32_t
#define SP_C_U64 uint64_t
#define SP_C_ID struct sp_id
#define SP_C_HASH struct sp_hash
#define SP_C_BYTES struct sp_span
#define SP_C_TEXT struct sp_span
#define SP_C_LIST struct sp_span
#define STATEMENT(number, NAME, name, ROLE, text) struct sp_stmt_##name { uint8_t sp_unused;
#define MSG(number, NAME, name, TRANSPORT, text) struct sp_msg_##name { uint8_t sp_unused;
#define FIELD(name, tag, member, KIND, min, max, NEED, text) SP_C_##KIND member;
#define END(name) };
#include "common/wire/messages.def"
#undef STATEMENT
#undef MSG
#undef FIELD
#undef END

/* The rows as data: what codec, printer, documentation and tests walk over. */
struct sp_field {
	uint16_t tag;
	const char *name;
	enum sp_kind kind;
	uint64_t min, max;
	bool required;
	bool hidden;		/* a secret: never shown */
	size_t offset;		/* of the member in the struct */
	const char *text;
};
struct sp_desc {
	unsigned number;	/* type, or purpose of a statement */
	const char *name;
	enum sp_transport transport;
	const char *role;	/* statements: "STATION", "CREDITD", "NONE" … who alone may sign; else NULL */
	const char *text;
	const struct sp_field *fields;
	size_t nfields;
	size_t size;		/* of the struct */
};

/* The row of a message type or a statement's purpose; NULL if there is none. */
const struct sp_desc *sp_desc_msg(unsigned number);
const struct sp_desc *sp_desc_statement(unsigned purpose);

/* All rows in the order of the file, for documentation and tests. */
const struct sp_desc *sp_desc_all(size_t *ret_count);

/* The row of a LIST field's elements. */
const struct sp_desc *sp_desc_part(const struct sp_field *list);

/* One member of a struct: an integer, or bytes with their number. empty: zero, or no bytes. */
struct sp_value {
	uint64_t number;
	struct sp_span bytes;	/* borrowed from the struct or from what it borrows */
	bool empty;
};
struct sp_value sp_field_get(const struct sp_field *field, const void *msg);

/* The most bytes that decode looks at: every field at its longest, and SP_FRAME_SLACK of unknown ones. */
size_t sp_desc_max(const struct sp_desc *desc);

/* Appends the encoded fields of the struct at msg, or nothing: SP_E_RANGE, SP_E_MISSING, SP_E_FORMAT with the field's name. */
SP_MUST_CHECK enum sp_status sp_encode(const struct sp_desc *desc, const void *msg, struct sp_buf *out, struct sp_why *why);

/* Reads bytes whole into the struct at ret_msg (zeroes on failure); any violated bound is an error with the field's name:
 * SP_E_SHORT, SP_E_LONG, SP_E_FORMAT, SP_E_RANGE, SP_E_MISSING, SP_E_VERSION (a field that must be understood and isn't). */
SP_MUST_CHECK enum sp_status sp_decode(const struct sp_desc *desc, struct sp_span bytes, void *ret_msg, struct sp_why *why);

/* Lists: append one encoded PART; read the next (false at the end or on error, which sticks in the cursor;
 * with ret_msg NULL it is only checked). sp_decode() has
 * checked the elements of a LIST field already. */
SP_MUST_CHECK enum sp_status sp_list_add(struct sp_buf *list, const struct sp_desc *part, const void *msg);
bool sp_list_next(struct sp_cursor *list, const struct sp_desc *part, void *ret_msg);

/* One line for people and logs: name{field=value …}; bytes as hex (long ones as length), texts made printable. */
void sp_describe(const struct sp_desc *desc, const void *msg, struct sp_buf *out);

/* The reference of docs/protocol.md, printed from the rows. */
void sp_wire_reference(struct sp_buf *out);

#endif
