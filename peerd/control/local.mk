# What peerd/control adds: the control API.
libpeerd_a_SOURCES += \
	peerd/control/control.c peerd/control/control.h peerd/control/call.h peerd/control/json.c peerd/control/json.h \
	peerd/control/feed.c peerd/control/feed.h peerd/control/event.c peerd/control/station.c peerd/control/book.c \
	peerd/control/credits.c
