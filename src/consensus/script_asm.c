/* Script as text, in the words of Bitcoin's RPC. */
#include <inttypes.h>
#include <stdio.h>

#include "consensus/interpreter.h"
#include "util/hex.h"

static void put(struct cc_writer *w, const char *s)
{
    cc_write_bytes(w, s, strlen(s));
}

static void put_hex(struct cc_writer *w, struct cc_bytes b)
{
    char text[2 * 64 + 1];

    while (b.len) {
        size_t n = b.len < 64 ? b.len : 64;

        cc_hex_encode(text, b.data, n);
        cc_write_bytes(w, text, 2 * n);
        b = cc_bytes(b.data + n, b.len - n);
    }
}

static const char *type_name(uint8_t type)
{
    switch (type) {
    case CC_SIGHASH_ALL:
        return "[ALL]";
    case CC_SIGHASH_NONE:
        return "[NONE]";
    case CC_SIGHASH_SINGLE:
        return "[SINGLE]";
    case CC_SIGHASH_ALL | CC_SIGHASH_ANYONECANPAY:
        return "[ALL|ANYONECANPAY]";
    case CC_SIGHASH_NONE | CC_SIGHASH_ANYONECANPAY:
        return "[NONE|ANYONECANPAY]";
    case CC_SIGHASH_SINGLE | CC_SIGHASH_ANYONECANPAY:
        return "[SINGLE|ANYONECANPAY]";
    default:
        return NULL;
    }
}

static void put_push(struct cc_writer *w, struct cc_bytes push, bool sighash)
{
    const char *type = NULL;
    char number[24];
    int64_t n;

    if (push.len <= 4) {
        cc_script_num(&n, push, false, 4);
        snprintf(number, sizeof(number), "%" PRId64, n);
        put(w, number);
        return;
    }
    if (sighash && cc_sig_is_strict_der(push))
        type = type_name(push.data[push.len - 1]);
    if (type)
        push.len--;
    put_hex(w, push);
    if (type)
        put(w, type);
}

void cc_script_asm(struct cc_writer *w, struct cc_bytes script, bool sighash)
{
    struct cc_bytes push;
    size_t pos = 0;
    uint8_t op;

    /* Data behind OP_RETURN may look like a signature and is none. */
    if (cc_script_is_unspendable(script))
        sighash = false;
    while (pos < script.len) {
        if (pos)
            cc_write_u8(w, ' ');
        if (!cc_script_next(script, &pos, &op, &push)) {
            put(w, "[error]");
            return;
        }
        if (op <= CC_OP_PUSHDATA4)
            put_push(w, push, sighash);
        else
            put(w, cc_opcode_name(op));
    }
}
