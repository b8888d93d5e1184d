/*
 * link_split_test.c - large TCP segments in runs of packets: every byte once, headers as TCP would have made them, checksums that a
 * plain sum over the whole packet agrees with.
 */
#include "tests/link/split.h"

#include <netinet/in.h>
#include <string.h>

#include "tests/unit/unit.h"

#define SEGMENT 100
#define PAYLOAD 950		/* ten packets, the last one short */

static uint8_t ip[2000];
static struct virtio_net_hdr vnet;
static size_t length;

static void
make(unsigned version)
{
	size_t start = version == 4 ? 20 : 40;
	uint8_t *tcp = ip + start;

	memset(ip, 0, sizeof(ip));
	length = start + 32 + PAYLOAD;
	for (size_t i = 0; i < PAYLOAD; i++)
		tcp[32 + i] = (uint8_t)(i * 7 + i / 256);
	if (version == 4) {
		memcpy(ip, "\x45\0\0\0\xff\xff\x40\0\x40\x06\0\0\x0a\x01\x02\x03\x0a\x01\x02\x04", 20);
		ip[2] = (uint8_t)(length >> 8);
		ip[3] = (uint8_t)length;
	} else {
		memcpy(ip, "\x60\0\0\0\0\0\x06\x40", 8);
		for (int i = 8; i < 40; i++)
			ip[i] = (uint8_t)(i * 31);
	}
	/* sequence number close to its end; PSH, FIN, CWR, ACK */
	memcpy(tcp, "\x10\x20\x30\x40\xff\xff\xff\xc0\x01\x02\x03\x04\x80\x99\x10\x00", 16);
	vnet = (struct virtio_net_hdr){ .flags = VIRTIO_NET_HDR_F_NEEDS_CSUM, .gso_size = SEGMENT,
		.gso_type = version == 4 ? VIRTIO_NET_HDR_GSO_TCPV4 : VIRTIO_NET_HDR_GSO_TCPV6, .csum_start = (uint16_t)start,
		.csum_offset = 16, .hdr_len = (uint16_t)(start + 32) };
}

static unsigned
sum(unsigned long start, const uint8_t *p, size_t n)
{
	for (size_t i = 0; i < n; i++)
		start += i % 2 == 0 ? (unsigned)p[i] << 8 : p[i];
	while (start > 0xffff)
		start = (start & 0xffff) + (start >> 16);
	return (unsigned)start;
}

/* One run: payload where it belongs, sequence number, flags, lengths; the partial checksum completed makes a right one. */
static void
check_run(const struct split *s, unsigned first, unsigned count)
{
	uint8_t packet[2000];
	struct virtio_net_hdr v;
	size_t from, n, start = s->transport;
	uint32_t seq;

	split_run(s, &vnet, ip, first, count, &v, packet, &from, &n);
	ck_assert_uint_eq(from, s->headers + first * SEGMENT);
	ck_assert_uint_eq(n, first + count == 10 ? PAYLOAD - first * SEGMENT : count * SEGMENT);
	memcpy(packet + s->headers, ip + from, n);
	memcpy(&seq, packet + start + 4, 4);
	ck_assert_uint_eq(ntohl(seq), 0xffffffc0u + first * SEGMENT);
	ck_assert_int_eq(packet[start + 13], (first == 0 ? 0x80 : 0) | 0x10 | (first + count == 10 ? 0x09 : 0));
	if (s->version == 4) {
		ck_assert_uint_eq((unsigned)packet[2] << 8 | packet[3], s->headers + n);
		ck_assert_uint_eq((unsigned)packet[4] << 8 | packet[5], (0xffffu + first) & 0xffff);
		ck_assert_uint_eq(sum(0, packet, 20), 0xffff);
	} else {
		ck_assert_uint_eq((unsigned)packet[4] << 8 | packet[5], s->headers - 40 + n);
	}
	/* completed as the receiver's hardware would: then everything with its pseudo header adds up to all ones */
	unsigned all = ~sum(0, packet + start, s->headers - start + n) & 0xffff;
	packet[start + 16] = (uint8_t)(all >> 8);
	packet[start + 17] = (uint8_t)all;
	ck_assert_uint_eq(sum(6 + s->headers - start + n + (s->version == 4 ? sum(0, packet + 12, 8) : sum(0, packet + 8, 32)),
	    packet + start, s->headers - start + n), 0xffff);
	ck_assert_int_eq(v.gso_type, count == 1 ? VIRTIO_NET_HDR_GSO_NONE : vnet.gso_type);
	ck_assert_int_eq(v.flags, VIRTIO_NET_HDR_F_NEEDS_CSUM);
	ck_assert_int_eq(v.csum_start, vnet.csum_start);
}

