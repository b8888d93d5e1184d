/*
 * member_member_test.c - enrolment, its repeats and its refusals; what is on the disk; roster and look-ups.
 */
#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/unit/member_in_test.h"

static const char *
file(const char *name)
{
	static char path[200];

	snprintf(path, sizeof(path), "%s/station/%s", folder, name);
	return path;
}

static bool
exists(const char *name)
{
	return access(file(name), F_OK) == 0;
}

START_TEST(ky01_an_invitation_makes_a_station)
{
	static const char *const secrets[] = { "sign.pem", "letter.key", "age.key", "token.hash" };
	struct directory d;
	struct stat st;
	char name[SP_NAME_TEXT];

	set_up();
	directory_open(&d, SP_ROLE_KEYD);
	d.addresses = "money.example:7676,[::1]:7676";
	ck_assert(!member_is_enrolled(station));
	ck_assert_str_eq(member_service(station, "keyd"), "");
	ck_assert_msg(enrol(token_of(&d, &d.authority, 0)) == SP_OK, "%s", done_why.text);
	for (int i = 0; i < 2; i++) {
		ck_assert(member_is_enrolled(station));
		ck_assert_str_eq(sp_identity_text(member_identity(station), name), NAME);
		ck_assert(sp_span_eq(member_cert(station), sp_buf_span(&d.issued)));
		ck_assert(sp_span_eq(member_root(station), sp_buf_span(&d.authority.root)));
		ck_assert_uint_eq(member_issuers(station), 1);
		ck_assert(sp_span_eq(member_issuer(station, 0), sp_buf_span(&d.authority.issuer)));
		ck_assert_uint_eq(member_issuer(station, 1).n, 0);
		ck_assert_mem_eq(member_letter_pair(station)->public_key, member_identity(station)->letter_key,
		    SP_X25519);
		ck_assert_str_eq(sp_trust_domain(member_trust(station)), DOMAIN);
		ck_assert_str_eq(member_service(station, "creditd"), "money.example:7676,[::1]:7676,second:2");
		ck_assert_str_eq(member_service(station, "certd"), "");
		ck_assert_str_ne(member_service(station, "keyd"), "");
		reopen();
	}
	for (size_t i = 0; i < 4; i++) {
		ck_assert_int_eq(stat(file(secrets[i]), &st), 0);
		ck_assert_int_eq(st.st_mode & 0777, 0600);
	}
	tear_down(&d);
}
END_TEST

/* The answer is lost after keyd has certified the keys: the same keys come again and get the same certificate. */
START_TEST(a_repeat_gets_the_same_certificate)
{
	struct directory d;

	set_up();
	directory_open(&d, SP_ROLE_KEYD);
	d.breaks = true;
	ck_status(enrol(token_of(&d, &d.authority, 0)), SP_E_DATABASE);
	ck_assert(!member_is_enrolled(station));
	ck_assert(!exists("cert.der"));
	ck_assert(exists("sign.pem"));
	reopen();
	d.breaks = false;
	ck_status(enrol(token_of(&d, &d.authority, 0)), SP_OK);
	ck_assert(member_is_enrolled(station));
	ck_assert_int_eq(d.enrols, 2);
	/* and once more after success: nothing is asked */
	ck_status(enrol(token_of(&d, &d.authority, 0)), SP_OK);
	reopen();
	ck_status(enrol(token_of(&d, &d.authority, 0)), SP_OK);
	ck_assert_int_eq(d.enrols, 2);
	/* another invitation makes no other station of it */
	d.secret[0] ^= 1;
	ck_status(enrol(token_of(&d, &d.authority, 0)), SP_E_EXISTS);
	ck_assert_ptr_nonnull(strstr(done_why.text, NAME));
	tear_down(&d);
}
END_TEST

