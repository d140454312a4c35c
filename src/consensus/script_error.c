#include "consensus/script_error.h"

const char *cc_script_error_name(enum cc_script_error e)
{
    switch (e) {
#define X(name, sentence)                                                      \
    case CC_SCRIPT_ERR_##name:                                                 \
        return #name;
        CC_SCRIPT_ERRORS(X)
#undef X
    }
    return "UNKNOWN_ERROR";
}

const char *cc_script_error_string(enum cc_script_error e)
{
    switch (e) {
#define X(name, sentence)                                                      \
    case CC_SCRIPT_ERR_##name:                                                 \
        return sentence;
        CC_SCRIPT_ERRORS(X)
#undef X
    }
    return "unknown error";
}
