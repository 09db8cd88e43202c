/* JSON from strangers: read in one pass into an arena, nothing lost, nothing to free.
 *
 * Where json.h gives jansson's trees to code that builds and edits documents, this is for bodies that are looked
 * at: numbers stay the text they were (20 digits, 1e400 and 1.0 are what the client wrote), strings without
 * escapes are views of the text, and a kilobyte costs a microsecond or two.
 * Strictly RFC 8259: duplicate names, NaN, comments, trailing bytes, a byte order mark, lone surrogates and bad
 * UTF-8 are refused; at most JT_DEPTH levels. Memory is at most 40 times the text. */
#pragma once

#include "core/arena.h"
#include "core/str.h"

#define JT_DEPTH 1000

enum jt_kind { JT_NULL, JT_BOOL, JT_NUMBER, JT_STRING, JT_ARRAY, JT_OBJECT };

struct jt_object;
struct jt_member;
struct jt {
    uint8_t kind;             /* enum jt_kind */
    bool flag;                /* of a BOOL; of a NUMBER: it has no fraction and no exponent */
    uint32_t n;               /* bytes, items or members */
    union {
        const char *text;     /* STRING; NUMBER: as written */
        struct jt *items;
        struct jt_object *object;
    };
};
struct jt_member {
    struct str name;
    struct jt value;
};
struct jt_object {
    uint32_t *index;          /* member + 1 by hash, when there are many members; or NULL */
    uint32_t mask;
    struct jt_member members[];
};

/* NULL: no JSON, *why says where (line and column, no piece of the text). Borrows `text`. */
const struct jt *jt_parse(struct arena *arena, struct str text, struct str *why);

static inline struct str jt_text(const struct jt *value)
{
    return (struct str){ value->text, value->n };
}
static inline bool jt_is(const struct jt *value, enum jt_kind kind)
{
    return value && value->kind == kind;
}
/* A member, or NULL; of anything but an object NULL. */
const struct jt *jt_get(const struct jt *object, struct str name);
/* A member that is a string, else absent. */
struct str jt_get_str(const struct jt *object, const char *name);

/* Compact, members in the order they came, numbers as they were written. */
void jt_print(struct strbuf *out, const struct jt *value);
struct str jt_string(struct arena *arena, const struct jt *value);

/* Numbers, exactly: 1.0 equals 1, 10000000000000000000001 does not equal 1e22. */
int jt_number_compare(struct str a, struct str b);            /* -1, 0, 1 */
/* Division leaves nothing. The divisor has at most so many digits that count; false otherwise. */
#define JT_DIVISOR_DIGITS 18
bool jt_number_multiple(struct str number, struct str of);
size_t jt_number_digits(struct str number);                   /* without zeros at the ends */
bool jt_number_i64(struct str number, int64_t *out);          /* false: a fraction, an exponent, or too large */
double jt_number_double(struct str number);

/* Deep, numbers by value; *steps goes down by the values looked at and ends the comparison at 0 (unequal). */
bool jt_equal(const struct jt *a, const struct jt *b, int64_t *steps);
/* Equal values have equal hashes; keyed, so that nobody aims for collisions. */
uint64_t jt_hash(const struct jt *value, int64_t *steps);
