/*
 * tables.h - inside peerd/store: the columns of the peer's database, each named like the member of the row it holds:
 * C(version, member, KIND). CREATE, ALTER, INSERT, SELECT, the copying and the freeing of rows all derive from these
 * lists. A column that comes later has the version of the schema that brings it; none is ever taken out.
 */
#ifndef PEERD_STORE_TABLES_H
#define PEERD_STORE_TABLES_H

#define EVENT_COLUMNS(C) \
	C(V1, id, ID) \
	C(V1, kind, INT) \
	C(V1, state, INT) \
	C(V1, ended, BOOL) \
	C(V1, created_ms, U64) \
	C(V1, due_ms, U64) \
	C(V1, until_ms, U64) \
	C(V1, ended_ms, U64) \
	C(V1, attempts, U32) \
	C(V1, peer, KEY) \
	C(V1, title, TEXT) \
	C(V1, message, TEXT) \
	C(V1, klass, U8) \
	C(V1, price, U32) \
	C(V1, files, U64) \
	C(V1, bytes, U64) \
	C(V1, packet, U64) \
	C(V1, done_bytes, U64) \
	C(V1, accept_number, U32) \
	C(V1, reason, INT) \
	C(V1, reason_text, TEXT) \
	C(V1, paths, TEXT) \
	C(V1, place_inode, U64) \
	C(V1, notes, TEXT) \
	C(V1, receipt, TEXT) \
	C(V1, unread, BOOL) \
	C(V1, offer, BYTES) \
	C(V1, offer_signature, BYTES) \
	C(V1, accept, BYTES) \
	C(V1, accept_signature, BYTES) \
	C(V1, done, BYTES) \
	C(V1, done_signature, BYTES) \
	C(V1, final, BYTES) \
	C(V1, final_signature, BYTES) \
	C(V1, frank, BYTES) \
	C(V1, frank_signature, BYTES) \
	C(V1, receipt_p7m, BYTES) \
	C(V1, salt, HASH) \
	C(V1, trailer, HASH) \
	C(V1, files_hash, HASH) \
	C(V3, cert, BYTES) \
	C(V3, payment, U8) \
	C(V4, breaks, U32) \
	C(V4, held, U64) \
	C(V4, wait_peer, BOOL)

#define BOOK_COLUMNS(C) \
	C(V1, name, CHARS) \
	C(V1, address, CHARS) \
	C(V1, added_ms, U64)

#define STATION_COLUMNS(C) \
	C(V1, name, CHARS) \
	C(V1, cert, BYTES) \
	C(V1, address, CHARS) \
	C(V1, seen, CHARS) \
	C(V1, seen_ms, U64)

/* Texts of statements, each after the column "number". */
#define COLUMN_NAME(version, member, kind) ", " #member
#define COLUMN_MARK(version, member, kind) ", ?"
#define COLUMN_SET(version, member, kind) ", " #member " = excluded." #member

#endif
