#include "storage/test/renter_world.h"

#include "crypto/ec.h"
#include "crypto/hash.h"
#include "support.h"
#include "util/fs.h"
#include "util/hex.h"
#include "util/mem.h"

#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#define FUNDS 5 /* coins of one CLC each */

static int listen_any(uint16_t *port)
{
    struct sockaddr_in a = {.sin_family = AF_INET};
    socklen_t len = sizeof(a);
    int fd = socket(AF_INET, SOCK_STREAM, 0);

    a.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    assert_int_equal(bind(fd, (struct sockaddr *)&a, sizeof(a)), 0);
    assert_int_equal(getsockname(fd, (struct sockaddr *)&a, &len), 0);
    assert_int_equal(listen(fd, 16), 0);
    *port = ntohs(a.sin_port);
    return fd;
}

/* --- The node ------------------------------------------------------------ */

static void storage_secret(const struct world *w, int index, uint8_t out[32])
{
    uint8_t buf[36];

    memcpy(buf, w->seed, 32);
    cc_put_u32le(buf + 32, (uint32_t)index);
    cc_sha256_once(out, buf, sizeof(buf));
}

static json_t *storage_key(struct world *w, const json_t *params_given)
{
    uint8_t secret[32], key[32];
    char a[65], b[65];
    int index = json_array_size(params_given)
                    ? (int)json_integer_value(json_array_get(params_given, 0))
                    : w->next_key++;

    storage_secret(w, index, secret);
    assert_true(cc_ec_xonly(w->ec, key, secret));
    cc_hex_encode(a, key, 32);
    cc_hex_encode(b, secret, 32);
    return json_pack("{s:i, s:s, s:s}", "index", index, "key", a, "secret", b);
}

static void our_script(uint8_t s[34])
{
    memset(s, 0x11, 34);
    s[0] = 0x51;
    s[1] = 32;
}

static json_t *unspent(void)
{
    json_t *list = json_array();
    uint8_t script[34];
    char hex[69], txid[65];

    our_script(script);
    cc_hex_encode(hex, script, 34);
    for (int i = 0; i < FUNDS; i++) {
        memset(txid, 'a' + i, 64);
        txid[64] = 0;
        json_array_append_new(
            list, json_pack("{s:s, s:i, s:s, s:f, s:i, s:b, s:b}", "txid", txid,
                            "vout", i, "scriptPubKey", hex, "amount", 1.0,
                            "confirmations", 3, "spendable", 1, "safe", 1));
    }
    /* One too big to be true, and not ours to spend. */
    json_array_append_new(
        list, json_pack("{s:s, s:i, s:s, s:f, s:i, s:b, s:b}", "txid", txid,
                        "vout", 99, "scriptPubKey", hex, "amount", 1000.0,
                        "confirmations", 3, "spendable", 0, "safe", 1));
    /* Spent by a signature that does not cover the host's scripts. */
    json_array_append_new(
        list,
        json_pack("{s:s, s:i, s:s, s:f, s:i, s:b, s:b}", "txid", txid, "vout",
                  98, "scriptPubKey",
                  "00141111111111111111111111111111111111111111", "amount",
                  50.0, "confirmations", 3, "spendable", 1, "safe", 1));
    return list;
}

