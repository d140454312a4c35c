/* book_label.c: labels of scripts. */
#include <stdlib.h>

#include "crypto/hash.h"
#include "util/mem.h"
#include "wallet/book_i.h"

static struct cc_book_label *label_find(const struct cc_book *b,
                                        struct cc_bytes script)
{
    uint8_t hash[32];
    size_t *at;

    cc_sha256_once(hash, script.data, script.len);
    at = cc_map_get(&b->by_script, hash);
    return at ? &b->labels[*at] : NULL;
}

void cc_book_set_label(struct cc_book *b, struct cc_bytes script,
                       const char *text)
{
    struct cc_book_label *l = label_find(b, script);
    uint8_t hash[32];

    if (!l) {
        cc_sha256_once(hash, script.data, script.len);
        *(size_t *)cc_map_put(&b->by_script, hash, NULL) = b->label_count;
        b->labels = cc_grow(b->labels, &b->label_cap, b->label_count + 1,
                            sizeof(*b->labels));
        l = &b->labels[b->label_count++];
        l->script = cc_memdup(script.data, script.len);
        l->len = script.len;
        l->text = NULL;
    }
    free(l->text);
    l->text = cc_strdup(text);
}

const char *cc_book_label(const struct cc_book *b, struct cc_bytes script)
{
    const struct cc_book_label *l = label_find(b, script);

    return l ? l->text : NULL;
}

void cc_book_each_label(const struct cc_book *b,
                        bool (*fn)(void *arg, struct cc_bytes script,
                                   const char *label),
                        void *arg)
{
    for (size_t i = 0; i < b->label_count; i++) {
        const struct cc_book_label *l = &b->labels[i];

        if (!fn(arg, cc_bytes(l->script, l->len), l->text))
            return;
    }
}

bool cc_book_is_change(const struct cc_book *b, struct cc_bytes script)
{
    struct cc_wallet_key key;

    return cc_wallet_keys_find(b->keys, script, &key) &&
           key.chain == CC_CHAIN_CHANGE && !cc_book_label(b, script);
}
