#include "cli_call.h"

#include <event2/buffer.h>
#include <event2/event.h>
#include <event2/http.h>
#include <event2/keyvalq_struct.h>
#include <stdio.h>
#include <stdlib.h>

#include "util/base64.h"
#include "util/fs.h"
#include "util/mem.h"

#define MAX_COOKIE 4096

/* --- Where and who ----------------------------------------------------- */

/* given: what the user typed, of which text is the port. */
static enum cc_status parse_port(const char *text, uint16_t *out,
                                 const char *what, const char *given,
                                 struct cc_error *err)
{
    char *end;
    unsigned long n = strtoul(text, &end, 10);

    if (*text < '0' || *text > '9' || *end || n == 0 || n > 65535)
        return cc_fail(err, CC_INVALID, "Invalid port provided in %s: %s", what,
                       given);
    *out = (uint16_t)n;
    return CC_OK;
}

/* "host", "host:port", "[v6]:port", "v6" */
static enum cc_status parse_connect(struct cc_cli_server *s, const char *text,
                                    struct cc_error *err)
{
    const char *colon = strrchr(text, ':');
    bool bracket = text[0] == '[';
    size_t len = strlen(text);

    if (colon &&
        (strchr(text, ':') == colon || (bracket && colon[-1] == ']'))) {
        enum cc_status st =
            parse_port(colon + 1, &s->port, "-rpcconnect", text, err);

        if (st != CC_OK)
            return st;
        len = (size_t)(colon - text);
    }
    if (bracket && len >= 2 && text[len - 1] == ']') {
        text++;
        len -= 2;
    }
    s->host = cc_asprintf("%.*s", (int)len, text);
    return CC_OK;
}

static char *read_cookie(const struct cc_setup *setup)
{
    char *path = cc_setup_path(
        setup, cc_args_get(setup->args, "rpccookiefile", ".cookie"));
    uint8_t *text = NULL;
    size_t len;

    if (cc_fs_read(path, MAX_COOKIE, &text, &len, NULL) != CC_OK)
        text = NULL;
    free(path);
    if (text)
        text[strcspn((char *)text, "\r\n")] = '\0';
    return (char *)text;
}

static char *uri_encode(const char *s)
{
    char *escaped = evhttp_uriencode(s, -1, 0);

    return escaped ? escaped : cc_strdup("");
}

enum cc_status cc_cli_server_init(struct cc_cli_server *s,
                                  const struct cc_setup *setup,
                                  const char *password, const char *wallet,
                                  struct cc_error *err)
{
    const struct cc_args *args = setup->args;
    const char *port = cc_args_get(args, "rpcport", NULL);
    int64_t timeout = cc_args_get_int(args, "rpcclienttimeout", 900);
    char *name;
    enum cc_status st;

    memset(s, 0, sizeof(*s));
    s->port = setup->params->rpc_port;
    st = parse_connect(s, cc_args_get(args, "rpcconnect", "127.0.0.1"), err);
    if (st == CC_OK && port)
        st = parse_port(port, &s->port, "-rpcport", port, err);
    if (st != CC_OK)
        return st;
    if (!password)
        password = cc_args_get(args, "rpcpassword", "");
    s->password_given = *password != '\0';
    s->credentials =
        s->password_given
            ? cc_asprintf("%s:%s", cc_args_get(args, "rpcuser", ""), password)
            : read_cookie(setup);
    s->timeout_s =
        timeout <= 0 || timeout > 157680000 ? 157680000 : (int)timeout;
    if (!wallet && !cc_args_is_negated(args, "rpcwallet"))
        wallet = cc_args_get(args, "rpcwallet", NULL);
    if (wallet) {
        name = uri_encode(wallet);
        s->path = cc_asprintf("/wallet/%s", name);
        free(name);
    } else {
        s->path = cc_strdup("/");
    }
    return CC_OK;
}

void cc_cli_server_clear(struct cc_cli_server *s)
{
    if (s->credentials)
        cc_cleanse(s->credentials, strlen(s->credentials));
    free(s->host);
    free(s->path);
    free(s->credentials);
    memset(s, 0, sizeof(*s));
}

/* --- The exchange ------------------------------------------------------ */

struct response {
    int status; /* 0: none */
    int error;  /* enum evhttp_request_error, -1: none */
    char *body;
    size_t len;
};

static void on_done(struct evhttp_request *req, void *arg)
{
    struct response *r = arg;
    struct evbuffer *in;

    if (!req)
        return;
    r->status = evhttp_request_get_response_code(req);
    in = evhttp_request_get_input_buffer(req);
    r->len = evbuffer_get_length(in);
    r->body = cc_malloc(r->len + 1);
    evbuffer_remove(in, r->body, r->len);
    r->body[r->len] = '\0';
}

