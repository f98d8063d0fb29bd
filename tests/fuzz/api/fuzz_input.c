/*
 * Reads bytes as the request of an operation of the Lambda API: the first byte picks the operation, the first line is path parameter and
 * query, the rest is the body. An input that is good, or a fault with its message.
 */
#include "api/input_parts.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

static struct hg_str line_of(struct hg_str *rest)
{
    struct hg_str line = {"", 0};

    (void)hg_str_next(rest, '\n', &line);
    return line;
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    struct hg_str rest = hg_str_n((const char *)bytes, size), params[3];
    struct input_source source = {.params = params};
    const struct model_op *op;
    struct input_fault fault;
    cJSON *input;
    bool is_good;

    if (size == 0)
        return 0;
    op = &model_ops[bytes[0] % HG_MODEL_OP_COUNT];
    rest = hg_str_skip(rest, 1);
    source.query = line_of(&rest);
    source.body = rest;
    for (size_t i = 0; i < HG_COUNT(params); i++)
        params[i] = source.query;
    input_fault_init(&fault);
    input = input_gather(op, &source, &fault);
    is_good = input && input_check(op, input, &fault) && input_check_offered(op, input, &fault);
    hg_assert(is_good == (fault.text.len == 0));
    cJSON_Delete(input);
    input_fault_fini(&fault);
    return 0;
}
