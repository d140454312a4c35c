noinst_LIBRARIES += libcc_storage.a
libcc_storage_a_SOURCES =
