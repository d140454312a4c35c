/*
 * Runs every target over its corpus, each input as it is and with a
 * hundred small changes drawn from a fixed seed, and over the empty input.
 *
 *     replay [-changes=N] [-target=NAME] [CORPUS]
 */
#include <dirent.h>
#include <string.h>

#include "fuzz.h"

static uint64_t seed = 1;

static uint64_t draw(void)
{
    uint64_t z = seed += UINT64_C(0x9e3779b97f4a7c15);

    z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
    return z ^ z >> 31;
}

/* A copy on the heap of exact size, so that a checker sees the first byte
 * that is read behind it. */
static void run(const struct fuzz_target *t, const uint8_t *data, size_t len)
{
    uint8_t *copy = malloc(len ? len : 1);

    FUZZ_CHECK(copy);
    if (len)
        memcpy(copy, data, len);
    t->run(copy, len);
    free(copy);
}

static void run_changed(const struct fuzz_target *t, const uint8_t *data,
                        size_t len)
{
    uint8_t *copy = malloc(len + 16);
    size_t n = len;

    FUZZ_CHECK(copy);
    if (len)
        memcpy(copy, data, len);
    for (uint64_t times = 1 + draw() % 3; times; times--) {
        size_t at = n ? draw() % n : 0;

        switch (n ? draw() % 6 : 5) {
        case 0: /* a bit */
            copy[at] ^= (uint8_t)(1u << draw() % 8);
            break;
        case 1: /* a byte that often matters */
            copy[at] = (uint8_t[]){0, 1, 0x7f, 0x80, 0xfd, 0xff}[draw() % 6];
            break;
        case 2: /* cut the end off */
            n = at;
            break;
        case 3: /* take a byte out */
            memmove(copy + at, copy + at + 1, n - at - 1);
            n--;
            break;
        case 4: /* any byte */
            copy[at] = (uint8_t)draw();
            break;
        default: /* one more at the end */
            if (n < len + 16)
                copy[n++] = (uint8_t)draw();
            break;
        }
    }
    run(t, copy, n);
    free(copy);
}

static uint8_t *read_file(const char *path, size_t *len)
{
    FILE *f = fopen(path, "rb");
    uint8_t *data;
    long size;

    if (!f)
        return NULL;
    FUZZ_CHECK(fseek(f, 0, SEEK_END) == 0);
    size = ftell(f);
    FUZZ_CHECK(size >= 0);
    rewind(f);
    data = malloc((size_t)size + 1);
    FUZZ_CHECK(data && fread(data, 1, (size_t)size, f) == (size_t)size);
    fclose(f);
    *len = (size_t)size;
    return data;
}

static int by_name(const struct dirent *e) { return e->d_name[0] != '.'; }

/* Number of files; the same order on every machine. */
static size_t run_corpus(const struct fuzz_target *t, const char *corpus,
                         unsigned changes)
{
    struct dirent **names;
    char path[1024];
    size_t count = 0;
    int n;

    snprintf(path, sizeof(path), "%s/%s", corpus, t->name);
    n = scandir(path, &names, by_name, alphasort);
    for (int i = 0; i < n; i++) {
        uint8_t *data;
        size_t len;

        snprintf(path, sizeof(path), "%s/%s/%s", corpus, t->name,
                 names[i]->d_name);
        free(names[i]);
        data = read_file(path, &len);
        FUZZ_CHECK(data);
        run(t, data, len);
        for (unsigned j = 0; j < changes; j++)
            run_changed(t, data, len);
        free(data);
        count++;
    }
    if (n >= 0)
        free(names);
    return count;
}

int main(int argc, char **argv)
{
    const char *corpus = CC_FUZZ_CORPUS, *only = NULL;
    unsigned changes = 100;
    size_t targets = 0, inputs = 0;
    int missing = 0;

    for (int i = 1; i < argc; i++) {
        if (!strncmp(argv[i], "-changes=", 9))
            changes = (unsigned)strtoul(argv[i] + 9, NULL, 10);
        else if (!strncmp(argv[i], "-target=", 8))
            only = argv[i] + 8;
        else
            corpus = argv[i];
    }
    for (size_t i = 0; i < fuzz_target_count; i++) {
        const struct fuzz_target *t = &fuzz_targets[i];
        size_t n;

        if (only && strcmp(only, t->name) != 0)
            continue;
        run(t, NULL, 0);
        n = run_corpus(t, corpus, changes);
        printf("%-10s %4zu inputs, %zu changed\n", t->name, n, n * changes);
        fflush(stdout);
        targets++;
        inputs += n;
        missing += n == 0;
    }
    printf("%zu inputs replayed in %zu targets, each changed %u times\n",
           inputs, targets, changes);
    if (missing)
        fprintf(stderr, "%d targets have no corpus below %s\n", missing,
                corpus);
    return missing ? 1 : 0;
}
