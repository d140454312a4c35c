noinst_LIBRARIES += libcc_rpc.a
libcc_rpc_a_SOURCES = \
    src/rpc/args.c \
    src/rpc/auth.c src/rpc/auth.h \
    src/rpc/help.c \
    src/rpc/http.c src/rpc/http.h \
    src/rpc/internal.h \
    src/rpc/json.c src/rpc/json.h \
    src/rpc/rpc.c src/rpc/rpc.h \
    src/rpc/server.c src/rpc/server.h
