/*
 * A scan goes before jansson's parser: it refuses what jansson would take and
 * UniValue would not see (depth), and turns each number that is not a plain
 * 64-bit integer into a string "\u0000<text>". Scan and parser are linear.
 */
#include "rpc/json.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "crypto/hash.h"
#include "util/hex.h"
#include "util/map.h"
#include "util/mem.h"
#include "util/random.h"
#include "util/writer.h"

static void put(struct cc_writer *w, const char *s)
{
    cc_write_bytes(w, s, strlen(s));
}

static bool is_digit(char c) { return c >= '0' && c <= '9'; }

/* Length of the JSON number at s, 0 if it is none (RFC 8259 6). *whole: it
 * has neither fraction nor exponent. */
static size_t number_length(const char *s, size_t left, bool *whole)
{
    size_t i = 0, digits;

    *whole = true;
    if (i < left && s[i] == '-')
        i++;
    if (i >= left || !is_digit(s[i]))
        return 0;
    if (s[i] == '0') {
        i++;
        if (i < left && is_digit(s[i]))
            return 0;
    }
    while (i < left && is_digit(s[i]))
        i++;
    if (i < left && s[i] == '.') {
        *whole = false;
        i++;
        for (digits = 0; i < left && is_digit(s[i]); digits++)
            i++;
        if (!digits)
            return 0;
    }
    if (i < left && (s[i] == 'e' || s[i] == 'E')) {
        *whole = false;
        i++;
        if (i < left && (s[i] == '+' || s[i] == '-'))
            i++;
        for (digits = 0; i < left && is_digit(s[i]); digits++)
            i++;
        if (!digits)
            return 0;
    }
    return i;
}

/* Copies the string that starts at s, quotes included; 0 if it does not end
 * or names the NUL that marks our numbers. */
static size_t copy_string(struct cc_writer *w, const char *s, size_t left)
{
    size_t i = 1;

    while (i < left && s[i] != '"') {
        if (s[i] == '\\') {
            if (left - i >= 6 && !memcmp(s + i, "\\u0000", 6))
                return 0;
            i++;
        }
        i++;
    }
    if (i >= left)
        return 0;
    cc_write_bytes(w, s, i + 1);
    return i + 1;
}

static size_t copy_number(struct cc_writer *w, const char *s, size_t left)
{
    bool whole;
    size_t n = number_length(s, left, &whole);

    if (!n)
        return 0;
    /* 18 digits always fit into int64. "-0" must stay as it is written. */
    if (whole && n <= 18 && !(n == 2 && s[0] == '-' && s[1] == '0')) {
        cc_write_bytes(w, s, n);
        return n;
    }
    put(w, "\"\\u0000");
    cc_write_bytes(w, s, n);
    put(w, "\"");
    return n;
}

static bool scan(struct cc_writer *w, const char *s, size_t len)
{
    size_t i = 0, n, depth = 0;

    while (i < len) {
        char c = s[i];

        if (c == '"') {
            n = copy_string(w, s + i, len - i);
        } else if (c == '-' || is_digit(c)) {
            n = copy_number(w, s + i, len - i);
        } else {
            if (c == '\0')
                return false; /* jansson takes it for the end */
            if ((c == '[' || c == '{') && ++depth > CC_JSON_MAX_DEPTH)
                return false;
            if ((c == ']' || c == '}') && depth)
                depth--;
            cc_write_u8(w, (uint8_t)c);
            n = 1;
        }
        if (!n)
            return false;
        i += n;
    }
    return true;
}

/* --- Repeated keys ----------------------------------------------------- */

#define REPEATED "\xef\xbf\xbf" /* U+FFFF, which is no character */

/* Where a walk through text that is JSON stands. */
struct walk {
    struct cc_map keys; /* SHA-256 of object and key */
    bool object[CC_JSON_MAX_DEPTH + 1], key_next;
    uint64_t serial[CC_JSON_MAX_DEPTH + 1], last;
    size_t depth;
};

