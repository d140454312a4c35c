#include "rpc/auth.h"

#include <stdio.h>
#include <stdlib.h>

#include "crypto/hash.h"
#include "util/base64.h"
#include "util/fs.h"
#include "util/hex.h"
#include "util/mem.h"
#include "util/random.h"

#define COOKIE_USER "__cookie__"

struct entry {
    char *user, *salt;
    uint8_t hmac[32];
    bool closed;
};

struct cc_auth {
    char *plain; /* "user:password" */
    char *cookie_path;
    struct entry *entries;
    size_t count;
};

static enum cc_status make_cookie(struct cc_auth *a, const char *path,
                                  struct cc_error *err)
{
    char hex[65], *fresh = cc_asprintf("%s.tmp", path);
    uint8_t secret[32];
    enum cc_status st;

    cc_random_bytes(secret, sizeof(secret));
    cc_hex_encode(hex, secret, sizeof(secret));
    a->plain = cc_asprintf("%s:%s", COOKIE_USER, hex);
    cc_cleanse(secret, sizeof(secret));
    cc_cleanse(hex, sizeof(hex));
    st = cc_fs_write(fresh, a->plain, strlen(a->plain), 0600, err);
    if (st == CC_OK && rename(fresh, path) != 0)
        st = cc_fail_errno(err, "cannot rename to %s", path);
    if (st == CC_OK)
        a->cookie_path = cc_strdup(path);
    free(fresh);
    return cc_context(err, st, "Unable to write the authentication cookie");
}

/* "user:salt$hmac"; what is no HMAC is taken and opens to nobody. */
static bool parse_entry(struct entry *e, const char *text)
{
    const char *colon = strchr(text, ':');
    const char *dollar = colon ? strchr(colon, '$') : NULL;

    if (!dollar || strchr(colon + 1, ':') || strchr(dollar + 1, '$'))
        return false;
    e->closed = !cc_hex_decode(e->hmac, 32, dollar + 1);
    e->user = cc_asprintf("%.*s", (int)(colon - text), text);
    e->salt = cc_asprintf("%.*s", (int)(dollar - colon - 1), colon + 1);
    return true;
}

enum cc_status cc_auth_new(struct cc_auth **out, const char *user,
                           const char *password, const char *const *auth,
                           size_t auth_count, const char *cookie_path,
                           struct cc_error *err)
{
    struct cc_auth *a = cc_calloc(1, sizeof(*a));
    enum cc_status st = CC_OK;

    a->entries = cc_calloc(auth_count + 1, sizeof(*a->entries));
    for (size_t i = 0; i < auth_count && st == CC_OK; i++) {
        if (parse_entry(&a->entries[a->count], auth[i]))
            a->count++;
        else
            st = cc_fail(err, CC_INVALID, "Invalid -rpcauth argument.");
    }
    if (st == CC_OK && password && *password)
        a->plain = cc_asprintf("%s:%s", user ? user : "", password);
    else if (st == CC_OK && cookie_path)
        st = make_cookie(a, cookie_path, err);
    if (st != CC_OK) {
        cc_auth_free(a);
        return st;
    }
    *out = a;
    return CC_OK;
}

void cc_auth_free(struct cc_auth *a)
{
    if (!a)
        return;
    if (a->cookie_path)
        cc_fs_remove(a->cookie_path, NULL);
    if (a->plain)
        cc_cleanse(a->plain, strlen(a->plain));
    for (size_t i = 0; i < a->count; i++) {
        free(a->entries[i].user);
        free(a->entries[i].salt);
    }
    free(a->entries);
    free(a->plain);
    free(a->cookie_path);
    free(a);
}

/* Compare without telling where the difference is: by their hashes under a
 * key of this moment, which also hides the length. */
static bool equal_text(const char *a, const char *b)
{
    uint8_t key[32], x[32], y[32];

    cc_random_bytes(key, sizeof(key));
    cc_hmac_sha256(x, key, sizeof(key), a, strlen(a));
    cc_hmac_sha256(y, key, sizeof(key), b, strlen(b));
    return cc_equal_ct(x, y, sizeof(x));
}

static bool check_entries(const struct cc_auth *a, const char *user,
                          const char *password)
{
    uint8_t hmac[32];
    bool ok = false;

    for (size_t i = 0; i < a->count; i++) {
        const struct entry *e = &a->entries[i];

        cc_hmac_sha256(hmac, e->salt, strlen(e->salt), password,
                       strlen(password));
        if (equal_text(user, e->user) && !e->closed &&
            cc_equal_ct(hmac, e->hmac, 32))
            ok = true;
    }
    return ok;
}

bool cc_auth_check(const struct cc_auth *a, const char *header, char *user,
                   size_t size)
{
    char *text, *colon;
    bool ok = false;
    size_t len;

    if (!header || strncmp(header, "Basic ", 6) != 0)
        return false;
    header += 6;
    header += strspn(header, " ");
    text = (char *)cc_base64_decode(header, &len);
    /* A NUL inside would end the comparison early. */
    colon = text && strlen(text) == len ? strchr(text, ':') : NULL;
    if (colon) {
        ok = a->plain && equal_text(text, a->plain);
        *colon = '\0';
        if (!ok)
            ok = check_entries(a, text, colon + 1);
        if (user)
            snprintf(user, size, "%s", text);
        cc_cleanse(colon + 1, strlen(colon + 1));
    }
    free(text);
    return ok;
}
