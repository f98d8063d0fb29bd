/*
 * What the fields of a struct of the model are, said once: copying into one
 * block of memory, comparing, and the store's JSON document all read the same
 * table. Used by config/function.c, config/family*.c and config/event_config.c.
 *
 * A field that has its table's fallback value (0, "", false, or -1 where the
 * table says so) is left out of documents.
 */
#ifndef HG_CONFIG_FIELDS_H
#define HG_CONFIG_FIELDS_H

#include "core/arena.h"
#include "core/json_scan.h"
#include "core/json_write.h"
#include "core/rc.h"

enum hg_field_kind {
    HG_FIELD_STR,
    HG_FIELD_STRS, /* struct hg_str *, with its count; several may share one count, and each may be NULL */
    HG_FIELD_PAIRS, /* struct hg_kv_list */
    HG_FIELD_BOOL,
    HG_FIELD_INT,
    HG_FIELD_UNSIGNED,
    HG_FIELD_I64,
    HG_FIELD_U64,
    HG_FIELD_DOUBLE,
    HG_FIELD_PART, /* a struct inside, by its own table */
    HG_FIELD_LIST, /* an array of structs, with its count */
};

struct hg_fields;

struct hg_field {
    struct hg_str key; /* in quotes and with a colon: "\"n\":" */
    enum hg_field_kind kind;
    bool is_same; /* counts for fields_are_same */
    size_t offset;
    size_t count_offset;          /* STRS, LIST */
    const struct hg_fields *type; /* PART, LIST */
    int64_t fallback;             /* of numbers */
};

struct hg_fields {
    const struct hg_field *items;
    size_t count;
    size_t size; /* of the struct */
};

/* Memory for the copy of everything that a struct points to. */
struct hg_fields_room {
    size_t arrays, texts;
};
struct hg_fields_memory {
    char *arrays; /* aligned for any type */
    char *texts;
};

/* Adds to room. */
void fields_measure(const struct hg_fields *type, const void *from, struct hg_fields_room *room);
/* Makes `to`, a bitwise copy of `from`, the owner of copies in memory, which is used up. Texts are terminated; none has p == NULL. */
void fields_own(const struct hg_fields *type, void *to, struct hg_fields_memory *memory);
/* Both, for count structs from items, in an arena. NULL for none. */
void *fields_copy_all(const struct hg_fields *type, const void *items, size_t count,
                      struct hg_arena *arena);

bool fields_are_same(const struct hg_fields *type, const void *a, const void *b);

void fields_write(struct hg_json *json, const struct hg_fields *type, const void *from);
/* Fills the struct; what the document does not have gets its fallback. False when it is no such document. Texts in arena. */
bool fields_read(struct hg_arena *arena, const struct hg_fields *type, struct hg_json_value value,
                 void *to) hg_must_use;

#endif
