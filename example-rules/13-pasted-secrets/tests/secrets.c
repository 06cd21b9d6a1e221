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

/* With the text in a field of the form, between two that hold none. */
static rd_intake_answer_t decided_of_field(const char *subject, const char *text) {
    rd_field_t fields[] = {
        { rd_str("people"), { .tag = RD_VALUE_NUMBER, .val.number = 4 } },
        { rd_str("details"), { .tag = RD_VALUE_TEXT, .val.text = rd_str(text) } },
        { rd_str("device"), { .tag = RD_VALUE_CHOICE, .val.choice = rd_str("4111111111111111") } },
    };
    rd_intake_input_t input = { .ticket = { .subject = rd_str(subject), .body = rd_str("Why?"), .fields = { fields, 3 } } };
    rd_intake_answer_t answer;
    rd_text failure;
    assert(rd_intake_decide(&input, &answer, &failure));
    return answer;
}

static void configure(const char *settings) {
    rd_text given = rd_str(settings);
    rd_list_text_t problems;
    assert(rd_settings_configure(&given, &problems));
}

static bool becomes(const char *body, const char *masked) {
    rd_intake_answer_t answer = decided(body);
    return answer.decision.tag == RD_INTAKE_DECISION_ACCEPT && answer.decision.val.accept.body.is_some &&
           rd_is(answer.decision.val.accept.body.val, masked);
}

int main(void) {
    rd_text settings = rd_str(SETTINGS), wrong = rd_str("{\"tokens\": \"hide\", \"token\": [{}], \"look-in\": [\"title\"]}");
    rd_list_text_t problems;
    assert(!rd_settings_configure(&wrong, &problems) && problems.len == 5);
    assert(rd_settings_configure(&settings, &problems));
    assert(becomes("pay with 4111 1111 1111 1111 please", "pay with [masked] please"));
    assert(becomes("x ghp_abcdefgh, ghp_short", "x [masked], ghp_short"));
    assert(!decided("call 4111 1111 1111 1112, order 1234567890123").decision.val.accept.body.is_some);
    assert(!decided("aghp_abcdefghij").decision.val.accept.body.is_some);
    assert(decided("-----BEGIN RSA PRIVATE KEY-----\nabc").decision.tag == RD_INTAKE_DECISION_REJECT);
    assert(!decided("").decision.val.accept.body.is_some);

    /* Cards of every length, as people write them. */
    assert(becomes("4222222222222, 378282246310005. 6304000000000000000!", "[masked], [masked]. [masked]!"));
    assert(becomes("4111 1111 1111 1111 12/27", "[masked] 12/27"));
    assert(becomes("4111-1111-1111-1111 2 times", "[masked] 2 times"));
    assert(!decided("41111111111111111111 4111-1111-1111-1111-22 0000000000000000").decision.val.accept.body.is_some);
    assert(!decided("411111111111 4111  1111  1111  1111 x4111111111111111").decision.val.accept.body.is_some);

    assert(becomes("3782 822463 10005 4111111111111111.", "[masked] [masked]."));
    assert(becomes("4111 1111 1111 1111 123, room 7 4111-1111-1111-1111", "[masked] 123, room 7 [masked]"));

    /* Numbers with a right check digit that are none of a card: of a device, a SIM, an account, ports, a hash, a time. */
    const char *others[] = { "IMEI 490154203237518", "ICCID 8944500102198304826", "DE51 4111 1111 1111 1111 00",
                             "4111 1111 1111 1111 8080", "8080 4111 1111 1111 1111", "4111111111111111ab", "17167 23480 17166 04",
                             "20240517 143002", "8080 8443 9090 5435", "41 1111 1111 1111 11" };
    for (size_t n = 0; n < sizeof others / sizeof *others; n++)
        assert(!decided(others[n]).decision.val.accept.body.is_some);

    rd_intake_answer_t answer = decided_of_field("4111111111111111", "ghp_abcdefgh");
    rd_intake_changes_t *changes = &answer.decision.val.accept;
    assert(rd_is(changes->subject.val, "[masked]") && !changes->body.is_some && changes->fields.len == 1);
    assert(rd_is(changes->fields.ptr[0].name, "details") && rd_is(changes->fields.ptr[0].value.val.text, "[masked]"));
    assert(rd_is(answer.reason, "a card number, a GitHub token was masked"));
    answer = decided_of_field("-----BEGIN PRIVATE KEY-----", "-----BEGIN PRIVATE KEY-----");
    assert(answer.decision.val.reject.len == 2 && rd_is(answer.decision.val.reject.ptr[1].field, "details"));

    configure("{\"private-keys\": \"mask\", \"tokens\": \"mask\", \"card-numbers\": \"ignore\", \"token\": [],"
              " \"look-in\": [\"body\"]}");
    assert(!decided("4111111111111111").decision.val.accept.body.is_some);
    assert(!decided_of_field("-----BEGIN PRIVATE KEY-----", "").decision.val.accept.subject.is_some);
    puts("all good");
    return 0;
}
