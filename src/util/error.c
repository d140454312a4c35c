#include "util/error.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

void cc_error_init(struct cc_error *err)
{
    if (!err)
        return;
    err->status = CC_OK;
    err->verdict = CC_VERDICT_NONE;
    err->reason[0] = err->text[0] = '\0';
}

enum cc_status cc_fail(struct cc_error *err, enum cc_status st, const char *fmt,
                       ...)
{
    va_list ap;

    if (!err)
        return st;
    cc_error_init(err);
    err->status = st;
    va_start(ap, fmt);
    vsnprintf(err->text, sizeof(err->text), fmt, ap);
    va_end(ap);
    return st;
}

enum cc_status cc_fail_errno(struct cc_error *err, const char *fmt, ...)
{
    int saved = errno;
    size_t n;
    va_list ap;

    if (!err)
        return CC_IO;
    cc_error_init(err);
    err->status = CC_IO;
    va_start(ap, fmt);
    vsnprintf(err->text, sizeof(err->text), fmt, ap);
    va_end(ap);
    n = strlen(err->text);
    snprintf(err->text + n, sizeof(err->text) - n, ": %s", strerror(saved));
    return CC_IO;
}

enum cc_status cc_reject(struct cc_error *err, enum cc_verdict verdict,
                         const char *reason, const char *detail)
{
    if (!err)
        return CC_INVALID;
    cc_error_init(err);
    err->status = CC_INVALID;
    err->verdict = verdict;
    snprintf(err->reason, sizeof(err->reason), "%s", reason);
    if (detail && *detail)
        snprintf(err->text, sizeof(err->text), "%s, %s", reason, detail);
    else
        snprintf(err->text, sizeof(err->text), "%s", reason);
    return CC_INVALID;
}

enum cc_status cc_context(struct cc_error *err, enum cc_status st,
                          const char *fmt, ...)
{
    char old[sizeof(err->text)];
    size_t n;
    va_list ap;

    if (!err || st == CC_OK)
        return st;
    memcpy(old, err->text, sizeof(old));
    err->status = st;
    va_start(ap, fmt);
    vsnprintf(err->text, sizeof(err->text), fmt, ap);
    va_end(ap);
    n = strlen(err->text);
    snprintf(err->text + n, sizeof(err->text) - n, ": %s", old);
    return st;
}

const char *cc_status_name(enum cc_status st)
{
    switch (st) {
    case CC_OK:
        return "ok";
    case CC_MALFORMED:
        return "malformed";
    case CC_INVALID:
        return "invalid";
    case CC_NOTFOUND:
        return "not found";
    case CC_LIMIT:
        return "over a limit";
    case CC_IO:
        return "input/output error";
    case CC_CORRUPT:
        return "corrupt";
    }
    return "?";
}
