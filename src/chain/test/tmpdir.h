/* tmpdir.h: a folder for one test, gone after it. */
#ifndef CC_CHAIN_TEST_TMPDIR_H
#define CC_CHAIN_TEST_TMPDIR_H

#include <stdio.h>
#include <stdlib.h>

#include "support.h"
#include "util/fs.h"

/* The caller frees it with cc_test_rmdir. */
static inline char *cc_test_mkdir(void)
{
    const char *base = getenv("TMPDIR");
    char path[512];

    snprintf(path, sizeof(path), "%s/cc_chain_XXXXXX", base ? base : "/tmp");
    assert_non_null(mkdtemp(path));
    return strdup(path);
}

static inline void cc_test_rmdir(char *path)
{
    struct cc_error err;

    if (cc_fs_remove_tree(path, &err) != CC_OK)
        fail_msg("%s", err.text);
    free(path);
}

#endif
