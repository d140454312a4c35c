#include "net/sam.h"

#include <stdio.h>
#include <stdlib.h>

#include "crypto/hash.h"
#include "util/base64.h"
#include "util/mem.h"

#define KEYS_SIZE 384 /* of a destination, before its certificate */
#define TYPE "7"      /* Ed25519 */

/* --- Destinations --------------------------------------------------------- */

static void exchange(char *text, const char from[2], const char to[2])
{
    for (; *text; text++) {
        if (*text == from[0])
            *text = to[0];
        else if (*text == from[1])
            *text = to[1];
    }
}

char *cc_sam_encode(const void *data, size_t len)
{
    char *text = cc_base64_encode(data, len);

    exchange(text, "+/", "-~");
    return text;
}

uint8_t *cc_sam_decode(const char *text, size_t *len)
{
    char *plain = cc_strdup(text);
    uint8_t *data;

    exchange(plain, "-~", "+/");
    data = cc_base64_decode(plain, len);
    cc_cleanse(plain, strlen(plain)); /* it may be a private key */
    free(plain);
    return data;
}

bool cc_sam_address(struct cc_netaddr *out, const char *text)
{
    struct cc_sha256 sha;
    size_t len, all = 0;
    uint8_t *data = cc_sam_decode(text, &len);

    memset(out, 0, sizeof(*out));
    if (data && len >= KEYS_SIZE + 3)
        all = KEYS_SIZE + 3 + ((size_t)data[KEYS_SIZE + 1] << 8) +
              data[KEYS_SIZE + 2];
    if (!all || all > len) {
        free(data);
        return false;
    }
    out->network = CC_NET_I2P;
    out->len = 32;
    cc_sha256_init(&sha);
    cc_sha256_update(&sha, data, all);
    cc_sha256_final(&sha, out->bytes);
    free(data);
    return true;
}

/* --- Lines ---------------------------------------------------------------- */

/* The value behind "NAME=" among the words of a line, copied; "" if it is not
 * there. */
static const char *value_of(const char *line, const char *name, char *out,
                            size_t room)
{
    size_t n = strlen(name), len;
    const char *p = line;

    out[0] = '\0';
    while ((p = strstr(p, name)) != NULL) {
        if ((p == line || p[-1] == ' ') && p[n] == '=') {
            len = strcspn(p + n + 1, " ");
            if (len < room) {
                memcpy(out, p + n + 1, len);
                out[len] = '\0';
            }
            break;
        }
        p += n;
    }
    return out;
}

static void say(struct cc_writer *out, const char *text)
{
    cc_write_bytes(out, text, strlen(text));
}

static void fail(struct cc_sam *s, const char *what, const char *line)
{
    s->state = CC_SAM_FAILED;
    snprintf(s->why, sizeof(s->why), "%s: \"%.50s\"", what, line);
}

void cc_sam_start(struct cc_sam *s, enum cc_sam_goal goal,
                  const char id[CC_SAM_ID_SIZE], struct cc_writer *out)
{
    s->goal = goal;
    s->state = CC_SAM_TALKING;
    s->step = 0;
    memcpy(s->id, id, CC_SAM_ID_SIZE);
    say(out, "HELLO VERSION MIN=3.1 MAX=3.1\n");
}

void cc_sam_clear(struct cc_sam *s)
{
    if (s->key)
        cc_cleanse(s->key, strlen(s->key));
    free(s->key);
    s->key = NULL;
}

static void say_create(struct cc_sam *s, struct cc_writer *out)
{
    say(out, "SESSION CREATE STYLE=STREAM ID=");
    say(out, s->id);
    say(out, " DESTINATION=");
    if (s->transient) {
        say(out, "TRANSIENT SIGNATURE_TYPE=" TYPE
                 " inbound.quantity=1 outbound.quantity=1");
    } else {
        say(out, s->key);
        say(out, " inbound.quantity=3 outbound.quantity=3");
    }
    say(out, " i2cp.leaseSetEncType=4,0\n");
}

static void session_line(struct cc_sam *s, const char *line, const char *result,
                         struct cc_writer *out)
{
    char key[CC_SAM_MAX_LINE];

