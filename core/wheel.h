/* Timers by the million: starting and stopping one is a few instructions.
 *
 * A hierarchical wheel of 1 ms ticks. Level n has 64 slots of 64^n ticks each; a timer sits on the
 * level of the highest 6-bit digit in which its due tick differs from the present one, and moves
 * down when the present reaches its slot. Used by core/loop.c alone. */
#pragma once

#include "core/loop.h"

enum { WHEEL_LEVELS = 7, WHEEL_SLOTS = 64 }; /* 64^7 ms: 139 years */

struct wheel {
    int64_t tick; /* the present, ms since start_us */
    int64_t start_us;
    uint64_t occupied[WHEEL_LEVELS];               /* a bit for each slot that is not empty */
    struct timer slots[WHEEL_LEVELS][WHEEL_SLOTS]; /* list heads */
};

void wheel_init(struct wheel *wheel, int64_t now_us);
/* Never fires early, and never in the turn it was started in. Moves a running timer. */
void wheel_add(struct wheel *wheel, struct timer *timer, int64_t due_us);
void wheel_remove(struct wheel *wheel, struct timer *timer);
void wheel_turn(struct wheel *wheel, int64_t now_us); /* runs what is due, in order of ticks */
/* When the wheel must be turned next (maybe only to move timers down); -1: it is empty. */
int64_t wheel_next_us(const struct wheel *wheel);
