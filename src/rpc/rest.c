#include "rpc/rest.h"

#include <ctype.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "chain/chain.h"
#include "rpc/internal.h"
#include "rpc/rest_i.h"
#include "util/hex.h"
#include "util/mem.h"

#define MAX_HEADERS 2000

/* --- Answers ------------------------------------------------------------- */

void cc_rest_fail(struct cc_rest *r, int status, const char *fmt, ...)
{
    char *text;
    va_list ap;

    va_start(ap, fmt);
    text = cc_vasprintf(fmt, ap);
    va_end(ap);
    r->reply->status = status;
    r->reply->content_type = "text/plain";
    r->reply->body = cc_asprintf("%s\r\n", text);
    r->reply->body_len = strlen(r->reply->body);
    free(text);
}

void cc_rest_no_form(struct cc_rest *r, bool json_only)
{
    cc_rest_fail(r, 404, "output format not found (available: %s)",
                 json_only ? "json" : ".bin, .hex, .json");
}

static void answer(struct cc_rest *r, const char *type, const void *data,
                   size_t len, bool line)
{
    char *body = cc_malloc(len + 1);

    memcpy(body, data, len);
    body[len] = '\n';
    r->reply->content_type = type;
    r->reply->body = body;
    r->reply->body_len = len + line;
}

void cc_rest_json(struct cc_rest *r, json_t *value)
{
    char *text = cc_json_dump(value, 0);

    answer(r, "application/json", text, strlen(text), true);
    free(text);
    json_decref(value);
}

void cc_rest_bytes(struct cc_rest *r, const void *data, size_t len)
{
    char *hex;

    if (r->form == CC_REST_BIN) {
        answer(r, "application/octet-stream", data, len, false);
        return;
    }
    hex = cc_malloc(2 * len + 1);
    cc_hex_encode(hex, data, len);
    answer(r, "text/plain", hex, 2 * len, true);
    free(hex);
}

/* --- Asking -------------------------------------------------------------- */

/* params is taken. The result, NULL where there is none. */
static json_t *ask(struct cc_rest *r, const char *method, json_t *params)
{
    struct cc_rpc_reply reply;
    json_t *result;

    cc_rpc_execute(r->rpc, method, params, NULL, &reply);
    json_decref(params);
    result = json_incref(reply.result);
    cc_rpc_reply_clear(&reply);
    return result;
}

static void ask_json(struct cc_rest *r, const char *method, json_t *params)
{
    json_t *result = r->form == CC_REST_JSON ? ask(r, method, params) : NULL;

    if (r->form != CC_REST_JSON) {
        json_decref(params);
        cc_rest_no_form(r, true);
    } else if (result) {
        cc_rest_json(r, result);
    } else {
        cc_rest_fail(r, 500, "no answer");
    }
}

/* While the node starts nothing can be asked. */
static bool ready(struct cc_rest *r)
{
    struct cc_rpc_reply reply;
    bool in_warmup;

    cc_rpc_execute(r->rpc, "getblockcount", NULL, NULL, &reply);
    in_warmup = reply.code == CC_RPC_IN_WARMUP;
    if (in_warmup)
        cc_rest_fail(r, 503, "Service temporarily unavailable: %s",
                     reply.message);
    cc_rpc_reply_clear(&reply);
    return !in_warmup;
}

/* --- The address --------------------------------------------------------- */

/* Behind the last dot, which is cut off with it. */
static enum cc_rest_form take_form(char *path)
{
    static const char *const names[] = {"bin", "hex", "json"};
    char *dot = strrchr(path, '.');

    for (int i = 0; dot && i < 3; i++)
        if (!strcmp(dot + 1, names[i])) {
            *dot = '\0';
            return (enum cc_rest_form)(CC_REST_BIN + i);
        }
    return CC_REST_NONE;
}

bool cc_rest_hash(struct cc_rest *r, const char *text, uint8_t hash[32])
{
    if (cc_hex_decode_rev(hash, 32, text))
        return true;
    cc_rest_fail(r, 400, "Invalid hash: %s", text);
    return false;
}