START_TEST(another_invitation_means_other_keys)
{
	SP_AUTO_DONE(sp_buf) first = { 0 }, second = { 0 };
	struct directory d;

	set_up();
	directory_open(&d, SP_ROLE_KEYD);
	d.breaks = true;
	ck_status(enrol(token_of(&d, &d.authority, 0)), SP_E_DATABASE);
	ck_status(sp_file_read(file("letter.key"), 100, &first, NULL), SP_OK);
	d.secret[0] ^= 1;
	memset(&d.request, 0, sizeof(d.request));
	d.breaks = false;
	ck_status(enrol(token_of(&d, &d.authority, 0)), SP_OK);
	ck_status(sp_file_read(file("letter.key"), 100, &second, NULL), SP_OK);
	ck_assert(!sp_span_eq(sp_buf_span(&first), sp_buf_span(&second)));
	tear_down(&d);
}
END_TEST

START_TEST(a_used_invitation_is_refused_in_plain_words)
{
	struct directory d;

	set_up();
	directory_open(&d, SP_ROLE_KEYD);
	memset(&d.request, 7, sizeof(d.request));	/* somebody else was faster */
	ck_status(enrol(token_of(&d, &d.authority, 0)), SP_E_TOKEN);
	ck_assert_str_eq(done_why.text, "the invitation was used already");
	ck_assert(!member_is_enrolled(station));
	ck_status(enrol("sealpost:enrol?d=x"), SP_E_FORMAT);
	ck_status(enrol(""), SP_E_FORMAT);
	tear_down(&d);
}
END_TEST

START_TEST(only_the_pinned_root_is_spoken_to)
{
	struct directory d, other;

	set_up();
	directory_open(&d, SP_ROLE_KEYD);
	directory_open(&other, SP_ROLE_KEYD);
	ck_status(enrol(token_of(&d, &other.authority, 0)), SP_E_IDENTITY);
	ck_assert_ptr_nonnull(strstr(done_why.text, "not the one that the invitation names"));
	ck_assert_int_eq(d.begins, 0);
	directory_close(&other);
	tear_down(&d);
}
END_TEST

START_TEST(only_keyd_is_spoken_to)
{
	struct directory d;

	set_up();
	directory_open(&d, SP_ROLE_TSA);
	ck_assert_int_ne(enrol(token_of(&d, &d.authority, 0)), SP_OK);
	ck_assert_ptr_nonnull(strstr(done_why.text, "not the one that the invitation names"));
	ck_assert_int_eq(d.begins, 0);
	ck_assert(!member_is_enrolled(station));
	tear_down(&d);
}
END_TEST

START_TEST(nobody_there_is_said_with_the_address)
{
	struct directory d;

	set_up();
	directory_open(&d, SP_ROLE_KEYD);
	ck_status(enrol(token_of(&d, &d.authority, 9)), SP_E_CONNECT);
	ck_assert_ptr_nonnull(strstr(done_why.text, "cannot connect"));
	ck_assert_ptr_nonnull(strstr(done_why.text, "127.0.0.1:9"));
	tear_down(&d);
}
END_TEST

START_TEST(a_certificate_that_does_not_fit_is_not_taken)
{
	struct directory d;

	set_up();
	directory_open(&d, SP_ROLE_KEYD);
	d.certifies_others = true;
	ck_status(enrol(token_of(&d, &d.authority, 0)), SP_E_MISMATCH);
	d.certifies_others = false;
	d.other_domain = true;
	ck_status(enrol(token_of(&d, &d.authority, 0)), SP_E_DOMAIN);
	ck_assert(!exists("cert.der"));
	tear_down(&d);
}
END_TEST

START_TEST(without_a_roster_it_is_enrolled_all_the_same)
{
	struct directory d;

	set_up();
	directory_open(&d, SP_ROLE_KEYD);
	d.no_roster = true;
	ck_status(enrol(token_of(&d, &d.authority, 0)), SP_OK);
	reopen();
	d.no_roster = false;
	d.addresses = "money:1";
	member_refresh(station, done, NULL);
	run_loop();
	ck_assert_msg(done_status == SP_OK, "%s", done_why.text);
	ck_assert_str_eq(member_service(station, "creditd"), "money:1,second:2");
	tear_down(&d);
}
END_TEST

