/* What ThreadSanitizer takes for a race and is none; linked in by the tsan preset alone.
 *
 * tzset_internal: gmtime_r, strftime and localtime (libzip's) all end in glibc's tzset, which holds
 * glibc's own lock (time/tzset.c, tzset_lock) while it replaces the zone's name. That lock is no
 * pthread mutex, so TSan does not see it; our threads never set TZ. */
const char *__tsan_default_suppressions(void);

const char *__tsan_default_suppressions(void)
{
    return "race:tzset_internal\n";
}
