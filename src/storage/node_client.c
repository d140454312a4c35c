#include "storage/node_client.h"

#include "storage/socket.h"
#include "util/base64.h"
#include "util/clock.h"
#include "util/fs.h"
#include "util/mem.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#define DEFAULT_TIMEOUT_MS 900000 /* as bitcoin-cli's -rpcclienttimeout */
#define REPLY_MAX ((size_t)1 << 29)
#define HEAD_MAX 65536
#define COOKIE_MAX 4096

struct cc_node_client {
    char *host, *user, *password, *cookie_file, *wallet;
    uint16_t port;
    int timeout_ms, code;
    int64_t next_id;
};

static char *dup_or_null(const char *s) { return s ? cc_strdup(s) : NULL; }

struct cc_node_client *cc_node_client_new(const struct cc_node_options *o)
{
    struct cc_node_client *c = cc_calloc(1, sizeof(*c));

    c->host = cc_strdup(o->host);
    c->port = o->port;
    c->user = dup_or_null(o->user);
    c->password = dup_or_null(o->password);
    c->cookie_file = dup_or_null(o->cookie_file);
    c->wallet = dup_or_null(o->wallet);
    c->timeout_ms = o->timeout_ms > 0 ? o->timeout_ms : DEFAULT_TIMEOUT_MS;
    c->next_id = 1;
    return c;
}

void cc_node_client_free(struct cc_node_client *c)
{
    if (!c)
        return;
    if (c->password)
        cc_cleanse(c->password, strlen(c->password));
    free(c->host);
    free(c->user);
    free(c->password);
    free(c->cookie_file);
    free(c->wallet);
    free(c);
}

int cc_node_client_code(const struct cc_node_client *c) { return c->code; }

/* "user:password", the caller's to free. */
static enum cc_status credentials(const struct cc_node_client *c, char **out,
                                  struct cc_error *err)
{
    enum cc_status st;
    uint8_t *cookie;
    size_t len;

    if (c->user || c->password) {
        *out = cc_asprintf("%s:%s", c->user ? c->user : "",
                           c->password ? c->password : "");
        return CC_OK;
    }
    if (!c->cookie_file)
        return cc_fail(err, CC_IO, "neither a password nor a cookie file");
    st = cc_fs_read(c->cookie_file, COOKIE_MAX, &cookie, &len, err);
    if (st == CC_NOTFOUND)
        return cc_fail(err, CC_IO,
                       "no cookie file %s: is the node running, and with this "
                       "-datadir and chain? Otherwise give -rpcuser and "
                       "-rpcpassword, or -rpccookiefile",
                       c->cookie_file);
    if (st != CC_OK)
        return st;
    while (len && (cookie[len - 1] == '\n' || cookie[len - 1] == '\r'))
        cookie[--len] = 0;
    *out = (char *)cookie;
    return CC_OK;
}

/* A wallet's name as part of a path. */
static char *endpoint(const struct cc_node_client *c)
{
    static const char hex[] = "0123456789ABCDEF";
    char *out, *p;

    if (!c->wallet)
        return cc_strdup("/");
    out = cc_malloc(9 + 3 * strlen(c->wallet));
    strcpy(out, "/wallet/");
    p = out + 8;
    for (const uint8_t *s = (const uint8_t *)c->wallet; *s; s++) {
        if ((*s >= 'a' && *s <= 'z') || (*s >= 'A' && *s <= 'Z') ||
            (*s >= '0' && *s <= '9') || strchr("-._~", *s)) {
            *p++ = (char)*s;
        } else {
            *p++ = '%';
            *p++ = hex[*s >> 4];
            *p++ = hex[*s & 15];
        }
    }
    *p = 0;
    return out;
}

struct reply {
    char *data;
    size_t len, cap;
    size_t head;  /* bytes up to and with the empty line */
    size_t total; /* head and body; SIZE_MAX: until the end */
    int status;
};

/* Value of a header, NULL if it is not there; ends at '\r'. */
static const char *header(const struct reply *r, const char *name)
{
    size_t n = strlen(name);
    const char *p = r->data, *end = r->data + r->head;

    while ((p = memchr(p, '\n', (size_t)(end - p)))) {
        p++;
        if ((size_t)(end - p) > n && !strncasecmp(p, name, n) && p[n] == ':') {
            p += n + 1;
            return p + strspn(p, " \t");
        }
    }
    return NULL;
}

static enum cc_status parse_head(struct reply *r, struct cc_error *err)
{
    const char *length;
    char *end = strstr(r->data, "\r\n\r\n");

    if (!end)
        return r->len > HEAD_MAX
                   ? cc_fail(err, CC_MALFORMED, "no end of HTTP headers")
                   : CC_OK;
    r->head = (size_t)(end - r->data) + 4;
    if (sscanf(r->data, "HTTP/1.%*1d %3d", &r->status) != 1)
        return cc_fail(err, CC_MALFORMED, "the answer is no HTTP");
    if (header(r, "Transfer-Encoding"))
        return cc_fail(err, CC_MALFORMED, "chunked answers are not read");
    length = header(r, "Content-Length");
    r->total = SIZE_MAX;
    if (length) {
        unsigned long long n = strtoull(length, NULL, 10);

        if (n > REPLY_MAX)
            return cc_fail(err, CC_LIMIT, "an answer of %llu bytes", n);
        r->total = r->head + (size_t)n;
    }
    return CC_OK;
}

static enum cc_status read_reply(int fd, struct reply *r, int64_t deadline,
                                 struct cc_error *err)
{
    enum cc_status st = CC_OK;
    size_t n;

