/*
 * Endpoints of Amazon's services: from the settings, the environment, the partition.
 */
#include "http/aws.h"

#include "http/client_url.h"

#include <stdio.h>
#include <stdlib.h>

static const struct aws_endpoint_setting *settings;
static size_t setting_count;

void aws_endpoints_set(const struct aws_endpoint_setting *items, size_t count)
{
    settings = items;
    setting_count = count;
}

/* The end of the names of an AWS partition's hosts. */
static const char *domain_of(struct hg_str partition)
{
    static const struct {
        const char *partition, *domain;
    } domains[] = {
        {"aws", "amazonaws.com"},        {"aws-cn", "amazonaws.com.cn"},
        {"aws-us-gov", "amazonaws.com"}, {"aws-eusc", "amazonaws.eu"},
        {"aws-iso", "c2s.ic.gov"},       {"aws-iso-b", "sc2s.sgov.gov"},
        {"aws-iso-e", "cloud.adc-e.uk"}, {"aws-iso-f", "csp.hci.ic.gov"},
    };

    for (size_t i = 0; i < HG_COUNT(domains); i++)
        if (hg_str_is(partition, domains[i].partition))
            return domains[i].domain;
    return NULL;
}

static struct hg_str from_settings(const struct aws_service *service)
{
    struct hg_str general = {NULL, 0};

    for (size_t i = 0; i < setting_count; i++) {
        struct hg_str name = settings[i].service;

        if (hg_str_is_nocase(name, service->variable) || hg_str_is_nocase(name, service->signing))
            return settings[i].url;
        if (!name.n)
            general = settings[i].url;
    }
    return general;
}

static struct hg_str from_environment(const struct aws_service *service, struct aws_endpoint *out)
{
    const char *ignore = getenv("AWS_IGNORE_CONFIGURED_ENDPOINT_URLS");
    const char *value;

    if (ignore && hg_str_is_nocase(hg_str_of(ignore), "true"))
        return hg_str_n(NULL, 0);
    (void)snprintf(out->source, sizeof(out->source), "AWS_ENDPOINT_URL_%s", service->variable);
    value = getenv(out->source);
    if (value && *value)
        return hg_str_of(value);
    (void)snprintf(out->source, sizeof(out->source), "AWS_ENDPOINT_URL");
    value = getenv(out->source);
    return value && *value ? hg_str_of(value) : hg_str_n(NULL, 0);
}

static struct hg_str trimmed(struct hg_str url)
{
    while (url.n && url.p[url.n - 1] == '/')
        url.n--;
    return url;
}

const char *aws_endpoint_fault(struct hg_str text)
{
    struct hg_http_url url;
    const char *fault = http_url_split(text, &url);

    if (!fault && url.user.n)
        fault = "it must not hold a user name or password";
    if (!fault && url.query.n)
        fault = "it must not hold a query";
    if (!fault && trimmed(text).n >= AWS_BASE_MAX)
        fault = "it is too long";
    return fault;
}

/* The endpoint's text is never repeated: it may hold a password. */
static enum hg_rc take(struct hg_str given, struct aws_endpoint *out, struct hg_error *err)
{
    const char *fault = aws_endpoint_fault(given);

    if (fault)
        return hg_error_set(err, HG_E_INVALID, "%s%s cannot be used: %s", out->source,
                            out->source[0] == '-' ? "" : " of the environment", fault);
    (void)snprintf(out->base, sizeof(out->base), "%.*s", HG_STR_ARG(trimmed(given)));
    return HG_OK;
}

enum hg_rc aws_endpoint_find(const struct aws_service *service, struct hg_str partition,
                             const char *region, struct aws_endpoint *out, struct hg_error *err)
{
    const char *domain = domain_of(partition);
    struct hg_str given = from_settings(service);

    *out = (struct aws_endpoint){"", "--aws-endpoint"};
    if (!given.p)
        given = from_environment(service, out);
    if (given.p)
        return take(given, out, err);
    out->source[0] = '\0';
    if (!domain)
        return hg_error_set(err, HG_E_INVALID,
                            "partition %.*s is not known; set AWS_ENDPOINT_URL_%s to its endpoint",
                            HG_STR_ARG(partition), service->variable);
    (void)snprintf(out->base, sizeof(out->base), "https://%s.%s.%s", service->host, region, domain);
    return HG_OK;
}

bool aws_is_region(struct hg_str text)
{
    for (size_t i = 0; i < text.n; i++)
        if (!((text.p[i] >= 'a' && text.p[i] <= 'z') || (text.p[i] >= '0' && text.p[i] <= '9') ||
              (text.p[i] == '-' && i)))
            return false;
    return text.n && text.n <= AWS_REGION_MAX;
}

struct hg_str aws_usual_region(const char *otherwise)
{
    static const char *const names[] = {"AWS_REGION", "AWS_DEFAULT_REGION"};

    for (size_t i = 0; i < HG_COUNT(names); i++) {
        const char *value = getenv(names[i]);

        if (value && *value)
            return hg_str_of(value);
    }
    return hg_str_of(otherwise);
}
