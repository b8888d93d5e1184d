/*
 * api.c - requests by libcurl, answers by jansson, errors in plain words.
 */
#include "peerd/cli/api.h"

#include <curl/curl.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/un.h>
#include <time.h>

#include "peerd/cli/print.h"

#define ANSWER_MAX (64 * 1024 * 1024)
#define SOCKET_PATH_MAX (sizeof(((struct sockaddr_un *)0)->sun_path) - 1)
#define BUSY_TRIES 20
#define BUSY_REST_MS 250

static size_t
collect(char *bytes, size_t size, size_t count, void *arg)
{
	struct sp_buf *b = arg;

	sp_buf_add(b, bytes, size * count);
	return sp_buf_status(b) == SP_OK ? size * count : 0;
}

/* curl asks now and then, and whenever a signal wakes it. */
static int
shall_stop(void *arg, curl_off_t a, curl_off_t b, curl_off_t c, curl_off_t d)
{
	(void)arg, (void)a, (void)b, (void)c, (void)d;
	return cli_interrupted != 0;
}

void
api_escape(struct sp_buf *out, const char *text)
{
	for (const unsigned char *p = (const unsigned char *)text; *p != 0; p++)
		if ((*p >= 'a' && *p <= 'z') || (*p >= 'A' && *p <= 'Z') || (*p >= '0' && *p <= '9') ||
		    strchr("-._~@/", *p) != NULL)
			sp_buf_add_u8(out, *p);
		else
			sp_buf_addf(out, "%%%02X", *p);
}

const char *
api_text(const json_t *object, const char *name, const char *otherwise)
{
	const json_t *v = json_object_get(object, name);

	return json_is_string(v) ? json_string_value(v) : otherwise;
}

unsigned long long
api_number(const json_t *object, const char *name)
{
	const json_t *v = json_object_get(object, name);

	return json_is_integer(v) && json_integer_value(v) > 0 ? (unsigned long long)json_integer_value(v) : 0;
}

const char *
api_direction(const json_t *event)
{
	const char *kind = api_text(event, "kind", "");

	return strcmp(kind, "send") == 0 ? "to" : strcmp(kind, "receive") == 0 ? "from" : kind;
}

bool
api_true(const json_t *object, const char *name)
{
	return json_is_true(json_object_get(object, name));
}

void
api_print(const json_t *object)
{
	char *text = json_dumps(object, JSON_COMPACT);

	if (text != NULL)
		puts(text);
	free(text);
	fflush(stdout);
}

void
api_print_take(json_t *object)
{
	if (object != NULL)
		api_print(object);
	json_decref(object);
}

static int
say_not_running(struct cli *cli)
{
	SP_AUTO_DONE(sp_buf) path = { 0 };
	SP_AUTO_DONE(sp_buf) advice = { 0 };

	sp_buf_addf(&path, "%s/control", cli->home);
	if (path.len > SOCKET_PATH_MAX) {
		cli_fail(cli, SP_E_CONNECT, "choose a shorter folder for --home",
		    "%s is longer than the path of a socket can be",
		    sp_buf_cstr(&path));
		return CLI_NO_PEERD;
	}
	if (access(sp_buf_cstr(&path), W_OK) != 0 && errno == EACCES) {
		cli_fail(cli, SP_E_CONNECT, "use your own station: leave --home out, or name your own folder",
		    "%s belongs to another user", cli->home);
		return CLI_NO_PEERD;
	}
	sp_buf_add_text(&advice, "start it: peerd");
	if (cli->home_given) {
		sp_buf_add_text(&advice, " --home ");
		print_word(&advice, cli->home);
	}
	sp_buf_add_text(&advice, " &");
	cli_fail(cli, SP_E_CONNECT, sp_buf_cstr(&advice), "peerd is not running for %s", cli->home);
	return CLI_NO_PEERD;
}

static int
say_error(struct cli *cli, const json_t *error)
{
	unsigned long long number = api_number(error, "number");
	enum sp_status st = number > 0 && number <= INT16_MAX ? (enum sp_status)number : SP_E_REPLY;

	return cli_fail(cli, st, api_text(error, "advice", NULL), "%s", api_text(error, "text",
	    "peerd gave no reason"));
}

int
api_say(struct cli *cli, enum api_end end, const json_t *error)
{
	switch (end) {
	case API_ANSWER:
	case API_STOPPED:
		break;
	case API_ERROR:
		return say_error(cli, error);
	case API_GONE:
		return cli->home != NULL ? say_not_running(cli) : cli_fail(cli, SP_E_CONFIG,
		    "name the station's folder: --home DIR",
		    "there is no home: neither XDG_DATA_HOME nor HOME is set");
	case API_SILENT:
		return cli_fail(cli, SP_E_TIMEOUT, "what was asked may still happen: sealpost log shows it",
		    "peerd does not answer in time");
	case API_NONSENSE:
		return cli_fail(cli, SP_E_REPLY, "are peerd and sealpost of the same version? sealpost status tells",
		    "peerd's answer makes no sense");
	}
	return CLI_FAILED;
}

