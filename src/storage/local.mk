noinst_LIBRARIES += libcc_storage.a
libcc_storage_a_SOURCES = \
    src/storage/erasure.c src/storage/erasure.h \
    src/storage/message.c src/storage/message.h \
    src/storage/node_client.c src/storage/node_client.h \
    src/storage/object.c src/storage/object.h \
    src/storage/session.c src/storage/session.h \
    src/storage/socket.c src/storage/socket.h

check_PROGRAMS += src/storage/test/test_object
src_storage_test_test_object_SOURCES = src/storage/test/test_object.c
src_storage_test_test_object_LDADD = $(TEST_SUPPORT) $(FLOOR_storage)

check_PROGRAMS += src/storage/test/test_message
src_storage_test_test_message_SOURCES = src/storage/test/test_message.c
src_storage_test_test_message_LDADD = $(TEST_SUPPORT) $(FLOOR_storage)

check_PROGRAMS += src/storage/test/test_session
src_storage_test_test_session_SOURCES = src/storage/test/test_session.c
src_storage_test_test_session_LDADD = $(TEST_SUPPORT) $(FLOOR_storage)

check_PROGRAMS += src/storage/test/test_node_client
src_storage_test_test_node_client_SOURCES = src/storage/test/test_node_client.c
src_storage_test_test_node_client_LDADD = $(TEST_SUPPORT) $(FLOOR_storage)
