/*
 * The query protocol's forms and XML, and the tokens of sessions.
 */
#include "api/access_parts.h"
#include "api/query_form.h"
#include "api/query_xml.h"
#include "core/crypto.h"
#include "tests/unit/unit.h"

static void test_forms(void **state)
{
    struct hg_arena *arena = hg_arena_new(1 << 20);
    struct query_form form;

    (void)state;
    assert_true(form_parse(arena,
                           HG_STR("Action=TagRole&RoleName=a%2Bb+c&&Tags.member.1.Key=k&x&"
                                  "Tags.member.2.Key=%C3%A9&RoleName=other&=v"),
                           &form));
    assert_int_equal(form.count, 7);
    assert_str(form_get(&form, "RoleName"), "a+b c");
    assert_str(form_get(&form, "x"), "");
    assert_non_null(form_get(&form, "x").p);
    assert_null(form_get(&form, "Path").p);
    assert_str(form_member(&form, "Tags", 1, "Key"), "k");
    assert_str(form_member(&form, "Tags", 2, "Key"), "\xc3\xa9");
    assert_null(form_member(&form, "Tags", 3, "Key").p);
    assert_true(form_parse(arena, HG_STR(""), &form));
    assert_int_equal(form.count, 0);
    hg_arena_free(arena);
}

static void test_forms_with_too_much(void **state)
{
    struct hg_arena *arena = hg_arena_new(4 << 20);
    struct query_form form;
    struct hg_buf text;

    (void)state;
    hg_buf_init(&text, 1 << 20);
    for (int i = 0; i <= QUERY_FIELDS_MAX; i++)
        hg_buf_append_cstr(&text, "a&");
    assert_false(form_parse(arena, hg_buf_str(&text), &form));
    hg_buf_consume(&text, 2);
    assert_true(form_parse(arena, hg_buf_str(&text), &form));
    hg_buf_fini(&text);
    hg_arena_free(arena);
    arena = hg_arena_new(1000);
    assert_false(form_parse(arena,
                            HG_STR("a&b&c&d&e&f&g&h&i&j&k&l&m&n&o&p&q&r&s&t&u&v&w&x&y&z&a&b&c&"
                                   "d&e&f&g&h&i&j"),
                            &form));
    hg_arena_free(arena);
}

static void test_xml(void **state)
{
    struct hg_buf out;

    (void)state;
    hg_buf_init(&out, 1 << 10);
    xml_text(&out, "a", HG_STR("<&>\"'\r\n\t\x01 \xc3\xa9 \xff"));
    assert_str(hg_buf_str(&out),
               "<a>&lt;&amp;&gt;&quot;'&#xD;\n\t\xef\xbf\xbd \xc3\xa9 \xef\xbf\xbd</a>");
    hg_buf_clear(&out, SIZE_MAX);
    xml_time(&out, "t", 1440938160999);
    xml_bool(&out, "b", true);
    xml_u64(&out, "n", 7);
    assert_str(hg_buf_str(&out), "<t>2015-08-30T12:36:00Z</t><b>true</b><n>7</n>");
    hg_buf_fini(&out);
}

static struct hg_access *make_access(void)
{
    const struct hg_access_keys none = {NULL, 0};

    return access_new(&(struct hg_access_options){.keys = &none, .account = "000000000000"});
}

static void test_session_tokens(void **state)
{
    struct hg_access *access = make_access(), *other = make_access();
    const struct access_identity given = {
        .account = "123456789012", .role = "deployer", .session = "ci"};
    struct access_identity found = {.is_session = false};
    struct access_session session, second;
    int64_t expires_ms = 0;
    char secret[41];

    (void)state;
    assert_false(access_is_on(access));
    access_grant(access, &given, 1234567, &session);
    access_grant(access, &given, 1234567, &second);
    assert_string_not_equal(session.access_key, second.access_key);
    assert_true(access_open_token(access, hg_str_of(session.token), hg_str_of(session.access_key),
                                  &found, &expires_ms));
    assert_true(found.is_session);
    assert_string_equal(found.account, "123456789012");
    assert_string_equal(found.role, "deployer");
    assert_string_equal(found.session, "ci");
    assert_int_equal(expires_ms, 1234567);
    access_secret_of(access, hg_str_of(session.access_key), secret);
    assert_string_equal(secret, session.secret_key);
    /* Neither with another key nor at another server. */
    assert_false(access_open_token(access, hg_str_of(session.token), hg_str_of(second.access_key),
                                   &found, &expires_ms));
    assert_false(access_open_token(other, hg_str_of(session.token), hg_str_of(session.access_key),
                                   &found, &expires_ms));
    access_secret_of(other, hg_str_of(session.access_key), secret);
    assert_string_not_equal(secret, session.secret_key);
    access_free(access);
    access_free(other);
}

/* Whatever bit of it is changed, a token is none any more. */
static void test_session_tokens_that_were_changed(void **state)
{
    struct hg_access *access = make_access();
    const struct access_identity given = {.account = "000000000000", .role = "r", .session = "s"};
    struct access_identity found;
    struct access_session session;
    struct hg_buf plain, token;
    int64_t expires_ms;

    (void)state;
    access_grant(access, &given, 0, &session);
    hg_buf_init(&plain, ACCESS_TOKEN_MAX);
    hg_buf_init(&token, ACCESS_TOKEN_MAX);
    assert_true(hg_base64_decode(&plain, hg_str_of(session.token)));
    for (size_t bit = 0; bit < plain.len * 8; bit++) {
        plain.base[plain.off + bit / 8] ^= (char)(1 << bit % 8);
        hg_buf_clear(&token, SIZE_MAX);
        hg_base64_encode(&token, hg_buf_str(&plain));
        assert_false(access_open_token(access, hg_buf_str(&token), hg_str_of(session.access_key),
                                       &found, &expires_ms));
        plain.base[plain.off + bit / 8] ^= (char)(1 << bit % 8);
    }
    assert_false(
        access_open_token(access, HG_STR(""), hg_str_of(session.access_key), &found, &expires_ms));
    assert_false(access_open_token(access, HG_STR("AAAA"), hg_str_of(session.access_key), &found,
                                   &expires_ms));
    hg_buf_fini(&plain);
    hg_buf_fini(&token);
    access_free(access);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_forms),
        cmocka_unit_test(test_forms_with_too_much),
        cmocka_unit_test(test_xml),
        cmocka_unit_test(test_session_tokens),
        cmocka_unit_test(test_session_tokens_that_were_changed),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
