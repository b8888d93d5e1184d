# What common/crypto adds to the build: layer 1, base and OpenSSL.
libsealpost_a_SOURCES += \
	common/crypto/evp.c common/crypto/evp.h \
	common/crypto/rand.c common/crypto/rand.h \
	common/crypto/hash.c common/crypto/hash.h \
	common/crypto/sha256_lanes.c common/crypto/sha256_lanes.h \
	common/crypto/aead.c common/crypto/aead.h \
	common/crypto/x25519.c common/crypto/x25519.h \
	common/crypto/sign.c common/crypto/sign.h \
	common/crypto/hpke.c common/crypto/hpke.h common/crypto/hpke_internal.h \
	common/crypto/der.c common/crypto/der.h \
	common/crypto/x509.h common/crypto/x509_internal.h common/crypto/x509_view.c common/crypto/x509_read.c \
	common/crypto/x509_make.c common/crypto/x509_trust.c common/crypto/x509_pem.c \
	common/crypto/signed.c common/crypto/signed.h common/crypto/cms.c common/crypto/cms.h \
	common/crypto/tsa.c common/crypto/tsa.h
check_PROGRAMS += tests/unit/crypto_hash_test tests/unit/crypto_lanes_test tests/unit/crypto_rand_test tests/unit/crypto_aead_test \
	tests/unit/crypto_x25519_test tests/unit/crypto_sign_test tests/unit/crypto_hpke_test \
	tests/unit/crypto_x509_test tests/unit/crypto_cms_test
noinst_HEADERS += tests/unit/crypto_hex.h tests/unit/crypto_certs.h
