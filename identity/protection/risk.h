/* How likely is it that a sign-in is not the user's? Judged once its first factor is right, while threat protection is
 * on; Cognito keeps its own reckoning to itself, this is ours:
 *
 *     a network (IPv4 /24, IPv6 /64) that none of the user's last 30 sign-ins came from        1
 *     a device (its fingerprint, else the browser's name without numbers) likewise             1
 *     both                                                                                    1 more
 *     3 wrong passwords or codes just before; so many that they locked                        1; 2
 *     an event of the same network or device was called Invalid by the user or somebody       3
 *
 *     0 no risk, 1-2 Low, 3-4 Medium, 5 and more High. A user's first sign-in has nothing to be compared with.
 *
 * An address of BlockedIPRangeList is blocked, one of SkippedIPRangeList has no risk. What is done about a level is
 * AccountTakeoverRiskConfiguration's; AUDIT only writes it down. */
#pragma once

#include "identity/protection/event.h"

enum risk_level { RISK_NONE, RISK_LOW, RISK_MEDIUM, RISK_HIGH };

struct risk_view {
    bool known_before;              /* there is something to compare with */
    bool new_network, new_device;
    bool disowned;                  /* an event like it was called Invalid */
    int64_t failures, locks_after;
};
int risk_score(const struct risk_view *view);
enum risk_level risk_level_of(int score);
/* Of the user's events, newest first. */
struct risk_view risk_compare(struct arena *arena, const struct whence *whence, const struct auth_event_row *rows,
                              size_t n);