static enum sp_status
refresh(void)
{
	member_refresh(station, done, NULL);
	run_loop();
	return done_status;
}

START_TEST(a_roster_adds_issuers_and_never_goes_back)
{
	struct directory d;
	const struct sp_trust *before;

	set_up();
	directory_open(&d, SP_ROLE_KEYD);
	ck_status(enrol(token_of(&d, &d.authority, 0)), SP_OK);
	before = member_trust(station);
	d.roster_number = 6;
	ck_status(refresh(), SP_OK);
	ck_assert_ptr_eq(member_trust(station), before);
	d.second_issuer = true;
	ck_status(refresh(), SP_OK);
	ck_assert_uint_eq(member_issuers(station), 2);
	ck_assert_ptr_ne(member_trust(station), before);
	ck_assert_str_eq(sp_trust_domain(before), DOMAIN);	/* threads may still use it */
	d.roster_number = 5;
	ck_status(refresh(), SP_E_MISMATCH);
	reopen();
	ck_assert_uint_eq(member_issuers(station), 2);
	ck_status(refresh(), SP_E_MISMATCH);
	tear_down(&d);
}
END_TEST

static size_t found;

static void
looked_up(void *arg, enum sp_status st, const struct sp_why *reason, const struct sp_span *certs, size_t count)
{
	struct directory *d = arg;

	found = count;
	for (size_t i = 0; i < count; i++)
		ck_assert(sp_span_eq(certs[i], sp_buf_span(&d->issued)));
	done(NULL, st, reason);
}

static enum sp_status
lookup(struct directory *d, const char *name)
{
	member_lookup(station, name, looked_up, d);
	run_loop();
	return done_status;
}

START_TEST(ky02_names_are_looked_up_exactly)
{
	struct directory d;

	set_up();
	directory_open(&d, SP_ROLE_KEYD);
	ck_status(lookup(&d, "alice@" DOMAIN), SP_E_NOTENROLLED);
	ck_status(enrol(token_of(&d, &d.authority, 0)), SP_OK);
	ck_status(lookup(&d, "alice@" DOMAIN), SP_OK);
	ck_assert_uint_eq(found, 1);
	ck_status(lookup(&d, "bob@" DOMAIN), SP_E_NOTFOUND);
	ck_status(lookup(&d, "bo"), SP_E_RANGE);
	sp_service_free(d.service);
	d.service = NULL;
	ck_status(lookup(&d, "alice@" DOMAIN), SP_E_CONNECT);
	tear_down(&d);
}
END_TEST

START_TEST(what_is_under_way_ends_with_the_station)
{
	struct directory d;

	set_up();
	directory_open(&d, SP_ROLE_KEYD);
	member_enrol(station, token_of(&d, &d.authority, 0), done, NULL);
	reopen();
	ck_status(enrol(token_of(&d, &d.authority, 0)), SP_OK);
	member_refresh(station, done, NULL);
	member_lookup(station, "alice@" DOMAIN, looked_up, &d);
	done_count = 0;
	tear_down(&d);
	ck_assert_int_eq(done_count, 0);
}
END_TEST

START_TEST(one_enrolment_at_a_time)
{
	struct directory d;

	set_up();
	directory_open(&d, SP_ROLE_KEYD);
	member_enrol(station, token_of(&d, &d.authority, 0), done, NULL);
	member_enrol(station, token_of(&d, &d.authority, 0), done, NULL);
	ck_status(done_status, SP_E_BUSY);
	run_loop();
	run_loop();
	ck_status(done_status, SP_OK);
	tear_down(&d);
}
END_TEST

