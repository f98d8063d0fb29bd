/*
 * Pseudo-parameters: what AWS::Region and its kind are on this machine.
 */
#include "config/template/eval_state.h"

#include "core/id.h"

static const char *const names[] = {"AWS::AccountId", "AWS::Region",    "AWS::Partition",        "AWS::StackName",
                                    "AWS::StackId",   "AWS::URLSuffix", "AWS::NotificationARNs", "AWS::NoValue"};

struct hg_str pseudo_partition(const struct hg_eval *eval)
{
    if (hg_str_starts(eval->region, HG_STR("cn-")))
        return HG_STR("aws-cn");
    if (hg_str_starts(eval->region, HG_STR("us-gov-")))
        return HG_STR("aws-us-gov");
    return HG_STR("aws");
}

static struct hg_str stack_id(struct hg_eval *eval)
{
    struct hg_str partition = pseudo_partition(eval);
    char id[12 + 1];

    hg_stable_id(eval->stack_name, id, sizeof(id) - 1);
    return hg_str_of(hg_arena_printf(eval->arena, "arn:%.*s:cloudformation:%.*s:%.*s:stack/%.*s/%s",
                                     HG_STR_ARG(partition), HG_STR_ARG(eval->region), HG_STR_ARG(eval->account),
                                     HG_STR_ARG(eval->stack_name), id));
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
