/*
 * What single settings may say, beyond their type.
 */
#include "config/settings_value.h"

#include <sys/stat.h>
#include <unistd.h>

static bool is_lower(char c)
{
    return c >= 'a' && c <= 'z';
}

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static bool is_letter(char c)
{
    return is_lower(c) || (c >= 'A' && c <= 'Z');
}

bool check_account(struct hg_str text, struct hg_error *err)
{
    size_t digits = 0;

    while (digits < text.n && is_digit(text.p[digits]))
        digits++;
    if (digits == 12 && text.n == 12)
        return true;
    (void)hg_error_set(err, HG_E_INVALID,
                       "'%.*s' is not an account number of 12 digits (in a file, put it in quotes)",
                       HG_STR_ARG(text));
    return false;
}

/* us-east-1, us-gov-west-1: small words and a number, between dashes. */
bool check_region(struct hg_str text, struct hg_error *err)
{
    struct hg_str rest = text, part;
    unsigned words = 0, numbers = 0;
    bool is_good = true;

    while (is_good && hg_str_next(&rest, '-', &part)) {
        size_t letters = 0, digits = 0;

        for (size_t i = 0; i < part.n; i++) {
            letters += is_lower(part.p[i]);
            digits += is_digit(part.p[i]);
        }
        is_good = part.n && numbers == 0 && (letters == part.n || (digits == part.n && words >= 2));
        words += letters == part.n;
        numbers += digits == part.n;
    }
    if (is_good && numbers == 1)
        return true;
    (void)hg_error_set(err, HG_E_INVALID, "'%.*s' is not a region such as us-east-1",
                       HG_STR_ARG(text));
    return false;
}

bool check_stack_name(struct hg_str text, struct hg_error *err)
{
    bool is_good = is_letter(text.p[0]) && text.n <= 128;

    for (size_t i = 0; i < text.n; i++)
        is_good = is_good && (is_letter(text.p[i]) || is_digit(text.p[i]) || text.p[i] == '-');
    if (!is_good)
        (void)hg_error_set(
            err, HG_E_INVALID,
            "'%.*s' is not a stack name: a letter, then letters, digits and dashes, at most 128",
            HG_STR_ARG(text));
    return is_good;
}

/* HOST[:PORT]; an IPv6 address stands in brackets. */
static bool check_queue_host(struct hg_str host, struct hg_error *err)
{
    size_t colon = host.n;
    uint64_t port;

    while (colon > 0 && host.p[colon - 1] != ':' && host.p[colon - 1] != ']')
        colon--;
    if (colon > 0 && host.p[colon - 1] == ']')
        colon = 0; /* no port behind the brackets */
    if (!host.n || colon == 1) {
        (void)hg_error_set(err, HG_E_INVALID, "the URI names no host");
        return false;
    }
    if (colon && (!hg_str_u64(hg_str_skip(host, colon), 65535, &port) || port == 0)) {
        (void)hg_error_set(err, HG_E_INVALID, "the port of '%.*s' is not one of 1 to 65535",
                           HG_STR_ARG(host));
        return false;
    }
    return true;
}

/* The hosts behind an optional USER:PASSWORD@; which of them there are is the engine's to find out. */
static bool check_queue_hosts(struct hg_str rest, struct hg_error *err)
{
    size_t end = 0, at;
    struct hg_str hosts, host;

    while (end < rest.n && rest.p[end] != '/' && rest.p[end] != '?')
        end++;
    for (at = end; at > 0 && rest.p[at - 1] != '@';)
        at--;
    hosts = hg_str_n(rest.p + at, end - at);
    if (!hosts.n)
        return check_queue_host(hosts, err);
    while (hg_str_next(&hosts, ',', &host))
        if (!check_queue_host(host, err))
            return false;
    return true;
}

/* The form only. A URI may hold a password: no sentence shows it whole. */
bool check_queue(struct hg_str text, struct hg_error *err)
{
    static const char *const schemes[] = {"redis://", "rediss://", "kafka://"};
    size_t word = 0;

    if (hg_str_is(text, "embedded:"))
        return true;
    for (size_t i = 0; i < text.n; i++)
        if ((unsigned char)text.p[i] <= ' ' || text.p[i] == 0x7f) {
            (void)hg_error_set(err, HG_E_INVALID, "there is a blank or control character in it");
            return false;
        }
    for (size_t i = 0; i < HG_COUNT(schemes); i++)
        if (hg_str_starts(text, hg_str_of(schemes[i])))
            return check_queue_hosts(hg_str_skip(text, strlen(schemes[i])), err);
    while (word < text.n && (is_letter(text.p[word]) || is_digit(text.p[word])))
        word++;
    (void)hg_error_set(err, HG_E_INVALID,
                       "'%.*s' is not a queue engine; use embedded:, redis://HOST:PORT, "
                       "rediss://HOST:PORT or kafka://HOST:PORT,HOST:PORT",
                       (int)word, text.p);
    return false;
}