static void on_error(enum evhttp_request_error error, void *arg)
{
    ((struct response *)arg)->error = (int)error;
}

static void add_headers(struct evhttp_request *req,
                        const struct cc_cli_server *s)
{
    struct evkeyvalq *headers = evhttp_request_get_output_headers(req);
    char *encoded, *value;

    evhttp_add_header(headers, "Host", s->host);
    evhttp_add_header(headers, "Connection", "close");
    evhttp_add_header(headers, "Content-Type", "application/json");
    if (!s->credentials)
        return;
    encoded = cc_base64_encode(s->credentials, strlen(s->credentials));
    value = cc_asprintf("Basic %s", encoded);
    evhttp_add_header(headers, "Authorization", value);
    free(value);
    free(encoded);
}

static void run_request(const struct cc_cli_server *s, const char *body,
                        struct response *r)
{
    struct event_base *base = event_base_new();
    struct evhttp_connection *con =
        base ? evhttp_connection_base_new(base, NULL, s->host, s->port) : NULL;
    struct evhttp_request *req = con ? evhttp_request_new(on_done, r) : NULL;

    r->error = -1;
    if (req) {
        evhttp_connection_set_timeout(con, s->timeout_s);
        evhttp_request_set_error_cb(req, on_error);
        add_headers(req, s);
        evbuffer_add(evhttp_request_get_output_buffer(req), body, strlen(body));
        /* The request is the connection's from here. */
        if (!evhttp_make_request(con, req, EVHTTP_REQ_POST, s->path))
            event_base_dispatch(base);
    }
    if (con)
        evhttp_connection_free(con);
    if (base)
        event_base_free(base);
}

static const char *error_words(int error)
{
    switch (error) {
    case EVREQ_HTTP_TIMEOUT:
        return "timeout reached";
    case EVREQ_HTTP_EOF:
        return "EOF reached";
    case EVREQ_HTTP_INVALID_HEADER:
        return "error while reading header, or invalid header";
    case EVREQ_HTTP_BUFFER_ERROR:
        return "error encountered while reading or writing";
    case EVREQ_HTTP_REQUEST_CANCEL:
        return "request was canceled";
    case EVREQ_HTTP_DATA_TOO_LONG:
        return "response body is larger than allowed";
    default:
        return "unknown";
    }
}

static enum cc_status no_answer(const struct cc_cli_server *s, int error,
                                struct cc_error *err)
{
    char why[128] = "";

    if (error >= 0)
        snprintf(why, sizeof(why), " (error code %d - \"%s\")", error,
                 error_words(error));
    return cc_fail(err, CC_IO,
                   "Could not connect to the server %s:%u%s\n\nMake sure the "
                   "cloudcoind server is running and that you are connecting "
                   "to the correct RPC port.",
                   s->host, s->port, why);
}

static enum cc_status unauthorized(const struct cc_cli_server *s,
                                   const struct cc_setup *setup,
                                   struct cc_error *err)
{
    if (!s->credentials)
        return cc_fail(err, CC_INVALID,
                       "Could not locate RPC credentials. No authentication "
                       "cookie could be found, and RPC password is not set.  "
                       "See -rpcpassword and -stdinrpcpass.  Configuration "
                       "file: (%s)",
                       setup->conf);
    return cc_fail(err, CC_INVALID,
                   "Authorization failed: Incorrect rpcuser or rpcpassword");
}

enum cc_status cc_cli_exchange(const struct cc_cli_server *s,
                               const json_t *request,
                               const struct cc_setup *setup, json_t **answer,
                               struct cc_error *err)
{
    char *body = cc_json_dump(request, 0);
    struct response r = {0};
    enum cc_status st = CC_OK;
    json_t *v;

    run_request(s, body, &r);
    free(body);
    if (r.status == 0)
        st = no_answer(s, r.error, err);
    else if (r.status == 401)
        st = unauthorized(s, setup, err);
    else if (r.status == 503)
        st = cc_fail(err, CC_INVALID, "Server response: %s", r.body);
    else if (r.status >= 400 && r.status != 400 && r.status != 404 &&
             r.status != 500)
        st =
            cc_fail(err, CC_INVALID, "server returned HTTP error %d", r.status);
    else if (!r.len)
        st = cc_fail(err, CC_INVALID, "no response from server");
    if (st == CC_OK) {
        v = cc_json_parse(r.body, r.len);
        if (v)
            *answer = v;
        else
            st = cc_fail(err, CC_INVALID, "couldn't parse reply from server");
    }
    free(r.body);
    return st;
}