static enum api_end
read_answer(struct sp_buf *text, long http, json_t **ret_answer)
{
	json_error_t error;
	json_t *answer = json_loadb((const char *)sp_buf_cstr(text), text->len, JSON_REJECT_DUPLICATES, &error), *why;

	if (json_is_object(answer) && http == 200) {
		*ret_answer = answer;
		return API_ANSWER;
	}
	why = json_incref(json_object_get(answer, "error"));
	json_decref(answer);
	if (json_is_object(why)) {
		*ret_answer = why;
		return API_ERROR;
	}
	json_decref(why);
	return API_NONSENSE;
}

static CURLcode
set_up(CURL *curl, const struct sp_buf *socket_path, const struct sp_buf *url, const char *method, const char *text,
    long timeout_s, struct curl_slist *headers, struct sp_buf *answer)
{
	curl_easy_setopt(curl, CURLOPT_UNIX_SOCKET_PATH, (const char *)socket_path->data);
	curl_easy_setopt(curl, CURLOPT_URL, (const char *)url->data);
	curl_easy_setopt(curl, CURLOPT_PATH_AS_IS, 1L);
	curl_easy_setopt(curl, CURLOPT_PROXY, "");
	curl_easy_setopt(curl, CURLOPT_NOPROXY, "*");
	curl_easy_setopt(curl, CURLOPT_CUSTOMREQUEST, method);
	curl_easy_setopt(curl, CURLOPT_HTTPHEADER, headers);
	curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, collect);
	curl_easy_setopt(curl, CURLOPT_WRITEDATA, answer);
	curl_easy_setopt(curl, CURLOPT_XFERINFOFUNCTION, shall_stop);
	curl_easy_setopt(curl, CURLOPT_NOPROGRESS, 0L);
	curl_easy_setopt(curl, CURLOPT_TIMEOUT, timeout_s);
	curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
	if (text != NULL)
		curl_easy_setopt(curl, CURLOPT_POSTFIELDS, text);
	return curl_easy_perform(curl);
}

enum api_end
api_try(struct cli *cli, const char *method, const char *path, json_t *body, long timeout_s, json_t **ret_answer)
{
	SP_AUTO_DONE(sp_buf) answer = { .max = ANSWER_MAX };
	SP_AUTO_DONE(sp_buf) socket_path = { 0 };
	SP_AUTO_DONE(sp_buf) url = { 0 };
	SP_AUTO_MEM char *text = body != NULL ? json_dumps(body, JSON_COMPACT) : NULL;
	struct curl_slist *headers = curl_slist_append(NULL, "Content-Type: application/json");
	CURL *curl = curl_easy_init();
	CURLcode code = CURLE_OUT_OF_MEMORY;
	long http = 0;

	json_decref(body);
	sp_buf_addf(&socket_path, "%s/control", cli->home != NULL ? cli->home : "");
	sp_buf_addf(&url, "http://peerd%s", path);
	sp_buf_cstr(&socket_path);
	sp_buf_cstr(&url);
	if (cli->home == NULL || socket_path.len > SOCKET_PATH_MAX)
		code = CURLE_COULDNT_CONNECT;
	else if (curl != NULL && sp_buf_status(&socket_path) == SP_OK && sp_buf_status(&url) == SP_OK)
		code = set_up(curl, &socket_path, &url, method, text, timeout_s, headers, &answer);
	if (curl != NULL)
		curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &http);
	curl_easy_cleanup(curl);
	curl_slist_free_all(headers);
	if (cli_interrupted)
		return API_STOPPED;
	switch (code) {
	case CURLE_OK:
		return read_answer(&answer, http, ret_answer);
	case CURLE_OPERATION_TIMEDOUT:
		return API_SILENT;
	case CURLE_COULDNT_CONNECT:
	case CURLE_SEND_ERROR:
	case CURLE_RECV_ERROR:
	case CURLE_GOT_NOTHING:
	case CURLE_PARTIAL_FILE:
		return API_GONE;
	default:
		return API_NONSENSE;
	}
}

bool
api_passes(const json_t *error)
{
	unsigned long long number = api_number(error, "number");

	return number == SP_E_BUSY || number == SP_E_FULL;
}

int
api_ask(struct cli *cli, const char *method, const char *path, json_t *body, long timeout_s, json_t **ret_answer)
{
	const struct timespec rest = { .tv_nsec = BUSY_REST_MS * 1000000L };
	json_t *answer = NULL;
	enum api_end end = API_GONE;
	int status;

	for (int i = 0; i < BUSY_TRIES; i++) {
		end = api_try(cli, method, path, json_incref(body), timeout_s, &answer);
		if (end != API_ERROR || !api_passes(answer) || i + 1 == BUSY_TRIES)
			break;
		json_decref(answer);
		nanosleep(&rest, NULL);
	}
	json_decref(body);
	if (end == API_ANSWER) {
		*ret_answer = answer;
		return CLI_DONE;
	}
	status = api_say(cli, end, end == API_ERROR ? answer : NULL);
	if (end == API_ERROR)
		json_decref(answer);
	return status;
}