/* Each input without a prevout among the given ones gets a witness. */
static json_t *sign_raw(const struct world *w, const json_t *args)
{
    const json_t *prev = json_array_get(json_array_get(args, 1), 0);
    char amount[CC_AMOUNT_TEXT_SIZE];
    struct cc_bytes item = cc_bytes("0123456789", 10);
    struct cc_writer out;
    struct cc_tx tx;
    uint8_t *data;
    json_t *v;
    size_t len, ours;
    char *hex;

    data = cc_test_unhex(json_string_value(json_array_get(args, 0)), &len);
    assert_int_equal(cc_tx_decode(&tx, data, len, true), CC_OK);
    ours = tx.vin_count - json_array_size(json_array_get(args, 1));
    /* What the host's input spends: a taproot signature covers it. */
    assert_string_equal(cc_test_string(prev, "scriptPubKey"),
                        "00140900000000000000000000000000000000000000");
    cc_amount_format(amount, (cc_amount)(w->request.contract.penalty *
                                             w->request.contract.periods +
                                         5000));
    assert_string_equal(cc_test_string(prev, "amount"), amount);
    assert_int_equal(cc_test_int(prev, "vout"), 0);
    assert_int_equal(strncmp(cc_test_string(prev, "txid"), "9999", 4), 0);
    for (size_t i = 0; i < (w->signs_nothing ? 0 : ours); i++) {
        tx.vin[i].witness = &item;
        tx.vin[i].witness_count = 1;
    }
    cc_tx_finish(&tx);
    cc_writer_init_heap(&out);
    cc_tx_write(&out, &tx, true);
    hex = cc_hex_dup(out.data, out.len);
    v = json_pack("{s:s, s:b}", "hex", hex, "complete", 0);
    cc_writer_clear(&out);
    cc_tx_clear(&tx);
    free(hex);
    free(data);
    return v;
}

static json_t *identities(const struct world *w)
{
    char key[65], end[32];

    cc_hex_encode(key, w->host_key, 32);
    snprintf(end, sizeof(end), "127.0.0.1:%u", w->host_port);
    /* One key three times: one host, as its latest identity says. And one
     * without an endpoint: none. */
    return json_pack("[{s:s, s:s, s:[s], s:i}, {s:s, s:s, s:[s], s:i}, "
                     "{s:s, s:s, s:[s], s:i}, {s:s, s:[], s:i}]",
                     "key", key, "name", "old", "endpoints", "127.0.0.1:1",
                     "sequence", 1, "key", key, "name", "good\x1b[host",
                     "endpoints", end, "sequence", 2, "key", key, "name",
                     "again", "endpoints", "127.0.0.1:1", "sequence", 2, "key",
                     key, "endpoints", "sequence", 3);
}

static json_t *node_result(struct world *w, const char *method,
                           const json_t *args)
{
    if (!strcmp(method, "listidentities"))
        return identities(w);
    if (!strcmp(method, "getblockcount"))
        return json_integer(w->height);
    if (!strcmp(method, "getmempoolinfo"))
        return json_pack("{s:f}", "mempoolminfee", 0.00001);
    if (!strcmp(method, "getrawchangeaddress")) {
        char text[CC_ADDRESS_MAX];
        uint8_t script[34];

        our_script(script);
        assert_true(cc_address_encode(text, script, 34, &w->params->prefixes));
        return json_string(text);
    }
    if (!strcmp(method, "listunspent"))
        return unspent();
    if (!strcmp(method, "lockunspent")) {
        if (json_is_true(json_array_get(args, 0)))
            w->unlocked++;
        else
            w->locked++;
        return json_true();
    }
    if (!strcmp(method, "getstoragekey"))
        return storage_key(w, args);
    if (!strcmp(method, "signrawtransactionwithwallet"))
        return sign_raw(w, args);
    if (!strcmp(method, "sendrawtransaction")) {
        w->sent++;
        return w->refuse ? NULL : json_string("");
    }
    return NULL;
}

static char *node_answer(struct world *w, const char *body)
{
    json_t *call = json_loads(body, 0, NULL), *reply, *result;
    const char *method = json_string_value(json_object_get(call, "method"));
    char *text;

    result = node_result(w, method, json_object_get(call, "params"));
    if (!strcmp(method, "getcontract") && w->on_chain)
        result = json_object();
    reply = json_pack("{s:o?, s:o?, s:O}", "result",
                      result ? result : json_null(), "error",
                      result ? json_null()
                             : json_pack("{s:i, s:s}", "code", -5, "message",
                                         "No such contract"),
                      "id", json_object_get(call, "id"));
    text = json_dumps(reply, 0);
    json_decref(reply);
    json_decref(call);
    return text;
}