static bool is_uri(const char *s)
{
    for (; *s; s++)
        if (*s == '%' &&
            !(isxdigit((unsigned char)s[1]) && isxdigit((unsigned char)s[2])))
            return false;
    return true;
}

/* What stood for itself, and %41 and its like; a plus is a space. */
static char *decoded(const char *text, size_t len)
{
    char *out = cc_malloc(len + 1), *to = out;

    for (size_t i = 0; i < len; i++) {
        uint8_t c = (uint8_t)(text[i] == '+' ? ' ' : text[i]);

        if (c == '%') { /* is_uri has seen two digits */
            const char hex[] = {text[i + 1], text[i + 2], '\0'};

            (void)cc_hex_decode(&c, 1, hex);
            i += 2;
        }
        *to++ = (char)c;
    }
    *to = '\0';
    return out;
}

char *cc_rest_query(struct cc_rest *r, const char *key, const char *fallback)
{
    const char *q = r->req->query ? r->req->query : "";
    const size_t len = strlen(key);

    if (!is_uri(r->req->path) || !is_uri(q)) {
        cc_rest_fail(r, 400,
                     "URI parsing failed, it likely contained RFC 3986 "
                     "invalid characters");
        return NULL;
    }
    while (*q) {
        const size_t n = strcspn(q, "&");

        if (n > len && !strncmp(q, key, len) && q[len] == '=')
            return decoded(q + len + 1, n - len - 1);
        q += n + (q[n] == '&');
    }
    return cc_strdup(fallback);
}

static bool to_int(const char *s, long least, long most, long *out)
{
    char *end;

    if (!isdigit((unsigned char)s[0]) &&
        !(s[0] == '-' && isdigit((unsigned char)s[1])))
        return false;
    errno = 0;
    *out = strtol(s, &end, 10);
    return !*end && !errno && *out >= least && *out <= most;
}

bool cc_rest_count(struct cc_rest *r, const char *text, long *out)
{
    if (to_int(text, 1, MAX_HEADERS, out))
        return true;
    cc_rest_fail(r, 400,
                 "Header count is invalid or out of acceptable range (1-%d): "
                 "%s",
                 MAX_HEADERS, text);
    return false;
}

/* --- Transactions, blocks ------------------------------------------------ */

static void rest_tx(struct cc_rest *r)
{
    const bool json = r->form == CC_REST_JSON;
    uint8_t txid[32], *raw;
    size_t len;
    json_t *tx;

    if (!cc_rest_hash(r, r->path, txid))
        return;
    tx = ask(r, "getrawtransaction", json_pack("[si]", r->path, json));
    if (!tx) {
        cc_rest_fail(r, 404, "%s not found", r->path);
        return;
    }
    if (r->form == CC_REST_NONE) {
        cc_rest_no_form(r, false);
    } else if (json) {
        json_object_del(tx, "confirmations");
        json_object_del(tx, "time");
        json_object_del(tx, "blocktime");
        cc_rest_json(r, json_incref(tx));
    } else {
        raw = cc_hex_decode_dup(json_string_value(tx), &len);
        cc_rest_bytes(r, raw, len);
        free(raw);
    }
    json_decref(tx);
}

static void block_json(struct cc_rest *r, int verbosity)
{
    json_t *block = ask(r, "getblock", json_pack("[si]", r->path, verbosity));

    if (block)
        cc_rest_json(r, block);
    else
        cc_rest_fail(r, 404, "%s not found", r->path);
}

