/*
 * net_addr_test.c - numeric addresses: accepted and refused texts, one form, networks.
 */
#include <netinet/in.h>
#include <string.h>

#include "tests/unit/net_unit.h"

START_TEST(reads_and_prints)
{
	static const struct { const char *text, *printed; } good[] = {
		{ "127.0.0.1:7325", "127.0.0.1:7325" },
		{ "127.0.0.1", "127.0.0.1:7325" },
		{ "[::1]:80", "[::1]:80" },
		{ "[::1]", "[::1]:7325" },
		{ "2001:db8:0:0::1", "[2001:db8::1]:7325" },
		{ "[::ffff:10.0.0.1]:5", "10.0.0.1:5" },
		{ "0.0.0.0:0", "0.0.0.0:0" },
		{ "[fe80::1%1]:7", "[fe80::1%1]:7" },
	};

	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		struct sp_addr a, b;
		char text[SP_ADDR_TEXT];

		ck_status(sp_addr_parse(sp_span_str(good[i].text), 7325, &a), SP_OK);
		ck_assert_str_eq(sp_addr_text(&a, text), good[i].printed);
		ck_status(sp_addr_parse(sp_span_str(text), 0, &b), SP_OK);
		ck_assert(sp_addr_eq(&a, &b));
	}
}
END_TEST

START_TEST(refuses_other_texts)
{
	static const char *const bad[] = { "", ":", ":80", "1.2.3:80", "1.2.3.4:", "1.2.3.4:65536", "1.2.3.4:080",
	    "1.2.3.4:-1",
		"[::1", "::1]", "[::1]80", "[::1]:", "[1.2.3.4]:80", "host:80", "1.2.3.4 :80", "1.2.3.4:80 ",
		    "[::1%]:80",
		"[fe80::1%nosuchinterface]:80",
		    "12345678901234567890123456789012345678901234567890123456789012345:80" };
	struct sp_addr a = { .port = 77 };

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		enum sp_status st = sp_addr_parse(sp_span_str(bad[i]), 7325, &a);

		ck_assert_msg(st == SP_E_FORMAT || st == SP_E_RANGE, "%s", bad[i]);
		ck_assert_uint_eq(a.port, 77);
	}
	ck_status(sp_addr_parse(sp_span_str("1.2.3.4"), 0, &a), SP_E_FORMAT);
	ck_status(sp_addr_parse(sp_span("1.2.3.4\0:80", 11), 0, &a), SP_E_FORMAT);
}
END_TEST

START_TEST(splits_host_names)
{
	char host[SP_HOST_MAX + 1];
	uint16_t port;

	ck_status(sp_hostport_split(sp_span_str("[post.example]:99"), 1, host, &port), SP_E_FORMAT);
	ck_status(sp_hostport_split(sp_span_str("post.example:99"), 1, host, &port), SP_OK);
	ck_assert_str_eq(host, "post.example");
	ck_assert_uint_eq(port, 99);
	ck_status(sp_hostport_split(sp_span_str("post.example"), 7325, host, &port), SP_OK);
	ck_assert_uint_eq(port, 7325);
	ck_status(sp_hostport_split(sp_span_str("[::1]:4"), 1, host, &port), SP_OK);
	ck_assert_str_eq(host, "::1");
	ck_status(sp_hostport_split(sp_span_str("post.example"), 0, host, &port), SP_E_FORMAT);
	ck_status(sp_hostport_split(sp_span_str("post example:1"), 1, host, &port), SP_E_FORMAT);
	ck_status(sp_hostport_split(sp_span_str("post/example:1"), 1, host, &port), SP_E_FORMAT);
}
END_TEST

START_TEST(networks_and_hosts)
{
	struct sp_addr a = unit_addr("10.1.2.3:5"), b = unit_addr("10.1.2.200:6"), net;
	struct sp_addr c = unit_addr("[2001:db8:1:2:3::4]:5");
	char text[SP_ADDR_TEXT];

	ck_assert(!sp_addr_eq(&a, &b));
	net = sp_addr_prefix(&a, 24, 64);
	ck_assert_str_eq(sp_addr_text(&net, text), "10.1.2.0:0");
	b = sp_addr_prefix(&b, 24, 64);
	ck_assert(sp_addr_eq(&net, &b));
	net = sp_addr_prefix(&a, 32, 64);
	ck_assert_str_eq(sp_addr_host(&net, text), "10.1.2.3");
	ck_assert(sp_addr_eq_host(&net, &a));
	net = sp_addr_prefix(&a, 11, 64);
	ck_assert_str_eq(sp_addr_host(&net, text), "10.0.0.0");
	net = sp_addr_prefix(&c, 24, 64);
	ck_assert_str_eq(sp_addr_host(&net, text), "2001:db8:1:2::");
	net = (struct sp_addr){ 0 };
	ck_assert_str_eq(sp_addr_text(&net, text), "none");
}
END_TEST

START_TEST(to_and_from_the_system)
{
	static const char *const all[] = { "1.2.3.4:5", "[2001:db8::9]:65535" };
	struct sockaddr_storage ss;
	struct sp_addr a, b;
	socklen_t len;

	for (size_t i = 0; i < 2; i++) {
		a = unit_addr(all[i]);
		len = sp_addr_to_sockaddr(&a, &ss);
		ck_status(sp_addr_from_sockaddr((struct sockaddr *)&ss, len, &b), SP_OK);
		ck_assert(sp_addr_eq(&a, &b));
		ck_status(sp_addr_from_sockaddr((struct sockaddr *)&ss, len - 1, &b), SP_E_ARGUMENT);
	}
	ss.ss_family = AF_UNIX;
	ck_status(sp_addr_from_sockaddr((struct sockaddr *)&ss, sizeof(ss), &b), SP_E_ARGUMENT);
}
END_TEST

UNIT_MAIN("net/addr", reads_and_prints, refuses_other_texts, splits_host_names, networks_and_hosts,
    to_and_from_the_system)
