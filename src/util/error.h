/*
 * error.h: how a function says what happened.
 *
 * The floor that first knows what went wrong fills struct cc_error; callers
 * put the object they were handling in front of it with cc_context(). Every
 * function here takes err == NULL, for callers that want the status alone.
 * "The block is bad" (CC_INVALID) and "we could not tell" (CC_IO, CC_CORRUPT,
 * CC_LIMIT) never share a value.
 */
#ifndef CC_UTIL_ERROR_H
#define CC_UTIL_ERROR_H

#include <stddef.h>

enum cc_status {
    CC_OK = 0,
    CC_MALFORMED, /* bytes from outside do not decode */
    CC_INVALID,   /* they decode and break a rule of the protocol */
    CC_NOTFOUND,  /* an ordinary answer, not a fault */
    CC_LIMIT,     /* over a bound we set: size, rate, memory */
    CC_IO,        /* this machine failed: disk, socket */
    CC_CORRUPT,   /* our own stored bytes fail their check */
};

/* With CC_INVALID: what kind of fault it is, so that net can tell what the
 * peer deserves and chain whether the hash is condemned for good. */
enum cc_verdict {
    CC_VERDICT_NONE = 0,
    CC_VERDICT_CONSENSUS,    /* breaks a rule on every branch, for ever */
    CC_VERDICT_MUTATED,      /* body does not match header: hash is innocent */
    CC_VERDICT_HEADER,       /* the header itself breaks a rule */
    CC_VERDICT_FUTURE,       /* block time too far ahead: may be good later */
    CC_VERDICT_MISSING_PREV, /* parent unknown */
    CC_VERDICT_INVALID_PREV, /* built on a condemned block */
    CC_VERDICT_CONTEXT,      /* fails here and now, may be right elsewhere */
    CC_VERDICT_MISSING_INPUTS, /* spends what we do not know */
    CC_VERDICT_PREMATURE,      /* non-final or immature */
    CC_VERDICT_WITNESS,        /* witness missing or altered, txid innocent */
    CC_VERDICT_POLICY,         /* valid in a block, not relayed by us */
    CC_VERDICT_FEE,            /* as POLICY: pays too little by itself */
    CC_VERDICT_CONFLICT,       /* already known, or loses against the pool */
};

struct cc_error {
    enum cc_status status;
    enum cc_verdict verdict;
    char reason[160]; /* stable words of a verdict, "bad-cb-amount"; or "" */
    char text[1200];  /* the sentence for people */
};

/* Forget what is there. */
void cc_error_init(struct cc_error *err);

/* Fill err with a fault that is no verdict and return st. */
enum cc_status cc_fail(struct cc_error *err, enum cc_status st, const char *fmt,
                       ...) __attribute__((format(printf, 3, 4)));

/* As cc_fail, with ": strerror(errno)" behind the sentence; returns CC_IO. */
enum cc_status cc_fail_errno(struct cc_error *err, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));

/* Fill err with a verdict and return CC_INVALID. detail (may be NULL) is
 * Core's debug message: text becomes "reason" or "reason, detail". */
enum cc_status cc_reject(struct cc_error *err, enum cc_verdict verdict,
                         const char *reason, const char *detail);

/* Put "what: " in front of err's text unless st is CC_OK; returns st. */
enum cc_status cc_context(struct cc_error *err, enum cc_status st,
                          const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));

const char *cc_status_name(enum cc_status st);

#endif
