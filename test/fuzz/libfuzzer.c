/* The entry that libFuzzer calls. FUZZ=<target> chooses. */
#include <string.h>

#include "fuzz.h"

int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

static const struct fuzz_target *target;

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
    const char *name = getenv("FUZZ");

    (void)argc;
    (void)argv;
    target = name ? fuzz_find(name) : NULL;
    if (target)
        return 0;
    fprintf(stderr, "FUZZ names none of these targets:");
    for (size_t i = 0; i < fuzz_target_count; i++)
        fprintf(stderr, " %s", fuzz_targets[i].name);
    fprintf(stderr, "\n");
    exit(1);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    target->run(data, len);
    return 0;
}