static void block_of(struct cc_rest *r, int verbosity)
{
    struct cc_chain *c = r->env.chain;
    struct cc_index *i;
    uint8_t hash[32], *raw;
    size_t len;

    if (!cc_rest_hash(r, r->path, hash))
        return;
    i = cc_chain_find(c, hash);
    if (i && cc_chain_is_pruned(c, i)) {
        cc_rest_fail(r, 404, "%s not available (pruned data)", r->path);
    } else if (!i || cc_chain_read_raw(c, i, &raw, &len, NULL) != CC_OK) {
        cc_rest_fail(r, 404, "%s not found", r->path);
    } else {
        if (r->form == CC_REST_JSON)
            block_json(r, verbosity);
        else if (r->form == CC_REST_NONE)
            cc_rest_no_form(r, false);
        else
            cc_rest_bytes(r, raw, len);
        free(raw);
    }
}

static void rest_block(struct cc_rest *r) { block_of(r, 3); }

static void rest_block_txids(struct cc_rest *r) { block_of(r, 1); }

size_t cc_rest_chain(struct cc_chain *c, const uint8_t hash[32],
                     struct cc_index **out, size_t most)
{
    struct cc_index *i;
    size_t n = 0;

    cc_chain_lock(c);
    i = cc_chain_find(c, hash);
    while (i && n < most && cc_chain_contains(c, i)) {
        out[n++] = i;
        i = cc_chain_at(c, i->height + 1);
    }
    cc_chain_unlock(c);
    return n;
}

static void headers_json(struct cc_rest *r, struct cc_index **list, size_t n)
{
    json_t *all = json_array();
    char hash[65];

    for (size_t k = 0; k < n; k++) {
        json_t *o;

        cc_hex_encode_rev(hash, list[k]->hash, 32);
        o = ask(r, "getblockheader", json_pack("[s]", hash));
        if (o)
            json_array_append_new(all, o);
    }
    cc_rest_json(r, all);
}

static void headers_of(struct cc_rest *r, const char *count_text,
                       const char *hash_text)
{
    struct cc_index **list;
    struct cc_writer w;
    uint8_t hash[32];
    long count;
    size_t n;

    if (!cc_rest_count(r, count_text, &count) ||
        !cc_rest_hash(r, hash_text, hash))
        return;
    list = cc_calloc((size_t)count, sizeof(struct cc_index *));
    n = cc_rest_chain(r->env.chain, hash, list, (size_t)count);
    if (r->form == CC_REST_NONE) {
        cc_rest_no_form(r, false);
    } else if (r->form == CC_REST_JSON) {
        headers_json(r, list, n);
    } else {
        cc_writer_init_heap(&w);
        for (size_t k = 0; k < n; k++)
            cc_header_write(&w, &list[k]->header);
        cc_rest_bytes(r, w.data, w.len);
        cc_writer_clear(&w);
    }
    free(list);
}

/* /<hash>?count=<count>, or as it was once, /<count>/<hash>. */
static void rest_headers(struct cc_rest *r)
{
    char *slash = strchr(r->path, '/'), *count;

    if (slash && strchr(slash + 1, '/')) {
        cc_rest_fail(r, 400,
                     "Invalid URI format. Expected "
                     "/rest/headers/<hash>.<ext>?count=<count>");
        return;
    }
    if (slash) {
        *slash = '\0';
        headers_of(r, r->path, slash + 1);
        return;
    }
    count = cc_rest_query(r, "count", CC_REST_HEADERS);
    if (count)
        headers_of(r, count, r->path);
    free(count);
}

