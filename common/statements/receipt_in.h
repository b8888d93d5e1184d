/*
 * receipt_in.h - bounds that the two halves of the .receipt share. Internal to common/statements.
 */
#ifndef SP_STATEMENTS_RECEIPT_IN_H
#define SP_STATEMENTS_RECEIPT_IN_H

#include "common/statements/receipt_file.h"

#define RECEIPT_TIME_MAX 253402300799u	/* the last second of the year 9999 */
#define RECEIPT_CHAIN_MAX (SP_RECEIPT_CERTS * 2048)	/* bytes of chain.pem: a certificate of ours is <= 1,200 in PEM */

#endif
