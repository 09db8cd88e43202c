/* SetLogDeliveryConfiguration, GetLogDeliveryConfiguration, and the events themselves. */
#include "identity/pools/log_delivery.h"

#include "core/json.h"
#include "core/log.h"
#include "identity/pools/record.h"
#include "wire/codec_json.h"

/* "userNotification … ERROR … CloudWatch Logs only; userAuthEvents … INFO" — LogConfigurationType */
static const struct source {
    const char *name, *level;
    enum log_level as;
    bool plus;
} sources[] = {
    { LOG_USER_NOTIFICATION, "ERROR", LOG_ERROR, false },
    { LOG_USER_AUTH_EVENTS, "INFO", LOG_INFO, true },
};

static const struct source *source_of(struct str name)
{
    for (size_t i = 0; i < COUNT(sources); i++)
        if (str_is(name, sources[i].name))
            return &sources[i];
    return NULL;
}

static gh_err read_configuration(struct call *call, const struct pool *pool,
                                 struct idp_LogDeliveryConfigurationType *out)
{
    bool found;
    *out = (struct idp_LogDeliveryConfigurationType){ .user_pool_id = pool->id };
    gh_err err = record_find(call, NULL, pool, RECORD_LOG_DELIVERY, STR(""), &idp_shape_LogDeliveryConfigurationType, out,
                             &found);
    out->log_configurations.set = true;
    return err;
}

static gh_err check_one(struct call *call, const struct pool *pool, const struct idp_LogConfigurationType *one)
{
    const struct source *source = source_of(one->event_source);
    if (!str_is(one->log_level, source->level))
        return gh_fail(call->arena, &idp_InvalidParameterException, "Invalid LogLevel %.*s for EventSource %s. Use %s.",
                       STR_FMT(one->log_level), source->name, source->level);
    if (source->plus && !str_is(pool->doc->user_pool_tier, "PLUS"))
        return gh_fail(call->arena, &idp_FeatureUnavailableInTierException,
                       "The following feature is not available for the %.*s pricing tier configured: User Activity Log Export",
                       STR_FMT(pool->doc->user_pool_tier));
    if (!one->cloud_watch_logs_configuration || !one->cloud_watch_logs_configuration->log_group_arn.ptr)
        return gh_fail(call->arena, &idp_InvalidParameterException,
                       "A destination is required for EventSource %s: CloudWatchLogsConfiguration.LogGroupArn.",
                       source->name);
    struct str arn = one->cloud_watch_logs_configuration->log_group_arn;
    if (str_find_str(arn, STR(":logs:")) < 0 || str_find_str(arn, STR(":log-group:")) < 0)
        return gh_fail(call->arena, &idp_InvalidParameterException, "%.*s is not the ARN of a log group.", STR_FMT(arn));
    return NULL;
}

gh_err idp_SetLogDeliveryConfiguration(struct call *call, const struct idp_SetLogDeliveryConfiguration_in *in,
                                       struct idp_SetLogDeliveryConfiguration_out *out)
{
    struct pool pool;
    const struct idp_LogConfigurationListType *list = &in->log_configurations;
    gh_err err = pool_load(call, in->user_pool_id, &pool);
    for (size_t i = 0; i < list->n && !err; i++) {
        for (size_t j = 0; j < i && !err; j++)
            if (str_eq(list->items[i]->event_source, list->items[j]->event_source))
                err = gh_fail(call->arena, &idp_InvalidParameterException,
                              "EventSource %.*s appears more than once in LogConfigurations.",
                              STR_FMT(list->items[i]->event_source));
        if (!err)
            err = check_one(call, &pool, list->items[i]);
    }
    if (err)
        return err;
    struct idp_LogDeliveryConfigurationType *doc = ARENA_NEW(call->arena, struct idp_LogDeliveryConfigurationType);
    *doc = (struct idp_LogDeliveryConfigurationType){ pool.id, *list };
    const struct pool_record record =
        record_of(call, &pool, RECORD_LOG_DELIVERY, STR(""), STR_NONE, &idp_shape_LogDeliveryConfigurationType, doc);
    out->log_delivery_configuration = doc;
    return record_save(call, &record);
}

gh_err idp_GetLogDeliveryConfiguration(struct call *call, const struct idp_GetLogDeliveryConfiguration_in *in,
                                       struct idp_GetLogDeliveryConfiguration_out *out)
{
    struct pool pool;
    gh_err err = pool_load(call, in->user_pool_id, &pool);
    if (err)
        return err;
    out->log_delivery_configuration = ARENA_NEW(call->arena, struct idp_LogDeliveryConfigurationType);
    return read_configuration(call, &pool, out->log_delivery_configuration);
}

/* Absent: nobody wants such events. */
static struct str group_of(struct call *call, const struct pool *pool, const char *source)
{
    struct idp_LogDeliveryConfigurationType doc;
    if (read_configuration(call, pool, &doc))
        return STR_NONE;
    for (size_t i = 0; i < doc.log_configurations.n; i++)
        if (str_is(doc.log_configurations.items[i]->event_source, source))
            return doc.log_configurations.items[i]->cloud_watch_logs_configuration->log_group_arn;
    return STR_NONE;
}

bool log_delivery_wants(struct call *call, const struct pool *pool, const char *source)
{
    return group_of(call, pool, source).ptr != NULL;
}

void log_delivery_event(struct call *call, const struct pool *pool, const char *source, const json_t *event)
{
    const struct source *row = source_of(str_of(source));
    struct str group = row ? group_of(call, pool, source) : STR_NONE;
    if (!group.ptr)
        return;
    log_at(row->as, "user pool event", { "source", str_of(source) }, { "pool", pool->id }, { "log_group", group },
           { "event", json_print(call->arena, event) });
}
