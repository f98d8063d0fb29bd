/*
 * Tables and lives of events. What functions and clients put into texts is
 * printed without its control characters: it goes to a terminal.
 */
#include "cli/events_print.h"

#include <stdio.h>

enum {
    TEXTS = 8, /* that one printf may use */
    TEXT_MAX = 1024,
    FUNCTION_MIN = 8,
    FUNCTION_MAX = 40,
    ERROR_MAX = 60, /* in the table; show has all of it */
    LABEL_WIDTH = 13,
};

const char *events_text(struct hg_json_value object, const char *name)
{
    static char texts[TEXTS][TEXT_MAX];
    static unsigned next;
    struct hg_json_value value = hg_json_member(object, name);
    char *text = texts[next++ % TEXTS];
    struct hg_buf buf;
    size_t n;

    text[0] = '\0';
    if (value.kind == HG_JSON_NULL || value.kind == HG_JSON_BAD)
        return text;
    hg_buf_init(&buf, 1 << 20);
    if (value.kind == HG_JSON_STRING)
        (void)hg_json_unescape(value, &buf);
    else
        (void)hg_buf_append_str(&buf, value.raw);
    n = HG_MIN(hg_buf_str(&buf).n, (size_t)TEXT_MAX - 1);
    for (size_t i = 0; i < n; i++) {
        unsigned char c = (unsigned char)hg_buf_str(&buf).p[i];

        text[i] = c < ' ' || c == 0x7f ? ' ' : (char)c;
    }
    text[n] = '\0';
    hg_buf_fini(&buf);
    return text;
}

static int function_width(struct hg_json_value events)
{
    struct hg_json_walk walk = hg_json_walk(events);
    struct hg_json_value event;
    size_t width = FUNCTION_MIN;

    while (hg_json_next_element(&walk, &event))
        width = HG_MAX(width, strlen(events_text(event, "function")));
    return (int)HG_MIN(width, (size_t)FUNCTION_MAX);
}

bool events_print_page(struct hg_json_value page)
{
    struct hg_json_value events = hg_json_member(page, "events"), event;
    struct hg_json_walk walk;
    int width;

    if (events.kind != HG_JSON_ARRAY)
        return false;
    width = function_width(events);
    walk = hg_json_walk(events);
    (void)printf("%-36s  %-*s  %-9s  %5s  %-24s  %s\n", "REQUEST ID", width, "FUNCTION", "STATE",
                 "TRIES", "ACCEPTED", "LAST ERROR");
    while (hg_json_next_element(&walk, &event))
        (void)printf("%-36s  %-*.*s  %-9s  %5s  %-24s  %.*s\n", events_text(event, "request_id"),
                     width, width, events_text(event, "function"), events_text(event, "state"),
                     events_text(event, "tries"), events_text(event, "accepted"), ERROR_MAX,
                     events_text(event, "last_error"));
    return true;
}

static void print_label(const char *label, const char *text)
{
    if (text[0])
        (void)printf("%-*s%s\n", LABEL_WIDTH, label, text);
}

static void print_attempts(struct hg_json_value event)
{
    struct hg_json_walk walk = hg_json_walk(hg_json_member(event, "attempts"));
    struct hg_json_value attempt;
    bool is_first = true;

    while (hg_json_next_element(&walk, &attempt)) {
        const char *count = events_text(attempt, "count");

        if (is_first)
            (void)printf("\nattempts\n");
        is_first = false;
        (void)printf("  %s  %8s ms  %s", events_text(attempt, "started"),
                     events_text(attempt, "duration_ms"), events_text(attempt, "outcome"));
        if (strcmp(count, "1") != 0)
            (void)printf(" (%s times)", count);
        (void)printf("  %s\n", events_text(attempt, "error"));
    }
}

static void print_targets(struct hg_json_value event)
{
    struct hg_json_walk walk = hg_json_walk(hg_json_member(event, "targets"));
    struct hg_json_value target;
    bool is_first = true;

    while (hg_json_next_element(&walk, &target)) {
        if (is_first)
            (void)printf("\ntargets\n");
        is_first = false;
        (void)printf("  %-11s  %s\n               %s, tries: %s", events_text(target, "role"),
                     events_text(target, "target"), events_text(target, "state"),
                     events_text(target, "tries"));
        if (events_text(target, "next_try")[0])
            (void)printf(", next %s", events_text(target, "next_try"));
        if (events_text(target, "finished")[0])
            (void)printf(", finished %s", events_text(target, "finished"));
        if (events_text(target, "receipt")[0])
            (void)printf(", receipt %s", events_text(target, "receipt"));
        if (events_text(target, "error")[0])
            (void)printf("\n               last error: %s", events_text(target, "error"));
        (void)printf("\n");
    }
}

static void print_document(struct hg_json_value event, const char *name, const char *size)
{
    struct hg_json_value document = hg_json_member(event, name);
    const char *bytes = events_text(event, size);

    if (strcmp(bytes, "0") == 0)
        return;
    (void)printf("\n%s (%s bytes)\n", name, bytes);
    if (document.kind == HG_JSON_NULL && strcmp(bytes, "4") != 0) {
        (void)printf("  too large to be shown\n");
        return;
    }
    (void)printf("  ");
    for (size_t i = 0; i < document.raw.n; i++) {
        unsigned char c = (unsigned char)document.raw.p[i];

        (void)putchar(c < ' ' || c == 0x7f ? ' ' : c);
    }
    (void)printf("\n");
}

bool events_print_life(struct hg_json_value event)
{
    const char *qualifier = events_text(event, "qualifier"),
               *condition = events_text(event, "condition");

    if (event.kind != HG_JSON_OBJECT || !events_text(event, "request_id")[0])
        return false;
    print_label("request id", events_text(event, "request_id"));
    (void)printf("%-*s%s%s%s\n", LABEL_WIDTH, "function", events_text(event, "function"),
                 qualifier[0] ? ":" : "", qualifier);
    (void)printf("%-*s%s%s%s%s\n", LABEL_WIDTH, "state", events_text(event, "state"),
                 condition[0] ? " (" : "", condition, condition[0] ? ")" : "");
    print_label("why", events_text(event, "why"));
    print_label("accepted", events_text(event, "accepted"));
    print_label("next attempt", events_text(event, "next_attempt"));
    print_label("finished", events_text(event, "finished"));
    (void)printf("%-*s%s\n", LABEL_WIDTH, "tries", events_text(event, "tries"));
    if (strcmp(events_text(event, "redrives"), "0") != 0)
        print_label("redrives", events_text(event, "redrives"));
    if (strcmp(events_text(event, "redeliveries"), "0") != 0)
        print_label("redeliveries", events_text(event, "redeliveries"));
    print_label("version", events_text(event, "executed_version"));
    print_label("dedup id", events_text(event, "dedup_id"));
    print_label("trace id", events_text(event, "trace_id"));
    print_attempts(event);
    print_targets(event);
    print_document(event, "payload", "payload_bytes");
    print_document(event, "result", "result_bytes");
    return true;
}

void events_print_error(int status, struct hg_str body)
{
    struct hg_json_value document = hg_json_parse(body, NULL);
    const char *text = "";

    if (document.kind == HG_JSON_OBJECT) {
        text = events_text(document, "message");
        if (!text[0])
            text = events_text(document, "Message");
    }
    if (text[0])
        (void)fprintf(stderr, "headgate events: %s\n", text);
    else
        (void)fprintf(stderr, "headgate events: the server answered %d\n", status);
}
