/*
 * id.h - 16-byte ids made by whoever asks: UUIDv7 (RFC 9562), so that they sort by time.
 */
#ifndef SP_BASE_ID_H
#define SP_BASE_ID_H

#include "common/base/span.h"
#include "common/base/status.h"

struct sp_id {
	uint8_t b[16];
};

#define SP_ID_TEXT 37	/* bytes of the text form with its end */

/* A new UUIDv7 of the current wall time; ids made by one process rise strictly. Thread-safe. Aborts without randomness. */
struct sp_id sp_id_new(void);

/* Milliseconds since 1970 that the id carries. */
uint64_t sp_id_ms(const struct sp_id *id);

bool sp_id_eq(const struct sp_id *a, const struct sp_id *b);
bool sp_id_is_zero(const struct sp_id *id);

/* Lower-case text with dashes, terminated, into out[SP_ID_TEXT]; returns out. */
const char *sp_id_text(const struct sp_id *id, char out[SP_ID_TEXT]);

/* Reads the text form (exactly that); SP_E_FORMAT otherwise. */
SP_MUST_CHECK enum sp_status sp_id_parse(const char *text, struct sp_id *ret_id);

#endif
