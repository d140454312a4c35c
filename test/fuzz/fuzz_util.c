#include "fuzz.h"
#include "util/args.h"
#include "util/hex.h"

/* A reader never goes past its end, whatever is asked of it; compact sizes
 * come back as they were. */
void fuzz_reader(const uint8_t *data, size_t len)
{
    const uint8_t *end = data + len;
    struct cc_reader r;
    uint8_t buf[300];

    cc_reader_init(&r, data, len);
    while (!r.failed && r.left) {
        const uint8_t *at = r.pos;
        struct cc_writer w;
        uint64_t n = cc_read_compact(&r);
        struct cc_bytes b;

        FUZZ_CHECK(r.pos <= end && (size_t)(end - r.pos) == r.left);
        if (r.failed)
            break;
        cc_writer_init(&w, buf, sizeof(buf));
        cc_write_compact(&w, n);
        FUZZ_CHECK(fuzz_same(&w, at, (size_t)(r.pos - at)));
        FUZZ_CHECK(cc_compact_size(n) == w.len);
        if (n % 3 == 0) {
            b = cc_read_var(&r);
            FUZZ_CHECK(r.failed ? b.len == 0 : b.data + b.len == r.pos);
        } else if (n % 3 == 1) {
            cc_read_bytes(&r, buf, n % sizeof(buf));
        } else {
            size_t count = cc_read_count(&r, 4);

            FUZZ_CHECK(count <= r.left / 4);
        }
    }
    if (r.failed) {
        FUZZ_CHECK(cc_read_u64le(&r) == 0 && cc_read_compact(&r) == 0);
        FUZZ_CHECK(!cc_reader_done(&r));
    }
}

void fuzz_hex(const uint8_t *data, size_t len)
{
    char *text = fuzz_text(data, len), *back;
    size_t n = 0;
    uint8_t *raw = cc_hex_decode_dup(text, &n);

    FUZZ_CHECK((raw != NULL) == cc_hex_valid(text));
    if (raw) {
        back = cc_hex_dup(raw, n);
        for (char *p = text; *p; p++)
            if (*p >= 'A' && *p <= 'F')
                *p = (char)(*p + 'a' - 'A');
        FUZZ_CHECK(strcmp(back, text) == 0);
        free(back);
    }
    free(raw);
    free(text);
}

static const struct cc_arg_option options[] = {
    {"port", "=<port>", "Connection options:", "Listen there", CC_ARG_NETWORK},
    {"connect", "=<ip>", "Connection options:", "Only to", CC_ARG_NETWORK},
    {"server", "", "RPC server options:", "Accept commands", 0},
    {"rpcuser", "=<user>", "RPC server options:", "Name", CC_ARG_NO_NEGATE},
    {"conf", "=<file>", "Options:", "Configuration file", CC_ARG_CLI_ONLY},
    {"chain", "=<chain>", "Chain selection options:", "Which", 0},
    {"testnet", "", "Chain selection options:", "Test chain", 0},
    {"regtest", "", "Chain selection options:", "Private chain", 0},
    {"debug", "=<category>", "Debugging options:", "Log more", CC_ARG_DEBUG},
};

static void ask(const struct cc_args *a)
{
    const char *name;

    for (size_t i = 0; i < sizeof(options) / sizeof(*options); i++) {
        name = options[i].name;
        (void)cc_args_get_int(a, name, 1);
        (void)cc_args_get_bool(a, name, true);
        (void)cc_args_is_negated(a, name);
        FUZZ_CHECK(cc_args_get(a, name, "x") != NULL);
        for (size_t j = 0; cc_args_get_nth(a, name, j); j++)
            FUZZ_CHECK(j < 100000);
    }
    for (size_t i = 0; cc_args_warning(a, i); i++)
        FUZZ_CHECK(i < 1000000);
    for (size_t i = 0; cc_args_ignored(a, i); i++)
        FUZZ_CHECK(i < 1000);
    for (size_t i = 0; cc_args_unknown_section(a, i); i++)
        FUZZ_CHECK(i < 1000000);
}

/* A configuration file, and the same lines as words of a command line. */
void fuzz_config(const uint8_t *data, size_t len)
{
    const size_t count = sizeof(options) / sizeof(*options);
    struct cc_args *a = cc_args_new(options, count);
    char *text = fuzz_text(data, len), *argv[32], *save = NULL;
    struct cc_error err;
    const char *chain;
    int argc = 0, rest;

    for (char *w = strtok_r(text, "\n", &save); w && argc < 32;
         w = strtok_r(NULL, "\n", &save))
        argv[argc++] = w;
    if (cc_args_parse(a, argc, argv, &rest, &err) == CC_OK)
        FUZZ_CHECK(rest >= 0 && rest <= argc);
    (void)cc_args_chain(a, &chain, &err);
    cc_args_select(a, "regtest");
    ask(a);
    cc_args_free(a);
    free(text);

    a = cc_args_new(options, count);
    /* No folder there: includes are not found. */
    if (cc_args_read_text(a, (const char *)data, len, "fuzz.conf",
                          "/nonexistent", &err) != CC_OK)
        FUZZ_CHECK(err.text[0]);
    cc_args_select(a, "main");
    ask(a);
    cc_args_free(a);
}
