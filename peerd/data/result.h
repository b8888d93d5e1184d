/*
 * result.h - what both sides make of the end of a transfer. Internal to peerd/data.
 */
#ifndef PEERD_DATA_RESULT_H
#define PEERD_DATA_RESULT_H

#include "peerd/data/data.h"

/* files.txt and its hash from manifest and prints; both stay the caller's. */
SP_MUST_CHECK enum sp_status data_result_files(struct data_result *r, const struct sp_manifest *manifest,
    const struct sp_prints *prints);

/* How many links that point outside were left out, and the hash of their paths: none if they are kept. */
SP_MUST_CHECK enum sp_status data_result_links(struct data_result *r, const struct sp_manifest *manifest, bool kept);

/* Reads ABORT: never SP_OK; the status that the other side ("the recipient", "the sender") gave. */
SP_MUST_CHECK enum sp_status data_abort_read(struct sp_span body, const char *who, struct sp_why *why);

#endif
