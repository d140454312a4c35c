#include "net/torctl.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "crypto/hash.h"
#include "util/hex.h"
#include "util/mem.h"

#define OK 250
#define SOCKS_USUAL "127.0.0.1:9050"
#define SERVER_LABEL "Tor safe cookie authentication server-to-controller hash"
#define CLIENT_LABEL "Tor safe cookie authentication controller-to-server hash"

enum { METHOD_NULL = 1, METHOD_PASSWORD = 2, METHOD_COOKIE = 4 };

enum step { INFO, CHALLENGE, AUTH, SOCKS, ADD };

static void say(struct cc_writer *out, const char *text)
{
    cc_write_bytes(out, text, strlen(text));
}

static void ask(struct cc_torctl *s, enum step step, struct cc_writer *out,
                const char *text)
{
    s->step = (int)step;
    s->state = CC_TORCTL_TALKING;
    say(out, text);
}

static void fail(struct cc_torctl *s, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));

static void fail(struct cc_torctl *s, const char *fmt, ...)
{
    va_list ap;

    va_start(ap, fmt);
    vsnprintf(s->why, sizeof(s->why), fmt, ap);
    va_end(ap);
    s->state = CC_TORCTL_FAILED;
}

void cc_torctl_start(struct cc_torctl *s, struct cc_writer *out)
{
    s->methods = 0;
    s->fresh = false;
    s->cookie_file[0] = '\0';
    s->service.network = 0;
    snprintf(s->socks, sizeof(s->socks), SOCKS_USUAL);
    ask(s, INFO, out, "PROTOCOLINFO 1\r\n");
}

void cc_torctl_clear(struct cc_torctl *s)
{
    if (s->key)
        cc_cleanse(s->key, strlen(s->key));
    free(s->key);
    cc_cleanse(s->cookie, sizeof(s->cookie));
    s->key = NULL;
}

/* --- What Tor says of itself ---------------------------------------------- */

/* text stands behind a quote; the string up to the next one that counts. */
static bool unquote(char *out, size_t room, const char *text)
{
    size_t n = 0;

    for (; *text && *text != '"'; text++) {
        if (*text == '\\' && text[1])
            text++;
        if (n + 1 >= room)
            return false;
        out[n++] = *text;
    }
    out[n] = '\0';
    return *text == '"';
}

static bool is_word(const char *text, size_t len, const char *word)
{
    return len == strlen(word) && !memcmp(text, word, len);
}

/* "METHODS=NULL,COOKIE COOKIEFILE="..."" */
static void take_methods(struct cc_torctl *s, const char *line)
{
    static const char methods[] = "METHODS=", file[] = " COOKIEFILE=\"";
    const char *at = strstr(line, methods), *quoted = strstr(line, file);

    if (!at)
        return;
    for (at += sizeof(methods) - 1; *at && *at != ' ';) {
        size_t len = strcspn(at, ", ");

        if (is_word(at, len, "NULL"))
            s->methods |= METHOD_NULL;
        if (is_word(at, len, "HASHEDPASSWORD"))
            s->methods |= METHOD_PASSWORD;
        if (is_word(at, len, "SAFECOOKIE"))
            s->methods |= METHOD_COOKIE;
        at += len + (at[len] == ',');
    }
    if (quoted && !unquote(s->cookie_file, sizeof(s->cookie_file),
                           quoted + sizeof(file) - 1))
        s->cookie_file[0] = '\0';
}

static void say_password(struct cc_torctl *s, struct cc_writer *out)
{
    ask(s, AUTH, out, "AUTHENTICATE \"");
    for (const char *c = s->password; *c; c++) {
        if (*c == '"' || *c == '\\')
            cc_write_u8(out, '\\');
        cc_write_u8(out, (uint8_t)*c);
    }
    say(out, "\"\r\n");
}

static void authenticate(struct cc_torctl *s, struct cc_writer *out)
{
    if (s->password && *s->password) {
        if (s->methods & METHOD_PASSWORD)
            say_password(s, out);
        else
            fail(s, "Tor takes no password, but -torpassword is given");
    } else if (s->methods & METHOD_NULL) {
        ask(s, AUTH, out, "AUTHENTICATE\r\n");
    } else if (s->methods & METHOD_COOKIE && s->cookie_file[0]) {
        s->state = CC_TORCTL_COOKIE;
    } else if (s->methods & METHOD_PASSWORD) {
        fail(s, "Tor wants a password, but no -torpassword is given");
    } else {
        fail(s, "Tor knows no way to authenticate that we know");
    }
}

void cc_torctl_cookie(struct cc_torctl *s,
                      const uint8_t cookie[CC_TORCTL_COOKIE_SIZE],
                      const uint8_t nonce[32], struct cc_writer *out)
{
    char hex[65];

    memcpy(s->cookie, cookie, sizeof(s->cookie));
    memcpy(s->nonce, nonce, sizeof(s->nonce));
    cc_hex_encode(hex, nonce, 32);
    ask(s, CHALLENGE, out, "AUTHCHALLENGE SAFECLIENT ");
    say(out, hex);
    say(out, "\r\n");
}

static bool take_hex(const char *line, const char *name, uint8_t out[32])
{
    const char *at = strstr(line, name);
    char hex[65];

    if (!at || strlen(at += strlen(name)) < 64)
        return false;
    memcpy(hex, at, 64);
    hex[64] = '\0';
    return cc_hex_decode(out, 32, hex);
}

