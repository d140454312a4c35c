/* blockchain: the coin set as a file, in Bitcoin Core 27's form: block hash 32
 * ‖ count 8, and of each coin txid 32 ‖ index 4 ‖ what the database has of it
 * (chain/coins.h). */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "chain/coins.h"
#include "chain/statsindex.h"
#include "crypto/hash.h"
#include "rpc/blockchain.h"
#include "rpc/families.h"
#include "rpc/waiter.h"
#include "util/fs.h"
#include "util/mem.h"

#define HEAD_BYTES 40
#define CHUNK_BYTES (1 << 20)

struct dump {
    const struct cc_rpc_call *call;
    bool ended; /* the node did, before the last coin */
    int fd;
    struct cc_writer w; /* not yet in the file */
    struct cc_sha256 hash;
    uint64_t count;
    enum cc_status st;
    struct cc_error err;
};

static bool write_out(struct dump *d)
{
    d->st = cc_fs_write_all(d->fd, d->w.data, d->w.len, &d->err);
    cc_writer_clear(&d->w);
    cc_writer_init_heap(&d->w);
    return d->st == CC_OK;
}

static bool dump_coin(void *arg, const struct cc_outpoint *o,
                      const struct cc_coin *coin)
{
    struct dump *d = arg;
    struct cc_writer w;

    d->ended = cc_waiter_ends_walk(d->call->env->waiter, d->count);
    if (d->ended)
        return false;
    cc_writer_init_heap(&w);
    cc_coin_write_hashed(&w, o, coin);
    cc_sha256_update(&d->hash, w.data, w.len);
    cc_writer_clear(&w);
    cc_write_bytes(&d->w, o->txid, 32);
    cc_write_u32le(&d->w, o->index);
    cc_coin_write(&d->w, coin);
    d->count++;
    return d->w.len < CHUNK_BYTES || write_out(d);
}

/* The head comes last: how many there are is known then. */
static enum cc_status dump_all(struct dump *d, struct cc_chain *c,
                               struct cc_index **at)
{
    uint8_t head[HEAD_BYTES] = {0};
    struct cc_writer w;
    enum cc_status st;

    cc_write_bytes(&d->w, head, sizeof(head));
    st = cc_chain_each_coin_at(c, at, dump_coin, d, &d->err);
    if (st == CC_OK && d->ended)
        st = cc_fail(&d->err, CC_LIMIT, "Shutting down");
    if (st == CC_OK)
        st = d->st;
    if (st == CC_OK && !write_out(d))
        st = d->st;
    if (st != CC_OK)
        return st;
    cc_writer_init(&w, head, sizeof(head));
    cc_write_bytes(&w, (*at)->hash, 32);
    cc_write_u64le(&w, d->count);
    st = cc_fs_pwrite_all(d->fd, head, sizeof(head), 0, &d->err);
    if (st == CC_OK && fsync(d->fd) != 0)
        st = cc_fail_errno(&d->err, "fsync");
    return st;
}

static json_t *dump_result(struct cc_rpc_call *call, struct dump *d,
                           const struct cc_index *at, const char *path)
{
    json_t *o = json_object();
    uint8_t hash[32];

    cc_sha256_final2(&d->hash, hash);
    cc_json_set(o, "coins_written", cc_json_u64(d->count));
    cc_json_set_hash(o, "base_hash", at->hash);
    cc_json_set_int(o, "base_height", at->height);
    cc_json_set_str(o, "path", path);
    cc_json_set_hash(o, "txoutset_hash", hash);
    cc_json_set(o, "nchaintx",
                cc_json_u64(cc_chain_look(call->env->chain, at).chain_tx));
    return o;
}

/* Into a file beside it first: what has the name is whole. */
static json_t *dump_to(struct cc_rpc_call *call, const char *path,
                       const char *beside)
{
    struct dump d = {.call = call, .st = CC_OK};
    struct cc_index *at = NULL;
    enum cc_status st;

    d.fd = open(beside, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    if (d.fd < 0)
        return cc_rpc_error(call, CC_RPC_INVALID_PARAMETER,
                            "Couldn't open file %s for writing.", beside);
    cc_error_init(&d.err);
    cc_writer_init_heap(&d.w);
    cc_sha256_init(&d.hash);
    st = dump_all(&d, call->env->chain, &at);
    cc_writer_clear(&d.w);
    close(d.fd);
    if (st == CC_OK && rename(beside, path) != 0)
        st = cc_fail_errno(&d.err, "%s", path);
    if (st == CC_OK)
        return dump_result(call, &d, at, path);
    (void)cc_fs_remove(beside, NULL);
    return cc_rpc_error(
        call, d.ended ? CC_RPC_CLIENT_NOT_CONNECTED : CC_RPC_INTERNAL_ERROR,
        "%s", d.err.text);
}

static json_t *dumptxoutset(struct cc_rpc_call *call)
{
    char *path = cc_fs_join(call->env->chaindir, cc_rpc_str(call, 0, ""));
    char *beside = cc_asprintf("%s.incomplete", path);
    json_t *result;

    if (cc_fs_exists(path))
        result = cc_rpc_error(call, CC_RPC_INVALID_PARAMETER,
                              "%s already exists. If you are sure this is "
                              "what you want, move it out of the way first",
                              path);
    else
        result = dump_to(call, path, beside);
    free(beside);
    free(path);
    return result;
}

static const struct cc_rpc_arg dump_args[] = {
    CC_ARG("path", CC_RPC_STR, NULL,
           "Path to the output file. If relative, will be prefixed by the "
           "folder of the chain."),
};

static const struct cc_rpc_method methods[] = {
    {"blockchain", "dumptxoutset", dumptxoutset, CC_RPC_ARGS(dump_args),
     "Write the serialized UTXO set to a file.",
     "{...}    coins_written, base_hash, base_height, path, txoutset_hash, "
     "nchaintx",
     "utxo.dat", 0},
};

void cc_rpc_register_dumpcoins(struct cc_rpc *rpc, bool storage)
{
    cc_rpc_register(rpc, methods, sizeof(methods) / sizeof(methods[0]),
                    storage);
}
