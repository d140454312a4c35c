/* Which of these outputs are unspent, and what they are: /rest/getutxos, after
 * BIP 64. Asked for in the path, <txid>-<n> between slashes, or in the body:
 * one byte whether the pool counts ‖ compact size ‖ (txid 32 ‖ index 4) each.
 */
#include <stdlib.h>
#include <string.h>

#include "mempool/mempool.h"
#include "rpc/rest_i.h"
#include "rpc/txjson.h"
#include "util/hex.h"
#include "util/mem.h"
#include "util/reader.h"

#define MAX_OUTPOINTS 15
#define POOL_HEIGHT 0x7fffffff /* of a coin in no block */

struct asked {
    struct cc_outpoint *list;
    size_t count;
    bool pool;
};

struct found {
    struct cc_coin coins[MAX_OUTPOINTS];
    bool hits[MAX_OUTPOINTS];
    struct cc_arena arena;
    const struct cc_index *tip;
};

/* As Core reads a number in hex: the last 64 digits of it. */
static bool read_txid(uint8_t txid[32], const char *text, size_t len)
{
    char hex[65];
    const size_t n = len < 64 ? len : 64;

    if (len == 0 || len % 2 || strspn(text, "0123456789abcdefABCDEF") < len)
        return false;
    memset(hex, '0', 64);
    memcpy(hex + 64 - n, text + len - n, n);
    hex[64] = '\0';
    return cc_hex_decode_rev(txid, 32, hex);
}

/* <txid>-<n>, of len characters. */
static bool read_outpoint(struct cc_outpoint *o, const char *text, size_t len)
{
    const char *dash = memchr(text, '-', len);
    char number[12] = "", *end;
    size_t digits;
    long n;

    if (!dash)
        return false;
    digits = len - (size_t)(dash + 1 - text);
    if (digits == 0 || digits >= sizeof(number) ||
        !read_txid(o->txid, text, (size_t)(dash - text)))
        return false;
    memcpy(number, dash + 1, digits);
    if (strspn(number, "-0123456789") < digits)
        return false;
    n = strtol(number, &end, 10);
    o->index = (uint32_t)n;
    return !*end && n >= INT32_MIN && n <= INT32_MAX;
}

static bool read_path(struct cc_rest *r, struct asked *a)
{
    const char *p = r->path[0] ? r->path + 1 : r->path;
    size_t cap = 0;

    if (!*p)
        return true;
    if (!strcmp(p, "checkmempool") || !strncmp(p, "checkmempool/", 13)) {
        a->pool = true;
        p += 12 + (p[12] == '/');
    }
    while (*p) {
        const size_t len = strcspn(p, "/");

        a->list = cc_grow(a->list, &cap, a->count + 1, sizeof(*a->list));
        if (!read_outpoint(&a->list[a->count++], p, len)) {
            cc_rest_fail(r, 400, "Parse error");
            return false;
        }
        p += len + (p[len] == '/');
    }
    if (a->count)
        return true;
    cc_rest_fail(r, 400, "Error: empty request");
    return false;
}

static bool read_bytes(struct asked *a, const void *data, size_t len)
{
    struct cc_reader r;

    cc_reader_init(&r, data, len);
    a->pool = cc_read_u8(&r) != 0;
    a->count = cc_read_count(&r, 36);
    if (r.failed)
        return false;
    a->list = cc_calloc(a->count + 1, sizeof(*a->list));
    for (size_t i = 0; i < a->count; i++) {
        cc_read_bytes(&r, a->list[i].txid, 32);
        a->list[i].index = cc_read_u32le(&r);
    }
    return !r.failed;
}

static bool read_body(struct cc_rest *r, struct asked *a)
{
    uint8_t *data = NULL;
    size_t len = 0;
    bool ok;

    if (r->req->body_len == 0)
        return true;
    if (a->count) {
        cc_rest_fail(r, 400,
                     "Combination of URI scheme inputs and raw post data is "
                     "not allowed");
        return false;
    }
    if (r->form == CC_REST_BIN)
        return read_bytes(a, r->req->body, r->req->body_len) ||
               (cc_rest_fail(r, 400, "Parse error"), false);
    data = cc_hex_decode_dup(r->req->body, &len);
    ok = data && read_bytes(a, data, len);
    free(data);
    if (!ok)
        cc_rest_fail(r, 400, "Parse error");
    return ok;
}

