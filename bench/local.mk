# What bench adds to the build: nothing unless it is asked for, by bench/transport and bench/services themselves.
EXTRA_PROGRAMS += bench/service_load
bench_service_load_SOURCES = bench/service_load.c
bench_service_load_LDADD = libsealpost.a $(SYS_LIBS)
EXTRA_DIST += bench/transport bench/transport.py bench/services bench/services.py bench/figures.py bench/loads.py bench/rivals.py \
	bench/links bench/links.py bench/profile bench/profile.py bench/office.sh bench/packages