static void *node_main(void *arg)
{
    static const char head[] = "HTTP/1.1 200 OK\r\n\r\n";
    struct world *w = arg;
    static char got[200000];
    int fd;

    while ((fd = accept(w->node, NULL, NULL)) >= 0) {
        size_t n = 0;
        ssize_t r;
        char *body = NULL, *len, *text;

        while ((r = recv(fd, got + n, sizeof(got) - 1 - n, 0)) > 0) {
            n += (size_t)r;
            got[n] = 0;
            body = strstr(got, "\r\n\r\n");
            len = strstr(got, "Content-Length: ");
            if (body && len && strlen(body + 4) >= strtoul(len + 16, NULL, 10))
                break;
        }
        if (body && !w->down) {
            text = node_answer(w, body + 4);
            (void)!write(fd, head, sizeof(head) - 1);
            (void)!write(fd, text, strlen(text));
            free(text);
        }
        close(fd);
    }
    return NULL;
}

/* --- The host ------------------------------------------------------------ */

static void host_settings(const struct world *w,
                          struct cc_msg_settings_reply *s)
{
    s->version = w->lie == OTHER_VERSION ? 2 : CC_SESSION_VERSION;
    memcpy(s->genesis, w->params->genesis_hash, 32);
    s->genesis[0] ^= w->lie == OTHER_CHAIN;
    s->height = TIP;
    s->accepting = w->lie != NOT_ACCEPTING;
    s->sectors_total = 1000;
    s->sectors_free = w->lie == NO_ROOM ? 3 : 1000;
    s->period_min = w->lie == LONG_PERIODS ? 20 : 12;
    s->period_max = 100;
    s->periods_max = 50;
    s->lead_max = 100;
    s->capacity_max = 500;
    s->samples = 2;
    s->odds_max = 4;
    s->collateral_permille = w->lie == NO_STAKE ? 999 : 2000;
    s->price_storage = w->lie == DEAR ? 10000000000 : 1000000;
    s->price_write = w->lie == ABSURD_PRICE ? UINT64_MAX : 1000;
    s->price_read = 10;
    s->price_request = w->lie == DEAR_TRANSFERS ? 400000000000 : 1;
}

static void host_offer(struct world *w, const struct cc_msg_form_request *q,
                       struct cc_msg_form_offer *o)
{
    static const uint8_t script[22] = {0, 20, 9};
    static const uint8_t legacy[25] = {0x76, 0xa9, 20, [23] = 0x88, 0xac};
    struct cc_typed t = {.kind = CC_KIND_CONTRACT, .forming = true};
    uint64_t stake = q->contract.penalty * q->contract.periods;
    uint8_t msg[32];

    w->request = *q;
    t.u.contract = q->contract;
    if (w->lie == WRONG_SIGNATURE)
        t.u.contract.rent++;
    cc_typed_form_message(msg, &t, &q->prevout0, 0, (cc_amount)q->value,
                          w->params);
    assert_true(
        cc_schnorr_sign(w->ec, o->signature, w->host_secret, msg, 32, NULL));
    o->input_count = 1;
    memset(o->inputs[0].prevout.txid, 0x99, 32);
    if (w->lie == OUR_COIN)
        o->inputs[0].prevout = q->prevout0;
    o->inputs[0].value = stake + 5000;
    o->inputs[0].weight = w->lie == TOO_HEAVY ? 100000
                          : w->lie == HEAVIER ? 2272
                                              : 272;
    o->inputs[0].script = cc_bytes(script, sizeof(script));
    if (w->lie == LEGACY)
        o->inputs[0].script = cc_bytes(legacy, sizeof(legacy));
    o->output_count = 1;
    o->outputs[0].value = w->lie == LITTLE_COLLATERAL ? 5001
                          : w->lie == ABSURD_OUTPUT   ? UINT64_MAX
                                                      : 5000;
    o->outputs[0].script = cc_bytes(script, sizeof(script));
}

static bool host_done(struct world *w, const struct cc_msg_form_sign *q,
                      struct cc_msg_form_done *r)
{
    struct cc_tx tx;

    free(w->tx);
    w->tx = cc_memdup(q->tx.data, q->tx.len);
    w->tx_len = q->tx.len;
    assert_int_equal(cc_tx_decode(&tx, w->tx, w->tx_len, true), CC_OK);
    memcpy(r->txid, tx.txid, 32);
    r->txid[0] ^= w->lie == OTHER_TXID;
    r->tx = cc_bytes(w->tx, w->tx_len);
    cc_tx_clear(&tx);
    return w->lie != HANG_UP;
}

