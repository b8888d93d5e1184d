/*
 * scan.c - tokens of a settings file, as far as needed to find its bare integers. Errors of syntax are libconfig's.
 */
#include "common/conf/scan.h"

static const char word_chars[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.*-";

static bool
is_digit(char c)
{
	return c >= '0' && c <= '9';
}

/* Length of the comment or string at p, 0 if none stands there; an unfinished one reaches to the end. */
static size_t
quiet_length(const char *p)
{
	const char *end;
	size_t n = 1;

	if (p[0] == '#' || (p[0] == '/' && p[1] == '/'))
		return strcspn(p, "\n");
	if (p[0] == '/' && p[1] == '*') {
		end = strstr(p + 2, "*/");
		return end != NULL ? (size_t)(end + 2 - p) : strlen(p);
	}
	if (p[0] != '"')
		return 0;
	while (p[n] != 0 && p[n] != '"')
		n += p[n] == '\\' && p[n + 1] != 0 ? 2 : 1;
	return n + (p[n] == '"');
}

static bool
is_integer(const char *p, size_t n)
{
	bool hex = n > 2 && p[0] == '0' && (p[1] == 'x' || p[1] == 'X');

	return is_digit(p[0]) && (hex ? 2 + strspn(p + 2, "0123456789abcdefABCDEF") : strspn(p, "0123456789")) == n;
}

bool
sp_conf_scan(const char *text, struct sp_buf *out)
{
	for (const char *p = text; *p != 0;) {
		size_t n = quiet_length(p);

		if (*p == '@')
			return false;
		if (n == 0 && (n = strspn(p, word_chars)) > 0) {
			size_t sign = *p == '-';

			sp_buf_add(out, p, n);
			if (is_integer(p + sign, n - sign))
				sp_buf_add_text(out, "L");
		} else {
			n = n > 0 ? n : 1;
			sp_buf_add(out, p, n);
		}
		p += n;
	}
	return true;
}
