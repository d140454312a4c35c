/*
 * auth.h: who may call: -rpcuser and -rpcpassword, -rpcauth, the cookie.
 */
#ifndef CC_RPC_AUTH_H
#define CC_RPC_AUTH_H

#include "util/bytes.h"
#include "util/error.h"

struct cc_auth;

/* password NULL: a cookie is made at cookie_path (if not NULL), mode 0600,
 * holding "__cookie__:<64 hex digits>". auth: "user:salt$hmac" where hmac is
 * HMAC-SHA256 of the password under salt, in hex. CC_INVALID: one of those is
 * not so formed; CC_IO: no cookie could be written. */
enum cc_status cc_auth_new(struct cc_auth **out, const char *user,
                           const char *password, const char *const *auth,
                           size_t auth_count, const char *cookie_path,
                           struct cc_error *err);
/* Deletes the cookie. */
void cc_auth_free(struct cc_auth *a);

/* header: of "Authorization"; NULL is false. Takes the same time wherever a
 * wrong password differs. user (size bytes, may be NULL): who it was. */
bool cc_auth_check(const struct cc_auth *a, const char *header, char *user,
                   size_t size);

#endif
