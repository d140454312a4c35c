noinst_LIBRARIES += libcc_wallet.a
libcc_wallet_a_SOURCES = \
    src/wallet/book.c src/wallet/book.h src/wallet/book_i.h \
    src/wallet/book_ask.c \
    src/wallet/book_label.c \
    src/wallet/book_record.c \
    src/wallet/descriptor.c src/wallet/descriptor.h src/wallet/descriptor_i.h \
    src/wallet/descriptor_key.c \
    src/wallet/descriptor_parse.c \
    src/wallet/descriptor_script.c \
    src/wallet/encrypt.c \
    src/wallet/file.c src/wallet/file.h \
    src/wallet/identity.c src/wallet/identity.h \
    src/wallet/keys.c src/wallet/keys.h \
    src/wallet/miniscript.c src/wallet/miniscript.h \
    src/wallet/miniscript_type.c src/wallet/miniscript_i.h \
    src/wallet/select.c src/wallet/select.h \
    src/wallet/sign.c \
    src/wallet/spend.c \
    src/wallet/store.c \
    src/wallet/sync.c \
    src/wallet/wallet.c src/wallet/wallet.h src/wallet/wallet_i.h

# A chain and a mempool in a folder, under wallets.
check_LIBRARIES += libcc_wallet_node.a
libcc_wallet_node_a_SOURCES = src/wallet/test/node.c src/wallet/test/node.h
WALLET_TEST = libcc_wallet_node.a $(TEST_SUPPORT) libcc_wallet.a \
    $(FLOOR_mempool)

check_PROGRAMS += src/wallet/test/test_wallet
src_wallet_test_test_wallet_SOURCES = src/wallet/test/test_wallet.c
src_wallet_test_test_wallet_LDADD = $(WALLET_TEST)

check_PROGRAMS += src/wallet/test/test_book
src_wallet_test_test_book_SOURCES = src/wallet/test/test_book.c
src_wallet_test_test_book_LDADD = $(WALLET_TEST)

check_PROGRAMS += src/wallet/test/test_file
src_wallet_test_test_file_SOURCES = src/wallet/test/test_file.c
src_wallet_test_test_file_LDADD = $(WALLET_TEST)

check_PROGRAMS += src/wallet/test/test_keys
src_wallet_test_test_keys_SOURCES = src/wallet/test/test_keys.c
src_wallet_test_test_keys_LDADD = $(WALLET_TEST)

check_PROGRAMS += src/wallet/test/test_select
src_wallet_test_test_select_SOURCES = src/wallet/test/test_select.c
src_wallet_test_test_select_LDADD = $(WALLET_TEST)

check_PROGRAMS += src/wallet/test/test_descriptor
src_wallet_test_test_descriptor_SOURCES = src/wallet/test/test_descriptor.c
src_wallet_test_test_descriptor_LDADD = $(WALLET_TEST)

check_PROGRAMS += src/wallet/test/test_miniscript
src_wallet_test_test_miniscript_SOURCES = src/wallet/test/test_miniscript.c
src_wallet_test_test_miniscript_LDADD = $(WALLET_TEST)

check_PROGRAMS += src/wallet/test/test_miniscript_type
src_wallet_test_test_miniscript_type_SOURCES = \
    src/wallet/test/test_miniscript_type.c
src_wallet_test_test_miniscript_type_LDADD = $(WALLET_TEST)