/* Has the object at hand had this key? */
static bool seen_key(struct walk *k, const uint8_t *key, size_t len)
{
    struct cc_sha256 h;
    uint8_t id[32], head[8];
    bool fresh;

    cc_put_u64le(head, k->serial[k->depth]);
    cc_sha256_init(&h);
    cc_sha256_update(&h, head, sizeof(head));
    cc_sha256_update(&h, key, len);
    cc_sha256_final(&h, id);
    cc_map_put(&k->keys, id, &fresh);
    return !fresh;
}

static void step(struct walk *k, uint8_t c)
{
    switch (c) {
    case '{':
    case '[':
        k->object[++k->depth] = k->key_next = c == '{';
        k->serial[k->depth] = ++k->last;
        break;
    case '}':
    case ']':
        k->depth -= k->depth > 0;
        k->key_next = false;
        break;
    case ',':
        k->key_next = k->object[k->depth];
        break;
    default:
        break;
    }
}

/* The same text, each key that its object has had with a mark and a number
 * behind it. s has been through scan. */
static void mark_repeated(struct cc_writer *w, const uint8_t *s, size_t len)
{
    struct walk k = {.depth = 0};
    uint8_t seed[16];
    char tail[32];
    size_t n, count = 0;

    cc_random_bytes(seed, sizeof(seed));
    cc_map_init(&k.keys, 32, 1, seed);
    for (size_t i = 0; i < len; i += n) {
        n = 1;
        if (s[i] != '"') {
            step(&k, s[i]);
            cc_write_u8(w, s[i]);
            continue;
        }
        while (i + n < len && s[i + n] != '"')
            n += s[i + n] == '\\' ? 2 : 1;
        n = i + n < len ? n : len - i - 1;
        cc_write_bytes(w, s + i, n);
        if (k.key_next && seen_key(&k, s + i, n)) {
            snprintf(tail, sizeof(tail), REPEATED "%zu", ++count);
            put(w, tail);
        }
        k.key_next = false;
        cc_write_u8(w, '"');
        n++;
    }
    cc_map_clear(&k.keys);
}

bool cc_json_key_repeated(const char *key, size_t *len)
{
    const char *mark = strstr(key, REPEATED);

    *len = mark ? (size_t)(mark - key) : strlen(key);
    return mark != NULL;
}

void cc_json_set_again(json_t *object, const char *key, json_t *v)
{
    char *again = NULL;

    if (json_object_get(object, key))
        again = cc_asprintf("%s" REPEATED "1", key);
    json_object_set(object, again ? again : key, v);
    free(again);
}

json_t *cc_json_parse(const char *text, size_t len)
{
    const size_t flags = JSON_DECODE_ANY | JSON_ALLOW_NUL;
    struct cc_writer w, marked;
    json_error_t e;
    json_t *v = NULL;

    cc_writer_init_heap(&w);
    if (scan(&w, text, len) && w.len) {
        v = json_loadb((const char *)w.data, w.len,
                       flags | JSON_REJECT_DUPLICATES, &e);
        if (!v && json_error_code(&e) == json_error_duplicate_key) {
            cc_writer_init_heap(&marked);
            mark_repeated(&marked, w.data, w.len);
            v = json_loadb((const char *)marked.data, marked.len, flags, NULL);
            cc_writer_clear(&marked);
        }
    }
    cc_writer_clear(&w);
    return v;
}

/* --- Printing ---------------------------------------------------------- */

/* What stands for a character that cannot stand in a string as it is. */
static const char *escape(unsigned char c, char buf[8])
{
    switch (c) {
    case '"':
        return "\\\"";
    case '\\':
        return "\\\\";
    case '\b':
        return "\\b";
    case '\f':
        return "\\f";
    case '\n':
        return "\\n";
    case '\r':
        return "\\r";
    case '\t':
        return "\\t";
    default:
        snprintf(buf, 8, "\\u%04x", c);
        return buf;
    }
}

