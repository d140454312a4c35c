/*
 * script_error.h: why a script failed.
 *
 * One table: X(name, sentence). The name is that of Bitcoin Core's
 * script_tests.json, the sentence is what Core shows to people (its
 * ScriptErrorString), to the letter.
 */
#ifndef CC_CONSENSUS_SCRIPT_ERROR_H
#define CC_CONSENSUS_SCRIPT_ERROR_H

// clang-format off
#define CC_SCRIPT_ERRORS(X)                                                    \
    X(OK, "No error")                                                          \
    X(UNKNOWN_ERROR, "unknown error")                                          \
    X(EVAL_FALSE, "Script evaluated without error but finished with a "        \
                  "false/empty top stack element")                             \
    X(OP_RETURN, "OP_RETURN was encountered")                                  \
    /* limits */                                                               \
    X(SCRIPT_SIZE, "Script is too big")                                        \
    X(PUSH_SIZE, "Push value size limit exceeded")                             \
    X(OP_COUNT, "Operation limit exceeded")                                    \
    X(STACK_SIZE, "Stack size limit exceeded")                                 \
    X(SIG_COUNT, "Signature count negative or greater than pubkey count")      \
    X(PUBKEY_COUNT, "Pubkey count negative or limit exceeded")                 \
    /* operations that verify */                                               \
    X(VERIFY, "Script failed an OP_VERIFY operation")                          \
    X(EQUALVERIFY, "Script failed an OP_EQUALVERIFY operation")                \
    X(CHECKMULTISIGVERIFY, "Script failed an OP_CHECKMULTISIGVERIFY operation")\
    X(CHECKSIGVERIFY, "Script failed an OP_CHECKSIGVERIFY operation")          \
    X(NUMEQUALVERIFY, "Script failed an OP_NUMEQUALVERIFY operation")          \
    /* opcodes, stacks, conditions */                                          \
    X(BAD_OPCODE, "Opcode missing or not understood")                          \
    X(DISABLED_OPCODE, "Attempted to use a disabled opcode")                   \
    X(INVALID_STACK_OPERATION,                                                 \
      "Operation not valid with the current stack size")                       \
    X(INVALID_ALTSTACK_OPERATION,                                              \
      "Operation not valid with the current altstack size")                    \
    X(UNBALANCED_CONDITIONAL, "Invalid OP_IF construction")                    \
    /* BIP 65, BIP 112 */                                                      \
    X(NEGATIVE_LOCKTIME, "Negative locktime")                                  \
    X(UNSATISFIED_LOCKTIME, "Locktime requirement not satisfied")              \
    /* malleability */                                                         \
    X(SIG_HASHTYPE, "Signature hash type missing or not understood")           \
    X(SIG_DER, "Non-canonical DER signature")                                  \
    X(MINIMALDATA, "Data push larger than necessary")                          \
    X(SIG_PUSHONLY, "Only push operators allowed in signatures")               \
    X(SIG_HIGH_S,                                                              \
      "Non-canonical signature: S value is unnecessarily high")                \
    X(SIG_NULLDUMMY, "Dummy CHECKMULTISIG argument must be zero")              \
    X(PUBKEYTYPE, "Public key is neither compressed or uncompressed")          \
    X(CLEANSTACK, "Stack size must be exactly one after execution")            \
    X(MINIMALIF, "OP_IF/NOTIF argument must be minimal")                       \
    X(NULLFAIL,                                                                \
      "Signature must be zero for failed CHECK(MULTI)SIG operation")           \
    /* what is left for later rules */                                         \
    X(DISCOURAGE_UPGRADABLE_NOPS, "NOPx reserved for soft-fork upgrades")      \
    X(DISCOURAGE_UPGRADABLE_WITNESS_PROGRAM,                                   \
      "Witness version reserved for soft-fork upgrades")                       \
    X(DISCOURAGE_UPGRADABLE_TAPROOT_VERSION,                                   \
      "Taproot version reserved for soft-fork upgrades")                       \
    X(DISCOURAGE_OP_SUCCESS, "OP_SUCCESSx reserved for soft-fork upgrades")    \
    X(DISCOURAGE_UPGRADABLE_PUBKEYTYPE,                                        \
      "Public key version reserved for soft-fork upgrades")                    \
    /* witness */                                                              \
    X(WITNESS_PROGRAM_WRONG_LENGTH, "Witness program has incorrect length")    \
    X(WITNESS_PROGRAM_WITNESS_EMPTY,                                           \
      "Witness program was passed an empty witness")                           \
    X(WITNESS_PROGRAM_MISMATCH, "Witness program hash mismatch")               \
    X(WITNESS_MALLEATED, "Witness requires empty scriptSig")                   \
    X(WITNESS_MALLEATED_P2SH,                                                  \
      "Witness requires only-redeemscript scriptSig")                          \
    X(WITNESS_UNEXPECTED, "Witness provided for non-witness script")           \
    X(WITNESS_PUBKEYTYPE, "Using non-compressed keys in segwit")               \
    /* taproot */                                                              \
    X(SCHNORR_SIG_SIZE, "Invalid Schnorr signature size")                      \
    X(SCHNORR_SIG_HASHTYPE, "Invalid Schnorr signature hash type")             \
    X(SCHNORR_SIG, "Invalid Schnorr signature")                                \
    X(TAPROOT_WRONG_CONTROL_SIZE, "Invalid Taproot control block size")        \
    X(TAPSCRIPT_VALIDATION_WEIGHT,                                             \
      "Too much signature validation relative to witness weight")              \
    X(TAPSCRIPT_CHECKMULTISIG,                                                 \
      "OP_CHECKMULTISIG(VERIFY) is not available in tapscript")                \
    X(TAPSCRIPT_MINIMALIF, "OP_IF/NOTIF argument must be minimal in tapscript")\
    /* script code that stays what it is */                                    \
    X(OP_CODESEPARATOR, "Using OP_CODESEPARATOR in non-witness script")        \
    X(SIG_FINDANDDELETE, "Signature is found in scriptCode")
// clang-format on

enum cc_script_error {
#define X(name, sentence) CC_SCRIPT_ERR_##name,
    CC_SCRIPT_ERRORS(X)
#undef X
};

/* "EVAL_FALSE". */
const char *cc_script_error_name(enum cc_script_error e);
/* "Script evaluated without error but ...". */
const char *cc_script_error_string(enum cc_script_error e);

#endif
