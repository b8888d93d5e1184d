# What tests/fuzz adds to the build: a program a target, of driver.c, or with --enable-libfuzzer of libFuzzer.
noinst_LIBRARIES += libfuzz.a
libfuzz_a_SOURCES = tests/fuzz/fuzz.c tests/fuzz/fuzz.h tests/fuzz/people.c tests/fuzz/people.h
if !LIBFUZZER
libfuzz_a_SOURCES += tests/fuzz/driver.c tests/fuzz/mutate.c tests/fuzz/mutate.h
endif
FUZZ_LIBS = libfuzz.a libsealpost.a $(FUZZ_ENGINE) $(SYS_LIBS)

FUZZERS = tests/fuzz/accept_fuzz tests/fuzz/cms_fuzz tests/fuzz/codec_fuzz tests/fuzz/cookie_fuzz tests/fuzz/conf_fuzz \
	tests/fuzz/control_fuzz tests/fuzz/der_fuzz tests/fuzz/ending_fuzz tests/fuzz/files_fuzz \
	tests/fuzz/frame_fuzz tests/fuzz/frank_fuzz tests/fuzz/http_fuzz tests/fuzz/journal_fuzz tests/fuzz/letter_fuzz \
	tests/fuzz/letter_text_fuzz tests/fuzz/manifest_fuzz tests/fuzz/names_fuzz tests/fuzz/offer_fuzz \
	tests/fuzz/open_fuzz tests/fuzz/opening_fuzz tests/fuzz/path_fuzz tests/fuzz/press_fuzz tests/fuzz/prints_fuzz \
	tests/fuzz/receipt_file_fuzz tests/fuzz/receipt_text_fuzz tests/fuzz/record_fuzz tests/fuzz/sheet_fuzz \
	tests/fuzz/tar_fuzz tests/fuzz/token_fuzz tests/fuzz/tsa_fuzz tests/fuzz/x509_fuzz
if LIBFUZZER
noinst_PROGRAMS += $(FUZZERS)
else
check_PROGRAMS += $(FUZZERS)
endif
tests_fuzz_accept_fuzz_LDADD = $(FUZZ_LIBS)
tests_fuzz_cms_fuzz_LDADD = $(FUZZ_LIBS)
tests_fuzz_codec_fuzz_LDADD = $(FUZZ_LIBS)
tests_fuzz_conf_fuzz_SOURCES = tests/fuzz/conf_fuzz.c peerd/settings.c
tests_fuzz_conf_fuzz_LDADD = $(FUZZ_LIBS)
tests_fuzz_cookie_fuzz_LDADD = $(FUZZ_LIBS)
tests_fuzz_control_fuzz_LDADD = libfuzz.a libpeerd.a $(FUZZ_LIBS)
tests_fuzz_der_fuzz_LDADD = $(FUZZ_LIBS)
tests_fuzz_ending_fuzz_LDADD = $(FUZZ_LIBS)
tests_fuzz_files_fuzz_LDADD = $(FUZZ_LIBS)
tests_fuzz_frame_fuzz_LDADD = $(FUZZ_LIBS)
tests_fuzz_frank_fuzz_LDADD = $(FUZZ_LIBS)
tests_fuzz_http_fuzz_LDADD = $(FUZZ_LIBS)
tests_fuzz_journal_fuzz_LDADD = libfuzz.a libpeerd.a $(FUZZ_LIBS)
tests_fuzz_letter_fuzz_LDADD = $(FUZZ_LIBS)
tests_fuzz_letter_text_fuzz_LDADD = $(FUZZ_LIBS)
tests_fuzz_manifest_fuzz_LDADD = $(FUZZ_LIBS)
tests_fuzz_names_fuzz_LDADD = $(FUZZ_LIBS)
tests_fuzz_offer_fuzz_LDADD = $(FUZZ_LIBS)
tests_fuzz_open_fuzz_LDADD = $(FUZZ_LIBS)
tests_fuzz_opening_fuzz_LDADD = $(FUZZ_LIBS)
tests_fuzz_path_fuzz_LDADD = $(FUZZ_LIBS)
tests_fuzz_press_fuzz_LDADD = libfuzz.a libpeerd.a $(FUZZ_LIBS)
tests_fuzz_prints_fuzz_LDADD = $(FUZZ_LIBS)
tests_fuzz_receipt_file_fuzz_LDADD = $(FUZZ_LIBS)
tests_fuzz_receipt_text_fuzz_LDADD = $(FUZZ_LIBS)
tests_fuzz_record_fuzz_LDADD = $(FUZZ_LIBS)
tests_fuzz_sheet_fuzz_LDADD = $(FUZZ_LIBS)
tests_fuzz_tar_fuzz_LDADD = $(FUZZ_LIBS)
tests_fuzz_token_fuzz_LDADD = $(FUZZ_LIBS)
tests_fuzz_tsa_fuzz_LDADD = $(FUZZ_LIBS)
tests_fuzz_x509_fuzz_LDADD = $(FUZZ_LIBS)

# Writes what of the corpus is made by a program: make tests/fuzz/make_seeds && FUZZ_SEEDS=FOLDER tests/fuzz/make_seeds
EXTRA_PROGRAMS += tests/fuzz/make_seeds
tests_fuzz_make_seeds_LDADD = libfuzz.a libsealpost.a $(TEST_SYS)
