/*
 * Forms of the query protocol.
 */
#include "api/query_form.h"

#include "core/buf.h"
#include "core/uri.h"

#include <stdio.h>

/* The decoded text at *room, which has space for the whole form: decoding never makes longer. */
static struct hg_str decode(struct hg_buf *room, struct hg_str text)
{
    size_t start = room->len;

    hg_uri_decode_form(room, text);
    return hg_str_n(hg_buf_str(room).p + start, room->len - start);
}

static void free_room(void *ptr)
{
    hg_buf_fini(ptr);
}

bool form_parse(struct hg_arena *arena, struct hg_str text, struct query_form *form)
{
    struct hg_str rest = text, part;
    struct hg_buf *room;
    size_t count = 0;

    *form = (struct query_form){NULL, 0};
    while (hg_str_next(&rest, '&', &part))
        count += part.n > 0;
    if (!count)
        return true;
    form->fields =
        count <= QUERY_FIELDS_MAX ? hg_arena_alloc(arena, count * sizeof(*form->fields)) : NULL;
    if (!form->fields)
        return false;
    room = hg_arena_must(arena, sizeof(*room));
    hg_buf_init(room, text.n);
    hg_arena_defer(arena, free_room, room);
    /* All of it at once: fields point into it. */
    hg_assert(hg_buf_reserve(room, text.n));
    while (hg_str_next(&text, '&', &part)) {
        ptrdiff_t equals = hg_str_find(part, '=');
        struct query_field *field = &form->fields[form->count];

        if (!part.n)
            continue;
        field->name = decode(room, equals < 0 ? part : hg_str_n(part.p, (size_t)equals));
        field->value =
            equals < 0 ? HG_STR("") : decode(room, hg_str_skip(part, (size_t)equals + 1));
        form->count++;
    }
    return true;
}

struct hg_str form_get(const struct query_form *form, const char *name)
{
    for (size_t i = 0; i < form->count; i++)
        if (hg_str_is(form->fields[i].name, name))
            return form->fields[i].value;
    return hg_str_n(NULL, 0);
}

struct hg_str form_member(const struct query_form *form, const char *list, unsigned number,
                          const char *field)
{
    char name[160];

    (void)snprintf(name, sizeof(name), "%s.member.%u%s%s", list, number, field ? "." : "",
                   field ? field : "");
    return form_get(form, name);
}
