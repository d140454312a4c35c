#include "consensus/script.h"

// clang-format off
/* From OP_PUSHDATA1 (0x4c) to OP_CHECKSIGADD (0xba). */
static const char *const op_names[] = {
    "OP_PUSHDATA1", "OP_PUSHDATA2", "OP_PUSHDATA4", "-1", "OP_RESERVED", "1",
    "2", "3", "4", "5", "6", "7", "8", "9", "10", "11", "12", "13", "14", "15",
    "16", "OP_NOP", "OP_VER", "OP_IF", "OP_NOTIF", "OP_VERIF", "OP_VERNOTIF",
    "OP_ELSE", "OP_ENDIF", "OP_VERIFY", "OP_RETURN", "OP_TOALTSTACK",
    "OP_FROMALTSTACK", "OP_2DROP", "OP_2DUP", "OP_3DUP", "OP_2OVER", "OP_2ROT",
    "OP_2SWAP", "OP_IFDUP", "OP_DEPTH", "OP_DROP", "OP_DUP", "OP_NIP",
    "OP_OVER", "OP_PICK", "OP_ROLL", "OP_ROT", "OP_SWAP", "OP_TUCK", "OP_CAT",
    "OP_SUBSTR", "OP_LEFT", "OP_RIGHT", "OP_SIZE", "OP_INVERT", "OP_AND",
    "OP_OR", "OP_XOR", "OP_EQUAL", "OP_EQUALVERIFY", "OP_RESERVED1",
    "OP_RESERVED2", "OP_1ADD", "OP_1SUB", "OP_2MUL", "OP_2DIV", "OP_NEGATE",
    "OP_ABS", "OP_NOT", "OP_0NOTEQUAL", "OP_ADD", "OP_SUB", "OP_MUL", "OP_DIV",
    "OP_MOD", "OP_LSHIFT", "OP_RSHIFT", "OP_BOOLAND", "OP_BOOLOR",
    "OP_NUMEQUAL", "OP_NUMEQUALVERIFY", "OP_NUMNOTEQUAL", "OP_LESSTHAN",
    "OP_GREATERTHAN", "OP_LESSTHANOREQUAL", "OP_GREATERTHANOREQUAL", "OP_MIN",
    "OP_MAX", "OP_WITHIN", "OP_RIPEMD160", "OP_SHA1", "OP_SHA256",
    "OP_HASH160", "OP_HASH256", "OP_CODESEPARATOR", "OP_CHECKSIG",
    "OP_CHECKSIGVERIFY", "OP_CHECKMULTISIG", "OP_CHECKMULTISIGVERIFY",
    "OP_NOP1", "OP_CHECKLOCKTIMEVERIFY", "OP_CHECKSEQUENCEVERIFY", "OP_NOP4",
    "OP_NOP5", "OP_NOP6", "OP_NOP7", "OP_NOP8", "OP_NOP9", "OP_NOP10",
    "OP_CHECKSIGADD",
};
// clang-format on

const char *cc_opcode_name(uint8_t op)
{
    if (op == CC_OP_0)
        return "0";
    if (op == CC_OP_INVALIDOPCODE)
        return "OP_INVALIDOPCODE";
    if (op < CC_OP_PUSHDATA1 || op > CC_OP_CHECKSIGADD)
        return "OP_UNKNOWN";
    return op_names[op - CC_OP_PUSHDATA1];
}

/* --- Walking ----------------------------------------------------------- */

bool cc_script_is_push_only(struct cc_bytes script)
{
    struct cc_bytes push;
    size_t pos = 0;
    uint8_t op;

    while (cc_script_next(script, &pos, &op, &push))
        if (op > CC_OP_16)
            return false;
    return pos == script.len;
}

/* --- Numbers ----------------------------------------------------------- */

bool cc_script_num(int64_t *out, struct cc_bytes b, bool minimal, size_t max)
{
    uint64_t v = 0;
    bool negative;

    if (b.len > max || b.len > 8)
        return false;
    /* Its top byte may hold the sign alone only to keep the one below it. */
    if (minimal && b.len && !(b.data[b.len - 1] & 0x7f) &&
        (b.len == 1 || !(b.data[b.len - 2] & 0x80)))
        return false;
    for (size_t i = 0; i < b.len; i++)
        v |= (uint64_t)b.data[i] << 8 * i;
    negative = b.len && b.data[b.len - 1] & 0x80;
    if (negative)
        v &= ~(UINT64_C(0x80) << 8 * (b.len - 1));
    *out = negative ? -(int64_t)v : (int64_t)v;
    return true;
}

size_t cc_script_num_encode(uint8_t out[9], int64_t n)
{
    uint64_t v = n < 0 ? 0 - (uint64_t)n : (uint64_t)n;
    size_t len = 0;

    for (; v; v >>= 8)
        out[len++] = (uint8_t)v;
    if (len && out[len - 1] & 0x80)
        out[len++] = 0;
    if (n < 0)
        out[len - 1] |= 0x80;
    return len;
}

