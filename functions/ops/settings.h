/* The members that CreateFunction and UpdateFunctionConfiguration have in common: checked, then
 * put into a configuration. What Gatehouse does not enforce is refused by name. */
#pragma once

#include "functions/ops/common.h"

struct settings {
    struct str runtime, role, handler, description;
    struct opt_i64 timeout, memory_size;
    const struct lambda_Environment *environment;
    const struct lambda_EphemeralStorage *ephemeral_storage;
    const struct lambda_LoggingConfig *logging_config;
    const struct lambda_SnapStart *snap_start;
    const struct lambda_TracingConfig *tracing_config;
    const struct lambda_VpcConfig *vpc_config;
    const struct lambda_DeadLetterConfig *dead_letter_config;
    struct str kms_key_arn;
    size_t n_layers, n_file_systems;
    const void *image_config, *capacity_provider_config, *durable_config, *runtime_config, *accelerator_config;
};

/* The generated inputs have the same members; this reads them from either. */
#define SETTINGS_OF(in)                                                                                        \
    ((struct settings){                                                                                        \
        .runtime = (in)->runtime, .role = (in)->role, .handler = (in)->handler,                                \
        .description = (in)->description, .timeout = (in)->timeout, .memory_size = (in)->memory_size,          \
        .environment = (in)->environment, .ephemeral_storage = (in)->ephemeral_storage,                        \
        .logging_config = (in)->logging_config, .snap_start = (in)->snap_start,                                \
        .tracing_config = (in)->tracing_config, .vpc_config = (in)->vpc_config,                                \
        .dead_letter_config = (in)->dead_letter_config, .kms_key_arn = (in)->kms_key_arn,                      \
        .n_layers = (in)->layers.n, .n_file_systems = (in)->file_system_configs.n,                             \
        .image_config = (in)->image_config, .capacity_provider_config = (in)->capacity_provider_config,        \
        .durable_config = (in)->durable_config, .runtime_config = (in)->runtime_config,                        \
        .accelerator_config = (in)->accelerator_config })

gh_err settings_check(struct call *call, const struct settings *settings);
/* What was given; the rest of `row` stays. */
void settings_apply(struct call *call, const struct settings *settings, struct version_row *row);
gh_err architectures_check(struct call *call, const struct lambda_ArchitecturesList *given);
const char *machine_architecture(void);
gh_err refused(struct call *call, const char *member, const char *why);
