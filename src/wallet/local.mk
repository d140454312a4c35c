noinst_LIBRARIES += libcc_wallet.a
libcc_wallet_a_SOURCES = \
    src/wallet/book.c src/wallet/book.h \
    src/wallet/file.c src/wallet/file.h \
    src/wallet/identity.c src/wallet/identity.h \
    src/wallet/keys.c src/wallet/keys.h \
    src/wallet/select.c src/wallet/select.h \
    src/wallet/sign.c \
    src/wallet/spend.c \
    src/wallet/store.c \
    src/wallet/sync.c \
    src/wallet/wallet.c src/wallet/wallet.h src/wallet/wallet_i.h
