#include "net/socks5.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define VERSION 5
#define AUTH_VERSION 1
#define METHOD_NONE 0
#define METHOD_PASSWORD 2
#define COMMAND_CONNECT 1
#define TYPE_IPV4 1
#define TYPE_NAME 3
#define TYPE_IPV6 4

void cc_socks5_start(struct cc_socks5 *s, const char *host, uint16_t port,
                     const char *user, const char *password,
                     struct cc_writer *out)
{
    memset(s, 0, sizeof(*s));
    snprintf(s->host, sizeof(s->host), "%s", host);
    s->port = port;
    if (user) {
        snprintf(s->user, sizeof(s->user), "%s", user);
        snprintf(s->password, sizeof(s->password), "%s", password);
    }
    cc_write_u8(out, VERSION);
    cc_write_u8(out, user ? 2 : 1);
    cc_write_u8(out, METHOD_NONE);
    if (user)
        cc_write_u8(out, METHOD_PASSWORD);
    s->state = CC_SOCKS5_METHOD;
}

static void fail(struct cc_socks5 *s, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));

static void fail(struct cc_socks5 *s, const char *fmt, ...)
{
    va_list ap;

    va_start(ap, fmt);
    vsnprintf(s->why, sizeof(s->why), fmt, ap);
    va_end(ap);
    s->state = CC_SOCKS5_FAILED;
}

static void ask(struct cc_socks5 *s, struct cc_writer *out)
{
    size_t len = strlen(s->host);

    cc_write_u8(out, VERSION);
    cc_write_u8(out, COMMAND_CONNECT);
    cc_write_u8(out, 0);
    cc_write_u8(out, TYPE_NAME);
    cc_write_u8(out, (uint8_t)len);
    cc_write_bytes(out, s->host, len);
    cc_write_u16be(out, s->port);
    s->state = CC_SOCKS5_REPLY;
}

static size_t on_method(struct cc_socks5 *s, const uint8_t *data, size_t len,
                        struct cc_writer *out)
{
    size_t user = strlen(s->user), password = strlen(s->password);

    if (len < 2)
        return 0;
    if (data[0] != VERSION) {
        fail(s, "Proxy failed to initialize");
    } else if (data[1] == METHOD_NONE) {
        ask(s, out);
    } else if (data[1] == METHOD_PASSWORD && user) {
        cc_write_u8(out, AUTH_VERSION);
        cc_write_u8(out, (uint8_t)user);
        cc_write_bytes(out, s->user, user);
        cc_write_u8(out, (uint8_t)password);
        cc_write_bytes(out, s->password, password);
        s->state = CC_SOCKS5_AUTH;
    } else {
        fail(s, "Proxy requested wrong authentication method %02x", data[1]);
    }
    return 2;
}

static size_t on_auth(struct cc_socks5 *s, const uint8_t *data, size_t len,
                      struct cc_writer *out)
{
    if (len < 2)
        return 0;
    if (data[0] != AUTH_VERSION || data[1] != 0)
        fail(s, "Proxy authentication unsuccessful");
    else
        ask(s, out);
    return 2;
}

/* RFC 1928 6. */
static const char *reply_text(uint8_t code)
{
    static const char *const texts[] = {
        "succeeded",           "general failure",  "connection not allowed",
        "network unreachable", "host unreachable", "connection refused",
        "TTL expired",         "protocol error",   "address type not supported",
    };

    return code < sizeof(texts) / sizeof(texts[0]) ? texts[code] : "unknown";
}

/* Version, code, zero, then the address that the proxy uses: of no interest,
 * but it must be read to its end. */
static size_t on_reply(struct cc_socks5 *s, const uint8_t *data, size_t len)
{
    size_t want;

    if (len >= 2 && (data[0] != VERSION || data[1] != 0)) {
        if (data[0] != VERSION)
            fail(s, "Proxy failed to accept request");
        else
            fail(s, "Proxy error: %s", reply_text(data[1]));
        return len;
    }
    if (len < 5)
        return 0;
    want = data[3] == TYPE_IPV4   ? 4
           : data[3] == TYPE_IPV6 ? 16
           : data[3] == TYPE_NAME ? 1u + data[4]
                                  : 0;
    if (data[2] != 0 || !want) {
        fail(s, "Proxy gave a malformed answer");
        return len;
    }
    if (len < 4 + want + 2)
        return 0;
    s->state = CC_SOCKS5_DONE;
    return 4 + want + 2;
}

size_t cc_socks5_input(struct cc_socks5 *s, const uint8_t *data, size_t len,
                       struct cc_writer *out)
{
    switch (s->state) {
    case CC_SOCKS5_METHOD:
        return on_method(s, data, len, out);
    case CC_SOCKS5_AUTH:
        return on_auth(s, data, len, out);
    case CC_SOCKS5_REPLY:
        return on_reply(s, data, len);
    case CC_SOCKS5_DONE:
    case CC_SOCKS5_FAILED:
        return 0;
    }
    return 0;
}