    r->total = SIZE_MAX;
    while (r->len < r->total) {
        if (r->len > REPLY_MAX)
            return cc_fail(err, CC_LIMIT, "the answer is too long");
        r->data = cc_grow(r->data, &r->cap, r->len + 65537, 1);
        st =
            cc_socket_read_some(fd, r->data + r->len, 65536, &n, deadline, err);
        if (st != CC_OK)
            return st;
        if (!n)
            break;
        r->len += n;
        r->data[r->len] = 0;
        if (!r->head)
            st = parse_head(r, err);
        if (st != CC_OK)
            return st;
    }
    if (!r->head || (r->total != SIZE_MAX && r->len < r->total))
        return cc_fail(err, CC_IO, "the connection closed half way");
    return CC_OK;
}

static enum cc_status request(struct cc_node_client *c, const char *body,
                              size_t len, struct reply *r, struct cc_error *err)
{
    char *login = NULL, *code = NULL, *path = endpoint(c), *head = NULL;
    int64_t deadline = cc_clock_monotonic_ms() + c->timeout_ms;
    enum cc_status st;
    int fd = -1;

    st = credentials(c, &login, err);
    if (st != CC_OK)
        goto out;
    code = cc_base64_encode(login, strlen(login));
    head = cc_asprintf("POST %s HTTP/1.1\r\nHost: %s\r\nConnection: close\r\n"
                       "Authorization: Basic %s\r\n"
                       "Content-Type: application/json\r\n"
                       "Content-Length: %zu\r\n\r\n",
                       path, c->host, code, len);
    st = cc_socket_connect(&fd, c->host, c->port, deadline, err);
    if (st != CC_OK) {
        st = cc_context(err, CC_IO,
                        "the node at %s:%u cannot be reached (is it running?)",
                        c->host, c->port);
        goto out;
    }
    st = cc_socket_write(fd, head, strlen(head), deadline, err);
    if (st == CC_OK)
        st = cc_socket_write(fd, body, len, deadline, err);
    if (st == CC_OK)
        st = read_reply(fd, r, deadline, err);
    if (st == CC_LIMIT)
        st = CC_IO;
    cc_context(err, st, "the node at %s:%u", c->host, c->port);
out:
    if (fd >= 0)
        close(fd);
    if (login)
        cc_cleanse(login, strlen(login));
    if (code)
        cc_cleanse(code, strlen(code));
    if (head)
        cc_cleanse(head, strlen(head));
    free(login);
    free(code);
    free(head);
    free(path);
    return st;
}

/* What HTTP itself says; a JSON-RPC error may come with 500 or 404, too. */
static enum cc_status check_status(struct cc_node_client *c,
                                   const struct reply *r, struct cc_error *err)
{
    if (r->status == 401) {
        c->code = 401;
        return cc_fail(
            err, CC_INVALID, "the node refuses our user or password%s",
            c->user || c->password ? ": check -rpcuser and -rpcpassword"
                                   : ": the cookie is another node's");
    }
    if (r->status == 403)
        return cc_fail(err, CC_INVALID,
                       "the node refuses our address (-rpcallowip)");
    if (r->status == 503)
        return cc_fail(err, CC_IO,
                       "the node is busy (-rpcworkqueue): try again");
    return CC_OK;
}

enum cc_status cc_node_post(struct cc_node_client *c, const char *body,
                            size_t len, json_t **reply, struct cc_error *err)
{
    struct reply r = {0};
    json_error_t e;
    enum cc_status st;

    c->code = 0;
    st = request(c, body, len, &r, err);
    if (st == CC_OK)
        st = check_status(c, &r, err);
    if (st != CC_OK)
        goto out;
    *reply = json_loadb(r.data + r.head, r.len - r.head, JSON_DECODE_ANY, &e);
    if (!*reply)
        st = cc_fail(err, CC_MALFORMED,
                     "the node's answer (HTTP %d) is no JSON: %s", r.status,
                     e.text);
out:
    if (r.data)
        cc_cleanse(r.data, r.len); /* may hold a secret key */
    free(r.data);
    return st;
}

static enum cc_status take_result(struct cc_node_client *c, json_t *reply,
                                  int64_t id, json_t **result,
                                  struct cc_error *err)
{
    json_t *fault = json_object_get(reply, "error");
    const char *text;

    if (json_is_object(fault)) {
        text = json_string_value(json_object_get(fault, "message"));
        c->code = (int)json_integer_value(json_object_get(fault, "code"));
        return cc_fail(err, CC_INVALID, "%s", text ? text : "unnamed error");
    }
    if (!json_object_get(reply, "result") ||
        json_integer_value(json_object_get(reply, "id")) != id)
        return cc_fail(err, CC_MALFORMED, "the node's answer is no JSON-RPC");
    if (result)
        *result = json_incref(json_object_get(reply, "result"));
    return CC_OK;
}

enum cc_status cc_node_call(struct cc_node_client *c, const char *method,
                            json_t *params, json_t **result,
                            struct cc_error *err)
{
    json_t *call, *reply = NULL;
    int64_t id = c->next_id++;
    enum cc_status st;
    char *body;

    call = json_pack("{s:s, s:I, s:s, s:o}", "jsonrpc", "1.0", "id",
                     (json_int_t)id, "method", method, "params",
                     params ? params : json_array());
    body = call ? json_dumps(call, JSON_COMPACT) : NULL;
    json_decref(call);
    if (!body)
        return cc_fail(err, CC_INVALID, "%s: parameters are no JSON", method);
    st = cc_node_post(c, body, strlen(body), &reply, err);
    cc_cleanse(body, strlen(body));
    free(body);
    if (st == CC_OK)
        st = take_result(c, reply, id, result, err);
    json_decref(reply);
    return st;
}
