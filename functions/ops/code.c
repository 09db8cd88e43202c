/* UpdateFunctionCode. */
#include "functions/ops/settings.h"
#include "functions/ops/version.h"

gh_err lambda_UpdateFunctionCode(struct call *call, const struct lambda_UpdateFunctionCode_in *in,
                                 struct lambda_UpdateFunctionCode_out *out)
{
    struct functions *f = functions_of(call);
    struct function_row function;
    struct version_row row;
    struct package package;
    struct named named;
    struct tx tx;
    struct str old_code = STR_NONE;
    bool publish = in->publish.set && in->publish.value, dry_run = in->dry_run.set && in->dry_run.value;
    gh_err err = named_resolve(call, in->function_name, STR_NONE, &named);
    if (!err && (in->s3_bucket.ptr || in->s3_key.ptr))
        err = refused(call, "S3Bucket", "there is no S3 here; send the package as ZipFile.");
    if (!err && in->image_uri.ptr)
        err = refused(call, "ImageUri", "functions are packages (ZipFile).");
    if (!err && (in->source_kms_key_arn.ptr || in->publish_to.ptr))
        err = refused(call, in->publish_to.ptr ? "PublishTo" : "SourceKMSKeyArn", "it is not built.");
    if (!err && !in->zip_file.ptr)
        err = lambda_fail(call, &lambda_InvalidParameterValueException, "Please provide a source for function code.");
    if (!err)
        err = architectures_check(call, &in->architectures);
    if (!err)
        err = latest_of(call, NULL, &named, &row);
    if (err)
        return err;
    pthread_mutex_lock(&f->packages);
    err = code_store(call, in->zip_file, &package);
    if (!err) {
        tx_begin(&tx, call->db, call->arena);
        err = named_row(call, &tx, &named, &function);
        if (!err)
            err = latest_of(call, &tx, &named, &row);
        if (!err)
            err = revision_must_match(call, in->revision_id, row.config.revision_id, "GetFunction/GetAlias");
        if (!err) {
            old_code = row.code;
            row.code = str_of(package.hex);
            row.code_size = package.zip_bytes;
            row.config.code_size = some_i64(package.zip_bytes);
            row.config.code_sha256 = package.sha256_base64;
            row.config.last_modified = modified_now(call);
            row.config.revision_id = new_revision(call);
            function_version_save(&tx, call->sealer, &named.id, &row);
            if (publish)
                err = version_publish(call, &tx, &function, &row, STR_NONE, &row);
            function_save(&tx, &function);
        }
        if (err || dry_run)
            tx_rollback(&tx);
        else
            err = tx_commit(&tx);
        if (err || dry_run)
            code_drop_unused(call, str_of(package.hex));
        else
            fleet_replace(f, named.id.account, named.id.region, named.id.name, old_code);
    }
    pthread_mutex_unlock(&f->packages);
    if (err)
        return err;
    out->whole = config_shown(call, &row, publish ? row.version : STR_NONE);
    if (!dry_run && publish)
        show_creating(call, &out->whole);
    else if (!dry_run)
        show_updating(call, &out->whole);
    return NULL;
}
