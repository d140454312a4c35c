/* Filters of blocks and their headers (BIP 157, BIP 158). */
#include <stdlib.h>
#include <string.h>

#include "chain/filterindex.h"
#include "rpc/rest_i.h"
#include "util/mem.h"
#include "util/writer.h"

#define BASIC 0 /* the type, in bytes */
#define MAX_PARTS 4

/* Cuts path at its slashes; MAX_PARTS: that many or more. */
static size_t split(char *path, char *parts[MAX_PARTS])
{
    size_t n = 1;

    parts[0] = path;
    for (char *p = path; *p && n < MAX_PARTS; p++)
        if (*p == '/') {
            *p = '\0';
            parts[n++] = p + 1;
        }
    return n;
}

static bool has_type(struct cc_rest *r, const char *type)
{
    if (strcmp(type, "basic") != 0)
        cc_rest_fail(r, 400, "Unknown filtertype %s", type);
    else if (!r->env.filters)
        cc_rest_fail(r, 400, "Index is not enabled for filtertype %s", type);
    else
        return true;
    return false;
}

static void missing(struct cc_rest *r, const struct cc_index *i)
{
    const char *why =
        !(cc_chain_look(r->env.chain, i).status & CC_INDEX_VALID)
            ? "Block was not connected to active chain."
        : i->height > cc_filterindex_height(r->env.filters)
            ? "Block filters are still in the process of being indexed."
            : "This error is unexpected and indicates index corruption.";

    cc_rest_fail(r, 404, "Filter not found. %s", why);
}

/* /<type>/<hash> */
void cc_rest_filter(struct cc_rest *r)
{
    char *parts[MAX_PARTS];
    struct cc_index *i;
    uint8_t hash[32], *data;
    struct cc_writer w;
    json_t *o;
    size_t len;

    if (split(r->path, parts) != 2) {
        cc_rest_fail(r, 400,
                     "Invalid URI format. Expected "
                     "/rest/blockfilter/<filtertype>/<blockhash>");
        return;
    }
    if (!cc_rest_hash(r, parts[1], hash) || !has_type(r, parts[0]))
        return;
    i = cc_chain_find(r->env.chain, hash);
    if (!i) {
        cc_rest_fail(r, 404, "%s not found", parts[1]);
        return;
    }
    if (cc_filterindex_filter(r->env.filters, hash, &data, &len, NULL) !=
        CC_OK) {
        missing(r, i);
        return;
    }
    if (r->form == CC_REST_NONE) {
        cc_rest_no_form(r, false);
    } else if (r->form == CC_REST_JSON) {
        o = json_object();
        cc_json_set(o, "filter", cc_json_hex(cc_bytes(data, len)));
        cc_rest_json(r, o);
    } else {
        cc_writer_init_heap(&w);
        cc_write_u8(&w, BASIC);
        cc_write_bytes(&w, hash, 32);
        cc_write_var(&w, data, len);
        cc_rest_bytes(r, w.data, w.len);
        cc_writer_clear(&w);
    }
    free(data);
}

static void answer(struct cc_rest *r, struct cc_index **list, size_t n)
{
    json_t *all = json_array();
    struct cc_writer w;
    uint8_t header[32];
    size_t k;

    cc_writer_init_heap(&w);
    for (k = 0; k < n; k++) {
        if (cc_filterindex_header(r->env.filters, list[k]->hash, header, NULL,
                                  NULL) != CC_OK)
            break;
        cc_write_bytes(&w, header, 32);
        json_array_append_new(all, cc_json_hash(header));
    }
    if (k < n)
        missing(r, list[k]);
    else if (r->form == CC_REST_NONE)
        cc_rest_no_form(r, false);
    else if (r->form == CC_REST_JSON)
        cc_rest_json(r, json_incref(all));
    else
        cc_rest_bytes(r, w.data, w.len);
    cc_writer_clear(&w);
    json_decref(all);
}

static void headers_of(struct cc_rest *r, const char *type,
                       const char *count_text, const char *hash_text)
{
    struct cc_index **list;
    uint8_t hash[32];
    long count;

    if (!cc_rest_count(r, count_text, &count) ||
        !cc_rest_hash(r, hash_text, hash) || !has_type(r, type))
        return;
    list = cc_calloc((size_t)count, sizeof(struct cc_index *));
    answer(r, list, cc_rest_chain(r->env.chain, hash, list, (size_t)count));
    free(list);
}

/* /<type>/<hash>?count=<count>, or as it was once, /<type>/<count>/<hash>. */
void cc_rest_filter_headers(struct cc_rest *r)
{
    char *parts[MAX_PARTS], *count;
    const size_t n = split(r->path, parts);

    if (n == 3) {
        headers_of(r, parts[0], parts[1], parts[2]);
    } else if (n == 2) {
        count = cc_rest_query(r, "count", CC_REST_HEADERS);
        if (count)
            headers_of(r, parts[0], count, parts[1]);
        free(count);
    } else {
        cc_rest_fail(r, 400,
                     "Invalid URI format. Expected "
                     "/rest/blockfilterheaders/<filtertype>/<blockhash>.<ext>"
                     "?count=<count>");
    }
}
