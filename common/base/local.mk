# What common/base adds to the build: layer 0, libc only.
libsealpost_a_SOURCES += \
	common/base/auto.h common/base/span.h common/base/limits.h common/base/status.def \
	common/base/status.c common/base/status.h \
	common/base/buf.c common/base/buf.h \
	common/base/cursor.c common/base/cursor.h \
	common/base/id.c common/base/id.h \
	common/base/clock.c common/base/clock.h \
	common/base/text.c common/base/text.h \
	common/base/log.c common/base/log.h \
	common/base/file.c common/base/file.h \
	common/base/beneath.c common/base/beneath.h \
	common/base/queue.c common/base/queue.h \
	common/base/thread.c common/base/thread.h \
	common/base/inodes.c common/base/inodes.h \
	common/base/fault.c common/base/fault.h
check_PROGRAMS += tests/unit/base_beneath_test tests/unit/base_cursor_test tests/unit/base_buf_test tests/unit/base_text_test tests/unit/base_id_test \
	tests/unit/base_file_test tests/unit/base_queue_test tests/unit/base_status_test tests/unit/base_inodes_test tests/unit/base_clock_test
