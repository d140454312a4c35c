/*
 * rpc.h: methods, and calling them.
 *
 * A family of calls is one file with a static const table of struct
 * cc_rpc_method and one exported function that registers it. The table is all
 * that is known of a method: from it come the checks of number and type of
 * arguments, named arguments, `help`, and the command line's conversion of
 * words to JSON. A handler finds its arguments checked, in order, in
 * call->params, and returns its result (a new reference) or, through
 * cc_rpc_error(), NULL:
 *
 *     static json_t *get_block_hash(struct cc_rpc_call *call)
 *     {
 *         int64_t height = 0;
 *
 *         if (!cc_rpc_get_int(call, 0, &height))
 *             return NULL;
 *         if (height < 0 || ...)
 *             return cc_rpc_error(call, CC_RPC_INVALID_PARAMETER,
 *                                 "Block height out of range");
 *
 * Threads: handlers run on several workers at once. They see the modules
 * through call->env and take cc_chain_lock() for a view of one moment; they
 * never keep it while they wait or send. Registering is done before serving
 * starts, but for the methods of extensions, which come and go
 * (cc_rpc_register_foreign); the table has its own lock.
 */
#ifndef CC_RPC_RPC_H
#define CC_RPC_RPC_H

#include "consensus/params.h"
#include "consensus/tx.h"
#include "rpc/json.h"
#include "util/error.h"

/* Codes of JSON-RPC 2.0 and of Bitcoin Core (rpc/protocol.h of version 27). */
enum cc_rpc_code {
    CC_RPC_INVALID_REQUEST = -32600,
    CC_RPC_METHOD_NOT_FOUND = -32601,
    CC_RPC_INVALID_PARAMS = -32602,
    CC_RPC_INTERNAL_ERROR = -32603,
    CC_RPC_PARSE_ERROR = -32700,

    CC_RPC_MISC_ERROR = -1,
    CC_RPC_TYPE_ERROR = -3,
    CC_RPC_INVALID_ADDRESS_OR_KEY = -5,
    CC_RPC_OUT_OF_MEMORY = -7,
    CC_RPC_INVALID_PARAMETER = -8,
    CC_RPC_DATABASE_ERROR = -20,
    CC_RPC_DESERIALIZATION_ERROR = -22,
    CC_RPC_VERIFY_ERROR = -25,
    CC_RPC_VERIFY_REJECTED = -26,
    CC_RPC_VERIFY_ALREADY_IN_CHAIN = -27,
    CC_RPC_IN_WARMUP = -28,
    CC_RPC_METHOD_DEPRECATED = -32,

    CC_RPC_CLIENT_NOT_CONNECTED = -9,
    CC_RPC_CLIENT_IN_INITIAL_DOWNLOAD = -10,
    CC_RPC_CLIENT_NODE_ALREADY_ADDED = -23,
    CC_RPC_CLIENT_NODE_NOT_ADDED = -24,
    CC_RPC_CLIENT_NODE_NOT_CONNECTED = -29,
    CC_RPC_CLIENT_INVALID_IP_OR_SUBNET = -30,
    CC_RPC_CLIENT_P2P_DISABLED = -31,
    CC_RPC_CLIENT_NODE_CAPACITY_REACHED = -34,
    CC_RPC_CLIENT_MEMPOOL_DISABLED = -33,

    CC_RPC_WALLET_ERROR = -4,
    CC_RPC_WALLET_INSUFFICIENT_FUNDS = -6,
    CC_RPC_WALLET_INVALID_LABEL_NAME = -11,
    CC_RPC_WALLET_KEYPOOL_RAN_OUT = -12,
    CC_RPC_WALLET_UNLOCK_NEEDED = -13,
    CC_RPC_WALLET_PASSPHRASE_INCORRECT = -14,
    CC_RPC_WALLET_WRONG_ENC_STATE = -15,
    CC_RPC_WALLET_ENCRYPTION_FAILED = -16,
    CC_RPC_WALLET_ALREADY_UNLOCKED = -17,
    CC_RPC_WALLET_NOT_FOUND = -18,
    CC_RPC_WALLET_NOT_SPECIFIED = -19,
    CC_RPC_WALLET_ALREADY_LOADED = -35,
    CC_RPC_WALLET_ALREADY_EXISTS = -36,
};

/* What handlers may reach. Borrowed; what this node does not have (no wallet,
 * no listening) is NULL. Made by node_floors.c, constant while calls run. */
