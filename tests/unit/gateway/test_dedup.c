/*
 * Idempotency keys: their form and which of several counts.
 */
#include "gateway/dedup.h"
#include "tests/unit/unit.h"

#include <stdlib.h>

struct key_case {
    const char *names[2], *values[2]; /* of headers; NULL for none */
    const char *key, *sentence;       /* one of the two */
};

static const struct key_case cases[] = {
    {{NULL}, {NULL}, NULL, NULL},
    {{"Content-Type"}, {"text/plain"}, NULL, NULL},
    {{"Idempotency-Key"}, {"a"}, "a", NULL},
    {{"idempotency-key"}, {"\"8e03978e-40d5-43dd\""}, "\"8e03978e-40d5-43dd\"", NULL},
    {{"X-HEADGATE-DEDUP-ID"}, {"!~"}, "!~", NULL},
    {{"Idempotency-Key", "X-Headgate-Dedup-Id"}, {"a", "a"}, "a", NULL},
    {{"Idempotency-Key", "X-Headgate-Dedup-Id"},
     {"a", "b"},
     NULL,
     "X-Headgate-Dedup-Id: the request has another key already"},
    {{"Idempotency-Key", "Idempotency-Key"},
     {"a", ""},
     NULL,
     "Idempotency-Key: the request has another key already"},
    {{"Idempotency-Key"},
     {""},
     NULL,
     "Idempotency-Key: the key is empty; allowed are 1 to 128 bytes"},
    {{"Idempotency-Key"},
     {"a b"},
     NULL,
     "Idempotency-Key: the key may only have visible ASCII characters, no blanks"},
    {{"X-Headgate-Dedup-Id"},
     {"\xc3\xa4"},
     NULL,
     "X-Headgate-Dedup-Id: the key may only have visible ASCII characters, no blanks"},
};

static void test_keys(void **state)
{
    (void)state;
    for (size_t i = 0; i < HG_COUNT(cases); i++) {
        struct hg_header headers[2];
        struct hg_request req = {.headers = headers};
        struct hg_error err = {""};
        struct hg_str key;

        for (size_t j = 0; j < 2 && cases[i].names[j]; j++)
            headers[req.header_count++] =
                (struct hg_header){hg_str_of(cases[i].names[j]), hg_str_of(cases[i].values[j])};
        assert_int_equal(dedup_key(&req, &key, &err), cases[i].sentence == NULL);
        if (cases[i].sentence)
            assert_string_equal(err.text, cases[i].sentence);
        else if (cases[i].key)
            assert_str(key, cases[i].key);
        else
            assert_null(key.p);
    }
}

static void test_length(void **state)
{
    char text[130];
    struct hg_header header = {HG_STR("Idempotency-Key"), {text, 128}};
    struct hg_request req = {.headers = &header, .header_count = 1};
    struct hg_error err = {""};
    struct hg_str key;

    (void)state;
    memset(text, 'k', sizeof(text));
    assert_true(dedup_key(&req, &key, &err));
    assert_int_equal(key.n, 128);
    header.value.n = 129;
    assert_false(dedup_key(&req, &key, &err));
    assert_string_equal(err.text, "Idempotency-Key: the key has 129 bytes; allowed are 1 to 128");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_keys),
        cmocka_unit_test(test_length),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
