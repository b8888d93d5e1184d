/*
 * restore.h - what a receiver and data_restore() share: an order as the writer takes it, and a finished packet's result. Internal to
 * peerd/data.
 */
#ifndef PEERD_DATA_RESTORE_H
#define PEERD_DATA_RESTORE_H

#include "peerd/data/data.h"
#include "peerd/data/writer.h"

/* All of it is borrowed from the two. */
struct data_terms restore_terms(const struct data_receive_order *order, const char *id_text);

/* What a finished packet is, taken out of its writer. */
SP_MUST_CHECK enum sp_status restore_result(struct data_result *result, struct data_writer *w,
    const struct data_receive_order *order);

#endif
