# What common/pg adds to the build: layer 4, the only folder with libpq.
libsealpost_a_SOURCES += \
	common/pg/pool.c common/pg/pool.h \
	common/pg/item.c common/pg/item.h \
	common/pg/conn.c common/pg/conn.h \
	common/pg/migrate.c common/pg/migrate.h \
	common/pg/patches.c common/pg/patches.h
noinst_PROGRAMS += tests/tools/pg_tool
