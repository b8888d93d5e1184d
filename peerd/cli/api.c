/*
 * api.c - requests by libcurl, answers by jansson, errors in plain words.
 */
#include "peerd/cli/api.h"

#include <curl/curl.h>
#include <stdio.h>
#include <string.h>

#include "common/base/status.h"

#define ANSWER_MAX (64 * 1024 * 1024)

static size_t
collect(char *bytes, size_t size, size_t count, void *arg)
{
	struct sp_buf *b = arg;

	sp_buf_add(b, bytes, size * count);
	return sp_buf_status(b) == SP_OK ? size * count : 0;
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

long long
api_number(const json_t *object, const char *name)
{
	const json_t *v = json_object_get(object, name);

	return json_is_integer(v) ? json_integer_value(v) : 0;
}

void
api_print(const json_t *object)
{
	char *text = json_dumps(object, JSON_COMPACT);

	if (text != NULL)
		puts(text);
	free(text);
}

int
api_say_error(const json_t *error)
{
	long long number = api_number(error, "number");
	const char *advice = api_text(error, "advice", "");

	fprintf(stderr, "sealpost: %s\n", api_text(error, "text", "peerd gave no reason"));
	if (advice[0] != 0)
		fprintf(stderr, "  %s\n", advice);
	if (number == SP_E_CREDITS)
		return CLI_CREDITS;
	return number == SP_E_REFUSED || number == SP_E_NOTINBOOK ? CLI_REFUSED : CLI_FAILED;
}

static int
not_running(const struct cli *cli, const char *socket_path)
{
	if (access(socket_path, F_OK) == 0 && access(socket_path, W_OK) != 0)
		fprintf(stderr, "sealpost: %s belongs to another user\n", socket_path);
	else
		fprintf(stderr, "sealpost: peerd is not running for %s\n"
		    "  start it: systemctl --user start sealpost-peerd, or peerd --home %s &\n", cli->home, cli->home);
	return CLI_NO_PEERD;
}

static int
read_answer(struct sp_buf *text, long http, json_t **ret_answer)
{
	json_error_t error;
	json_t *answer = json_loadb((const char *)text->data, text->len, JSON_REJECT_DUPLICATES, &error);

	if (!json_is_object(answer)) {
		json_decref(answer);
		fprintf(stderr, "sealpost: peerd's answer makes no sense (HTTP status %ld)\n", http);
		return CLI_FAILED;
	}
	if (http != 200) {
		int status = api_say_error(json_object_get(answer, "error"));

		json_decref(answer);
		return status;
	}
	*ret_answer = answer;
	return CLI_DONE;
}

int
api_ask(struct cli *cli, const char *method, const char *path, json_t *body, long timeout_s, json_t **ret_answer)
{
	SP_AUTO_DONE(sp_buf) answer = { .max = ANSWER_MAX };
	SP_AUTO_DONE(sp_buf) socket_path = { 0 };
	SP_AUTO_DONE(sp_buf) url = { 0 };
	char *text = body != NULL ? json_dumps(body, JSON_COMPACT) : NULL;
	CURL *curl = curl_easy_init();
	CURLcode code = CURLE_OUT_OF_MEMORY;
	long http = 0;

	sp_buf_addf(&socket_path, "%s/control", cli->home);
	sp_buf_addf(&url, "http://peerd%s", path);
	if (curl != NULL) {
		curl_easy_setopt(curl, CURLOPT_UNIX_SOCKET_PATH, sp_buf_cstr(&socket_path));
		curl_easy_setopt(curl, CURLOPT_URL, sp_buf_cstr(&url));
		curl_easy_setopt(curl, CURLOPT_CUSTOMREQUEST, method);
		curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, collect);
		curl_easy_setopt(curl, CURLOPT_WRITEDATA, &answer);
		curl_easy_setopt(curl, CURLOPT_TIMEOUT, timeout_s);
		curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
		if (text != NULL)
			curl_easy_setopt(curl, CURLOPT_POSTFIELDS, text);
		code = curl_easy_perform(curl);
		curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &http);
	}
	curl_easy_cleanup(curl);
	free(text);
	json_decref(body);
	if (code == CURLE_OK)
		return read_answer(&answer, http, ret_answer);
	if (code == CURLE_COULDNT_CONNECT)
		return not_running(cli, sp_buf_cstr(&socket_path));
	fprintf(stderr, "sealpost: peerd does not answer: %s\n", curl_easy_strerror(code));
	return code == CURLE_OPERATION_TIMEDOUT ? CLI_FAILED : CLI_NO_PEERD;
}
