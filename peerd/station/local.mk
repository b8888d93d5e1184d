# What peerd/station adds to the build.
libpeerd_a_SOURCES += \
	peerd/station/ask.c peerd/station/enrol.c peerd/station/files.c peerd/station/files.h \
	peerd/station/roster.c peerd/station/station.c peerd/station/station.h peerd/station/station_in.h
