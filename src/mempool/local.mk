noinst_LIBRARIES += libcc_mempool.a
libcc_mempool_a_SOURCES = \
    src/mempool/accept.c \
    src/mempool/ask.c \
    src/mempool/dump.c \
    src/mempool/facts.c \
    src/mempool/internal.h \
    src/mempool/limit.c \
    src/mempool/mempool.h \
    src/mempool/miner.c src/mempool/miner.h \
    src/mempool/policy.c src/mempool/policy.h \
    src/mempool/pool.c \
    src/mempool/replace.c \
    src/mempool/select.c src/mempool/select.h \
    src/mempool/sync.c
