/*
 * A form of the query protocol, and what is written as XML of its values.
 */
#include "api/query_form.h"
#include "api/query_xml.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    struct hg_arena *arena = hg_arena_new(1 << 20);
    struct query_form form;
    struct hg_buf xml;

    hg_buf_init(&xml, 16 << 20);
    if (form_parse(arena, hg_str_n((const char *)bytes, size), &form)) {
        size_t letters = 0;

        for (size_t i = 0; i < form.count; i++) {
            letters += form.fields[i].name.n + form.fields[i].value.n;
            xml_text(&xml, "v", form.fields[i].value);
        }
        hg_assert(letters <= size);
        (void)form_member(&form, "Tags", 1, "Key");
        for (size_t i = 0; i < xml.len; i++) {
            unsigned char c = (unsigned char)hg_buf_str(&xml).p[i];

            hg_assert(c >= ' ' || c == '\t' || c == '\n');
        }
    }
    hg_buf_fini(&xml);
    hg_arena_free(arena);
    return 0;
}
