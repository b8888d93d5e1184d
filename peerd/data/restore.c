/*
 * restore.c - from an order to its writer, and from a writer to the result: at the end of a transfer, and after a restart.
 */
#include "peerd/data/restore.h"

#include "peerd/data/result.h"

struct data_terms
restore_terms(const struct data_receive_order *order, const char *id_text)
{
	return (struct data_terms){
		.manifest = order->manifest, .manifest_length = order->manifest_length, .files = order->files,
		.bytes = order->bytes, .packet = order->packet, .sender = order->sender.name,
		.received = order->received, .id_text = id_text, .keep_links = order->keep_links,
		.transfer = order->transfer, .offer = order->offer, .buffer = order->buffer,
	};
}

enum sp_status
restore_result(struct data_result *result, struct data_writer *w, const struct data_receive_order *order)
{
	enum sp_status st;

	result->manifest_hash = order->manifest;
	result->place = data_writer_take_place(w);
	result->manifest = data_writer_take_manifest(w);
	result->prints = data_writer_take_prints(w);
	if ((st = data_result_files(result, result->manifest, result->prints)) != SP_OK)
		return st;
	return data_result_links(result, result->manifest, order->keep_links);
}

enum sp_status
data_restore(const struct data_receive_order *order, struct data_result **ret_result, struct sp_why *why)
{
	SP_AUTO(data_result) *result = calloc(1, sizeof(*result));
	SP_AUTO(data_writer) *w = NULL;
	char id_text[SP_ID_TEXT];
	struct data_terms terms = restore_terms(order, sp_id_text(&order->transfer, id_text));
	uint32_t none;
	enum sp_status st;

	if (result == NULL)
		return SP_E_NOMEM;
	terms.buffer = 0;
	if ((st = data_writer_new(&terms, &w)) != SP_OK || (st = data_writer_restore(w, &result->notes, why)) != SP_OK ||
	    (st = restore_result(result, w, order)) != SP_OK)
		return st;
	sp_prints_count(result->prints, &none, &result->changed);
	*ret_result = sp_take(&result);
	return SP_OK;
}
