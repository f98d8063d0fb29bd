/*
 * Writes JSON straight into a buffer, with no tree in between. Commas are put
 * by the writer; closing what was opened is the caller's duty.
 */
#ifndef HG_CORE_JSON_WRITE_H
#define HG_CORE_JSON_WRITE_H

#include "core/buf.h"

struct hg_json {
    struct hg_buf *out;
    bool wants_comma;
};

static inline struct hg_json hg_json_to(struct hg_buf *out)
{
    return (struct hg_json){.out = out};
}

void hg_json_begin_object(struct hg_json *json);
void hg_json_end_object(struct hg_json *json);
void hg_json_begin_array(struct hg_json *json);
void hg_json_end_array(struct hg_json *json);
/* The key of the next value. */
void hg_json_key(struct hg_json *json, struct hg_str key);
/* A literal of the program that needs no escaping. */
#define hg_json_key_lit(json, literal) hg_json_key_raw((json), HG_STR("\"" literal "\":"))
void hg_json_key_raw(struct hg_json *json, struct hg_str quoted_key_and_colon);

/* Escapes what JSON requires; bytes that are not valid UTF-8 become U+FFFD. */
void hg_json_str(struct hg_json *json, struct hg_str text);
void hg_json_cstr(struct hg_json *json, const char *text); /* NULL writes null */
void hg_json_i64(struct hg_json *json, int64_t value);
void hg_json_u64(struct hg_json *json, uint64_t value);
void hg_json_bool(struct hg_json *json, bool value);
void hg_json_null(struct hg_json *json);
/* Text that is JSON already. */
void hg_json_raw(struct hg_json *json, struct hg_str text);

/* The inside of a JSON string, without quotes: for text put together in pieces. */
void hg_json_escape(struct hg_buf *out, struct hg_str text);

/* Key and value at once. */
#define hg_json_field_str(json, key, text) (hg_json_key_lit(json, key), hg_json_str(json, text))
#define hg_json_field_cstr(json, key, text) (hg_json_key_lit(json, key), hg_json_cstr(json, text))
#define hg_json_field_i64(json, key, value) (hg_json_key_lit(json, key), hg_json_i64(json, value))
#define hg_json_field_bool(json, key, value) (hg_json_key_lit(json, key), hg_json_bool(json, value))
#define hg_json_field_null(json, key) (hg_json_key_lit(json, key), hg_json_null(json))

#endif
