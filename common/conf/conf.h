/*
 * conf.h - settings by schema. A daemon's conf.def has one row a setting; struct, reader, range checks, sample, printed
 * settings and the table of the manual page all derive from it. The file says "key = value;", one a line, # comments.
 *
 *   CONF(name, KIND, default, min, max, "unit", FLAGS, "sentence")
 *
 *   KIND      member              in the file               default        min..max
 *   TEXT      char *              "words"                   a string       bytes
 *   PATH      char *              "/a/file"                 a string       bytes; relative to the folder of the file
 *   INT       uint32_t            12                        a number       values
 *   BOOL      bool                true, false               true, false    0, 0
 *   SIZE      uint64_t            4096, "64 KiB", "1 MB"    bytes          bytes
 *   DURATION  uint64_t, ms        "200 ms", "30 s", "5 min", "72 h", "90 d"    milliseconds both
 *   CHOICE    uint32_t, index     "word"                    an index       0, 0; unit: "word|other word"
 *   LIST      struct sp_conf_list "a" or [ "a", "b" ]       "a,b"          items
 *   max 0: no upper bound. FLAGS: SP_CONF_PLAIN, or of SP_CONF_REQUIRED (no default: must stand in the file) and
 *   SP_CONF_SECRET (never printed, wiped).
 *
 * In the daemon's settings.h, and once in a .c:
 *
 *   struct keyd_settings {                          #define SP_CONF_STRUCT struct keyd_settings
 *   #define CONF SP_CONF_MEMBER                     const struct sp_conf_key keyd_conf[] = {
 *   #include "keyd/conf.def"                        #define CONF SP_CONF_ROW
 *   #undef CONF                                     #include "keyd/conf.def"
 *   };                                              #undef CONF
 *                                                   };
 */
#ifndef SP_CONF_CONF_H
#define SP_CONF_CONF_H

#include "common/base/buf.h"

enum sp_conf_kind { SP_CONF_TEXT, SP_CONF_PATH, SP_CONF_INT, SP_CONF_BOOL, SP_CONF_SIZE, SP_CONF_DURATION, SP_CONF_CHOICE,
	SP_CONF_LIST };
enum sp_conf_flag { SP_CONF_PLAIN = 0, SP_CONF_REQUIRED = 1, SP_CONF_SECRET = 2 };

struct sp_conf_list {
	char **items;		/* owned */
	size_t count;
};

struct sp_conf_key {
	const char *name;
	enum sp_conf_kind kind;
	const char *text;	/* default of TEXT, PATH, LIST */
	uint64_t number;	/* default of the others */
	uint64_t min, max;
	const char *unit;
	unsigned flags;
	const char *sentence;
	size_t offset;		/* of the member in the struct */
};

#define SP_CONF_C_TEXT char *
#define SP_CONF_C_PATH char *
#define SP_CONF_C_INT uint32_t
#define SP_CONF_C_BOOL bool
#define SP_CONF_C_SIZE uint64_t
#define SP_CONF_C_DURATION uint64_t
#define SP_CONF_C_CHOICE uint32_t
#define SP_CONF_C_LIST struct sp_conf_list
#define SP_CONF_D_TEXT(d) (d), 0
#define SP_CONF_D_PATH(d) (d), 0
#define SP_CONF_D_LIST(d) (d), 0
#define SP_CONF_D_INT(d) NULL, (d)
#define SP_CONF_D_BOOL(d) NULL, (d)
#define SP_CONF_D_SIZE(d) NULL, (d)
#define SP_CONF_D_DURATION(d) NULL, (d)
#define SP_CONF_D_CHOICE(d) NULL, (d)
#define SP_CONF_MEMBER(name, KIND, def, min, max, unit, flags, sentence) SP_CONF_C_##KIND name;
#define SP_CONF_ROW(name, KIND, def, min, max, unit, flags, sentence) \
	{ #name, SP_CONF_##KIND, SP_CONF_D_##KIND(def), min, max, unit, flags, sentence, offsetof(SP_CONF_STRUCT, name) },

/* The defaults alone, into a struct that holds nothing yet; relative paths are put below folder (NULL: left as they are).
 * sp_conf_done() afterwards. SP_E_NOMEM. Aborts on a row whose default breaks its own bounds. */
SP_MUST_CHECK enum sp_status sp_conf_defaults(const struct sp_conf_key *keys, size_t n, const char *folder, void *settings,
    struct sp_why *why);

/* Defaults, then the file. Anything that is wrong is an error that says where: "creditd.conf:14: max_batch is 9000, at most
 * 1024"; so is a key that no row names. On failure the struct is empty. SP_E_CONFIG, SP_E_NOTFOUND, SP_E_IO, SP_E_NOMEM. */
SP_MUST_CHECK enum sp_status sp_conf_read(const struct sp_conf_key *keys, size_t n, const char *path, void *settings,
    struct sp_why *why);

/* The same, where a file that is not there counts as an empty one. */
SP_MUST_CHECK enum sp_status sp_conf_read_if_there(const struct sp_conf_key *keys, size_t n, const char *path, void *settings,
    struct sp_why *why);

/* Frees what the settings own; they are zeroes afterwards. */
void sp_conf_done(const struct sp_conf_key *keys, size_t n, void *settings);

/* The file written from the schema: every row with its sentence and bounds, the defaults as comments. */
void sp_conf_sample(const struct sp_conf_key *keys, size_t n, struct sp_buf *out);

/* The settings in force, as a file that reads back to the same. */
void sp_conf_print(const struct sp_conf_key *keys, size_t n, const void *settings, struct sp_buf *out);

/* The rows as the SETTINGS list of a manual page (man macros). */
void sp_conf_man(const struct sp_conf_key *keys, size_t n, struct sp_buf *out);

#endif