static void host_session(struct world *w, struct cc_session *s)
{
    struct cc_message q, *r = cc_calloc(1, sizeof(*r));

    while (cc_session_receive(s, &q, 5000, NULL) == CC_OK) {
        memset(r, 0, sizeof(*r));
        r->id = q.id;
        r->type = (enum cc_message_type)(q.type + 1);
        if (q.type == CC_MSG_SETTINGS) {
            host_settings(w, &r->u.settings_reply);
        } else if (q.type == CC_MSG_FORM_REQUEST && w->lie == REFUSE) {
            r->type = CC_MSG_ERROR;
            r->u.error.code = CC_REFUSE_TERMS;
            r->u.error.text = cc_bytes("not with you", 12);
        } else if (q.type == CC_MSG_FORM_REQUEST) {
            assert_memory_equal(cc_session_peer(s),
                                q.u.form_request.contract.renter_key, 32);
            host_offer(w, &q.u.form_request, &r->u.form_offer);
        } else if (!host_done(w, &q.u.form_sign, &r->u.form_done)) {
            break;
        }
        if (cc_session_send(s, r, NULL) != CC_OK)
            break;
    }
    free(r);
}

static void *host_main(void *arg)
{
    struct world *w = arg;
    struct cc_session *s;
    int fd;

    while ((fd = accept(w->host, NULL, NULL)) >= 0) {
        if (cc_session_accept(&s, w->ec, fd, w->host_secret, 5000, NULL) !=
            CC_OK)
            continue;
        host_session(w, s);
        cc_session_free(s);
    }
    return NULL;
}

/* --- The world ----------------------------------------------------------- */

void open_renter(struct world *w)
{
    struct cc_renter_options o = {.dir = w->dir,
                                  .params = w->params,
                                  .ec = w->ec,
                                  .node = w->client,
                                  .k = 1,
                                  .n = 1,
                                  .hosts_max = 10,
                                  .period = 12,
                                  .rent_max = CC_COIN,
                                  .timeout_ms = 3000};

    assert_int_equal(cc_renter_open(&w->renter, &o, &w->err), CC_OK);
}

void world_init(struct world *w, enum lie lie)
{
    struct cc_node_options n = {
        .host = "127.0.0.1", .user = "u", .password = "p", .timeout_ms = 5000};

    memset(w, 0, sizeof(*w));
    w->ec = cc_ec_new();
    w->params = cc_params_get(CC_CHAIN_REGTEST);
    w->lie = lie;
    w->next_key = 1;
    w->height = TIP;
    w->dir = cc_test_mkdir();
    memset(w->seed, 8, 32);
    cc_ec_secret_new(w->host_secret);
    assert_true(cc_ec_xonly(w->ec, w->host_key, w->host_secret));
    w->node = listen_any(&w->node_port);
    w->host = listen_any(&w->host_port);
    assert_int_equal(pthread_create(&w->node_thread, NULL, node_main, w), 0);
    assert_int_equal(pthread_create(&w->host_thread, NULL, host_main, w), 0);
    n.port = w->node_port;
    w->client = cc_node_client_new(&n);
    open_renter(w);
}

void world_clear(struct world *w)
{
    cc_renter_close(w->renter);
    cc_node_client_free(w->client);
    shutdown(w->node, SHUT_RDWR);
    shutdown(w->host, SHUT_RDWR);
    assert_int_equal(pthread_join(w->node_thread, NULL), 0);
    assert_int_equal(pthread_join(w->host_thread, NULL), 0);
    close(w->node);
    close(w->host);
    free(w->tx);
    cc_ec_free(w->ec);
    cc_test_rmdir(w->dir);
}

struct cc_host only_host(struct world *w)
{
    struct cc_host *hosts, h;
    size_t count;

    assert_int_equal(cc_renter_find_hosts(w->renter, &hosts, &count, &w->err),
                     CC_OK);
    assert_int_equal(count, 1);
    h = hosts[0];
    free(hosts);
    return h;
}
