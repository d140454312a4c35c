#include "consensus/test/storage_support.h"

#include <stdlib.h>
#include <string.h>

#include "util/writer.h"

void cc_storage_case_load(struct cc_storage_case *c, const json_t *row)
{
    const json_t *prevouts = json_object_get(row, "prevouts"), *p;
    size_t i, len;
    uint8_t *raw = cc_test_unhex(cc_test_string(row, "tx"), &len);

    assert_int_equal(cc_tx_decode(&c->tx, raw, len, true), CC_OK);
    free(raw);
    c->coin_count = json_array_size(prevouts);
    assert_int_equal(c->coin_count, c->tx.vin_count);
    c->coins = calloc(c->coin_count + 1, sizeof(*c->coins));
    assert_non_null(c->coins);
    json_array_foreach(prevouts, i, p)
    {
        raw = cc_test_unhex(cc_test_string(p, "script"), &len);
        c->coins[i].out.script = cc_bytes(raw, len);
        c->coins[i].out.value = cc_test_int(p, "value");
        if (json_object_get(p, "height"))
            c->coins[i].height = (uint32_t)cc_test_int(p, "height");
        c->coins[i].coinbase = json_is_true(json_object_get(p, "coinbase"));
    }
}

void cc_storage_case_clear(struct cc_storage_case *c)
{
    for (size_t i = 0; i < c->coin_count; i++)
        free((void *)(uintptr_t)c->coins[i].out.script.data);
    free(c->coins);
    cc_tx_clear(&c->tx);
}

void cc_storage_test_body(struct cc_typed *t, unsigned kind,
                          struct cc_bytes body)
{
    static const uint8_t sigs[128], zero[32];
    static uint8_t script[CC_TYPED_SCRIPT_ROOM + 128];
    bool forming = kind != CC_KIND_IDENTITY && !memcmp(body.data, zero, 32);
    size_t sig_len = !forming ? 0 : kind == CC_KIND_CONTRACT ? 128 : 64;
    size_t n = 1 + body.len + sig_len;
    struct cc_writer w;

    cc_writer_init(&w, script, sizeof(script));
    cc_write_u8(&w, CC_OP_STORAGE);
    if (n >= 0x100) {
        cc_write_u8(&w, 0x4d);
        cc_write_u16le(&w, (uint16_t)n);
    } else {
        if (n >= 0x4c)
            cc_write_u8(&w, 0x4c);
        cc_write_u8(&w, (uint8_t)n);
    }
    cc_write_u8(&w, (uint8_t)kind);
    cc_write_bytes(&w, body.data, body.len);
    cc_write_bytes(&w, sigs, sig_len);
    assert_false(w.failed);
    assert_int_equal(cc_typed_parse(t, cc_bytes(script, w.len), NULL), CC_OK);
}

struct cc_u256 cc_storage_test_u256(const char *hex)
{
    uint8_t b[32];

    cc_test_unhex_into(b, 32, hex);
    return cc_u256_from_be(b);
}
