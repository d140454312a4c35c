# What unit tests of all floors share. LDADD of a vector test:
#     $(TEST_SUPPORT) $(FLOOR_consensus)
check_LIBRARIES += libcc_test.a
libcc_test_a_SOURCES = test/support.c test/support.h
TEST_SUPPORT = libcc_test.a $(CMOCKA_LIBS) $(JANSSON_LIBS)
