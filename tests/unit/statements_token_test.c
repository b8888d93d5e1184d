/*
 * statements_token_test.c - the invitation's text: one form only.
 */
#include "common/statements/token.h"
#include "tests/unit/unit.h"

#define R "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff"
#define S "AAECAwQFBgcICQoLDA0ODw"
#define GOOD "sealpost:enrol?d=post.example&k=127.0.0.1:7678,keyd.post.example:7679,[::1]:1&r=" R "&s=" S

START_TEST(an_invitation_is_read_and_printed)
{
	SP_AUTO_DONE(sp_buf) out = { 0 };
	struct sp_token t;

	ck_status(sp_token_parse(sp_span_str(GOOD), &t, NULL), SP_OK);
	ck_assert_str_eq(t.domain, "post.example");
	ck_assert_uint_eq(t.keyd_count, 3);
	ck_assert_str_eq(t.keyd[0].host, "127.0.0.1");
	ck_assert_uint_eq(t.keyd[0].port, 7678);
	ck_assert_str_eq(t.keyd[2].host, "::1");
	ck_assert_uint_eq(t.root.b[1], 0x11);
	ck_assert_uint_eq(t.secret[15], 15);
	ck_status(sp_token_print(&t, &out), SP_OK);
	ck_assert_str_eq(sp_buf_cstr(&out), GOOD);
}
END_TEST

START_TEST(every_other_form_is_refused)
{
	static const char *const bad[] = {
		"", "sealpost:enrol?", "sealpost:enrol?d=post.example", " " GOOD, GOOD " ", GOOD "\n", GOOD "A", GOOD "=", GOOD "&x=1",
		"Sealpost:enrol?d=post.example&k=a:1&r=" R "&s=" S,
		"sealpost:enrol?k=a:1&d=post.example&r=" R "&s=" S,
		"sealpost:enrol?d=Post.example&k=a:1&r=" R "&s=" S,
		"sealpost:enrol?d=&k=a:1&r=" R "&s=" S,
		"sealpost:enrol?d=post..example&k=a:1&r=" R "&s=" S,
		"sealpost:enrol?d=post.example&k=&r=" R "&s=" S,
		"sealpost:enrol?d=post.example&k=a&r=" R "&s=" S,
		"sealpost:enrol?d=post.example&k=a:0&r=" R "&s=" S,
		"sealpost:enrol?d=post.example&k=a:01&r=" R "&s=" S,
		"sealpost:enrol?d=post.example&k=a:65536&r=" R "&s=" S,
		"sealpost:enrol?d=post.example&k=a:1,&r=" R "&s=" S,
		"sealpost:enrol?d=post.example&k=,a:1&r=" R "&s=" S,
		"sealpost:enrol?d=post.example&k=a:1,b:2,c:3,d:4,e:5&r=" R "&s=" S,
		"sealpost:enrol?d=post.example&k=::1:5&r=" R "&s=" S,
		"sealpost:enrol?d=post.example&k=[a]:5&r=" R "&s=" S,
		"sealpost:enrol?d=post.example&k=[0::1]:5&r=" R "&s=" S,
		"sealpost:enrol?d=post.example&k=a b:5&r=" R "&s=" S,
		"sealpost:enrol?d=post.example&k=a:1&r=" R "0&s=" S,
		"sealpost:enrol?d=post.example&k=a:1&r=AA112233445566778899aabbccddeeff00112233445566778899aabbccddeeff&s=" S,
		"sealpost:enrol?d=post.example&k=a:1&r=" R "&s=",
		"sealpost:enrol?d=post.example&k=a:1&r=" R "&s=AAECAwQFBgcICQoLDA0OD",
		"sealpost:enrol?d=post.example&k=a:1&r=" R "&s=AAECAwQFBgcICQoLDA0ODx",
		"sealpost:enrol?d=post.example&k=a:1&r=" R "&s=AAECAwQFBgcICQoLDA0OD+",
	};
	struct sp_token t;

	ck_status(sp_token_parse(sp_span_str("sealpost:enrol?d=post.example&k=a:1&r=" R "&s=" S), &t, NULL), SP_OK);
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		ck_assert_msg(sp_token_parse(sp_span_str(bad[i]), &t, NULL) == SP_E_FORMAT, "%zu: %s", i, bad[i]);
	for (size_t n = 0; n < sizeof(GOOD) - 1; n++)
		ck_status(sp_token_parse(sp_span(GOOD, n), &t, NULL), SP_E_FORMAT);
}
END_TEST

/* Whatever else a byte is made: what is still read is printed as it was read. */
START_TEST(what_is_read_is_printed_alike)
{
	char text[] = GOOD;

	for (size_t i = 0; i < sizeof(GOOD) - 1; i++) {
		for (unsigned c = 0; c < 256; c++) {
			SP_AUTO_DONE(sp_buf) out = { 0 };
			struct sp_token t;

			text[i] = (char)c;
			if (sp_token_parse(sp_span(text, sizeof(GOOD) - 1), &t, NULL) != SP_OK)
				continue;
			ck_status(sp_token_print(&t, &out), SP_OK);
			ck_assert(sp_span_eq(sp_buf_span(&out), sp_span(text, sizeof(GOOD) - 1)));
		}
		text[i] = GOOD[i];
	}
}
END_TEST

START_TEST(the_reason_names_the_part)
{
	struct sp_token t;
	struct sp_why why;

	ck_status(sp_token_parse(sp_span_str("sealpost:enrol?d=post.example&k=a:x&r=" R "&s=" S), &t, &why),
	    SP_E_FORMAT);
	ck_assert_ptr_nonnull(strstr(why.text, "k="));
	ck_status(sp_token_parse(sp_span_str("sealpost:enrol?d=post.example&k=a:1&r=12&s=" S), &t, &why),
	    SP_E_FORMAT);
	ck_assert_ptr_nonnull(strstr(why.text, "r="));
	ck_assert_ptr_null(strstr(why.text, S));
}
END_TEST

START_TEST(what_could_not_be_read_is_not_printed)
{
	SP_AUTO_DONE(sp_buf) out = { 0 };
	struct sp_token good, t;

	ck_status(sp_token_parse(sp_span_str(GOOD), &good, NULL), SP_OK);
	t = good;
	t.keyd_count = 0;
	ck_status(sp_token_print(&t, &out), SP_E_ARGUMENT);
	t = good;
	t.keyd[1].port = 0;
	ck_status(sp_token_print(&t, &out), SP_E_ARGUMENT);
	t = good;
	t.domain[0] = '&';
	ck_status(sp_token_print(&t, &out), SP_E_ARGUMENT);
	t = good;
	t.keyd[0].host[0] = ',';
	ck_status(sp_token_print(&t, &out), SP_E_ARGUMENT);
}
END_TEST

UNIT_MAIN("statements/token", an_invitation_is_read_and_printed, every_other_form_is_refused,
    what_is_read_is_printed_alike,
    the_reason_names_the_part,
    what_could_not_be_read_is_not_printed)
