/*
 * protocol_reference.c - prints docs/protocol-reference.md; the lint runs it and compares.
 */
#include <stdio.h>

#include "common/wire/msg.h"

int
main(void)
{
	SP_AUTO_DONE(sp_buf) out = { 0 };

	sp_wire_reference(&out);
	if (sp_buf_status(&out) != SP_OK || fwrite(out.data, 1, out.len, stdout) != out.len || fflush(stdout) != 0)
		return 1;
	return 0;
}
