#include "fuzz.h"

#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

const struct fuzz_target fuzz_targets[] = {
#define X(name) {#name, fuzz_##name},
    FUZZ_TARGETS(X)
#undef X
};
const size_t fuzz_target_count = sizeof(fuzz_targets) / sizeof(*fuzz_targets);

const struct fuzz_target *fuzz_find(const char *name)
{
    for (size_t i = 0; i < fuzz_target_count; i++)
        if (!strcmp(fuzz_targets[i].name, name))
            return &fuzz_targets[i];
    return NULL;
}

char *fuzz_text(const uint8_t *data, size_t len)
{
    char *text = malloc(len + 1);

    FUZZ_CHECK(text);
    if (len)
        memcpy(text, data, len);
    text[len] = 0;
    return text;
}

/* --- Files ------------------------------------------------------------- */

static char folder[256];

static void remove_folder(void)
{
    char command[300];

    snprintf(command, sizeof(command), "rm -rf '%s'", folder);
    if (system(command) != 0)
        fprintf(stderr, "%s is left behind\n", folder);
}

const char *fuzz_path(const char *name)
{
    static char path[512];
    const char *base = getenv("TMPDIR");

    if (!folder[0]) {
        snprintf(folder, sizeof(folder), "%s/ccfuzz.XXXXXX",
                 base && strlen(base) < 200 ? base : "/tmp");
        FUZZ_CHECK(mkdtemp(folder));
        atexit(remove_folder);
    }
    snprintf(path, sizeof(path), "%s/%s", folder, name);
    return path;
}

void fuzz_put_file(const char *path, const uint8_t *data, size_t len)
{
    FILE *f = fopen(path, "wb");

    FUZZ_CHECK(f);
    FUZZ_CHECK(fwrite(data, 1, len, f) == len);
    FUZZ_CHECK(fclose(f) == 0);
}
