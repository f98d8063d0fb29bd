/*
 * Reads key pairs.
 */
#include "config/access_keys.h"

#include "core/buf.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

static bool is_id(struct hg_str text)
{
    for (size_t i = 0; i < text.n; i++) {
        char c = text.p[i];

        if (!((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
              c == '_' || c == '-' || c == '.'))
            return false;
    }
    return text.n && text.n <= HG_ACCESS_KEY_ID_MAX;
}

static bool is_secret(struct hg_str text)
{
    for (size_t i = 0; i < text.n; i++)
        if (text.p[i] <= ' ' || text.p[i] > '~')
            return false;
    return text.n && text.n <= HG_ACCESS_SECRET_MAX;
}

static enum hg_rc check(const struct hg_access_key *key, struct hg_error *err)
{
    if (!is_id(key->id))
        return hg_error_set(err, HG_E_INVALID,
                            "the id must be 1 to %d letters, digits, '_', '-' or '.'",
                            HG_ACCESS_KEY_ID_MAX);
    if (!is_secret(key->secret))
        return hg_error_set(
            err, HG_E_INVALID,
            "the secret of %.*s must be 1 to %d printable characters without blanks",
            HG_STR_ARG(key->id), HG_ACCESS_SECRET_MAX);
    return HG_OK;
}

enum hg_rc access_key_split(struct hg_str text, struct hg_access_key *key, struct hg_error *err)
{
    ptrdiff_t colon = hg_str_find(text, ':');

    if (colon < 0)
        return hg_error_set(err, HG_E_INVALID, "it is not ID:SECRET, there is no ':' in it");
    key->id = hg_str_n(text.p, (size_t)colon);
    key->secret = hg_str_skip(text, (size_t)colon + 1);
    return check(key, err);
}

enum hg_rc access_keys_add(struct hg_access_keys *keys, struct hg_arena *arena,
                           struct hg_access_key key, struct hg_error *err)
{
    for (size_t i = 0; i < keys->count; i++) {
        if (!hg_str_eq(keys->items[i].id, key.id))
            continue;
        if (hg_str_eq(keys->items[i].secret, key.secret))
            return HG_OK;
        return hg_error_set(err, HG_E_INVALID, "%.*s is given twice, with different secrets",
                            HG_STR_ARG(key.id));
    }
    if (keys->count == HG_ACCESS_KEYS_MAX)
        return hg_error_set(err, HG_E_INVALID, "there are more than %d key pairs",
                            HG_ACCESS_KEYS_MAX);
    if (!keys->items)
        keys->items = hg_arena_must(arena, HG_ACCESS_KEYS_MAX * sizeof(*keys->items));
    keys->items[keys->count++] =
        (struct hg_access_key){hg_arena_str(arena, key.id), hg_arena_str(arena, key.secret)};
    return HG_OK;
}

/* What a file is being read into; a profile's pair is complete when both its lines have come. */
struct reading {
    struct hg_access_keys *keys;
    struct hg_arena *arena;
    struct hg_access_key profile;
    unsigned line, profile_line;
};

static enum hg_rc add_checked(struct reading *reading, struct hg_access_key key,
                              struct hg_error *err)
{
    enum hg_rc rc = check(&key, err);

    return rc == HG_OK ? access_keys_add(reading->keys, reading->arena, key, err) : rc;
}

static enum hg_rc end_profile(struct reading *reading, struct hg_error *err)
{
    struct hg_access_key key = reading->profile;

    reading->profile = (struct hg_access_key){{NULL, 0}, {NULL, 0}};
    if (!key.id.p && !key.secret.p)
        return HG_OK;
    reading->line = reading->profile_line;
    if (!key.id.p || !key.secret.p)
        return hg_error_set(err, HG_E_INVALID,
                            "a profile has one of aws_access_key_id and aws_secret_access_key "
                            "without the other");
    return add_checked(reading, key, err);
}

/* name = value of a profile; names that say nothing of keys (region, output) are passed over. */
static enum hg_rc read_profile_line(struct reading *reading, struct hg_str name,
                                    struct hg_str value)
{
    struct hg_str *field = hg_str_is(name, "aws_access_key_id")       ? &reading->profile.id
                           : hg_str_is(name, "aws_secret_access_key") ? &reading->profile.secret
                                                                      : NULL;

    if (field) {
        *field = value;
        reading->profile_line = reading->line;
    }
    return HG_OK;
}

static enum hg_rc read_line(struct reading *reading, struct hg_str line, struct hg_error *err)
{
    ptrdiff_t equals = hg_str_find(line, '='), colon = hg_str_find(line, ':');
    struct hg_access_key key;
    enum hg_rc rc;

    if (line.p[0] == '[' && line.p[line.n - 1] == ']')
        return end_profile(reading, err);
    /* A secret may hold '=', an id cannot. */
    if (equals > 0 && (colon < 0 || equals < colon))
        return read_profile_line(reading, hg_str_trim(hg_str_n(line.p, (size_t)equals)),
                                 hg_str_trim(hg_str_skip(line, (size_t)equals + 1)));
    rc = access_key_split(line, &key, err);
    return rc == HG_OK ? access_keys_add(reading->keys, reading->arena, key, err) : rc;
}

enum hg_rc access_keys_read(struct hg_access_keys *keys, struct hg_arena *arena, struct hg_str text,
                            struct hg_error *err)
{
    struct reading reading = {.keys = keys, .arena = arena};
    size_t before = keys->count;
    struct hg_str line;
    enum hg_rc rc = HG_OK;

    while (rc == HG_OK && hg_str_next(&text, '\n', &line)) {
        reading.line++;
        line = hg_str_trim_ws(line);
        if (line.n && line.p[0] != '#' && line.p[0] != ';')
            rc = read_line(&reading, line, err);
    }
    if (rc == HG_OK)
        rc = end_profile(&reading, err);
    if (rc != HG_OK)
        hg_error_prefix(err, "line %u", reading.line);
    else if (keys->count == before && !before)
        rc = hg_error_set(err, HG_E_INVALID, "there is no key pair in it");
    return rc;
}

enum hg_rc access_keys_load(struct hg_access_keys *keys, struct hg_arena *arena, const char *path,
                            struct hg_error *err)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    struct hg_buf text;
    ssize_t got = 0;
    char *room;
    enum hg_rc rc;

    if (fd < 0)
        return hg_error_set(err, HG_E_INVALID, "%s: %s", path, strerror(errno));
    hg_buf_init(&text, HG_ACCESS_KEY_FILE_MAX);
    while ((room = hg_buf_reserve(&text, 4096)) && (got = read(fd, room, 4096)) > 0)
        hg_buf_commit(&text, (size_t)got);
    if (got < 0)
        rc = hg_error_set(err, HG_E_INVALID, "%s: %s", path, strerror(errno));
    else if (!room)
        rc =
            hg_error_set(err, HG_E_INVALID, "%s: more than %d bytes", path, HG_ACCESS_KEY_FILE_MAX);
    else if ((rc = access_keys_read(keys, arena, hg_buf_str(&text), err)) != HG_OK)
        hg_error_prefix(err, "%s", path);
    (void)close(fd); /* read only */
    if (text.base)
        explicit_bzero(text.base, text.cap);
    hg_buf_fini(&text);
    return rc;
}
