#include "identity/protection/risk.h"

#include "core/ip.h"

enum risk_level risk_level_of(int score)
{
    return score >= 5 ? RISK_HIGH : score >= 3 ? RISK_MEDIUM : score >= 1 ? RISK_LOW : RISK_NONE;
}

int risk_score(const struct risk_view *view)
{
    int score = 0;
    if (view->known_before)
        score += view->new_network + view->new_device + (view->new_network && view->new_device);
    if (view->failures >= view->locks_after)
        score += 2;
    else if (view->failures >= 3)
        score += 1;
    return score + (view->disowned ? 3 : 0);
}

static bool same_network(struct str one, struct str other)
{
    struct ip a, b;
    if (!ip_parse(one, &a) || !ip_parse(other, &b) || a.bits != b.bits)
        return str_eq(one, other);
    const struct ip_net net = { a, a.bits == 128 ? 64 : 24 };
    return ip_in(&b, &net);
}

struct risk_view risk_compare(struct arena *arena, const struct whence *whence, const struct auth_event_row *rows,
                              size_t n)
{
    struct risk_view view = { .new_network = whence->ip.len > 0, .new_device = whence->agent.len > 0 || whence->print.len > 0 };
    struct str agent = agent_without_numbers(arena, whence->agent);
    for (size_t i = 0; i < n; i++) {
        const json_t *event = json_parse(arena, rows[i].doc, NULL);
        struct str feedback = json_str(json_object_get(event, "EventFeedback"), "FeedbackValue");
        struct str ip = json_str(json_object_get(event, "EventContextData"), "IpAddress");
        struct str print = json_str(event, "print"), other = json_str(event, "agent");
        bool device = whence->print.ptr && print.ptr ? str_eq(whence->print, print) : agent.ptr && str_eq(agent, other);
        bool network = whence->ip.ptr && ip.ptr && same_network(whence->ip, ip);
        if (!str_is(json_str(event, "EventType"), "SignIn"))
            continue;
        if (str_is(feedback, "Invalid")) {
            view.disowned |= network || device;
            continue;
        }
        if (!str_is(json_str(event, "EventResponse"), "Pass") && !str_is(feedback, "Valid"))
            continue;
        view.known_before = true;
        view.new_network &= !network;
        view.new_device &= !device;
    }
    return view;
}
