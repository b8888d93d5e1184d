/*
 * split.c - large TCP segments as runs of packets. TCP checksums stay partial (the sum of the pseudo header), as the device gave and as the
 * other one takes them: neither side adds up payload.
 */
#include "tests/link/split.h"

#include <netinet/in.h>
#include <string.h>

#define TCP_FIN_PSH 0x09
#define TCP_CWR 0x80

static unsigned
get16(const uint8_t *p)
{
	return (unsigned)p[0] << 8 | p[1];
}

static void
put16(uint8_t *p, size_t v)
{
	p[0] = (uint8_t)(v >> 8);
	p[1] = (uint8_t)v;
}

/* The protocol behind IPv6 extension headers (and of the first fragment). */
static unsigned
protocol6(const uint8_t *ip, size_t n)
{
	unsigned next = ip[6];
	size_t at = 40;

	while ((next == IPPROTO_HOPOPTS || next == IPPROTO_ROUTING || next == IPPROTO_DSTOPTS || next == IPPROTO_FRAGMENT) &&
	    at + 8 <= n) {
		size_t length = next == IPPROTO_FRAGMENT ? 8 : ((size_t)ip[at + 1] + 1) * 8;

		next = ip[at];
		at += length;
	}
	return next;
}

struct split
split_look(const struct virtio_net_hdr *vnet, const uint8_t *ip, size_t n)
{
	struct split s = { .count = 1, .length = n };
	unsigned type = vnet->gso_type & 0xffu & ~(unsigned)VIRTIO_NET_HDR_GSO_ECN;
	size_t headers;

	if (n >= 20 && ip[0] >> 4 == 4) {
		s.version = 4;
		s.protocol = ip[9];
	} else if (n >= 40 && ip[0] >> 4 == 6) {
		s.version = 6;
		s.protocol = protocol6(ip, n);
	}
	if (s.protocol != IPPROTO_TCP || vnet->gso_size == 0 || !(vnet->flags & VIRTIO_NET_HDR_F_NEEDS_CSUM) ||
	    type != (s.version == 4 ? VIRTIO_NET_HDR_GSO_TCPV4 : VIRTIO_NET_HDR_GSO_TCPV6) ||
	    vnet->csum_start < (s.version == 4 ? 20 : 40) || (size_t)vnet->csum_start + 20 > n)
		return s;
	headers = vnet->csum_start + (size_t)(ip[vnet->csum_start + 12] >> 4) * 4;
	if (headers < (size_t)vnet->csum_start + 20 || headers > SPLIT_HEADERS_MAX || headers >= n)
		return s;
	s.transport = vnet->csum_start;
	s.headers = headers;
	s.segment = vnet->gso_size;
	s.count = (unsigned)((n - headers + s.segment - 1) / s.segment);
	if (s.count == 1)
		s.headers = s.transport = 0;
	return s;
}

static size_t
payload(const struct split *s, unsigned first, unsigned count)
{
	size_t from = first * s->segment, left = s->length - s->headers - from;

	return count * s->segment < left ? count * s->segment : left;
}

size_t
split_bytes(const struct split *s, unsigned i)
{
	return s->count == 1 ? s->length : s->headers + payload(s, i, 1);
}

/* One's complement sum over an even number of bytes. */
static uint32_t
sum(uint32_t start, const uint8_t *p, size_t n)
{
	for (size_t i = 0; i + 1 < n; i += 2)
		start += get16(p + i);
	return start;
}

static unsigned
folded(uint32_t v)
{
	while (v > 0xffff)
		v = (v & 0xffff) + (v >> 16);
	return v;
}

/* Lengths, the number of an IPv4 packet, and both checksums. */
static void
fix_ip(const struct split *s, uint8_t *h, unsigned first, size_t length)
{
	uint32_t tcp = (uint32_t)(s->headers - s->transport + length) + IPPROTO_TCP;

	if (s->version == 4) {
		put16(h + 2, s->headers + length);
		put16(h + 4, get16(h + 4) + first);
		put16(h + 10, 0);
		put16(h + 10, ~folded(sum(0, h, s->transport)));
		tcp = sum(tcp, h + 12, 8);
	} else {
		put16(h + 4, s->headers - 40 + length);
		tcp = sum(tcp, h + 8, 32);
	}
	put16(h + s->transport + 16, folded(tcp));
}

void
split_run(const struct split *s, const struct virtio_net_hdr *vnet, const uint8_t *ip, unsigned first, unsigned count,
    struct virtio_net_hdr *ret_vnet, uint8_t *ret_headers, size_t *ret_from, size_t *ret_length)
{
	uint8_t *tcp = ret_headers + s->transport;
	uint32_t seq;

	*ret_vnet = *vnet;
	*ret_from = s->headers + first * s->segment;
	*ret_length = payload(s, first, count);
	if (s->count == 1) {
		*ret_from = 0;
		*ret_length = s->length;
		return;
	}
	memcpy(ret_headers, ip, s->headers);
	if (first == 0 && count == s->count)
		return;
	memcpy(&seq, tcp + 4, 4);
	seq = htonl(ntohl(seq) + (uint32_t)(first * s->segment));
	memcpy(tcp + 4, &seq, 4);
	if (first + count < s->count)
		tcp[13] &= (uint8_t)~TCP_FIN_PSH;
	if (first > 0)
		tcp[13] &= (uint8_t)~TCP_CWR;
	fix_ip(s, ret_headers, first, *ret_length);
	if (count == 1) {
		ret_vnet->gso_type = VIRTIO_NET_HDR_GSO_NONE;
		ret_vnet->gso_size = 0;
	}
}
