#include "consensus/reject.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>

static const struct {
    enum cc_verdict verdict;
    const char *reason, *detail;
} rows[CC_REJECT_COUNT] = {
#define ROW(name, verdict, reason, detail)                                     \
    {CC_VERDICT_##verdict, reason, detail},
    CC_REJECT_LIST(ROW)
#undef ROW
};

const char *cc_reject_reason(enum cc_reject_code code)
{
    assert(code < CC_REJECT_COUNT);
    return rows[code].reason;
}

enum cc_status cc_reject_code(struct cc_error *err, enum cc_reject_code code)
{
    assert(code < CC_REJECT_COUNT);
    return cc_reject(err, rows[code].verdict, rows[code].reason,
                     rows[code].detail);
}

enum cc_status cc_reject_detail(struct cc_error *err, enum cc_reject_code code,
                                const char *fmt, ...)
{
    char detail[sizeof(((struct cc_error *)0)->text)];
    va_list ap;

    assert(code < CC_REJECT_COUNT);
    va_start(ap, fmt);
    (void)vsnprintf(detail, sizeof(detail), fmt, ap);
    va_end(ap);
    return cc_reject(err, rows[code].verdict, rows[code].reason, detail);
}
