/* `make test`: the rule without WebAssembly. */

#include "ruledesk.h"

#include <assert.h>
#include <stdio.h>

static const char *const SETTINGS =
    "{\"private-keys\": \"reject\", \"tokens\": \"mask\", \"card-numbers\": \"mask\","
    " \"token\": [{\"name\": \"a GitHub token\", \"prefix\": \"ghp_\", \"least\": 8}]}";

static rd_intake_answer_t decided(const char *body) {
    rd_intake_input_t input = { .ticket = { .subject = rd_str("Help"), .body = rd_str(body) } };
    rd_intake_answer_t answer;
    rd_text failure;
    assert(rd_intake_decide(&input, &answer, &failure));
    return answer;
}

static bool becomes(const char *body, const char *masked) {
    rd_intake_answer_t answer = decided(body);
    return answer.decision.tag == RD_INTAKE_DECISION_ACCEPT && answer.decision.val.accept.body.is_some &&
           rd_is(answer.decision.val.accept.body.val, masked);
}

int main(void) {
    rd_text settings = rd_str(SETTINGS), wrong = rd_str("{\"tokens\": \"hide\", \"token\": [{}]}");
    rd_list_text_t problems;
    assert(!rd_settings_configure(&wrong, &problems) && problems.len == 4);
    assert(rd_settings_configure(&settings, &problems));
    assert(becomes("pay with 4111 1111 1111 1111 please", "pay with [masked] please"));
    assert(becomes("x ghp_abcdefgh, ghp_short", "x [masked], ghp_short"));
    assert(!decided("call 4111 1111 1111 1112, order 1234567890123").decision.val.accept.body.is_some);
    assert(!decided("aghp_abcdefghij").decision.val.accept.body.is_some);
    assert(decided("-----BEGIN RSA PRIVATE KEY-----\nabc").decision.tag == RD_INTAKE_DECISION_REJECT);
    assert(!decided("").decision.val.accept.body.is_some);
    puts("all good");
    return 0;
}
