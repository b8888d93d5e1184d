# What common/pg adds to the build: layer 4, the only folder with libpq.
libsealpost_a_SOURCES += common/pg/pool.h common/pg/migrate.h