static void dump_string(struct cc_writer *w, const char *s, size_t len)
{
    size_t from = 0; /* what was written goes up to here */
    char buf[8];

    cc_write_u8(w, '"');
    for (size_t i = 0; i < len; i++) {
        unsigned char c = (unsigned char)s[i];

        if (c >= 0x20 && c != '"' && c != '\\' && c != 0x7f)
            continue;
        cc_write_bytes(w, s + from, i - from);
        put(w, escape(c, buf));
        from = i + 1;
    }
    cc_write_bytes(w, s + from, len - from);
    cc_write_u8(w, '"');
}

static void newline(struct cc_writer *w, unsigned indent, unsigned level)
{
    if (!indent)
        return;
    cc_write_u8(w, '\n');
    for (unsigned i = 0; i < indent * level; i++)
        cc_write_u8(w, ' ');
}

static void dump(struct cc_writer *w, const json_t *v, unsigned indent,
                 unsigned level);

static void dump_array(struct cc_writer *w, const json_t *v, unsigned indent,
                       unsigned level)
{
    size_t n = json_array_size(v);

    cc_write_u8(w, '[');
    for (size_t i = 0; i < n; i++) {
        if (i)
            cc_write_u8(w, ',');
        newline(w, indent, level + 1);
        dump(w, json_array_get(v, i), indent, level + 1);
    }
    newline(w, indent, level);
    cc_write_u8(w, ']');
}

static void dump_object(struct cc_writer *w, const json_t *v, unsigned indent,
                        unsigned level)
{
    const char *key;
    json_t *member;
    bool first = true;
    size_t len;

    cc_write_u8(w, '{');
    json_object_foreach((json_t *)v, key, member)
    {
        if (!first)
            cc_write_u8(w, ',');
        first = false;
        newline(w, indent, level + 1);
        (void)cc_json_key_repeated(key, &len);
        dump_string(w, key, len);
        put(w, indent ? ": " : ":");
        dump(w, member, indent, level + 1);
    }
    newline(w, indent, level);
    cc_write_u8(w, '}');
}

static void dump(struct cc_writer *w, const json_t *v, unsigned indent,
                 unsigned level)
{
    char buf[32];

    switch (v ? json_typeof(v) : JSON_NULL) {
    case JSON_OBJECT:
        dump_object(w, v, indent, level);
        break;
    case JSON_ARRAY:
        dump_array(w, v, indent, level);
        break;
    case JSON_STRING:
        if (cc_json_is_number(v))
            put(w, cc_json_number_text(v, buf));
        else
            dump_string(w, json_string_value(v), json_string_length(v));
        break;
    case JSON_INTEGER:
    case JSON_REAL:
        put(w, cc_json_number_text(v, buf));
        break;
    case JSON_TRUE:
        put(w, "true");
        break;
    case JSON_FALSE:
        put(w, "false");
        break;
    case JSON_NULL:
        put(w, "null");
        break;
    }
}

char *cc_json_dump(const json_t *value, unsigned indent)
{
    struct cc_writer w;
    size_t len;

    cc_writer_init_heap(&w);
    dump(&w, value, indent, 0);
    cc_write_u8(&w, '\0');
    return (char *)cc_writer_take(&w, &len);
}

/* --- Making ------------------------------------------------------------ */

json_t *cc_json_literal(const char *text)
{
    char buf[128];
    int n = snprintf(buf + 1, sizeof(buf) - 1, "%s", text);

    buf[0] = '\0';
    if (n < 0 || (size_t)n >= sizeof(buf) - 1)
        return json_null();
    return json_stringn_nocheck(buf, (size_t)n + 1);
}

json_t *cc_json_amount(cc_amount a)
{
    char buf[CC_AMOUNT_TEXT_SIZE];

    cc_amount_format(buf, a);
    return cc_json_literal(buf);
}

json_t *cc_json_double(double v)
{
    char buf[40];

    if (!isfinite(v))
        return json_integer(0);
    snprintf(buf, sizeof(buf), "%.16g", v);
    return cc_json_literal(buf);
}