struct cc_rpc_env {
    const struct cc_params *params;
    struct cc_chain *chain;
    struct cc_mempool *mempool;
    struct cc_net *net;
    struct cc_txindex *txindex;       /* NULL without -txindex */
    struct cc_statsindex *statsindex; /* NULL without -coinstatsindex */
    struct cc_filterindex *filters;   /* NULL without -blockfilterindex */
    struct cc_wallets *wallets;       /* NULL with -disablewallet */
    struct cc_ec *ec;
    struct cc_args *args;
    struct cc_clock *clock;
    struct cc_log *log;
    const char *datadir;  /* as given, without the chain's folder */
    const char *chaindir; /* with it */
    const char *settings; /* path of settings.json; NULL with -nosettings */
    struct cc_rpc *rpc;
    struct cc_waiter *waiter;       /* rpc/waiter.h: for the tip, or the end */
    struct cc_templates *templates; /* rpc/template.h */
    struct cc_warnings *warnings;   /* rpc/warnings.h; may be NULL */
    void (*stop)(void *arg);        /* ask the daemon to end */
    void *stop_arg;
};

struct cc_rpc_call {
    const struct cc_rpc_env *env;
    const struct cc_rpc_method *method;
    json_t *params;     /* array, as long as it was given, types checked */
    const char *wallet; /* of /wallet/<name>, decoded; NULL: none named */
    /* set by cc_rpc_error */
    int code;
    char *message;
    json_t *data; /* extra member "data" of the error; mostly NULL */
};

typedef json_t *(*cc_rpc_handler)(struct cc_rpc_call *call);

enum cc_rpc_type {
    CC_RPC_ANY = 0, /* no check; the handler's own */
    CC_RPC_STR,
    CC_RPC_HEX, /* a string, called "string" in errors too */
    CC_RPC_NUM,
    CC_RPC_BOOL,
    CC_RPC_AMOUNT, /* number or string */
    CC_RPC_OBJ,
    CC_RPC_ARR,
    CC_RPC_RANGE, /* number or [begin,end] */
};

struct cc_rpc_arg {
    /* "verbosity|verbose": the first is the name, others are aliases. */
    const char *name;
    enum cc_rpc_type type;
    /* NULL: required. "": optional. Else optional, "default=..." in help. */
    const char *fallback;
    const char *help;
    /* How the first line of help shows it; NULL: by name and type. */
    const char *oneline;
    /* Taken, but not told by help; what follows it is not told either. */
    bool hidden;
    /* cloudcoin-cli: pass the word on as a string though the type is ANY. */
    bool plain;
    /* Of an object of options: its members, which a caller who names his
     * arguments may give beside the others, as if they were arguments. */
    const struct cc_rpc_arg *inner;
    size_t inner_count;
};

enum {
    CC_RPC_HIDDEN = 1,      /* works, not in the overview of help */
    CC_RPC_STORAGE_ONLY = 2 /* registered only where storage is active */
};

struct cc_rpc_method {
    const char *category; /* "blockchain": "== Blockchain ==" in help */
    const char *name;
    cc_rpc_handler handler;
    const struct cc_rpc_arg *args;
    size_t arg_count;
    const char *help;    /* sentences, with line breaks */
    const char *result;  /* lines below "Result:" */
    const char *example; /* words after the name, "" for none: for both the
                          * command line and curl examples */
    unsigned flags;
};

/* A plain row: CC_ARG("height", CC_RPC_NUM, NULL, "The height index"), and one
 * with its own look in the first line of help. */
#define CC_ARG(n, t, f, h)                                                     \
    {                                                                          \
        .name = (n), .type = (t), .fallback = (f), .help = (h)                 \
    }
#define CC_ARG_AS(n, t, f, h, o)                                               \
    {                                                                          \
        .name = (n), .type = (t), .fallback = (f), .help = (h), .oneline = (o) \
    }
#define CC_RPC_ARGS(a) (a), sizeof(a) / sizeof((a)[0])
#define CC_RPC_NO_ARGS NULL, 0

/* --- For handlers ------------------------------------------------------ */

/* Keeps code and sentence; always NULL, to be returned. */
json_t *cc_rpc_error(struct cc_rpc_call *call, int code, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));
/* What a text is called that is no address of this chain; NULL: only so. */
json_t *cc_rpc_bad_address(struct cc_rpc_call *call, const char *text);
/* From err: CC_INVALID to VERIFY_REJECTED with its reason, others by kind. */
json_t *cc_rpc_error_from(struct cc_rpc_call *call, enum cc_status st,
                          const struct cc_error *err);

/* An error whose text is the method's help; NULL. */
json_t *cc_rpc_show_help(struct cc_rpc_call *call, int code);
/* Is there a network? If not, the error is kept. */
bool cc_rpc_has_net(struct cc_rpc_call *call);

/* Argument i; NULL if it was left out or null. */
json_t *cc_rpc_arg(const struct cc_rpc_call *call, size_t i);
const char *cc_rpc_str(const struct cc_rpc_call *call, size_t i,
                       const char *fallback);
