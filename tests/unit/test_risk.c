#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <cmocka.h>

#include "identity/protection/risk.h"

static void scores_add_up_to_levels(void **state)
{
    (void)state;
    static const struct { const char *name; struct risk_view view; int score; enum risk_level level; } rows[] = {
        { "nothing new", { true, false, false, false, 0, 5 }, 0, RISK_NONE },
        { "the first sign-in", { false, true, true, false, 0, 5 }, 0, RISK_NONE },
        { "the first after many failures", { false, true, true, false, 5, 5 }, 2, RISK_LOW },
        { "new network", { true, true, false, false, 0, 5 }, 1, RISK_LOW },
        { "new device", { true, false, true, false, 0, 5 }, 1, RISK_LOW },
        { "both new", { true, true, true, false, 0, 5 }, 3, RISK_MEDIUM },
        { "two failures", { true, false, false, false, 2, 5 }, 0, RISK_NONE },
        { "three failures", { true, false, false, false, 3, 5 }, 1, RISK_LOW },
        { "both new, three failures", { true, true, true, false, 3, 5 }, 4, RISK_MEDIUM },
        { "both new, locked before", { true, true, true, false, 6, 5 }, 5, RISK_HIGH },
        { "disowned", { true, false, false, true, 0, 5 }, 3, RISK_MEDIUM },
        { "disowned, other network, three failures", { true, true, false, true, 3, 5 }, 5, RISK_HIGH },
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        if (risk_score(&rows[i].view) != rows[i].score)
            fail_msg("%s: %d", rows[i].name, risk_score(&rows[i].view));
        if (risk_level_of(rows[i].score) != rows[i].level)
            fail_msg("%s: level %d", rows[i].name, (int)risk_level_of(rows[i].score));
    }
}

#define PASS(ip, agent) "{\"EventType\":\"SignIn\",\"EventResponse\":\"Pass\",\"EventContextData\":{\"IpAddress\":\"" ip "\"},\"agent\":\"" agent "\"}"

static void sign_ins_are_compared_with_those_before(void **state)
{
    (void)state;
    static const struct {
        const char *name, *doc;
        struct whence whence;
        bool known, network, device, disowned;
    } rows[] = {
        { "the same", PASS("192.0.2.1", "Firefox/"), { STR_INIT("192.0.2.1"), STR_INIT("Firefox/120.0") }, true, false, false, false },
        { "the same network", PASS("192.0.2.1", "Firefox/"), { STR_INIT("192.0.2.99"), STR_INIT("Firefox/99") }, true, false, false, false },
        { "another network", PASS("192.0.2.1", "Firefox/"), { STR_INIT("192.0.3.1"), STR_INIT("Firefox/99") }, true, true, false, false },
        { "the same /64", PASS("2001:db8::1", "Firefox/"), { STR_INIT("2001:db8::ffff:1"), STR_INIT("Firefox/1") }, true, false, false, false },
        { "another /64", PASS("2001:db8::1", "Firefox/"), { STR_INIT("2001:db8:0:1::1"), STR_INIT("Firefox/1") }, true, true, false, false },
        { "another browser", PASS("192.0.2.1", "Firefox/"), { STR_INIT("192.0.2.1"), STR_INIT("Chrome/1") }, true, false, true, false },
        { "a sign-in that failed is no history", "{\"EventType\":\"SignIn\",\"EventResponse\":\"Fail\",\"agent\":\"a\"}", { STR_INIT("192.0.2.1"), STR_INIT("a") }, false, true, true, false },
        { "one that failed and was the user", "{\"EventType\":\"SignIn\",\"EventResponse\":\"Fail\",\"agent\":\"a\",\"EventFeedback\":{\"FeedbackValue\":\"Valid\"}}", { STR_INIT("192.0.2.1"), STR_INIT("a") }, true, true, false, false },
        { "one that passed and was not", "{\"EventType\":\"SignIn\",\"EventResponse\":\"Pass\",\"agent\":\"a\",\"EventFeedback\":{\"FeedbackValue\":\"Invalid\"}}", { STR_INIT("192.0.2.1"), STR_INIT("a") }, false, true, true, true },
        { "a damaged row", "{", { STR_INIT("192.0.2.1"), STR_INIT("a") }, false, true, true, false },
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct arena *arena = arena_new(4096);
        const struct auth_event_row row = { STR("e"), str_of(rows[i].doc), 0 };
        struct risk_view view = risk_compare(arena, &rows[i].whence, &row, 1);
        if (view.known_before != rows[i].known || view.new_network != rows[i].network || view.new_device != rows[i].device ||
            view.disowned != rows[i].disowned)
            fail_msg("%s: known %d, network %d, device %d, disowned %d", rows[i].name, view.known_before, view.new_network,
                     view.new_device, view.disowned);
        arena_free(arena);
    }
}

static void devices_have_names(void **state)
{
    (void)state;
    static const struct { const char *agent, *name; } rows[] = {
        { "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/120.0.0.0 Safari/537.36", "Chrome 120, Windows" },
        { "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 Chrome/120.0.0.0 Safari/537.36 Edg/119.0", "Edge 119, Windows" },
        { "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 Version/17.1 Safari/605.1.15", "Safari 17, macOS" },
        { "Mozilla/5.0 (X11; Linux x86_64; rv:121.0) Gecko/20100101 Firefox/121.0", "Firefox 121, Linux" },
        { "aws-sdk-js/3.1 ua/2.0", "aws-sdk-js/3.1" },
        { "", "" },
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct arena *arena = arena_new(1024);
        struct str name = agent_device(arena, str_of(rows[i].agent));
        if (!str_is(name, rows[i].name))
            fail_msg("%.*s", STR_FMT(name));
        arena_free(arena);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(scores_add_up_to_levels),
        cmocka_unit_test(sign_ins_are_compared_with_those_before),
        cmocka_unit_test(devices_have_names),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
