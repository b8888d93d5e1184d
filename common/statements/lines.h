/*
 * lines.h - texts of one word and one value a line, as receipt.txt and postmark.txt are: written, and read with the
 * first wrong line remembered. Internal to common/statements.
 */
#ifndef SP_STATEMENTS_LINES_H
#define SP_STATEMENTS_LINES_H

#include "common/base/id.h"
#include "common/base/text.h"

#define LINES_LAST_SECOND 253402300799u	/* of the year 9999 */

struct lines {
	struct sp_span left;
	unsigned number;	/* of the line read last */
	bool bad;
};

void lines_add_hash(struct sp_buf *out, const char *word, const struct sp_hash *hash);
void lines_add_number(struct sp_buf *out, const char *word, uint64_t number);

/* The rest of the next line, which begins with the word and a space. */
struct sp_span lines_take(struct lines *in, const char *word);
void lines_must(struct lines *in, bool holds);

/* The same as a value. A date that does not exist is found when the text is written again. */
void lines_take_hash(struct lines *in, const char *word, struct sp_hash *out);
void lines_take_name(struct lines *in, const char *word, struct sp_name *out);
void lines_take_number(struct lines *in, const char *word, uint64_t max, uint64_t *out);
void lines_take_id(struct lines *in, const char *word, struct sp_id *out);
void lines_take_time(struct lines *in, const char *word, uint64_t *out_s);

/* Can the name be written and read as that of a station? */
bool lines_is_station(const struct sp_name *name);

#endif
