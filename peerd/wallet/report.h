/*
 * report.h - tells creditd where the wallet stands: at each start, soon after serials were reserved, and when somebody wants
 * to know. What creditd says is closed (it saw a later state of this wallet: this one is a restored copy) is never spent again.
 * Main loop only.
 */
#ifndef PEERD_WALLET_REPORT_H
#define PEERD_WALLET_REPORT_H

#include "common/member/member.h"
#include "peerd/store/wallet.h"

struct wallet;

/* Everything is borrowed; the station is enrolled.. */
SP_MUST_CHECK enum sp_status wallet_new(struct sp_loop *loop, struct store *store, struct member *station,
    struct wallet **ret_wallet, struct sp_why *why);

/* Whoever waits is not called any more. NULL is fine. */
void wallet_free(struct wallet *w);
SP_AUTO_DEFINE(wallet);

/* peerd has started: every open sheet is reported as such, again and again until creditd answers. Once. */
void wallet_start(struct wallet *w);

/* Serials were reserved: creditd is told soon. */
void wallet_spent(struct wallet *w);

/* Now; fn is called once, never within this call: SP_OK when creditd knows everything that was reserved before the call, or
 * why it does not (it can't be reached: it is tried again later by itself). On failure fn is not called. */
typedef void wallet_done_fn(void *arg, enum sp_status st, const struct sp_why *why);
SP_MUST_CHECK enum sp_status wallet_report(struct wallet *w, wallet_done_fn *fn, void *arg);

/* Has creditd not yet been asked since the start whether this wallet is the newest there is? Whoever spends waits for that with
 * wallet_report(). NULL is fine. */
bool wallet_is_new(const struct wallet *w);

/* Was a sheet closed that could still be spent, because creditd has seen a later state of this wallet? NULL is fine. */
bool wallet_has_closed(const struct wallet *w);

/* What was called with this arg is called back no more. w NULL and unknown args are fine. */
void wallet_forget(struct wallet *w, const void *arg);

#endif
