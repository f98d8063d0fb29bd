#include "config/event_config_doc.h"

#include "core/clock.h"
#include "core/json_scan.h"
#include "core/json_write.h"

#include <stdio.h>

enum { DOC_MAX = 16 * HG_DESTINATION_MAX };

static void write_number(struct hg_json *json, int value)
{
    if (value < 0)
        hg_json_null(json);
    else
        hg_json_i64(json, value);
}

static void write_doc(struct hg_buf *out, const struct hg_event_config *config, bool by_template)
{
    struct hg_json json = hg_json_to(out);

    hg_json_begin_object(&json);
    hg_json_key_lit(&json, "retries");
    write_number(&json, config->max_retries);
    hg_json_key_lit(&json, "age");
    write_number(&json, config->max_age_s);
    hg_json_field_cstr(&json, "success", config->on_success);
    hg_json_field_cstr(&json, "failure", config->on_failure);
    hg_json_field_i64(&json, "at", config->last_modified_ms);
    hg_json_field_bool(&json, "template", by_template);
    hg_json_end_object(&json);
}

/* null means that it was not set. */
static bool read_number(struct hg_json_value value, int least, int most, int *number)
{
    int64_t wide;

    *number = -1;
    if (value.kind == HG_JSON_NULL)
        return true;
    if (value.kind != HG_JSON_NUMBER || !hg_str_i64(value.raw, least, most, &wide))
        return false;
    *number = (int)wide;
    return true;
}

static bool read_text(struct hg_json_value value, char out[HG_DESTINATION_MAX + 1])
{
    struct hg_buf text;
    bool fits;

    if (value.kind != HG_JSON_STRING)
        return false;
    hg_buf_init(&text, HG_DESTINATION_MAX);
    fits = hg_json_unescape(value, &text) && !memchr(hg_buf_str(&text).p, '\0', text.len);
    if (fits) {
        memcpy(out, hg_buf_str(&text).p, text.len);
        out[text.len] = '\0';
    }
    hg_buf_fini(&text);
    return fits;
}

bool event_config_read(struct hg_str json, struct hg_event_config *config, bool *by_template)
{
    struct hg_json_value value = hg_json_parse(json, NULL);

    if (value.kind != HG_JSON_OBJECT)
        return false;
    *by_template = hg_json_member(value, "template").kind == HG_JSON_TRUE;
    return read_number(hg_json_member(value, "retries"), 0, HG_EVENT_RETRIES_DEFAULT,
                       &config->max_retries) &&
           read_number(hg_json_member(value, "age"), HG_EVENT_AGE_MIN_S, HG_EVENT_AGE_DEFAULT_S,
                       &config->max_age_s) &&
           read_text(hg_json_member(value, "success"), config->on_success) &&
           read_text(hg_json_member(value, "failure"), config->on_failure) &&
           hg_json_member(value, "at").kind == HG_JSON_NUMBER &&
           hg_str_i64(hg_json_member(value, "at").raw, INT64_MIN, INT64_MAX,
                      &config->last_modified_ms);
}

void event_config_put(struct hg_family *family, struct hg_str qualifier,
                      const struct hg_event_config *config, bool by_template)
{
    struct hg_attached attached = {HG_STR(HG_ATTACHED_EVENT_CONFIG), qualifier, HG_STR("")};
    struct hg_buf doc;

    hg_buf_init(&doc, DOC_MAX);
    write_doc(&doc, config, by_template);
    attached.json = hg_buf_str(&doc);
    family_put_attached(family, &attached);
    hg_buf_fini(&doc);
}

static void set_text(char *out, size_t size, struct hg_str text)
{
    (void)snprintf(out, size, "%.*s", HG_STR_ARG(text));
}

void event_setting_attach(struct hg_family *family, const struct hg_event_setting *setting)
{
    struct hg_event_config config = {.max_retries = setting->max_retries,
                                     .max_age_s = setting->max_age_s,
                                     .last_modified_ms = hg_wall_ms()};

    set_text(config.on_success, sizeof(config.on_success), setting->on_success);
    set_text(config.on_failure, sizeof(config.on_failure), setting->on_failure);
    event_config_put(family, setting->qualifier, &config, true);
}
