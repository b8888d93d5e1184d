/*
 * port.h - a data port: a free one of the range, chosen at random. Internal to peerd/data.
 */
#ifndef PEERD_DATA_PORT_H
#define PEERD_DATA_PORT_H

#include "common/net/addr.h"

/*
 * Opens listening sockets on one port of first..last: on bind's host, or, with no host, on all addresses of IPv4 and,
 * where the machine has it, IPv6. ret_fds[1] is -1 if there is only one. SP_E_BUSY when every port of the range is
 * taken.
 */
SP_MUST_CHECK enum sp_status data_port_open(const struct sp_addr *bind, uint16_t first, uint16_t last, int ret_fds[2],
    uint16_t *ret_port, struct sp_why *why);

#endif
