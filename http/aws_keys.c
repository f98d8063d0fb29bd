/*
 * Finds key pairs where AWS's own tools look for them.
 */
#include "http/aws_keys.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

enum { FILE_MAX = 64 * 1024 };

static bool copy(char *out, size_t room, struct hg_str text)
{
    if (text.n >= room)
        return false;
    memcpy(out, text.p, text.n);
    out[text.n] = '\0';
    return true;
}

static bool take_setting(struct aws_keys *keys, struct hg_str name, struct hg_str value)
{
    if (hg_str_is(name, "aws_access_key_id"))
        return copy(keys->access_key, sizeof(keys->access_key), value);
    if (hg_str_is(name, "aws_secret_access_key"))
        return copy(keys->secret_key, sizeof(keys->secret_key), value);
    if (hg_str_is(name, "aws_session_token"))
        return copy(keys->session_token, sizeof(keys->session_token), value);
    return true;
}

bool aws_keys_of_profile(struct hg_str text, const char *profile, struct aws_keys *keys)
{
    struct hg_str line;
    bool is_ours = false, fits = true;

    memset(keys, 0, sizeof(*keys));
    while (hg_str_next(&text, '\n', &line)) {
        ptrdiff_t equals;

        line = hg_str_trim_ws(line);
        if (!line.n || line.p[0] == '#' || line.p[0] == ';')
            continue;
        if (line.p[0] == '[' && line.p[line.n - 1] == ']') {
            is_ours = hg_str_is(hg_str_trim(hg_str_n(line.p + 1, line.n - 2)), profile);
            continue;
        }
        equals = hg_str_find(line, '=');
        if (is_ours && equals > 0)
            fits &= take_setting(keys, hg_str_trim(hg_str_n(line.p, (size_t)equals)),
                                 hg_str_trim(hg_str_skip(line, (size_t)equals + 1)));
    }
    return fits && keys->access_key[0] && keys->secret_key[0];
}

static const char *environment(const char *name)
{
    const char *value = getenv(name);

    return value && *value ? value : NULL;
}

static bool take_environment(struct aws_keys *keys)
{
    const char *access_key = environment("AWS_ACCESS_KEY_ID");
    const char *secret_key = environment("AWS_SECRET_ACCESS_KEY");
    const char *token = environment("AWS_SESSION_TOKEN");

    return access_key && secret_key &&
           copy(keys->access_key, sizeof(keys->access_key), hg_str_of(access_key)) &&
           copy(keys->secret_key, sizeof(keys->secret_key), hg_str_of(secret_key)) &&
           copy(keys->session_token, sizeof(keys->session_token), hg_str_of(token ? token : ""));
}

/* The whole file, at most FILE_MAX bytes of it; false with errno. */
static bool read_file(const char *path, struct hg_buf *out)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t got = 0;
    char *room;

    if (fd < 0)
        return false;
    while (out->len < FILE_MAX && (room = hg_buf_reserve(out, FILE_MAX - out->len))) {
        got = read(fd, room, FILE_MAX - out->len);
        if (got <= 0)
            break;
        hg_buf_commit(out, (size_t)got);
    }
    (void)close(fd); /* read only */
    return got >= 0;
}

static bool take_file(struct aws_keys *keys, char why[AWS_KEYS_WHY_MAX])
{
    const char *given = environment("AWS_SHARED_CREDENTIALS_FILE");
    const char *home = environment("HOME");
    const char *profile = environment("AWS_PROFILE");
    char path[PATH_MAX];
    struct hg_buf text;
    bool is_found = false;

    if (!profile)
        profile = "default";
    (void)snprintf(path, sizeof(path), "%s%s",
                   given  ? given
                   : home ? home
                          : "",
                   given ? "" : "/.aws/credentials");
    hg_buf_init(&text, FILE_MAX);
    if (!read_file(path, &text))
        (void)snprintf(why, AWS_KEYS_WHY_MAX,
                       "no AWS credentials: AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY are not "
                       "set, and %.60s: %.40s",
                       given ? path : "~/.aws/credentials", strerror(errno));
    else if (!(is_found = aws_keys_of_profile(hg_buf_str(&text), profile, keys)))
        (void)snprintf(why, AWS_KEYS_WHY_MAX,
                       "no AWS credentials: AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY are not "
                       "set, and %.60s has no keys for profile %.40s",
                       given ? path : "~/.aws/credentials", profile);
    if (text.base)
        explicit_bzero(text.base, text.cap);
    hg_buf_fini(&text);
    return is_found;
}

bool aws_keys_find(struct aws_keys *keys, char why[AWS_KEYS_WHY_MAX])
{
    memset(keys, 0, sizeof(*keys));
    return take_environment(keys) || take_file(keys, why);
}

struct hg_sigv4_credentials aws_keys_credentials(const struct aws_keys *keys)
{
    return (struct hg_sigv4_credentials){
        .access_key = hg_str_of(keys->access_key),
        .secret_key = hg_str_of(keys->secret_key),
        .session_token = hg_str_of(keys->session_token),
    };
}