/* Both sides show that they know the cookie without telling it. */
static void take_challenge(struct cc_torctl *s, const char *line,
                           struct cc_writer *out)
{
    uint8_t all[CC_TORCTL_COOKIE_SIZE + 64], theirs[32], mine[32];
    char hex[65];

    memcpy(all, s->cookie, sizeof(s->cookie));
    memcpy(all + 32, s->nonce, 32);
    if (!take_hex(line, "SERVERHASH=", theirs) ||
        !take_hex(line, "SERVERNONCE=", all + 64)) {
        fail(s, "Tor's answer to the challenge is malformed");
        return;
    }
    cc_hmac_sha256(mine, SERVER_LABEL, sizeof(SERVER_LABEL) - 1, all,
                   sizeof(all));
    if (!cc_equal_ct(mine, theirs, 32)) {
        fail(s, "who answers at the control port does not know Tor's cookie");
        return;
    }
    cc_hmac_sha256(mine, CLIENT_LABEL, sizeof(CLIENT_LABEL) - 1, all,
                   sizeof(all));
    cc_hex_encode(hex, mine, 32);
    ask(s, AUTH, out, "AUTHENTICATE ");
    say(out, hex);
    say(out, "\r\n");
    cc_cleanse(all, sizeof(all));
}

/* Of the places of Tor's proxy one that is no file, best of this machine. */
static void take_socks(struct cc_torctl *s, const char *line)
{
    static const char name[] = "net/listeners/socks=", local[] = "127.0.0.1:";
    char place[sizeof(s->socks)];
    bool found = false;
    size_t skip;

    if (strncmp(line, name, sizeof(name) - 1) != 0)
        return;
    for (line += sizeof(name) - 1; *line == '"'; line += skip) {
        if (!unquote(place, sizeof(place), line + 1))
            return;
        skip = 1 + strcspn(line + 1, "\"") + 1;
        skip += strspn(line + skip, " ");
        if (!strncmp(place, "unix:", 5) || strchr(place, '\\'))
            continue;
        if (!found || !strncmp(place, local, sizeof(local) - 1))
            memcpy(s->socks, place, sizeof(place));
        if (!strncmp(place, local, sizeof(local) - 1))
            return;
        found = true;
    }
}

/* --- The service ---------------------------------------------------------- */

static void add_service(struct cc_torctl *s, struct cc_writer *out)
{
    char port[96];

    snprintf(port, sizeof(port), " Port=%u,%s\r\n", s->port, s->target);
    ask(s, ADD, out, "ADD_ONION ");
    say(out, s->key ? s->key : "NEW:ED25519-V3");
    say(out, port);
}

static void take_service(struct cc_torctl *s, const char *line)
{
    static const char id[] = "ServiceID=", key[] = "PrivateKey=";
    char text[72];

    if (!strncmp(line, id, sizeof(id) - 1)) {
        snprintf(text, sizeof(text), "%.56s.onion", line + sizeof(id) - 1);
        if (!cc_netaddr_parse(&s->service, text, s->port) ||
            s->service.network != CC_NET_TORV3)
            s->service.network = 0;
    } else if (!strncmp(line, key, sizeof(key) - 1) && !s->key) {
        s->key = cc_strdup(line + sizeof(key) - 1);
        s->fresh = true;
    }
}

/* --- Lines ---------------------------------------------------------------- */

/* One within an answer. */
static void take_part(struct cc_torctl *s, const char *line)
{
    switch ((enum step)s->step) {
    case INFO:
        if (!strncmp(line, "AUTH ", 5))
            take_methods(s, line);
        break;
    case SOCKS:
        take_socks(s, line);
        break;
    case ADD:
        take_service(s, line);
        break;
    case CHALLENGE:
    case AUTH:
        break;
    }
}

/* The last of an answer. */
static void take_last(struct cc_torctl *s, int code, const char *line,
                      struct cc_writer *out)
{
    if (code != OK && s->step != SOCKS) {
        fail(s, "Tor refuses: %d %.60s", code, line);
        return;
    }
    switch ((enum step)s->step) {
    case INFO:
        authenticate(s, out);
        break;
    case CHALLENGE:
        take_challenge(s, line, out);
        break;
    case AUTH:
        if (s->ask_socks)
            ask(s, SOCKS, out, "GETINFO net/listeners/socks\r\n");
        else
            add_service(s, out);
        break;
    case SOCKS:
        add_service(s, out);
        break;
    case ADD:
        if (s->service.network && s->key)
            s->state = CC_TORCTL_DONE;
        else
            fail(s, "Tor does not tell of the service it made");
        break;
    }
}

size_t cc_torctl_input(struct cc_torctl *s, const uint8_t *data, size_t len,
                       struct cc_writer *out)
{
    const uint8_t *end;
    char line[CC_TORCTL_MAX_LINE];
    size_t n;

    if (s->state != CC_TORCTL_TALKING || !len)
        return 0;
    end = memchr(data, '\n', len < sizeof(line) ? len : sizeof(line));
    if (!end) {
        if (len >= sizeof(line))
            fail(s, "a line of Tor's is too long");
        return 0;
    }
    n = (size_t)(end - data);
    memcpy(line, data, n);
    line[n && line[n - 1] == '\r' ? n - 1 : n] = '\0';
    if (n < 4 || strspn(line, "0123456789") != 3 ||
        (line[3] != ' ' && line[3] != '-'))
        fail(s, "Tor's answer is malformed");
    else if (line[3] == '-')
        take_part(s, line + 4);
    else
        take_last(s, atoi(line), line + 4, out);
    cc_cleanse(line, sizeof(line));
    return n + 1;
}