#ifdef SP_FAULTS
/* In a process of its own, which dies at the pass-th file that it writes. */
static pid_t
enrol_and_die(const struct directory *d, int pass)
{
	SP_AUTO_MEM char *token = strdup(token_of(d, &d->authority, 0));
	char fault[40];
	pid_t pid = fork();

	if (pid != 0)
		return pid;
	snprintf(fault, sizeof(fault), "station-file-before=kill:%d", pass);
	setenv("SEALPOST_FAULT", fault, 1);
	if (sp_loop_new(&loop, &why) != SP_OK || member_open(loop, state_dir(), SP_ROLE_STATION, &station, &why) != SP_OK)
		_exit(2);
	_exit(enrol(token) == SP_OK ? 0 : 3);
}

static pid_t dying;
static int died_of;

static void
look_at_child(void *arg)
{
	struct sp_timer **t = arg;
	int status;

	if (waitpid(dying, &status, WNOHANG) == dying) {
		died_of = WIFSIGNALED(status) ? WTERMSIG(status) : -WEXITSTATUS(status);
		sp_loop_stop(loop);
	} else {
		sp_timer_set(*t, 10);
	}
}

/* Killed before each file that enrolment writes, the same invitation still makes the same station. */
START_TEST(an_enrolment_survives_a_kill_at_every_file)
{
	/* three keys and the invitation's hash, made anew each time; root, issuers, address, certificate; roster */
	static const int passes[] = { 1, 2, 3, 4, 4 + 1, 2, 3, 4, 5 };
	struct directory d;
	struct sp_timer *t = NULL;
	int kills = 0;

	set_up();
	directory_open(&d, SP_ROLE_KEYD);
	t = sp_timer_new(loop, look_at_child, &t);
	for (size_t i = 0; i < sizeof(passes) / sizeof(passes[0]); i++) {
		member_free(station);	/* a fork wants a process without other threads: one may hold a lock */
		station = NULL;
		dying = enrol_and_die(&d, passes[i]);
		sp_timer_set(t, 10);
		run_loop();
		kills += died_of == SIGKILL;
		reopen();
		ck_assert(member_is_enrolled(station) == exists("cert.der"));
	}
	ck_status(enrol(token_of(&d, &d.authority, 0)), SP_OK);
	ck_assert(sp_span_eq(member_cert(station), sp_buf_span(&d.issued)));
	ck_assert_int_eq(kills, 9);
	sp_timer_free(t);
	tear_down(&d);
}
END_TEST
#endif

START_TEST(an_identity_that_does_not_fit_together_is_said)
{
	struct directory d;
	struct member *broken = NULL;
	char other[200];

	set_up();
	directory_open(&d, SP_ROLE_KEYD);
	ck_status(enrol(token_of(&d, &d.authority, 0)), SP_OK);
	snprintf(other, sizeof(other), "%s", file("age.key"));
	ck_assert_int_eq(rename(other, file("letter.key")), 0);
	ck_assert_int_ne(member_open(loop, state_dir(), SP_ROLE_STATION, &broken, &why), SP_OK);
	ck_assert_str_ne(why.text, "");
	tear_down(&d);
}
END_TEST

UNIT_MAIN("member/member", ky01_an_invitation_makes_a_station, a_repeat_gets_the_same_certificate,
    another_invitation_means_other_keys, a_used_invitation_is_refused_in_plain_words,
    only_the_pinned_root_is_spoken_to,
    only_keyd_is_spoken_to, nobody_there_is_said_with_the_address, a_certificate_that_does_not_fit_is_not_taken,
    without_a_roster_it_is_enrolled_all_the_same, a_roster_adds_issuers_and_never_goes_back,
    ky02_names_are_looked_up_exactly, what_is_under_way_ends_with_the_station, one_enrolment_at_a_time,
#ifdef SP_FAULTS
    an_enrolment_survives_a_kill_at_every_file,
#endif
    an_identity_that_does_not_fit_together_is_said)
