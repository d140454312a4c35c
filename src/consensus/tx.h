/*
 * tx.h: transactions on the wire (BIP 144) and their ids.
 *
 * A struct cc_tx is read-only once decoded or finished: anyone may read it
 * from any thread. Scripts and witness items are slices of bytes that the
 * transaction's owner keeps alive: its own arena (cc_tx_decode), or the
 * block's raw bytes (transactions of a block).
 */
#ifndef CC_CONSENSUS_TX_H
#define CC_CONSENSUS_TX_H

#include "util/amount.h"
#include "util/arena.h"
#include "util/error.h"
#include "util/reader.h"
#include "util/writer.h"

#define CC_MAX_BLOCK_WEIGHT 4000000
#define CC_MAX_BLOCK_SIGOPS_COST 80000
#define CC_WITNESS_SCALE 4
#define CC_SEQUENCE_FINAL 0xffffffffu
#define CC_LOCKTIME_THRESHOLD 500000000u /* below: height, from: unix time */

struct cc_outpoint {
    uint8_t txid[32]; /* internal byte order */
    uint32_t index;
};

struct cc_txin {
    struct cc_outpoint prevout;
    struct cc_bytes script_sig;
    uint32_t sequence;
    struct cc_bytes *witness;
    size_t witness_count;
};

struct cc_txout {
    cc_amount value; /* as sent: may be out of range until checked */
    struct cc_bytes script;
};

struct cc_tx {
    int32_t version;
    uint32_t locktime;
    struct cc_txin *vin;
    size_t vin_count;
    struct cc_txout *vout;
    size_t vout_count;
    bool has_witness;
    uint8_t txid[32], wtxid[32]; /* internal byte order */
    size_t size, stripped_size;  /* bytes with and without witness */
    struct cc_arena arena;       /* unused in transactions of a block */
};

/* A spendable output with where it came from. Value type; script is borrowed
 * from whoever produced the coin. */
struct cc_coin {
    struct cc_txout out;
    uint32_t height;
    bool coinbase; /* matures like a coinbase */
};

bool cc_outpoint_equal(const struct cc_outpoint *a,
                       const struct cc_outpoint *b);
bool cc_outpoint_is_null(const struct cc_outpoint *o);

/* Read one transaction from r; arrays go into arena, scripts and witness
 * items stay slices of r's bytes; ids and sizes are filled. With
 * allow_witness false the marker is not looked for. Sets r->failed. */
void cc_tx_read(struct cc_reader *r, struct cc_tx *tx, struct cc_arena *arena,
                bool allow_witness);

/* A whole buffer into a transaction that owns a copy of it. CC_MALFORMED if
 * it is not exactly one transaction; tx untouched. As Core's DecodeHexTx,
 * the caller who must guess tries with and without witness. */
enum cc_status cc_tx_decode(struct cc_tx *tx, const void *data, size_t len,
                            bool allow_witness);
/* As messages are read: what follows the transaction is not looked at. */
enum cc_status cc_tx_decode_front(struct cc_tx *tx, const void *data,
                                  size_t len);
/* What is wrong with bytes that these have refused. */
const char *cc_tx_fault(const void *data, size_t len);
/* A deep copy that owns its bytes. */
void cc_tx_copy(struct cc_tx *out, const struct cc_tx *tx);
void cc_tx_clear(struct cc_tx *tx);

void cc_tx_write(struct cc_writer *w, const struct cc_tx *tx,
                 bool with_witness);
/* For a transaction built by hand: recompute has_witness, ids and sizes. */
void cc_tx_finish(struct cc_tx *tx);

bool cc_tx_is_coinbase(const struct cc_tx *tx);
/* 3 x stripped + total (BIP 141). */
size_t cc_tx_weight(const struct cc_tx *tx);

void cc_txout_write(struct cc_writer *w, const struct cc_txout *out);

#endif
