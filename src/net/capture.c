#include "net/capture.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "util/fs.h"
#include "util/mem.h"
#include "util/writer.h"

bool cc_capture_message(const char *folder, const char *address, bool incoming,
                        int64_t time_us, const char *command,
                        const void *payload, size_t len)
{
    char *base = cc_fs_join(folder, "message_capture");
    char *dir = cc_fs_join(base, address), *path;
    char name[12] = {0};
    struct cc_writer w;
    struct cc_error err;
    bool ok;
    int fd = -1;

    for (char *c = dir + strlen(base); *c; c++)
        if (*c == ':')
            *c = '_';
    path = cc_fs_join(dir, incoming ? "msgs_recv.dat" : "msgs_sent.dat");
    memcpy(name, command, strnlen(command, sizeof(name)));
    cc_writer_init_heap(&w);
    cc_write_u64le(&w, (uint64_t)time_us);
    cc_write_bytes(&w, name, sizeof(name));
    cc_write_u32le(&w, (uint32_t)len);
    cc_write_bytes(&w, payload, len);
    ok = cc_fs_mkdirs(dir, &err) == CC_OK;
    if (ok)
        fd = open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0600);
    ok = fd >= 0 && cc_fs_write_all(fd, w.data, w.len, &err) == CC_OK;
    if (fd >= 0)
        close(fd);
    cc_writer_clear(&w);
    free(base);
    free(dir);
    free(path);
    return ok;
}
