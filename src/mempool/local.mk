noinst_LIBRARIES += libcc_mempool.a
libcc_mempool_a_SOURCES = \
    src/mempool/accept.c \
    src/mempool/ask.c \
    src/mempool/audit.c \
    src/mempool/dump.c \
    src/mempool/facts.c \
    src/mempool/internal.h \
    src/mempool/known.c \
    src/mempool/limit.c \
    src/mempool/mempool.h \
    src/mempool/miner.c src/mempool/miner.h \
    src/mempool/package.c \
    src/mempool/policy.c src/mempool/policy.h \
    src/mempool/pool.c \
    src/mempool/rank.c \
    src/mempool/replace.c \
    src/mempool/select.c src/mempool/select.h \
    src/mempool/submit.c \
    src/mempool/sync.c \
    src/mempool/version3.c

check_PROGRAMS += src/mempool/test/test_policy
src_mempool_test_test_policy_SOURCES = src/mempool/test/test_policy.c \
    src/consensus/test/build.c src/consensus/test/build.h
src_mempool_test_test_policy_LDADD = $(TEST_SUPPORT) $(FLOOR_mempool)

POOL_FIXTURE = src/mempool/test/fixture.c src/mempool/test/fixture.h \
    src/consensus/test/build.c src/consensus/test/build.h
POOL_PACKAGES = src/mempool/test/package_support.c \
    src/mempool/test/package_support.h $(POOL_FIXTURE)
check_PROGRAMS += src/mempool/test/test_accept
src_mempool_test_test_accept_SOURCES = src/mempool/test/test_accept.c \
    $(POOL_FIXTURE)
src_mempool_test_test_accept_LDADD = $(TEST_SUPPORT) $(FLOOR_mempool)
check_PROGRAMS += src/mempool/test/test_package
src_mempool_test_test_package_SOURCES = src/mempool/test/test_package.c \
    $(POOL_PACKAGES)
src_mempool_test_test_package_LDADD = $(TEST_SUPPORT) $(FLOOR_mempool)
check_PROGRAMS += src/mempool/test/test_submit_package
src_mempool_test_test_submit_package_SOURCES = \
    src/mempool/test/test_submit_package.c $(POOL_PACKAGES)
src_mempool_test_test_submit_package_LDADD = $(TEST_SUPPORT) $(FLOOR_mempool)
check_PROGRAMS += src/mempool/test/test_version3
src_mempool_test_test_version3_SOURCES = src/mempool/test/test_version3.c \
    $(POOL_PACKAGES)
src_mempool_test_test_version3_LDADD = $(TEST_SUPPORT) $(FLOOR_mempool)
check_PROGRAMS += src/mempool/test/test_audit
src_mempool_test_test_audit_SOURCES = src/mempool/test/test_audit.c \
    $(POOL_FIXTURE)
src_mempool_test_test_audit_LDADD = $(TEST_SUPPORT) $(FLOOR_mempool)
check_PROGRAMS += src/mempool/test/test_sync
src_mempool_test_test_sync_SOURCES = src/mempool/test/test_sync.c \
    $(POOL_FIXTURE)
src_mempool_test_test_sync_LDADD = $(TEST_SUPPORT) $(FLOOR_mempool)
check_PROGRAMS += src/mempool/test/test_template
src_mempool_test_test_template_SOURCES = src/mempool/test/test_template.c \
    $(POOL_FIXTURE)
src_mempool_test_test_template_LDADD = $(TEST_SUPPORT) $(FLOOR_mempool)
check_PROGRAMS += src/mempool/test/test_facts
src_mempool_test_test_facts_SOURCES = src/mempool/test/test_facts.c \
    src/mempool/test/deals.c src/mempool/test/deals.h $(POOL_FIXTURE)
src_mempool_test_test_facts_LDADD = $(TEST_SUPPORT) $(FLOOR_mempool)
check_PROGRAMS += src/mempool/test/test_storm
src_mempool_test_test_storm_SOURCES = src/mempool/test/test_storm.c \
    $(POOL_FIXTURE)
src_mempool_test_test_storm_LDADD = $(TEST_SUPPORT) $(FLOOR_mempool)
check_PROGRAMS += src/mempool/test/test_storm_storage
src_mempool_test_test_storm_storage_SOURCES = \
    src/mempool/test/test_storm_storage.c src/mempool/test/deals.c \
    src/mempool/test/deals.h $(POOL_FIXTURE)
src_mempool_test_test_storm_storage_LDADD = $(TEST_SUPPORT) $(FLOOR_mempool)