bool cc_rpc_bool(const struct cc_rpc_call *call, size_t i, bool fallback);
/* "JSON value of type null is not of expected type string"; false. */
bool cc_rpc_wrong_type(struct cc_rpc_call *call, const json_t *v,
                       const char *wanted);
/* These four fill call's error and return false when the value does not do:
 * "JSON integer out of range" and its like. Left out: true, *out untouched. */
bool cc_rpc_get_int(struct cc_rpc_call *call, size_t i, int64_t *out);
/* Within int32, as Core's getInt<int>(). */
bool cc_rpc_get_int32(struct cc_rpc_call *call, size_t i, int *out);
/* "Invalid amount", "Amount out of range". */
bool cc_rpc_get_amount(struct cc_rpc_call *call, const json_t *v,
                       cc_amount *out);
/* With so many decimal places: 3 for sat/vB, which gives it per 1000. */
bool cc_rpc_get_fixed(struct cc_rpc_call *call, const json_t *v,
                      unsigned places, cc_amount *out);
/* An element of a list that must be a string. */
bool cc_rpc_get_str(struct cc_rpc_call *call, const json_t *v,
                    const char **out);
/* 64 hex digits, shown reversed. name as Core's ParseHashV: "blockhash must
 * be of length 64 (not 3, for 'abc')". v may be of any type. */
bool cc_rpc_get_hash(struct cc_rpc_call *call, const json_t *v,
                     const char *name, uint8_t out[32]);
/* "<name> must be hexadecimal string (not 'xyz')"; *out for free. */
bool cc_rpc_get_hex(struct cc_rpc_call *call, const json_t *v, const char *name,
                    uint8_t **out, size_t *len);
/* Member of an object argument with Core's RPCTypeCheckObj: false and error if
 * it is there with another type; absent or null: *out = NULL. */
bool cc_rpc_member(struct cc_rpc_call *call, const json_t *object,
                   const char *name, enum cc_rpc_type type, json_t **out);
/* Fails on members that names (count of them) does not hold: "Unexpected key
 * foo". */
bool cc_rpc_strict(struct cc_rpc_call *call, const json_t *object,
                   const char *const *names, size_t count);
/* {"txid","vout"}; other members are not looked at. */
bool cc_rpc_get_outpoint(struct cc_rpc_call *call, const json_t *v,
                         struct cc_outpoint *out);

/* --- The table --------------------------------------------------------- */

struct cc_rpc;

struct cc_rpc *cc_rpc_new(void);
void cc_rpc_free(struct cc_rpc *rpc);
/* methods are borrowed for ever. Those of storage are skipped unless storage;
 * a name registered before is replaced. */
void cc_rpc_register(struct cc_rpc *rpc, const struct cc_rpc_method *methods,
                     size_t count, bool storage);

/* A method served elsewhere: by an extension. Copied. usage: the line after
 * the name. CC_INVALID if the name is taken or is no [a-z0-9_]+. */
typedef json_t *(*cc_rpc_foreign_fn)(void *arg, struct cc_rpc_call *call,
                                     const char *name);
enum cc_status cc_rpc_register_foreign(struct cc_rpc *rpc, const char *name,
                                       const char *category, const char *usage,
                                       const char *help, cc_rpc_foreign_fn fn,
                                       void *arg, struct cc_error *err);

/* Set env and the state of warmup: until status is NULL every call but those
 * of control that need nothing answers -28 with it. status is copied. */
void cc_rpc_set_env(struct cc_rpc *rpc, const struct cc_rpc_env *env);
void cc_rpc_set_warmup(struct cc_rpc *rpc, const char *status);
bool cc_rpc_in_warmup(struct cc_rpc *rpc);

struct cc_rpc_reply {
    json_t *result; /* NULL: an error */
    int code;
    char *message;
    json_t *data;
};
void cc_rpc_reply_clear(struct cc_rpc_reply *reply);

/* Run one method. params: array, object (named, with "args") or NULL. */
void cc_rpc_execute(struct cc_rpc *rpc, const char *method, json_t *params,
                    const char *wallet, struct cc_rpc_reply *reply);

/* Text of help: of one method, or all by category; for free. NULL: unknown. */
char *cc_rpc_help(struct cc_rpc *rpc, const char *method);
/* Calls running now, for getrpcinfo. */
json_t *cc_rpc_active(struct cc_rpc *rpc);

/* Every method, for the command line's table and the tests. */
void cc_rpc_each(struct cc_rpc *rpc,
                 void (*fn)(void *arg, const struct cc_rpc_method *m),
                 void *arg);

/* --- The families ---------------------------------------------------------
 * Each registers its table. wallet.c is the wallet's; see cc_rpc_register_all
 * in register.c for the list. */
void cc_rpc_register_all(struct cc_rpc *rpc, bool storage, bool wallet);

#endif
