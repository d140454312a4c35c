/*
 * json.h: JSON values of the RPC floor: jansson's, plus exact numbers.
 *
 * Money must never pass through a double. So a number that is not a plain
 * 64-bit integer is kept as its own text: cc_json_parse() turns the literal
 * 0.10 into such a value, cc_json_amount() makes one, cc_json_dump() prints it
 * as the number it is. Everywhere else these are ordinary json_t values of
 * jansson, reference counted, with members in order of insertion.
 *
 * Inside, an exact number is a JSON string whose first byte is NUL; no string
 * that came from outside can hold one, for the parser refuses \u0000. So ask
 * with the functions here, not json_is_string(), where a number may stand.
 */
#ifndef CC_RPC_JSON_H
#define CC_RPC_JSON_H

#include <jansson.h>

#include "util/amount.h"
#include "util/bytes.h"

#define CC_JSON_MAX_DEPTH 512

/* One value and nothing behind it but space; NULL if it is none, nests deeper
 * than CC_JSON_MAX_DEPTH or is not UTF-8. text needs no NUL behind it. */
json_t *cc_json_parse(const char *text, size_t len);
/* An object keeps a key that comes again under another name, so the first
 * counts; whoever walks through an object can tell: true, with the length of
 * what was written (of any other key: its length). */
bool cc_json_key_repeated(const char *key, size_t *len);
/* A member as if it had been read; a key that is there already stays and is
 * written twice. v stays the caller's. */
void cc_json_set_again(json_t *object, const char *key, json_t *v);
/* For free; indent 0: one line without spaces, as Core answers. */
char *cc_json_dump(const json_t *value, unsigned indent);

/* A number with 8 places, "0.00001000", "-1.50000000": Core's
 * ValueFromAmount. */
json_t *cc_json_amount(cc_amount a);
/* A number with this very text, which must be a JSON number. */
json_t *cc_json_literal(const char *text);
/* 16 significant digits as Core prints a double. */
json_t *cc_json_double(double v);
json_t *cc_json_u64(uint64_t v);
/* Hex of bytes as they are; of 32 bytes reversed (txids, block hashes). */
json_t *cc_json_hex(struct cc_bytes b);
json_t *cc_json_hash(const uint8_t hash[32]);

/* Members, by kind; v is taken. */
void cc_json_set(json_t *object, const char *key, json_t *v);
void cc_json_set_int(json_t *object, const char *key, int64_t v);
void cc_json_set_bool(json_t *object, const char *key, bool v);
/* Bytes that are not UTF-8 become '?'. */
void cc_json_set_str(json_t *object, const char *key, const char *v);
void cc_json_set_hash(json_t *object, const char *key, const uint8_t v[32]);
void cc_json_set_amount(json_t *object, const char *key, cc_amount v);

bool cc_json_is_number(const json_t *v); /* integer, real or exact */
bool cc_json_is_string(const json_t *v); /* a string, no exact number */
/* "null", "bool", "string", "number", "array", "object": Core's uvTypeName. */
const char *cc_json_type_name(const json_t *v);
/* Text of a number as it was written; buf holds what is not kept as text. */
const char *cc_json_number_text(const json_t *v, char buf[32]);
/* False if v is no whole number within int64 (1.0 is none, as in Core). */
bool cc_json_get_int(const json_t *v, int64_t *out);
bool cc_json_get_double(const json_t *v, double *out);
/* Coins to satoshi, from a number or a string; places: 8, or 0 for satoshi
 * (feerates in sat/vB use 3). Exact; more digits than places fail. */
bool cc_json_get_amount(const json_t *v, unsigned places, cc_amount *out);

#endif