json_t *cc_json_u64(uint64_t v)
{
    char buf[24];

    if (v <= INT64_MAX)
        return json_integer((json_int_t)v);
    snprintf(buf, sizeof(buf), "%llu", (unsigned long long)v);
    return cc_json_literal(buf);
}

json_t *cc_json_hex(struct cc_bytes b)
{
    char *s = cc_hex_dup(b.data, b.len);
    json_t *v = json_stringn_nocheck(s, 2 * b.len);

    free(s);
    return v;
}

json_t *cc_json_hash(const uint8_t hash[32])
{
    char s[65];

    cc_hex_encode_rev(s, hash, 32);
    return json_stringn_nocheck(s, 64);
}

void cc_json_set(json_t *object, const char *key, json_t *v)
{
    json_object_set_new_nocheck(object, key, v);
}

void cc_json_set_int(json_t *object, const char *key, int64_t v)
{
    cc_json_set(object, key, json_integer(v));
}

void cc_json_set_bool(json_t *object, const char *key, bool v)
{
    cc_json_set(object, key, json_boolean(v));
}

void cc_json_set_str(json_t *object, const char *key, const char *v)
{
    json_t *s = json_string(v);
    char *copy;

    if (!s) {
        copy = cc_strdup(v);
        for (char *p = copy; *p; p++)
            if ((unsigned char)*p >= 0x80)
                *p = '?';
        s = json_string(copy);
        free(copy);
    }
    cc_json_set(object, key, s);
}

void cc_json_set_hash(json_t *object, const char *key, const uint8_t v[32])
{
    cc_json_set(object, key, cc_json_hash(v));
}

void cc_json_set_amount(json_t *object, const char *key, cc_amount v)
{
    cc_json_set(object, key, cc_json_amount(v));
}

/* --- Asking ------------------------------------------------------------ */

static bool is_exact(const json_t *v)
{
    return json_is_string(v) && json_string_length(v) > 0 &&
           json_string_value(v)[0] == '\0';
}

bool cc_json_is_number(const json_t *v)
{
    return v && (json_is_number(v) || is_exact(v));
}

bool cc_json_is_string(const json_t *v)
{
    return v && json_is_string(v) && !is_exact(v);
}

const char *cc_json_type_name(const json_t *v)
{
    if (!v)
        return "null";
    switch (json_typeof(v)) {
    case JSON_OBJECT:
        return "object";
    case JSON_ARRAY:
        return "array";
    case JSON_STRING:
        return is_exact(v) ? "number" : "string";
    case JSON_INTEGER:
    case JSON_REAL:
        return "number";
    case JSON_TRUE:
    case JSON_FALSE:
        return "bool";
    case JSON_NULL:
        break;
    }
    return "null";
}

const char *cc_json_number_text(const json_t *v, char buf[32])
{
    if (is_exact(v))
        return json_string_value(v) + 1;
    if (json_is_integer(v))
        snprintf(buf, 32, "%lld", (long long)json_integer_value(v));
    else
        snprintf(buf, 32, "%.16g", json_real_value(v));
    return buf;
}

bool cc_json_get_int(const json_t *v, int64_t *out)
{
    const char *s;
    char buf[32], *end;
    long long n;

    if (!cc_json_is_number(v))
        return false;
    s = cc_json_number_text(v, buf);
    if (strpbrk(s, ".eE"))
        return false;
    errno = 0;
    n = strtoll(s, &end, 10);
    if (errno || *end)
        return false;
    *out = n;
    return true;
}

bool cc_json_get_double(const json_t *v, double *out)
{
    char buf[32];

    if (!cc_json_is_number(v))
        return false;
    *out = strtod(cc_json_number_text(v, buf), NULL);
    return isfinite(*out);
}

bool cc_json_get_amount(const json_t *v, unsigned places, cc_amount *out)
{
    char buf[32];

    if (cc_json_is_number(v))
        return cc_fixed_parse(out, cc_json_number_text(v, buf), places);
    if (cc_json_is_string(v))
        return cc_fixed_parse(out, json_string_value(v), places);
    return false;
}