bool check_queue_option(struct hg_str text, struct hg_error *err)
{
    static const char *const prefixes[] = {"kafka.", "redis."};
    ptrdiff_t equals = hg_str_find(text, '=');
    struct hg_str key = hg_str_n(text.p, equals < 0 ? text.n : (size_t)equals);

    if (equals < 1)
        return true; /* said where pairs are read */
    for (size_t i = 0; i < HG_COUNT(prefixes); i++)
        if (hg_str_starts(key, hg_str_of(prefixes[i])) && key.n > strlen(prefixes[i]))
            return true;
    (void)hg_error_set(err, HG_E_INVALID,
                       "'%.*s' is not an option of an engine: kafka.NAME or redis.NAME, such as "
                       "kafka.security.protocol=SASL_SSL",
                       HG_STR_ARG(key));
    return false;
}

bool check_isolation(struct hg_str text, struct hg_error *err)
{
    if (!hg_str_is(text, "sandbox"))
        return true;
    (void)hg_error_set(err, HG_E_UNSUPPORTED,
                       "sandbox is not available yet in this version; use auto, process or none");
    return false;
}

bool check_watch(struct hg_str text, struct hg_error *err)
{
    if (!hg_str_is_nocase(text, "true") && !hg_str_is_nocase(text, "yes") &&
        !hg_str_is_nocase(text, "on") && !hg_str_is(text, "1"))
        return true;
    (void)hg_error_set(err, HG_E_UNSUPPORTED,
                       "reloading on change is not available yet in this version; restart instead");
    return false;
}

bool check_runtime(struct hg_str text, struct hg_error *err)
{
    ptrdiff_t equals = hg_str_find(text, '=');
    char path[4096];
    struct stat st;
    size_t length;

    if (equals < 1)
        return true; /* said where pairs are read */
    length = text.n - (size_t)equals - 1;
    if (length == 0 || text.p[equals + 1] != '/' || length >= sizeof(path)) {
        (void)hg_error_set(
            err, HG_E_INVALID,
            "'%.*s' needs the absolute path of an interpreter: python3.12=/usr/bin/python3",
            HG_STR_ARG(text));
        return false;
    }
    memcpy(path, text.p + equals + 1, length);
    path[length] = '\0';
    if (stat(path, &st) == 0 && S_ISREG(st.st_mode) && access(path, X_OK) == 0)
        return true;
    (void)hg_error_set(err, HG_E_INVALID, "there is no program %s", path);
    return false;
}

bool check_parameter(struct hg_str text, struct hg_error *err)
{
    ptrdiff_t equals = hg_str_find(text, '=');

    for (ptrdiff_t i = 0; i < equals; i++)
        if (!is_letter(text.p[i]) && !is_digit(text.p[i])) {
            (void)hg_error_set(err, HG_E_INVALID,
                               "'%.*s' is not a parameter's name: letters and digits only",
                               (int)equals, text.p);
            return false;
        }
    return true;
}

/* Its text holds a secret: no sentence shows it. */
bool check_access_key(struct hg_str text, struct hg_error *err)
{
    struct hg_access_key key;

    return access_key_split(text, &key, err) == HG_OK;
}

/* The form only; a URL may hold a password: no sentence shows it. */
bool check_aws_endpoint(struct hg_str text, struct hg_error *err)
{
    ptrdiff_t equals = hg_str_find(text, '=');
    struct hg_str url = text, name = HG_STR("");

    if (!hg_str_starts(text, HG_STR("http")) && equals > 0) {
        name = hg_str_n(text.p, (size_t)equals);
        url = hg_str_skip(text, (size_t)equals + 1);
    }
    for (size_t i = 0; i < name.n; i++)
        if (!is_letter(name.p[i]) && !is_digit(name.p[i]) && name.p[i] != '-' && name.p[i] != '_') {
            (void)hg_error_set(err, HG_E_INVALID,
                               "'%.*s' is not a service such as s3, sqs, sns or events",
                               HG_STR_ARG(name));
            return false;
        }
    if (hg_str_starts(url, HG_STR("http://")) || hg_str_starts(url, HG_STR("https://")))
        return true;
    (void)hg_error_set(err, HG_E_INVALID,
                       "it is not [SERVICE=]URL with http:// or https://, such as "
                       "s3=http://127.0.0.1:9000");
    return false;
}
