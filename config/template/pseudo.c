/*
 * Pseudo-parameters: what AWS::Region and its kind are on this machine.
 */
#include "config/template/eval_state.h"

#include "core/crypto.h"

#include <stdio.h>

static const char *const names[] = {"AWS::AccountId",        "AWS::Region",  "AWS::Partition",
                                    "AWS::StackName",        "AWS::StackId", "AWS::URLSuffix",
                                    "AWS::NotificationARNs", "AWS::NoValue"};

struct hg_str pseudo_partition(const struct hg_eval *eval)
{
    if (hg_str_starts(eval->region, HG_STR("cn-")))
        return HG_STR("aws-cn");
    if (hg_str_starts(eval->region, HG_STR("us-gov-")))
        return HG_STR("aws-us-gov");
    return HG_STR("aws");
}

void stable_uuid(struct hg_str text, char out[HG_UUID_LEN + 1])
{
    unsigned char digest[HG_SHA256_LEN];
    size_t at = 0;

    hg_sha256(text, digest);
    digest[6] = (unsigned char)((digest[6] & 0x0f) |
                                0x40); /* looks like version 4, as ids of the service do */
    digest[8] = (unsigned char)((digest[8] & 0x3f) | 0x80);
    for (size_t i = 0; i < 16; i++) {
        if (i == 4 || i == 6 || i == 8 || i == 10)
            out[at++] = '-';
        (void)snprintf(out + at, 3, "%02x", digest[i]);
        at += 2;
    }
}

static struct hg_str stack_id(struct hg_eval *eval)
{
    struct hg_str partition = pseudo_partition(eval);
    char id[HG_UUID_LEN + 1];

    stable_uuid(eval->stack_name, id);
    return hg_str_of(hg_arena_printf(eval->arena, "arn:%.*s:cloudformation:%.*s:%.*s:stack/%.*s/%s",
                                     HG_STR_ARG(partition), HG_STR_ARG(eval->region),
                                     HG_STR_ARG(eval->account), HG_STR_ARG(eval->stack_name), id));
}

struct hg_node *pseudo_value(struct hg_eval *eval, struct hg_str name, const struct hg_node *at)
{
    if (hg_str_is(name, "AWS::NoValue"))
        return &eval_no_value;
    if (hg_str_is(name, "AWS::NotificationARNs"))
        return node_new_list(eval->arena, at);
    if (hg_str_is(name, "AWS::AccountId"))
        return node_new_text(eval->arena, eval->account, at);
    if (hg_str_is(name, "AWS::Region"))
        return node_new_text(eval->arena, eval->region, at);
    if (hg_str_is(name, "AWS::Partition"))
        return node_new_text(eval->arena, pseudo_partition(eval), at);
    if (hg_str_is(name, "AWS::StackName"))
        return node_new_text(eval->arena, eval->stack_name, at);
    if (hg_str_is(name, "AWS::StackId"))
        return node_new_text(eval->arena, stack_id(eval), at);
    if (hg_str_is(name, "AWS::URLSuffix"))
        return node_new_text(eval->arena, HG_STR("amazonaws.com"), at);
    return NULL;
}

void pseudo_suggest(struct hg_suggest *suggest)
{
    for (size_t i = 0; i < HG_COUNT(names); i++)
        suggest_offer_cstr(suggest, names[i]);
}