/* --- Building ---------------------------------------------------------- */

void cc_script_push_plain(struct cc_writer *w, const void *data, size_t len)
{
    if (len < CC_OP_PUSHDATA1) {
        cc_write_u8(w, (uint8_t)len);
    } else if (len <= 0xff) {
        cc_write_u8(w, CC_OP_PUSHDATA1);
        cc_write_u8(w, (uint8_t)len);
    } else if (len <= 0xffff) {
        cc_write_u8(w, CC_OP_PUSHDATA2);
        cc_write_u16le(w, (uint16_t)len);
    } else {
        cc_write_u8(w, CC_OP_PUSHDATA4);
        cc_write_u32le(w, (uint32_t)len);
    }
    cc_write_bytes(w, data, len);
}

void cc_script_push(struct cc_writer *w, const void *data, size_t len)
{
    const uint8_t *p = data;

    if (len == 1 && p[0] >= 1 && p[0] <= 16) {
        cc_write_u8(w, (uint8_t)(CC_OP_1 + p[0] - 1));
        return;
    }
    if (len == 1 && p[0] == 0x81) {
        cc_write_u8(w, CC_OP_1NEGATE);
        return;
    }
    cc_script_push_plain(w, data, len);
}

void cc_script_push_int(struct cc_writer *w, int64_t n)
{
    uint8_t b[9];

    cc_script_push(w, b, cc_script_num_encode(b, n));
}

bool cc_script_push_is_minimal(uint8_t op, struct cc_bytes data)
{
    if (data.len == 1 &&
        ((data.data[0] >= 1 && data.data[0] <= 16) || data.data[0] == 0x81))
        return false; /* has an opcode of its own, which pushes no bytes */
    if (data.len < CC_OP_PUSHDATA1)
        return op == data.len;
    if (data.len <= 0xff)
        return op == CC_OP_PUSHDATA1;
    if (data.len <= 0xffff)
        return op == CC_OP_PUSHDATA2;
    return op == CC_OP_PUSHDATA4;
}

/* --- Recognising ------------------------------------------------------- */

bool cc_script_is_p2sh(struct cc_bytes s)
{
    return s.len == 23 && s.data[0] == CC_OP_HASH160 && s.data[1] == 20 &&
           s.data[22] == CC_OP_EQUAL;
}

bool cc_script_is_witness(struct cc_bytes s, int *version,
                          struct cc_bytes *program)
{
    if (s.len < 4 || s.len > 42 || s.data[1] + 2u != s.len)
        return false;
    if (s.data[0] != CC_OP_0 && (s.data[0] < CC_OP_1 || s.data[0] > CC_OP_16))
        return false;
    *version = s.data[0] == CC_OP_0 ? 0 : s.data[0] - CC_OP_1 + 1;
    *program = cc_bytes(s.data + 2, s.len - 2);
    return true;
}

bool cc_script_is_unspendable(struct cc_bytes s)
{
    return (s.len && s.data[0] == CC_OP_RETURN) || s.len > CC_MAX_SCRIPT_SIZE;
}

bool cc_script_is_pubkey(struct cc_bytes b)
{
    if (b.len == 33)
        return b.data[0] == 2 || b.data[0] == 3;
    return b.len == 65 && (b.data[0] == 4 || b.data[0] == 6 || b.data[0] == 7);
}

static bool match_pubkey(struct cc_bytes s, struct cc_bytes *key)
{
    if ((s.len != 35 && s.len != 67) || s.data[0] + 2u != s.len ||
        s.data[s.len - 1] != CC_OP_CHECKSIG)
        return false;
    *key = cc_bytes(s.data + 1, s.len - 2);
    return cc_script_is_pubkey(*key);
}

static bool match_pubkeyhash(struct cc_bytes s, struct cc_bytes *hash)
{
    if (s.len != 25 || s.data[0] != CC_OP_DUP || s.data[1] != CC_OP_HASH160 ||
        s.data[2] != 20 || s.data[23] != CC_OP_EQUALVERIFY ||
        s.data[24] != CC_OP_CHECKSIG)
        return false;
    *hash = cc_bytes(s.data + 3, 20);
    return true;
}

/* The number 1 to 20 that op pushes in its shortest form, or 0. */
static unsigned small_number(uint8_t op, struct cc_bytes push)
{
    int64_t n;

    if (op >= CC_OP_1 && op <= CC_OP_16)
        return op - CC_OP_1 + 1u;
    if (op == CC_OP_0 || op > CC_OP_PUSHDATA4 ||
        !cc_script_push_is_minimal(op, push) ||
        !cc_script_num(&n, push, true, 4) || n < 1 ||
        n > CC_MAX_PUBKEYS_PER_MULTISIG)
        return 0;
    return (unsigned)n;
}

