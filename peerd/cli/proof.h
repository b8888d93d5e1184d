/*
 * proof.h - a .receipt read from disk and verified, for the verbs receipt and verify.
 */
#ifndef PEERD_CLI_PROOF_H
#define PEERD_CLI_PROOF_H

#include "common/base/buf.h"
#include "common/statements/receipt_file.h"
#include "peerd/cli/cli.h"

/*
 * Reads and verifies the file. A station's home says which root its own domain has; for other domains, or without
 * a home, the root in the receipt is taken and root_pinned is false. CLI_DONE, or CLI_FAILED (said). The proof
 * borrows nothing.
 */
int proof_read(struct cli *cli, const char *path, struct sp_buf *ret_file, struct sp_receipt_proof *ret_proof);

/* What it proves, in plain words (or as a JSON object). */
void proof_say(struct cli *cli, const char *path, const struct sp_receipt_proof *proof);

#endif
