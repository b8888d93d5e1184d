# What common/net adds to the build: layer 4, the only users of libevent, libmicrohttpd and OpenSSL's TLS.
libsealpost_a_SOURCES += \
	common/net/loop.c common/net/loop.h common/net/loop_in.h common/net/timer.c \
	common/net/addr.c common/net/addr.h common/net/socket.c common/net/socket.h \
	common/net/resolve.c common/net/resolve.h common/net/letterbox.c common/net/letterbox.h \
	common/net/letterbox_in.h common/net/letterbox_tcp.c common/net/tls.h \
	common/net/tls.c common/net/tls_conn.c common/net/tls_in.h common/net/tls_ssl.h \
	common/net/service.c common/net/service.h common/net/service_in.h common/net/request.c \
	common/net/client.c common/net/client.h common/net/client_in.h common/net/client_link.c \
	common/net/http.c common/net/http.h common/net/notify.c common/net/notify.h \
	common/net/worker.c common/net/worker.h common/net/rates.c common/net/rates.h common/net/guard.c common/net/guard.h \
	common/net/ways.c common/net/ways.h
noinst_HEADERS += tests/unit/loop_in_test.h tests/unit/net_unit.h tests/unit/net_raw.h
check_PROGRAMS += tests/unit/net_loop_test tests/unit/net_addr_test tests/unit/net_resolve_test \
	tests/unit/net_letterbox_test tests/unit/net_http_test tests/unit/net_service_test tests/unit/net_frames_test \
	tests/unit/net_client_test tests/unit/net_evil_test tests/unit/net_flood_test tests/unit/net_rates_test tests/unit/net_guard_test \
	tests/unit/net_ways_test
