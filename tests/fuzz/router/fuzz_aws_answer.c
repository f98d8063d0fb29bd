/*
 * What a service answers: the texts that are taken from it end inside their
 * room, and a refusal is never a success.
 */
#include "router/dest_aws_fault.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    struct hg_str body = hg_str_n((const char *)bytes, size);
    struct aws_fault fault;
    char text[16];

    aws_fault_read(&fault, 300 + (int)(size % 300), body);
    hg_assert(fault.rc != HG_OK);
    hg_assert(memchr(fault.code, '\0', sizeof(fault.code)));
    hg_assert(memchr(fault.message, '\0', sizeof(fault.message)));
    aws_xml_text(body, "MessageId", text, sizeof(text));
    hg_assert(memchr(text, '\0', sizeof(text)));
    return 0;
}
