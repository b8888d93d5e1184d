/*
 * host.h - the texts of hosts and services in statements and invitations, in one form. Nothing is looked up.
 */
#ifndef SP_STATEMENTS_HOST_H
#define SP_STATEMENTS_HOST_H

#include "common/base/span.h"

/* A host name or IPv4 address (lower-case letters, digits, '-', labels with '.' between), or an IPv6 address
 * without brackets in its canonical text (RFC 5952), none that stands for an IPv4 address; at most SP_HOST_MAX bytes. */
bool sp_host_ok(struct sp_span text);

/* Is it such an IPv6 address? (It stands in brackets where a port follows.) */
bool sp_host_is_v6(struct sp_span text);

/* The name of a service, as in its certificate: [a-z0-9._-], a letter or digit first, at most SP_SERVICE_MAX. */
bool sp_service_name_ok(struct sp_span text);

#endif
