/*
 * split.h - what a TUN device hands over: an IP packet, or a large TCP segment that stands for many packets (struct virtio_net_hdr says
 * so). Says what it consists of and makes the headers of any run of its packets, so that each packet can have a fate of its own while
 * neighbours of the same fate travel on as one. Pure.
 */
#ifndef SP_TESTS_LINK_SPLIT_H
#define SP_TESTS_LINK_SPLIT_H

#include <linux/virtio_net.h>
#include <stddef.h>
#include <stdint.h>

#define SPLIT_HEADERS_MAX 160	/* IPv6 with some extension headers, TCP with options */

struct split {
	unsigned version;	/* of IP; 0: something else */
	unsigned protocol;	/* IPPROTO_TCP … */
	unsigned count;		/* packets that it stands for */
	size_t length;		/* of the whole */
	size_t transport;	/* where the TCP header begins, if count > 1 */
	size_t headers;		/* bytes before the payload, if count > 1; else 0 */
	size_t segment;		/* payload bytes of each packet but the last */
};

/* Looks at n bytes of IP. Whatever does not look like a TCP segment to be split is one packet. */
struct split split_look(const struct virtio_net_hdr *vnet, const uint8_t *ip, size_t n);

/* The bytes of packet number i as it would be on the wire. */
size_t split_bytes(const struct split *s, unsigned i);

/* Of a run of count packets from first: its headers into ret_headers[s->headers], its virtio_net_hdr; its payload begins at
 * ip + *ret_from and has *ret_length bytes. If s->count is 1, that is the packet itself. */
void split_run(const struct split *s, const struct virtio_net_hdr *vnet, const uint8_t *ip, unsigned first, unsigned count,
    struct virtio_net_hdr *ret_vnet, uint8_t *ret_headers, size_t *ret_from, size_t *ret_length);

#endif