    if (s->step == 0 && !s->transient && !s->key) {
        say(out, "DEST GENERATE SIGNATURE_TYPE=" TYPE "\n");
        s->step = 1;
    } else if (s->step == 0) {
        say_create(s, out);
        s->step = 2;
    } else if (s->step == 1) {
        if (strncmp(line, "DEST REPLY ", 11) != 0 ||
            !cc_sam_address(&s->who,
                            value_of(line, "PRIV", key, sizeof(key)))) {
            fail(s, "the SAM proxy made no key", line);
        } else {
            s->key = cc_strdup(key);
            s->fresh = true;
            say_create(s, out);
            s->step = 2;
        }
        cc_cleanse(key, sizeof(key));
    } else if (strncmp(line, "SESSION STATUS ", 15) != 0 ||
               strcmp(result, "OK") != 0) {
        fail(s, "the SAM proxy made no session", line);
    } else if (!cc_sam_address(
                   &s->who, value_of(line, "DESTINATION", key, sizeof(key)))) {
        fail(s, "the SAM proxy named no destination", line);
    } else {
        s->state = CC_SAM_DONE;
    }
}

static void connect_line(struct cc_sam *s, const char *line, const char *result,
                         struct cc_writer *out)
{
    char dest[CC_SAM_MAX_LINE];

    if (s->step == 0) {
        say(out, "NAMING LOOKUP NAME=");
        say(out, s->host);
        say(out, "\n");
        s->step = 1;
    } else if (strcmp(result, "OK") != 0) {
        fail(s, "the SAM proxy cannot reach it", line);
    } else if (s->step == 1) {
        value_of(line, "VALUE", dest, sizeof(dest));
        if (!cc_sam_address(&s->who, dest)) {
            fail(s, "the SAM proxy knows no destination", line);
            return;
        }
        say(out, "STREAM CONNECT ID=");
        say(out, s->id);
        say(out, " DESTINATION=");
        say(out, dest);
        say(out, " SILENT=false\n");
        s->step = 2;
    } else {
        s->state = CC_SAM_DONE;
    }
}

static void accept_line(struct cc_sam *s, const char *line, const char *result,
                        struct cc_writer *out)
{
    char dest[CC_SAM_MAX_LINE];

    if (s->step == 0) {
        say(out, "STREAM ACCEPT ID=");
        say(out, s->id);
        say(out, " SILENT=false\n");
        s->step = 1;
    } else if (s->step == 1 && strcmp(result, "OK") != 0) {
        fail(s, "the SAM proxy does not accept", line);
    } else if (s->step == 1) {
        s->step = 2;
    } else {
        snprintf(dest, sizeof(dest), "%.*s", (int)strcspn(line, " "), line);
        if (cc_sam_address(&s->who, dest))
            s->state = CC_SAM_DONE;
        else
            fail(s, "who came has no destination", line);
    }
}

size_t cc_sam_input(struct cc_sam *s, const uint8_t *data, size_t len,
                    struct cc_writer *out)
{
    char line[CC_SAM_MAX_LINE], result[64];
    const uint8_t *end;

    if (s->state != CC_SAM_TALKING)
        return 0;
    end = memchr(data, '\n', len < sizeof(line) ? len : sizeof(line));
    if (!end) {
        if (len >= sizeof(line))
            fail(s, "the SAM proxy's line is too long", "");
        return 0;
    }
    memcpy(line, data, (size_t)(end - data));
    line[end - data] = '\0';
    value_of(line, "RESULT", result, sizeof(result));
    if (s->step == 0 &&
        (strncmp(line, "HELLO REPLY ", 12) != 0 || strcmp(result, "OK") != 0))
        fail(s, "no SAM proxy, or not of version 3.1", line);
    else if (s->goal == CC_SAM_SESSION)
        session_line(s, line, result, out);
    else if (s->goal == CC_SAM_CONNECT)
        connect_line(s, line, result, out);
    else
        accept_line(s, line, result, out);
    cc_cleanse(line, sizeof(line));
    return (size_t)(end - data) + 1;
}
