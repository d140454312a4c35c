noinst_LIBRARIES += libcc_storage.a
libcc_storage_a_SOURCES = \
    src/storage/erasure.c src/storage/erasure.h \
    src/storage/ext.c src/storage/ext.h \
    src/storage/host.c src/storage/host.h src/storage/host_i.h \
    src/storage/host_chain.c \
    src/storage/host_contract.c \
    src/storage/host_form.c \
    src/storage/host_node.c \
    src/storage/host_plan.c \
    src/storage/host_rpc.c \
    src/storage/host_seal.c \
    src/storage/host_serve.c \
    src/storage/host_session.c \
    src/storage/host_tx.c \
    src/storage/message.c src/storage/message.h \
    src/storage/node_client.c src/storage/node_client.h \
    src/storage/object.c src/storage/object.h \
    src/storage/renter.c src/storage/renter.h \
    src/storage/renter_coins.c \
    src/storage/renter_deal.c src/storage/renter_deal.h \
    src/storage/renter_form.c \
    src/storage/renter_get.c \
    src/storage/renter_health.c \
    src/storage/renter_hosts.c \
    src/storage/renter_internal.h \
    src/storage/renter_journal.c src/storage/renter_journal.h \
    src/storage/renter_link.c src/storage/renter_link.h \
    src/storage/renter_node.c \
    src/storage/renter_put.c \
    src/storage/renter_state.c src/storage/renter_state.h \
    src/storage/sealer.c src/storage/sealer.h \
    src/storage/session.c src/storage/session.h \
    src/storage/socket.c src/storage/socket.h \
    src/storage/volume.c src/storage/volume.h

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

check_PROGRAMS += src/storage/test/test_host
src_storage_test_test_host_SOURCES = src/storage/test/test_host.c \
    src/storage/test/host_world.c src/storage/test/host_world.h \
    src/storage/test/fake_node.c src/storage/test/fake_node.h
src_storage_test_test_host_LDADD = $(TEST_SUPPORT) $(FLOOR_storage)

check_PROGRAMS += src/storage/test/test_host_renters
src_storage_test_test_host_renters_SOURCES = \
    src/storage/test/test_host_renters.c \
    src/storage/test/host_world.c src/storage/test/host_world.h \
    src/storage/test/fake_node.c src/storage/test/fake_node.h
src_storage_test_test_host_renters_LDADD = $(TEST_SUPPORT) $(FLOOR_storage)

check_PROGRAMS += src/storage/test/test_host_seal
src_storage_test_test_host_seal_SOURCES = \
    src/storage/test/test_host_seal.c \
    src/storage/test/host_world.c src/storage/test/host_world.h \
    src/storage/test/fake_node.c src/storage/test/fake_node.h
src_storage_test_test_host_seal_LDADD = $(TEST_SUPPORT) $(FLOOR_storage)

check_PROGRAMS += src/storage/test/test_volume
src_storage_test_test_volume_SOURCES = src/storage/test/test_volume.c
src_storage_test_test_volume_LDADD = $(TEST_SUPPORT) $(FLOOR_storage)

check_PROGRAMS += src/storage/test/test_host_plan
src_storage_test_test_host_plan_SOURCES = src/storage/test/test_host_plan.c
src_storage_test_test_host_plan_LDADD = $(TEST_SUPPORT) $(FLOOR_storage)

check_PROGRAMS += src/storage/test/test_renter
src_storage_test_test_renter_SOURCES = src/storage/test/test_renter.c \
    src/storage/test/lying_host.c src/storage/test/lying_host.h
src_storage_test_test_renter_LDADD = $(TEST_SUPPORT) $(FLOOR_storage)

check_PROGRAMS += src/storage/test/test_ext
src_storage_test_test_ext_SOURCES = src/storage/test/test_ext.c
src_storage_test_test_ext_LDADD = $(TEST_SUPPORT) $(FLOOR_storage)

check_PROGRAMS += src/storage/test/test_sealer
src_storage_test_test_sealer_SOURCES = src/storage/test/test_sealer.c
src_storage_test_test_sealer_LDADD = $(TEST_SUPPORT) $(FLOOR_storage)

check_PROGRAMS += src/storage/test/test_renter_hosts
src_storage_test_test_renter_hosts_SOURCES = \
    src/storage/test/test_renter_hosts.c \
    src/storage/test/renter_world.c src/storage/test/renter_world.h
src_storage_test_test_renter_hosts_LDADD = $(TEST_SUPPORT) $(FLOOR_storage)

check_PROGRAMS += src/storage/test/test_renter_form
src_storage_test_test_renter_form_SOURCES = \
    src/storage/test/test_renter_form.c \
    src/storage/test/renter_world.c src/storage/test/renter_world.h
src_storage_test_test_renter_form_LDADD = $(TEST_SUPPORT) $(FLOOR_storage)

check_PROGRAMS += src/storage/test/test_renter_state
src_storage_test_test_renter_state_SOURCES = \
    src/storage/test/test_renter_state.c
src_storage_test_test_renter_state_LDADD = $(TEST_SUPPORT) $(FLOOR_storage)
