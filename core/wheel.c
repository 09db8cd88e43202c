#include "core/wheel.h"

#include <stddef.h>

enum { DIGIT_BITS = 6, TICK_US = 1000 };

/* Longer delays are cut to this: a timer of a hundred years is a configuration mistake, not a bug. */
static const int64_t FARTHEST = INT64_C(1) << (DIGIT_BITS * WHEEL_LEVELS - 1);

/* The next slot to reach, and when. False: no timers. */
struct stop {
    int level, slot;
    int64_t tick;
};
static bool next_stop(const struct wheel *wheel, struct stop *stop);
static void insert(struct wheel *wheel, struct timer *timer);
static void empty_slot(struct wheel *wheel, const struct stop *stop);

void wheel_init(struct wheel *wheel, int64_t now_us)
{
    *wheel = (struct wheel){ .start_us = now_us };
    for (int level = 0; level < WHEEL_LEVELS; level++)
        for (int slot = 0; slot < WHEEL_SLOTS; slot++) {
            struct timer *head = &wheel->slots[level][slot];
            head->next = head->prev = head;
        }
}

void wheel_add(struct wheel *wheel, struct timer *timer, int64_t due_us)
{
    wheel_remove(wheel, timer);
    int64_t tick = (due_us - wheel->start_us + TICK_US - 1) / TICK_US;
    if (tick <= wheel->tick)
        tick = wheel->tick + 1;
    if (tick > wheel->tick + FARTHEST)
        tick = wheel->tick + FARTHEST;
    timer->due_us = tick; /* kept in ticks of this wheel */
    insert(wheel, timer);
}

void wheel_remove(struct wheel *wheel, struct timer *timer)
{
    if (!timer->next)
        return;
    struct timer *head = timer->next;
    bool last = head == timer->prev; /* both neighbours are the list's head */
    timer->next->prev = timer->prev;
    timer->prev->next = timer->next;
    timer->next = timer->prev = NULL;
    if (last) {
        ptrdiff_t at = head - &wheel->slots[0][0];
        wheel->occupied[at / WHEEL_SLOTS] &= ~(UINT64_C(1) << (at % WHEEL_SLOTS));
    }
}

void wheel_turn(struct wheel *wheel, int64_t now_us)
{
    int64_t now = (now_us - wheel->start_us) / TICK_US;
    struct stop stop;
    while (next_stop(wheel, &stop) && stop.tick <= now) {
        wheel->tick = stop.tick;
        empty_slot(wheel, &stop);
    }
    if (now > wheel->tick)
        wheel->tick = now;
}

int64_t wheel_next_us(const struct wheel *wheel)
{
    struct stop stop;
    if (!next_stop(wheel, &stop))
        return -1;
    return wheel->start_us + stop.tick * TICK_US;
}

/* All slots of a level lie ahead of the present and before every slot of the level above. */
static bool next_stop(const struct wheel *wheel, struct stop *stop)
{
    for (int level = 0; level < WHEEL_LEVELS; level++) {
        if (!wheel->occupied[level])
            continue;
        int slot = __builtin_ctzll(wheel->occupied[level]);
        int64_t block = INT64_C(1) << (DIGIT_BITS * (level + 1));
        int64_t tick = (wheel->tick & ~(block - 1)) | ((int64_t)slot << (DIGIT_BITS * level));
        *stop = (struct stop){ level, slot, tick };
        return true;
    }
    return false;
}

static void insert(struct wheel *wheel, struct timer *timer)
{
    int64_t tick = timer->due_us;
    uint64_t differs = (uint64_t)(tick ^ wheel->tick) | 1;
    int level = (63 - __builtin_clzll(differs)) / DIGIT_BITS;
    int slot = (int)(tick >> (DIGIT_BITS * level)) & (WHEEL_SLOTS - 1);
    struct timer *head = &wheel->slots[level][slot];
    timer->next = head;
    timer->prev = head->prev;
    head->prev->next = timer;
    head->prev = timer;
    wheel->occupied[level] |= UINT64_C(1) << slot;
}

static void empty_slot(struct wheel *wheel, const struct stop *stop)
{
    struct timer *head = &wheel->slots[stop->level][stop->slot];
    while (head->next != head) { /* one at a time: a callback may stop its neighbours */
        struct timer *timer = head->next;
        wheel_remove(wheel, timer);
        if (stop->level > 0)
            insert(wheel, timer);
        else
            timer->fn(timer);
    }
}
