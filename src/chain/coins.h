/*
 * coins.h: the coin set: a write-back cache over the database.
 *
 * The set is what the database holds, changed by what the cache holds. An
 * entry that differs from the database is dirty; one that the database does
 * not have at all is fresh too, and if it is spent before it was ever written
 * it vanishes without a trace. A flush puts every dirty entry into the
 * caller's batch, so that coins move with the tip.
 *
 * Coins that lock storage (their script starts with OP_STORAGE) are listed a
 * second time in a family of their own, by name and by key; the same flush
 * writes both.
 *
 * Not thread safe: under the chain's lock. One exception: while nobody adds or
 * spends, cc_coins_flush may run beside those who read.
 */
#ifndef CC_CHAIN_COINS_H
#define CC_CHAIN_COINS_H

#include "chain/db.h"
#include "consensus/typed.h"
#include "util/map.h"

/* --- Bytes ------------------------------------------------------------- */

/* Key of a coin: txid 32 ‖ index, 1 to 5 bytes that order as the number. */
#define CC_COIN_KEY_MAX 37
/* Of most coins, key and value together. */
#define CC_COIN_RECORD_BYTES 80
size_t cc_coin_key(uint8_t out[CC_COIN_KEY_MAX], const struct cc_outpoint *o);
bool cc_coin_key_read(struct cc_outpoint *o, struct cc_bytes key);

/* Value: Bitcoin's compact form: varint(height * 2 + coinbase) ‖ amount ‖
 * script, both compressed; undo data hold the same with a zero byte behind
 * the first varint where height > 0. */
void cc_coin_write(struct cc_writer *w, const struct cc_coin *coin);
/* Scripts that were compressed are unfolded into arena; others stay slices of
 * r's bytes. Sets r->failed. */
void cc_coin_read(struct cc_reader *r, struct cc_coin *coin,
                  struct cc_arena *arena);
void cc_coin_write_undo(struct cc_writer *w, const struct cc_coin *coin);
void cc_coin_read_undo(struct cc_reader *r, struct cc_coin *coin,
                       struct cc_arena *arena);

/* --- The set ----------------------------------------------------------- */

struct cc_coins;

/* typed: list storage coins (family typed). budget: bytes of memory. */
struct cc_coins *cc_coins_new(struct cc_db *db, unsigned family,
                              unsigned typed_family, bool typed, size_t budget);
void cc_coins_free(struct cc_coins *c);

/* *coin's script belongs to the cache until the next call that changes it.
 * CC_NOTFOUND: spent or never there. */
enum cc_status cc_coins_get(struct cc_coins *c, const struct cc_outpoint *o,
                            struct cc_coin *coin, struct cc_error *err);
/* Bring these into the cache in one read. coins (may be NULL) gets one for each
 * o, with a value of -1 where there is none; scripts as of cc_coins_get. */
enum cc_status cc_coins_fetch(struct cc_coins *c,
                              const struct cc_outpoint *const *o, size_t count,
                              struct cc_coin *coins, struct cc_error *err);
/* The coin must not be in the set. Script is copied. */
void cc_coins_add(struct cc_coins *c, const struct cc_outpoint *o,
                  const struct cc_coin *coin);
/* The coin must be in the cache (cc_coins_get or _fetch found it). */
void cc_coins_spend(struct cc_coins *c, const struct cc_outpoint *o);

/* Every change since the last flush into batch. */
void cc_coins_flush(struct cc_coins *c, struct cc_db_batch *batch);
/* The batch was written: of the changed entries so many are clean. True when
 * all are; call again otherwise. A cache over half its budget is emptied then:
 * what is freed is the caller's to give back, by cc_coins_drop, when it holds
 * no lock that others wait for. */
bool cc_coins_flushed(struct cc_coins *c, size_t most, struct cc_map *garbage);
void cc_coins_drop(struct cc_map *garbage);
/* How often the cache was emptied: as long as this stays the same, what is in
 * it stays, but for what is spent. */
uint64_t cc_coins_drops(const struct cc_coins *c);

/* Entries in the cache, and about what they take. */
size_t cc_coins_count(const struct cc_coins *c);
size_t cc_coins_memory(const struct cc_coins *c);
bool cc_coins_full(const struct cc_coins *c);
bool cc_coins_dirty(const struct cc_coins *c);
/* About the bytes that the next flush writes. */
uint64_t cc_coins_unsaved(const struct cc_coins *c);

/* --- Storage coins on disk (as of the last flush) ------------------------ */

/* Walk by name: all (CC_KIND_NONE), of one kind, or with id of one (kind, id),
 * of an identity the highest sequence first. */
enum cc_status
cc_coins_each_name(struct cc_coins *c, enum cc_kind kind, const uint8_t *id,
                   const struct cc_db_snapshot *snapshot,
                   bool (*fn)(void *arg, const struct cc_outpoint *o,
                              const struct cc_coin *coin),
                   void *arg, struct cc_error *err);
/* Coins in which key has a part: identity, renter or host. */
enum cc_status cc_coins_each_key(struct cc_coins *c, const uint8_t key[32],
                                 const struct cc_db_snapshot *snapshot,
                                 bool (*fn)(void *arg,
                                            const struct cc_outpoint *o,
                                            const struct cc_coin *coin),
                                 void *arg, struct cc_error *err);

#endif