START_TEST(every_run_has_headers_of_its_own)
{
	for (unsigned version = 4; version <= 6; version += 2) {
		size_t all = 0;
		struct split s;

		make(version);
		s = split_look(&vnet, ip, length);
		ck_assert_uint_eq(s.version, version);
		ck_assert_uint_eq(s.protocol, IPPROTO_TCP);
		ck_assert_uint_eq(s.count, 10);
		ck_assert_uint_eq(s.segment, SEGMENT);
		for (unsigned i = 0; i < 10; i++) {
			all += split_bytes(&s, i) - s.headers;
			for (unsigned n = 1; n <= 10 - i; n++)
				if (n < 10)
					check_run(&s, i, n);
		}
		ck_assert_uint_eq(all, PAYLOAD);
	}
}
END_TEST

START_TEST(what_is_whole_stays_as_it_is)
{
	uint8_t headers[SPLIT_HEADERS_MAX];
	struct virtio_net_hdr v;
	size_t from, n;
	struct split s;

	make(4);
	s = split_look(&vnet, ip, length);
	split_run(&s, &vnet, ip, 0, 10, &v, headers, &from, &n);
	ck_assert_mem_eq(headers, ip, s.headers);
	ck_assert_mem_eq(&v, &vnet, sizeof(v));
	ck_assert_uint_eq(from + n, length);
	vnet.gso_type = VIRTIO_NET_HDR_GSO_NONE;
	s = split_look(&vnet, ip, length);
	ck_assert_uint_eq(s.count, 1);
	ck_assert_uint_eq(split_bytes(&s, 0), length);
	split_run(&s, &vnet, ip, 0, 1, &v, headers, &from, &n);
	ck_assert_uint_eq(from, 0);
	ck_assert_uint_eq(n, length);
	ck_assert_mem_eq(&v, &vnet, sizeof(v));
}
END_TEST

START_TEST(what_makes_no_sense_is_one_packet)
{
	make(4);
	for (size_t cut = 0; cut < 60; cut++) {
		struct split s = split_look(&vnet, ip, cut);

		ck_assert_uint_eq(s.count, 1);
		ck_assert_uint_eq(s.length, cut);
	}
	ip[20 + 12] = 0x10;	/* a TCP header of four bytes */
	ck_assert_uint_eq(split_look(&vnet, ip, length).count, 1);
	make(4);
	vnet.csum_start = 0xfff0;
	ck_assert_uint_eq(split_look(&vnet, ip, length).count, 1);
	make(4);
	vnet.gso_size = 0;
	ck_assert_uint_eq(split_look(&vnet, ip, length).count, 1);
	make(6);
	vnet.gso_type = VIRTIO_NET_HDR_GSO_TCPV4;
	ck_assert_uint_eq(split_look(&vnet, ip, length).count, 1);
	make(4);
	ip[9] = IPPROTO_UDP;
	ck_assert_uint_eq(split_look(&vnet, ip, length).protocol, IPPROTO_UDP);
	ck_assert_uint_eq(split_look(&vnet, ip, length).count, 1);
	/* behind a fragment header of IPv6 */
	make(6);
	ip[6] = IPPROTO_FRAGMENT;
	ip[40] = IPPROTO_UDP;
	ck_assert_uint_eq(split_look(&vnet, ip, length).protocol, IPPROTO_UDP);
}
END_TEST

UNIT_MAIN("link/split", every_run_has_headers_of_its_own, what_is_whole_stays_as_it_is, what_makes_no_sense_is_one_packet)