/* Solutions point to bytes that live somewhere: small numbers live here. */
static struct cc_bytes number_bytes(unsigned n)
{
    static const uint8_t numbers[CC_MAX_PUBKEYS_PER_MULTISIG + 1] = {
        0,  1,  2,  3,  4,  5,  6,  7,  8,  9, 10,
        11, 12, 13, 14, 15, 16, 17, 18, 19, 20};

    return cc_bytes(&numbers[n], 1);
}

/* m <key>... n OP_CHECKMULTISIG with m <= n = number of keys. */
static bool match_multisig(struct cc_bytes s, struct cc_bytes sols[22],
                           size_t *count)
{
    unsigned m, n, keys = 0;
    struct cc_bytes push;
    size_t pos = 0;
    uint8_t op;

    if (!s.len || s.data[s.len - 1] != CC_OP_CHECKMULTISIG ||
        !cc_script_next(s, &pos, &op, &push))
        return false;
    m = small_number(op, push);
    if (!m)
        return false;
    while (cc_script_next(s, &pos, &op, &push) && cc_script_is_pubkey(push)) {
        if (keys == CC_MAX_PUBKEYS_PER_MULTISIG)
            return false;
        sols[++keys] = push;
    }
    n = small_number(op, push);
    if (n < m || n != keys || pos + 1 != s.len)
        return false;
    sols[0] = number_bytes(m);
    sols[n + 1] = number_bytes(n);
    *count = n + 2;
    return true;
}

static enum cc_script_type solve_witness(int version, struct cc_bytes program,
                                         struct cc_bytes sols[22],
                                         size_t *count)
{
    sols[0] = program;
    *count = 1;
    if (version == 0 && program.len == 20)
        return CC_SCRIPT_WITNESS_V0_KEYHASH;
    if (version == 0 && program.len == 32)
        return CC_SCRIPT_WITNESS_V0_SCRIPTHASH;
    if (version == 1 && program.len == 32)
        return CC_SCRIPT_WITNESS_V1_TAPROOT;
    *count = 0;
    if (version == 0)
        return CC_SCRIPT_NONSTANDARD;
    sols[0] = number_bytes((unsigned)version);
    sols[1] = program;
    *count = 2;
    return CC_SCRIPT_WITNESS_UNKNOWN;
}

enum cc_script_type cc_script_solve(struct cc_bytes s, bool storage,
                                    struct cc_bytes sols[22], size_t *count)
{
    struct cc_bytes program;
    int version;

    *count = 0;
    if (storage && s.len && s.data[0] == CC_OP_STORAGE)
        return CC_SCRIPT_STORAGE;
    if (cc_script_is_p2sh(s)) {
        sols[0] = cc_bytes(s.data + 2, 20);
        *count = 1;
        return CC_SCRIPT_SCRIPTHASH;
    }
    if (cc_script_is_witness(s, &version, &program))
        return solve_witness(version, program, sols, count);
    if (s.len && s.data[0] == CC_OP_RETURN &&
        cc_script_is_push_only(cc_bytes(s.data + 1, s.len - 1)))
        return CC_SCRIPT_NULL_DATA;
    if (match_pubkey(s, &sols[0])) {
        *count = 1;
        return CC_SCRIPT_PUBKEY;
    }
    if (match_pubkeyhash(s, &sols[0])) {
        *count = 1;
        return CC_SCRIPT_PUBKEYHASH;
    }
    if (match_multisig(s, sols, count))
        return CC_SCRIPT_MULTISIG;
    return CC_SCRIPT_NONSTANDARD;
}

const char *cc_script_type_name(enum cc_script_type t)
{
    switch (t) {
    case CC_SCRIPT_NONSTANDARD:
        return "nonstandard";
    case CC_SCRIPT_PUBKEY:
        return "pubkey";
    case CC_SCRIPT_PUBKEYHASH:
        return "pubkeyhash";
    case CC_SCRIPT_SCRIPTHASH:
        return "scripthash";
    case CC_SCRIPT_MULTISIG:
        return "multisig";
    case CC_SCRIPT_NULL_DATA:
        return "nulldata";
    case CC_SCRIPT_WITNESS_V0_KEYHASH:
        return "witness_v0_keyhash";
    case CC_SCRIPT_WITNESS_V0_SCRIPTHASH:
        return "witness_v0_scripthash";
    case CC_SCRIPT_WITNESS_V1_TAPROOT:
        return "witness_v1_taproot";
    case CC_SCRIPT_WITNESS_UNKNOWN:
        return "witness_unknown";
    case CC_SCRIPT_STORAGE:
        return "storage";
    }
    return "nonstandard";
}
