/*
 * ListFunctions and ListVersionsByFunction. A page looks once at every name and
 * keeps the few that follow the marker: nothing is sorted, however many there are.
 */
#include "api/lambda_function.h"

#include "core/crypto.h"

enum { PAGE_MAX = 50, MARKER_MAX = 512 };

/* Where the page before ended. */
struct place {
    struct hg_str name, version; /* "" at the start */
};

/* Families in the order of their names, from a name on: a pageful, the one at which the marker stands, and one that tells of more. */
struct selection {
    const struct hg_family *items[PAGE_MAX + 2];
    size_t count, max;
};

static void select_family(struct selection *selection, const struct hg_family *family)
{
    size_t low = 0, high = selection->count;

    hg_assert(selection->max > 0);
    if (selection->count == selection->max &&
        hg_str_cmp(family->name, selection->items[selection->count - 1]->name) > 0)
        return;
    while (low < high) {
        size_t middle = low + (high - low) / 2;

        if (hg_str_cmp(selection->items[middle]->name, family->name) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    if (selection->count == selection->max)
        selection->count--;
    memmove(&selection->items[low + 1], &selection->items[low],
            (selection->count - low) * sizeof(const struct hg_family *));
    selection->items[low] = family;
    selection->count++;
}

/* is_inclusive: versions of the named function itself may still be missing. */
static void select_families(const struct hg_snapshot *snapshot, struct hg_str after,
                            bool is_inclusive, struct selection *selection)
{
    struct hg_pmap_at at = {0};
    const struct hg_family *family;

    while ((family = snapshot_next_family(snapshot, &at))) {
        int order = hg_str_cmp(family->name, after);

        if (order > 0 || (order == 0 && is_inclusive && after.n))
            select_family(selection, family);
    }
}

/* Markers are hexadecimal: opaque, and safe in any URL. */
static const char *marker_of(struct hg_arena *arena, const struct place *place)
{
    struct hg_buf text, hex;
    const char *marker;

    hg_buf_init(&text, MARKER_MAX);
    hg_buf_init(&hex, MARKER_MAX * 2);
    hg_buf_printf(&text, "%.*s:%.*s", HG_STR_ARG(place->name), HG_STR_ARG(place->version));
    (void)hg_hex_encode(&hex, hg_buf_str(&text).p, text.len);
    marker = hg_arena_strdup(arena, hg_buf_str(&hex));
    hg_buf_fini(&text);
    hg_buf_fini(&hex);
    return marker;
}

static int digit_of(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* False when answered. */
static bool read_marker(struct hg_call *call, struct hg_str marker, struct place *place)
{
    char *text;
    ptrdiff_t colon;
    bool is_good = marker.n % 2 == 0 && marker.n <= (size_t)MARKER_MAX * 2;

    *place = (struct place){HG_STR(""), HG_STR("")};
    if (!marker.n)
        return true;
    text = hg_arena_must(call->req->arena, MARKER_MAX + 1);
    for (size_t i = 0; is_good && i < marker.n; i += 2) {
        int high = digit_of(marker.p[i]), low = digit_of(marker.p[i + 1]);

        is_good = high >= 0 && low >= 0;
        text[i / 2] = is_good ? (char)(high << 4 | low) : 0;
    }
    colon = is_good ? hg_str_find(hg_str_n(text, marker.n / 2), ':') : -1;
    if (colon < 0) {
        call_fail(call, HG_API_INVALID_PARAMETER,
                  "The Marker is not one that an earlier page has given");
        return false;
    }
    place->name = hg_str_n(text, (size_t)colon);
    place->version = hg_str_n(text + colon + 1, marker.n / 2 - (size_t)colon - 1);
    return true;
}

/* "$LATEST" is before all numbers. */
static bool is_after(struct hg_str version, struct hg_str after)
{
    if (!after.n || after.p[0] == '$')
        return !after.n || version.p[0] != '$';
    if (version.p[0] == '$')
        return false;
    return version.n != after.n ? version.n > after.n : hg_str_cmp(version, after) > 0;
}

/* A page under way. */
struct page {
    struct hg_json json;
    struct hg_str region;
    size_t left;
    bool has_more;
    struct place last;
};

static void write_row(struct page *page, const struct hg_function *function,
                      struct hg_str qualifier)
{
    if (!page->left) {
        page->has_more = true;
        return;
    }
    page->left--;
    page->last = (struct place){function->name, function->version};
    function_write_configuration(&page->json, page->region, function, qualifier, false);
}

static void write_versions(struct page *page, const struct hg_family *family, struct hg_str after)
{
    if (is_after(HG_STR("$LATEST"), after))
        write_row(page, family->latest, HG_STR("$LATEST"));
    for (size_t i = 0; i < family->version_count && !page->has_more; i++)
        if (is_after(family->versions[i]->version, after))
            write_row(page, family->versions[i], family->versions[i]->version);
}

static size_t page_size(const cJSON *input)
{
    return (size_t)HG_MIN(input_i64(input, "MaxItems", PAGE_MAX), (int64_t)PAGE_MAX);
}

static void begin_page(struct page *page, struct hg_call *call, const struct hg_snapshot *snapshot,
                       const cJSON *input, const char *key)
{
    struct hg_buf *buf = call_buffer(call);

    *page = (struct page){
        .json = hg_json_to(buf), .region = snapshot->region, .left = page_size(input)};
    hg_json_begin_object(&page->json);
    hg_json_key(&page->json, hg_str_of(key));
    hg_json_begin_array(&page->json);
}

static void end_page(struct page *page, struct hg_call *call)
{
    hg_json_end_array(&page->json);
    if (page->has_more)
        hg_json_field_cstr(&page->json, "NextMarker", marker_of(call->req->arena, &page->last));
    hg_json_end_object(&page->json);
    call_respond_json(call, 200, page->json.out);
}

/* Functions of an edge network have a region of their own; there are none here, so any other region has no functions. */
static bool is_elsewhere(const struct hg_snapshot *snapshot, struct hg_str master_region)
{
    return master_region.n && !hg_str_is(master_region, "ALL") &&
           !hg_str_eq(master_region, snapshot->region);
}

void lambda_list_functions(struct hg_call *call)
{
    const cJSON *input = call_input(call);
    struct selection selection = {.count = 0};
    struct hg_snapshot *snapshot;
    struct place after;
    struct page page;
    bool wants_all;

    if (!input || !read_marker(call, input_str(input, "Marker"), &after))
        return;
    snapshot = registry_current(call->api->options.registry);
    wants_all = input_has(input, "FunctionVersion");
    begin_page(&page, call, snapshot, input, "Functions");
    selection.max = page.left + 2;
    if (!is_elsewhere(snapshot, input_str(input, "MasterRegion")))
        select_families(snapshot, after.name, wants_all, &selection);
    for (size_t i = 0; i < selection.count && !page.has_more; i++) {
        const struct hg_family *family = selection.items[i];

        if (!wants_all)
            write_row(&page, family->latest, HG_STR(""));
        else
            write_versions(&page, family,
                           hg_str_eq(family->name, after.name) ? after.version : HG_STR(""));
    }
    end_page(&page, call);
    snapshot_unref(snapshot);
}

void lambda_list_versions(struct hg_call *call)
{
    const cJSON *input = call_input(call);
    const struct hg_family *family = NULL;
    struct hg_snapshot *snapshot;
    struct hg_function_ref ref;
    struct place after;
    struct page page;

    if (!input || !read_marker(call, input_str(input, "Marker"), &after))
        return;
    snapshot = registry_current(call->api->options.registry);
    if (lambda_read_name(call, snapshot, input_str(input, "FunctionName"), hg_str_n(NULL, 0),
                         &ref)) {
        family = snapshot_family(snapshot, ref.name);
        if (!family)
            call_fail(call, HG_API_NOT_FOUND,
                      "Function not found: arn:aws:lambda:%.*s:%.*s:function:%.*s",
                      HG_STR_ARG(snapshot->region), HG_STR_ARG(snapshot->account),
                      HG_STR_ARG(ref.name));
    }
    if (family) {
        begin_page(&page, call, snapshot, input, "Versions");
        write_versions(&page, family, after.version);
        end_page(&page, call);
    }
    snapshot_unref(snapshot);
}