static void rest_hash_at(struct cc_rest *r)
{
    static const char safe[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRST"
                               "UVWXYZ0123456789 .,;-_/:?@()";
    struct cc_index *i;
    uint8_t shown[32];
    long height;
    json_t *o;

    if (!to_int(r->path, 0, INT32_MAX, &height)) {
        char *to = r->path;

        for (const char *from = r->path; *from; from++)
            if (strchr(safe, *from))
                *to++ = *from;
        *to = '\0';
        cc_rest_fail(r, 400, "Invalid height: %s", r->path);
        return;
    }
    i = cc_chain_at(r->env.chain, (uint32_t)height);
    if (!i) {
        cc_rest_fail(r, 404, "Block height out of range");
        return;
    }
    switch (r->form) {
    case CC_REST_NONE:
        cc_rest_no_form(r, false);
        return;
    case CC_REST_JSON:
        o = json_object();
        cc_json_set_hash(o, "blockhash", i->hash);
        cc_rest_json(r, o);
        return;
    case CC_REST_BIN:
        cc_rest_bytes(r, i->hash, 32);
        return;
    case CC_REST_HEX:
        for (int k = 0; k < 32; k++)
            shown[k] = i->hash[31 - k];
        cc_rest_bytes(r, shown, 32);
        return;
    }
}

/* --- The node ------------------------------------------------------------ */

static void rest_chain(struct cc_rest *r)
{
    ask_json(r, "getblockchaininfo", json_array());
}

static void rest_deployments(struct cc_rest *r)
{
    const char *of = r->path + (*r->path == '/');
    uint8_t hash[32];

    if (r->form == CC_REST_JSON && *of) {
        if (!cc_rest_hash(r, of, hash))
            return;
        if (!cc_chain_find(r->env.chain, hash)) {
            cc_rest_fail(r, 400, "Block not found");
            return;
        }
    }
    ask_json(r, "getdeploymentinfo", *of ? json_pack("[s]", of) : json_array());
}

static bool query_bool(struct cc_rest *r, const char *key, const char *fallback,
                       bool *out)
{
    char *value = cc_rest_query(r, key, fallback);
    bool ok = false;

    if (!value)
        return false;
    *out = !strcmp(value, "true");
    ok = *out || !strcmp(value, "false");
    if (!ok)
        cc_rest_fail(r, 400,
                     "The \"%s\" query parameter must be either \"true\" or "
                     "\"false\".",
                     key);
    free(value);
    return ok;
}

static void rest_mempool(struct cc_rest *r)
{
    const bool contents = !strcmp(r->path, "contents");
    bool verbose, sequence;

    if (!contents && strcmp(r->path, "info") != 0) {
        cc_rest_fail(r, 400,
                     "Invalid URI format. Expected "
                     "/rest/mempool/<info|contents>.json");
    } else if (!contents || r->form != CC_REST_JSON) {
        ask_json(r, "getmempoolinfo", json_array());
    } else if (query_bool(r, "verbose", "true", &verbose) &&
               query_bool(r, "mempool_sequence", "false", &sequence)) {
        if (verbose && sequence)
            cc_rest_fail(r, 400,
                         "Verbose results cannot contain mempool sequence "
                         "values. (hint: set \"verbose=false\")");
        else
            ask_json(r, "getrawmempool", json_pack("[bb]", verbose, sequence));
    }
}

/* --- Which --------------------------------------------------------------- */

static const struct {
    const char *prefix;
    void (*fn)(struct cc_rest *r);
} paths[] = {
    {"tx/", rest_tx},
    {"block/notxdetails/", rest_block_txids},
    {"block/", rest_block},
    {"blockfilter/", cc_rest_filter},
    {"blockfilterheaders/", cc_rest_filter_headers},
    {"chaininfo", rest_chain},
    {"mempool/", rest_mempool},
    {"headers/", rest_headers},
    {"getutxos", cc_rest_coins},
    {"deploymentinfo", rest_deployments},
    {"blockhashbyheight/", rest_hash_at},
};

void cc_rest_handle(struct cc_rpc *rpc, const struct cc_http_request *req,
                    struct cc_http_reply *reply)
{
    struct cc_rest r = {.rpc = rpc, .req = req, .reply = reply};
    const char *path = req->path + strlen(CC_REST_PREFIX);

    for (size_t i = 0; i < sizeof(paths) / sizeof(paths[0]); i++) {
        const size_t len = strlen(paths[i].prefix);

        if (strncmp(path, paths[i].prefix, len) != 0)
            continue;
        r.path = cc_strdup(path + len);
        r.form = take_form(r.path);
        if (ready(&r)) {
            r.env = cc_rpc_env_now(rpc);
            paths[i].fn(&r);
        }
        free(r.path);
        return;
    }
    reply->status = 404;
}
