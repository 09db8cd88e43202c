/* The credential report: made on demand, at most one in four hours. */
#include "identity/iam/credentials/credential_report.h"

#include "identity/store/credential_report.h"

enum { GOOD_S = 4 * 3600, GIVEN_UP_S = 300 }; /* who has not made it by then was stopped over it */

enum state { STATE_NONE, STATE_IN_PROGRESS, STATE_COMPLETE, STATE_EXPIRED };

static enum state state_of(const struct credential_report *report, bool found, int64_t now_us)
{
    if (!found)
        return STATE_NONE;
    if (!report->made_us)
        return now_us - report->started_us < GIVEN_UP_S * INT64_C(1000000) ? STATE_IN_PROGRESS : STATE_NONE;
    return now_us - report->made_us <= GOOD_S * INT64_C(1000000) ? STATE_COMPLETE : STATE_EXPIRED;
}

/* Whose call this is: the one that finds nothing leaves word that it makes the report. */
static gh_err claim(struct call *call, enum state *state)
{
    struct credential_report report;
    bool found = false;
    struct tx tx;
    tx_begin(&tx, call->db, call->arena);
    gh_err err = credential_report_find(call->db, &tx, call->arena, call->account, &report, &found);
    *state = err ? STATE_NONE : state_of(&report, found, call->now_us);
    if (!err && (*state == STATE_NONE || *state == STATE_EXPIRED)) {
        report = (struct credential_report){ .started_us = call->now_us, .content = STR("") };
        credential_report_put(&tx, call->account, &report);
    }
    return iam_finish(&tx, err);
}

static gh_err make(struct call *call)
{
    struct credential_report report = { .started_us = call->now_us, .made_us = call->now_us };
    gh_err failed = credential_report_write(call, &report.content);
    if (failed) /* as one that was never begun: the next may try */
        report = (struct credential_report){ .content = STR("") };
    struct tx tx;
    tx_begin(&tx, call->db, call->arena);
    credential_report_put(&tx, call->account, &report);
    gh_err err = iam_finish(&tx, NULL);
    return failed ? failed : err;
}

gh_err iam_GenerateCredentialReport(struct call *call, const struct iam_GenerateCredentialReport_in *in,
                                    struct iam_GenerateCredentialReport_out *out)
{
    (void)in;
    enum state state;
    gh_err err = claim(call, &state);
    if (err)
        return err;
    if (state == STATE_COMPLETE || state == STATE_IN_PROGRESS) {
        out->state = state == STATE_COMPLETE ? STR("COMPLETE") : STR("INPROGRESS");
        return NULL;
    }
    out->state = STR("STARTED");
    if (state == STATE_NONE)
        out->description = STR("No report exists. Starting a new report generation task");
    return make(call);
}

/* AWS says "Unknown" here, whatever it is; the code tells. */
gh_err iam_GetCredentialReport(struct call *call, const struct iam_GetCredentialReport_in *in,
                               struct iam_GetCredentialReport_out *out)
{
    (void)in;
    static const struct gh_kind *const kinds[] = {
        [STATE_NONE] = &iam_CredentialReportNotPresentException,
        [STATE_IN_PROGRESS] = &iam_CredentialReportNotReadyException,
        [STATE_EXPIRED] = &iam_CredentialReportExpiredException,
    };
    struct credential_report report;
    bool found = false;
    gh_err err = credential_report_find(call->db, NULL, call->arena, call->account, &report, &found);
    if (err)
        return err;
    enum state state = state_of(&report, found, call->now_us);
    if (state != STATE_COMPLETE)
        return gh_fail(call->arena, kinds[state], "Unknown");
    out->content = report.content;
    out->report_format = STR("text/csv");
    out->generated_time = iam_time(report.made_us);
    return NULL;
}
