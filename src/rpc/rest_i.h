/* rest_i.h: what the files of the REST interface share. */
#ifndef CC_RPC_REST_I_H
#define CC_RPC_REST_I_H

#include "chain/chain.h"
#include "rpc/http.h"
#include "rpc/rpc.h"

enum cc_rest_form { CC_REST_NONE, CC_REST_BIN, CC_REST_HEX, CC_REST_JSON };

struct cc_rest {
    struct cc_rpc *rpc;
    struct cc_rpc_env env;
    const struct cc_http_request *req;
    struct cc_http_reply *reply;
    char *path; /* what is behind the prefix, without the form */
    enum cc_rest_form form;
};

/* A sentence, and a line break behind it. */
void cc_rest_fail(struct cc_rest *r, int status, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));
/* In this form it is not to be had. */
void cc_rest_no_form(struct cc_rest *r, bool json_only);
void cc_rest_json(struct cc_rest *r, json_t *value); /* is taken */
/* As they are, or as hex. */
void cc_rest_bytes(struct cc_rest *r, const void *data, size_t len);
/* These say what is wrong. */
bool cc_rest_hash(struct cc_rest *r, const char *text, uint8_t hash[32]);
bool cc_rest_count(struct cc_rest *r, const char *text, long *out);
/* ?key=value, for free; NULL. */
char *cc_rest_query(struct cc_rest *r, const char *key, const char *fallback);

#define CC_REST_HEADERS "5" /* where no count is given */
/* From that block on, along the active chain, if it is there. */
size_t cc_rest_chain(struct cc_chain *c, const uint8_t hash[32],
                     struct cc_index **out, size_t most);

/* rest_coins.c: /rest/getutxos (BIP 64) */
void cc_rest_coins(struct cc_rest *r);
/* rest_filters.c */
void cc_rest_filter(struct cc_rest *r);
void cc_rest_filter_headers(struct cc_rest *r);

#endif
