/*
 * files.c - keys as text, certificates as DER; each file replaced as a whole. The order of writing is what makes a
 * half done enrolment harmless: the invitation's hash stands only beside keys that are complete, the certificate
 * comes last.
 */
#include "common/member/files.h"

#include <errno.h>
#include <unistd.h>

#include "common/base/cursor.h"
#include "common/base/fault.h"
#include "common/base/file.h"
#include "common/base/text.h"

#define SIGN "sign.pem"
#define LETTER "letter.key"
#define AGE "age.key"
#define TOKEN "token.hash"
#define PEM_MAX 4096
#define HEX32 64

void
member_keys_done(struct member_keys *keys)
{
	sp_key_free(keys->sign);
	sp_wipe(keys, sizeof(*keys));
}

static enum sp_status
path_of(const char *dir, const char *name, struct sp_buf *path)
{
	sp_buf_addf(path, "%s/%s", dir, name);
	sp_buf_cstr(path);
	return sp_buf_status(path);
}

enum sp_status
files_read(const char *dir, const char *name, size_t max, struct sp_buf *out, struct sp_why *why)
{
	SP_AUTO_DONE(sp_buf) path = { 0 };
	enum sp_status st;

	if ((st = path_of(dir, name, &path)) != SP_OK)
		return st;
	return sp_file_read(sp_buf_cstr(&path), max, out, why);
}

enum sp_status
files_write(const char *dir, const char *name, struct sp_span bytes, struct sp_why *why)
{
	SP_AUTO_DONE(sp_buf) path = { 0 };
	enum sp_status st;

	if ((st = path_of(dir, name, &path)) != SP_OK)
		return st;
	SP_FAULT("station-file-before");
	st = sp_file_write(sp_buf_cstr(&path), bytes, 0600, why);
	SP_FAULT("station-file-after");
	return st;
}

/* ---- 32 bytes as a line of hex ---- */
static enum sp_status
read_hex(const char *dir, const char *name, uint8_t out[32], struct sp_why *why)
{
	SP_AUTO_DONE(sp_buf) text = { .secret = true };
	enum sp_status st;

	if ((st = files_read(dir, name, HEX32 + 1, &text, why)) != SP_OK)
		return st;
	if (text.len != HEX32 + 1 || text.data[HEX32] != '\n' ||
	    sp_unhex((const char *)text.data, HEX32, out, 32) != SP_OK)
		return sp_fail(SP_E_FORMAT, why, "%s/%s is not a key", dir, name);
	return SP_OK;
}

static enum sp_status
write_hex(const char *dir, const char *name, const uint8_t bytes[32], struct sp_why *why)
{
	char text[HEX32 + 2];
	enum sp_status st;

	sp_hex(bytes, 32, text);
	text[HEX32] = '\n';
	st = files_write(dir, name, sp_span(text, HEX32 + 1), why);
	sp_wipe(text, sizeof(text));
	return st;
}

/* ---- keys ---- */
static enum sp_status
read_pair(const char *dir, const char *name, struct sp_x25519_pair *pair, struct sp_why *why)
{
	enum sp_status st;

	if ((st = read_hex(dir, name, pair->secret, why)) != SP_OK)
		return st;
	return sp_x25519_public(pair->secret, pair->public_key);
}

enum sp_status
files_read_keys(const char *dir, struct member_keys *ret_keys, struct sp_why *why)
{
	SP_AUTO_DONE(member_keys) keys = { 0 };
	SP_AUTO_DONE(sp_buf) pem = { .secret = true };
	enum sp_status st;

	if ((st = read_hex(dir, TOKEN, keys.token.b, why)) != SP_OK ||
	    (st = read_pair(dir, LETTER, &keys.letter, why)) != SP_OK ||
	    (st = read_pair(dir, AGE, &keys.age, why)) != SP_OK ||
	    (st = files_read(dir, SIGN, PEM_MAX, &pem, why)) != SP_OK ||
	    (st = sp_key_from_pem(sp_buf_span(&pem), &keys.sign, why)) != SP_OK)
		return st;
	*ret_keys = keys;
	keys.sign = NULL;
	return SP_OK;
}

static enum sp_status
remove_token(const char *dir, struct sp_why *why)
{
	SP_AUTO_DONE(sp_buf) path = { 0 };
	enum sp_status st;

	if ((st = path_of(dir, TOKEN, &path)) != SP_OK)
		return st;
	if (unlink(sp_buf_cstr(&path)) != 0 && errno != ENOENT)
		return sp_fail_errno(SP_E_IO, why, "%s cannot be removed", sp_buf_cstr(&path));
	return sp_sync_dir(dir, why);
}

static enum sp_status
write_keys(const char *dir, const struct member_keys *keys, struct sp_why *why)
{
	SP_AUTO_DONE(sp_buf) pem = { .secret = true };
	enum sp_status st;

	if ((st = sp_key_to_pem(keys->sign, &pem)) != SP_OK ||
	    (st = remove_token(dir, why)) != SP_OK ||
	    (st = files_write(dir, SIGN, sp_buf_span(&pem), why)) != SP_OK ||
	    (st = write_hex(dir, LETTER, keys->letter.secret, why)) != SP_OK ||
	    (st = write_hex(dir, AGE, keys->age.secret, why)) != SP_OK)
		return st;
	return write_hex(dir, TOKEN, keys->token.b, why);
}

enum sp_status
files_make_keys(const char *dir, const struct sp_hash *token, struct member_keys *ret_keys, struct sp_why *why)
{
	SP_AUTO_DONE(member_keys) keys = { .token = *token };
	enum sp_status st;

	if ((st = sp_mkdirs(dir, 0700, why)) != SP_OK ||
	    (st = sp_key_new(&keys.sign)) != SP_OK ||
	    (st = sp_x25519_new(&keys.letter)) != SP_OK ||
	    (st = sp_x25519_new(&keys.age)) != SP_OK ||
	    (st = write_keys(dir, &keys, why)) != SP_OK)
		return st;
	*ret_keys = keys;
	keys.sign = NULL;
	return SP_OK;
}

/* ---- certificates ---- */
enum sp_status
files_write_papers(const char *dir, const struct station_papers *papers, struct sp_why *why)
{
	enum sp_status st;

	if ((st = files_write(dir, "root.der", papers->root, why)) != SP_OK ||
	    (st = files_write(dir, "issuers.der", papers->issuers, why)) != SP_OK ||
	    (st = files_write(dir, "keyd.addresses", papers->keyd, why)) != SP_OK)
		return st;
	return files_write(dir, "cert.der", papers->cert, why);
}

enum sp_status
files_next_der(struct sp_span *rest, struct sp_span *ret_der)
{
	struct sp_cursor c = sp_cursor(*rest);
	uint8_t tag = sp_cursor_u8(&c), first = sp_cursor_u8(&c);
	size_t n = first;

	if (first == 0x81)
		n = sp_cursor_u8(&c);
	else if (first == 0x82)
		n = sp_cursor_u16(&c);
	else if (first > 0x7f)
		sp_cursor_fail(&c, SP_E_FORMAT);
	sp_cursor_bytes(&c, n);
	if (c.error != SP_OK || tag != 0x30)
		return SP_E_FORMAT;
	*ret_der = sp_span(rest->p, (size_t)(c.p - rest->p));
	*rest = sp_span(c.p, sp_cursor_left(&c));
	return SP_OK;
}