static bool read_all(struct cc_rest *r, struct asked *a)
{
    if (r->req->body_len == 0 && strlen(r->path) < 2) {
        cc_rest_fail(r, 400, "Error: empty request");
        return false;
    }
    if (!read_path(r, a))
        return false;
    if (r->form == CC_REST_NONE) {
        cc_rest_no_form(r, false);
        return false;
    }
    if (r->form == CC_REST_JSON && !a->count) {
        cc_rest_fail(r, 400, "Error: empty request");
        return false;
    }
    if (r->form != CC_REST_JSON && !read_body(r, a))
        return false;
    if (a->count <= MAX_OUTPOINTS)
        return true;
    cc_rest_fail(r, 400, "Error: max outpoints exceeded (max: %d, tried: %zu)",
                 MAX_OUTPOINTS, a->count);
    return false;
}

/* At one moment. */
static void look_up(struct cc_rest *r, const struct asked *a, struct found *f)
{
    struct cc_chain *c = r->env.chain;

    cc_chain_lock(c);
    f->tip = cc_chain_tip(c);
    for (size_t i = 0; i < a->count; i++) {
        enum cc_status st =
            a->pool
                ? cc_mempool_coin(r->env.mempool, &a->list[i], &f->coins[i],
                                  &f->arena, NULL)
                : cc_chain_coin(c, &a->list[i], &f->coins[i], &f->arena, NULL);

        f->hits[i] = st == CC_OK;
        if (f->hits[i] && f->coins[i].height > f->tip->height)
            f->coins[i].height = POOL_HEIGHT;
    }
    cc_chain_unlock(c);
}

static void answer_bytes(struct cc_rest *r, const struct asked *a,
                         const struct found *f)
{
    uint8_t bitmap[(MAX_OUTPOINTS + 7) / 8] = {0};
    size_t count = 0;
    struct cc_writer w;

    for (size_t i = 0; i < a->count; i++) {
        bitmap[i / 8] |= (uint8_t)(f->hits[i] << i % 8);
        count += f->hits[i];
    }
    cc_writer_init_heap(&w);
    cc_write_u32le(&w, f->tip->height);
    cc_write_bytes(&w, f->tip->hash, 32);
    cc_write_var(&w, bitmap, (a->count + 7) / 8);
    cc_write_compact(&w, count);
    for (size_t i = 0; i < a->count; i++) {
        if (!f->hits[i])
            continue;
        cc_write_u32le(&w, 0); /* once the transaction's version */
        cc_write_u32le(&w, f->coins[i].height);
        cc_txout_write(&w, &f->coins[i].out);
    }
    cc_rest_bytes(r, w.data, w.len);
    cc_writer_clear(&w);
}

static void answer_json(struct cc_rest *r, const struct asked *a,
                        const struct found *f)
{
    json_t *o = json_object(), *list = json_array();
    char bitmap[MAX_OUTPOINTS + 1] = "";

    for (size_t i = 0; i < a->count; i++) {
        json_t *coin;

        bitmap[i] = f->hits[i] ? '1' : '0';
        if (!f->hits[i])
            continue;
        coin = json_object();
        cc_json_set_int(coin, "height", f->coins[i].height);
        cc_json_set_amount(coin, "value", f->coins[i].out.value);
        cc_json_set(coin, "scriptPubKey",
                    cc_script_json(f->coins[i].out.script, r->env.params));
        json_array_append_new(list, coin);
    }
    cc_json_set_int(o, "chainHeight", f->tip->height);
    cc_json_set_hash(o, "chaintipHash", f->tip->hash);
    cc_json_set_str(o, "bitmap", bitmap);
    cc_json_set(o, "utxos", list);
    cc_rest_json(r, o);
}

void cc_rest_coins(struct cc_rest *r)
{
    struct asked a = {0};
    struct found f;

    if (read_all(r, &a)) {
        cc_arena_init(&f.arena);
        look_up(r, &a, &f);
        if (r->form == CC_REST_JSON)
            answer_json(r, &a, &f);
        else
            answer_bytes(r, &a, &f);
        cc_arena_clear(&f.arena);
    }
    free(a.list);
}
