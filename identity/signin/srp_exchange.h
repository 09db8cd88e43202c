/* One SRP exchange, of a user's password or a device's: what the server knows between question and answer
 * travels sealed in the SECRET_BLOCK, which the client signs and sends back. */
#pragma once

#include "identity/signin/sign_in.h"
#include "identity/signin/srp_numbers.h"

enum { SRP_NUMBER_BYTES = 384 };

struct srp_exchange {
    int64_t at_us;
    uint8_t b[SRP_EXPONENT_BYTES];
    uint8_t B[SRP_NUMBER_BYTES], A[SRP_NUMBER_BYTES]; /* left-padded with zeros */
    char sub[36];                                     /* all zero: nobody */
    char nobody[64];  /* as whom guesses at a name that is nobody's are counted; all zero: somebody */
    char sign_in[36]; /* id of the sign-in whose Session goes with it; all zero: it goes alone */
};
/* One of its texts; absent: all zero. */
#define SRP_TEXT(member) srp_text((member), sizeof(member))
struct str srp_text(const char *member, size_t size);
#define SRP_SET_TEXT(member, value) srp_set_text((member), sizeof(member), (value))
void srp_set_text(char *member, size_t size, struct str value);

/* SRP_A of this request. InvalidParameterException. */
gh_err srp_given(const struct sign_in *s, struct str *A);
/* The question: SALT, SRP_B and SECRET_BLOCK. Its texts are the caller's to set; wiped afterwards. place:
 * what the block is for, so that it is good for nothing else. */
void srp_question(struct sign_in *s, const char *place, struct srp_exchange *exchange, struct str A,
                  struct str salt_hex, struct str verifier);

/* The answer's PASSWORD_CLAIM_SECRET_BLOCK, PASSWORD_CLAIM_SIGNATURE, TIMESTAMP. */
struct srp_proof {
    struct str block_base64, block, claim, timestamp;
};
gh_err srp_need_proof(const struct sign_in *s, struct srp_proof *proof); /* "Missing required parameter X" */
/* False: not whole, not ours, not for this sign-in, too old, or with a time that is not as it has to be
 * written. */
bool srp_open(const struct sign_in *s, const char *place, struct srp_proof *proof,
              struct srp_exchange *exchange);
/* Does who answers know the password of `verifier`? group, who: what the client hashes. The exchange is
 * wiped. */
bool srp_proves(struct arena *arena, struct srp_exchange *exchange, const struct srp_proof *proof,
                struct str group, struct str who, struct str verifier);
