# What common/net adds to the build: layer 4, the only users of libevent, libmicrohttpd and OpenSSL's TLS.
libsealpost_a_SOURCES += \
	common/net/loop.h common/net/addr.h common/net/resolve.h common/net/letterbox.h common/net/tls.h \
	common/net/service.h common/net/client.h common/net/http.h common/net/notify.h \
	common/net/worker.c common/net/worker.h
